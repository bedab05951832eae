"""Data sets that Keras downloads the first time, and keeps in its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError

SECONDS = 900
# Keras is loaded in a process of its own: reading data must not load a backend into this one.
FETCH = """
import sys
import numpy as np
from importlib import import_module
loader = import_module(f"keras.datasets.{sys.argv[1]}")
(x, y), (x_test, y_test) = loader.load_data(start_char=None, oov_char=0, index_from=0)
index = loader.get_word_index()
rows = [np.asarray(row, np.int32) for row in (*x, *x_test)]
words = np.full(max(index.values()) + 1, "", dtype=object)
words[list(index.values())] = list(index)
np.savez(
    sys.argv[2], ids=np.concatenate(rows), lengths=[len(row) for row in rows],
    labels=np.concatenate([y, y_test]), train=len(x), words=words.astype(str),
)
"""
TOPICS = [
    "cocoa",
    "grain",
    "veg-oil",
    "earn",
    "acq",
    "wheat",
    "copper",
    "housing",
    "money-supply",
    "coffee",
    "sugar",
    "trade",
    "reserves",
    "ship",
    "cotton",
    "carcass",
    "crude",
    "nat-gas",
    "cpi",
    "money-fx",
    "interest",
    "gnp",
    "meal-feed",
    "alum",
    "oilseed",
    "gold",
    "tin",
    "strategic-metal",
    "livestock",
    "retail",
    "ipi",
    "iron-steel",
    "rubber",
    "heat",
    "jobs",
    "lei",
    "bop",
    "zinc",
    "orange",
    "pet-chem",
    "dlr",
    "gas",
    "silver",
    "wpi",
    "hog",
    "lead",
]


def imdb() -> Frame:
    """50,000 movie reviews (Maas et al., 2011): ``tokens``, ``label`` (negative, positive), ``split``."""
    return _frame("imdb", ["negative", "positive"])


def reuters() -> Frame:
    """11,228 newswires of 46 topics: ``tokens``, ``label``, ``split``."""
    return _frame("reuters", TOPICS)


def _frame(name: str, labels: list[str]) -> Frame:
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        _fetch(name, path)
        with np.load(path, allow_pickle=False) as data:
            ids, lengths, numbers = data["ids"], data["lengths"], data["labels"]
            train, words = int(data["train"]), data["words"].tolist()
    ends = np.cumsum(lengths)
    tokens = [
        [words[n] for n in ids[end - length : end].tolist() if 0 < n < len(words)]
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]
    split = np.where(np.arange(len(lengths)) < train, "train", "test")
    table = {"tokens": tokens, "label": [labels[n] for n in numbers.tolist()], "split": split}
    return Frame(f"builtin:{name}", pd.DataFrame(table), split=split.astype(object))


def _fetch(name: str, path: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    command = [sys.executable, "-c", FETCH, name, str(path)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
        failed = done.returncode != 0
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    except subprocess.TimeoutExpired:
        failed, reason = True, f"no answer within {SECONDS // 60} minutes"
    if failed:
        raise DataError(
            f"data.path: builtin:{name} is downloaded by Keras the first time, and that failed ({reason[:160]}); "
            "check the network, or name a file of your own"
        )
