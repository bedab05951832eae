"""Generated sequences of different lengths."""

from __future__ import annotations

import numpy as np

from gru_tune.data.frame import Frame


def adding(sequences: int = 1000, length: int = 40, seed: int = 1) -> Frame:
    """The adding problem (Hochreiter and Schmidhuber, 1997).

    Columns ``series``, ``step``, ``value`` (0 to 1), ``marker`` (1 at two steps, else 0) and
    the target ``sum`` of the two marked values. From half of ``length`` to ``length`` steps.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    lengths = rng.integers(max(2, length // 2), max(2, length), sequences, endpoint=True)
    values, markers, sums = [], [], []
    for steps in lengths:
        value, marker = rng.random(steps), np.zeros(steps)
        marker[rng.choice(steps, 2, replace=False)] = 1
        values.append(value)
        markers.append(marker)
        sums.append(np.full(steps, value @ marker))
    table = {"value": np.concatenate(values), "marker": np.concatenate(markers), "sum": np.concatenate(sums)}
    return Frame("builtin:adding", pd.DataFrame({**_numbered(lengths), **table}))


def motifs(sequences: int = 240, length: int = 32, seed: int = 1) -> Frame:
    """One of three shapes somewhere in noise: columns ``series``, ``step``, ``value``, ``motif``."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    lengths = rng.integers(max(12, length // 2), max(12, length), sequences, endpoint=True)
    wave = np.linspace(0, 1, 8)
    shapes = {"bump": 2 * np.sin(np.pi * wave), "ramp": 2 * wave, "zigzag": 2.0 * (np.arange(8) % 2)}
    names = [list(shapes)[n % 3] for n in range(sequences)]
    values = []
    for steps, name in zip(lengths, names, strict=True):
        value = rng.normal(0, 0.2, steps)
        start = rng.integers(0, steps - 8, endpoint=True)
        value[start : start + 8] += shapes[name]
        values.append(value)
    table = {"value": np.concatenate(values), "motif": np.repeat(names, lengths)}
    return Frame("builtin:motifs", pd.DataFrame({**_numbered(lengths), **table}))


def echo(sequences: int = 400, length: int = 16, delay: int = 3, words: int = 8, seed: int = 1) -> Frame:
    """Columns ``tokens`` and ``tags``: the tag is the token ``delay`` steps before, ``none`` at first."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    tokens, tags = [], []
    for steps in rng.integers(max(delay + 1, length // 2), max(delay + 1, length), sequences, endpoint=True):
        row = [f"w{n}" for n in rng.integers(1, words, steps, endpoint=True)]
        tokens.append(row)
        tags.append((["none"] * delay + row)[:steps])
    return Frame("builtin:echo", pd.DataFrame({"tokens": tokens, "tags": tags}))


def _numbered(lengths: np.typing.NDArray[np.int64]) -> dict[str, np.typing.NDArray[np.int64]]:
    return {
        "series": np.repeat(np.arange(1, len(lengths) + 1), lengths),
        "step": np.concatenate([np.arange(steps) for steps in lengths]),
    }
