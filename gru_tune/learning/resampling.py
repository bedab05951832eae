"""The bootstrap: a split drawn again with replacement, as weights of its predictions.

A whole sequence is drawn with all its steps. Windows of a timeline overlap, so whole blocks of
neighbours are drawn, each within one stretch and going on at its beginning after its end, so that
all windows are drawn equally often: Politis and Romano, "A circular block-resampling procedure for
stationary data", 1992.
"""

# ``scipy.stats.bootstrap`` draws single observations only, neither blocks nor sequences of
# different lengths, and every metric would be asked on resamples of its own.

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gru_tune.learning.samples import Samples
from gru_tune.learning.truth import Truth
from gru_tune.learning.windows import Ints

RESAMPLES = 1000
# Not the study's seed: the winners of two studies on the same data are compared on the same resamples
# (where they draw the same units: blocks of windows are as long as a winner's window wants them).
SEED = 1
FEWEST_RESAMPLES = 200
MOST_DRAWN = 10**9  # predictions drawn in all resamples together
FEWEST_UNITS = 10  # with fewer, resamples are too much alike: intervals come out far too narrow

Weights = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """What is drawn: ``name`` in words, how many make up the split, and how one resample is drawn."""

    name: str
    count: int
    draw: Callable[[np.random.Generator], Weights]


def units(samples: Samples, truth: Truth) -> Units:
    """What to draw of a split whose predictions are in the order of ``truth``."""
    if samples.dataset.layout == "sequences":
        lengths = truth.lengths if samples.form == "steps" else np.ones(len(truth.y), np.int64)
        return _sequences(lengths)
    ahead = int(samples.dataset.info["horizon"]) if samples.form == "horizon" else 0
    if samples.form == "steps":
        return _blocks(truth.lengths, samples.knobs.window, "steps")
    stretches = np.unique(samples.cuts.spans, return_counts=True)[1]
    return _blocks(stretches, samples.knobs.window + ahead, "windows")


def resamples(units: Units, predictions: int, seed: int = SEED) -> Iterator[Weights]:
    """How often every prediction counts, resample after resample; none of too few units.

    1,000 of them, but fewer where a million predictions and more would take long.
    """
    if units.count < FEWEST_UNITS:
        return
    rng = np.random.default_rng(seed)
    for _ in range(min(RESAMPLES, max(FEWEST_RESAMPLES, MOST_DRAWN // predictions))):
        yield units.draw(rng)


def _sequences(lengths: Ints) -> Units:
    count = len(lengths)

    def draw(rng: np.random.Generator) -> Weights:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        return np.asarray(np.repeat(drawn, lengths))

    return Units("sequences", count, draw)


def _blocks(stretches: Ints, length: int, what: str) -> Units:
    """Blocks of ``length`` rows, shorter in shorter stretches; ``stretches`` are their numbers of rows."""
    sizes = np.repeat(stretches, stretches)
    firsts = np.repeat(np.cumsum(stretches) - stretches, stretches)
    lengths = np.minimum(length, sizes)
    count = max(1, round(len(sizes) / lengths.mean()))
    steps = np.arange(length)

    def draw(rng: np.random.Generator) -> Weights:
        begins = rng.integers(len(sizes), size=count)[:, None]
        rows = firsts[begins] + (begins - firsts[begins] + steps) % sizes[begins]
        return np.bincount(rows[steps < lengths[begins]], minlength=len(sizes))

    return Units(f"blocks of {length} neighbouring {what}", count, draw)
