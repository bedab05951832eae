"""Some of a split's samples as people read them: where they are, what went in, in original units.

All of it is JSON of a bounded size, whatever the size of the split.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks._base import Shown
from gru_tune.tasks._by_class import UNSEEN
from gru_tune.tasks._inputs import is_numeric
from gru_tune.tasks._numbers import original
from gru_tune.wording import cut

Ints = NDArray[np.int64]

MISTAKES = 12
FEATURES = 64  # columns of the inputs that are told
TARGETS = 3
WORDS = 80  # words of an input that are told, and steps of a piece of a labelled sequence
POINTS = 100  # steps of a series that are told
VALUES = 1600  # of all series of an input together
SCATTERED = 1000  # pairs of truth and prediction
UNKNOWN = 1  # the id of words that training lacks
DIGITS = 6  # significant ones
LETTERS = 100  # of a name


def spread(count: int, most: int) -> Ints:
    """Up to ``most`` of the numbers 0 … count - 1, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(np.int64))


def plain(values: NDArray[Any]) -> list[float | None]:
    """Numbers (n,) with six significant digits; None where they are not finite."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()]


def worst(samples: Shown, truth: Truth, badness: NDArray[Any]) -> list[int]:
    """The places of up to 12 samples with the greatest ``badness`` (samples,), those of 0 left out.

    Windows of a timeline that overlap are nearly the same: the worst stands for its neighbours.
    """
    apart = len(samples.rows(0)) if samples.dataset.layout == "timeline" else 1
    chosen: list[int] = []
    left = badness.copy()
    while len(chosen) < MISTAKES and left[place := int(left.argmax())] > 0:
        chosen.append(place)
        left[np.abs(truth.rows - truth.rows[place]) < apart] = 0.0
    return chosen


def where(dataset: Dataset, row: int) -> str:
    """The place of a row of ``x`` in words: ``row 4,213``, or ``sequence 12`` of its split."""
    if dataset.layout == "timeline":
        return f"row {row + 1:,}"
    return sequence(dataset, span_of(dataset, row))


def sequence(dataset: Dataset, span: int) -> str:
    """A sequence by its number in the order of its split."""
    before = dataset.spans[: span + 1, 2] == dataset.spans[span, 2]
    return f"sequence {int(before.sum()):,}"


def span_of(dataset: Dataset, row: int) -> int:
    """The span that a row of ``x`` lies in."""
    order = np.argsort(dataset.spans[:, 0], kind="stable")
    return int(order[np.searchsorted(dataset.spans[order, 0], row, "right") - 1])


def sample(samples: Shown, truth: Truth, place: int) -> dict[str, Any]:
    """``where`` a sample with one target is, and what its model was shown."""
    dataset, row = samples.dataset, int(truth.rows[place])
    alone = dataset.target in ("label", "number")  # its row is then the number of its sequence
    return {
        "where": sequence(dataset, row) if alone else where(dataset, row),
        **inputs(samples, samples.rows(place)),
    }


def inputs(samples: Shown, rows: Ints) -> dict[str, Any]:
    """What the rows of ``x`` hold, and ``length``, how many they are.

    ``words``: the first ids; or ``series``, a row a feature with ``name`` and ``values``, at the steps ``at``,
    of some of the features, where there are many; ``features`` is how many there are.
    """
    dataset, found = samples.dataset, {"length": len(rows)}
    if not is_numeric(dataset):
        words = np.asarray(dataset.x)[rows[:WORDS]]
        known = words < samples.knobs.vocabulary
        return {**found, "words": np.where(known, words, UNKNOWN).tolist()}
    names = dataset.info["inputs"]
    features = spread(len(names), FEATURES)
    at = spread(len(rows), min(POINTS, VALUES // len(features)))
    scale, x = dataset.info["input_scale"], np.asarray(dataset.x)[rows[at]].astype(np.float64)
    series = [
        {"name": short(names[n]), "values": plain(x[:, n] * scale["std"][n] + scale["mean"][n])}
        for n in features.tolist()
    ]
    return {**found, "at": (at + 1).tolist(), "series": series, "features": len(names)}


def label(dataset: Dataset, number: int) -> str:
    """The name of a class."""
    names = dataset.info["labels"]
    return short(names[number]) if number < len(names) else UNSEEN


def short(name: object) -> str:
    """A name from the data, cut where it is long: some are told at every step."""
    return cut(str(name), LETTERS)


def scattered(dataset: Dataset, y: NDArray[Any], y_pred: NDArray[Any]) -> list[dict[str, Any]]:
    """``true`` and ``predicted`` of up to 1,000 rows of both (n, targets), for every ``target``."""
    shown = spread(len(y), SCATTERED)
    return compared(dataset, y[shown], y_pred[shown])


def compared(dataset: Dataset, y: NDArray[Any], y_pred: NDArray[Any]) -> list[dict[str, Any]]:
    """``target``, ``true`` and ``predicted`` of all rows (n, targets), for the first targets."""
    true, told = original(dataset, y), original(dataset, y_pred)
    return [
        {"target": short(name), "true": plain(true[:, n]), "predicted": plain(told[:, n])}
        for n, name in enumerate(dataset.info["targets"][:TARGETS])
    ]


def pieces(truth: Truth, most: int) -> Iterator[tuple[int, int]]:
    """First step and step after the last of every sequence of a labelling, long ones cut into even pieces."""
    end = 0
    for length in truth.lengths.tolist():
        begin, end = end, end + length
        size = -(-length // -(-length // most))
        yield from ((start, min(start + size, end)) for start in range(begin, end, size))
