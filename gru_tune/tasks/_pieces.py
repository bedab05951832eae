"""Examples of a labelling: sequences, or pieces of long ones, with what is predicted of their steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.learning.truth import Truth
from gru_tune.tasks import _examples
from gru_tune.tasks._base import Shown

STEPS = 300  # of a piece of numbers
WORST, OTHERS = 6, 4


def of_classes(samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
    """``tagged``: pieces with the ``true`` and the ``predicted`` class of every step, and their inputs.

    ``wrong`` counts the steps that differ, over all and in each; ``rank`` tells the most wrong from the others.
    """
    dataset, guess = samples.dataset, y_pred.argmax(axis=1)
    wrong = guess != truth.y
    tagged = []
    for start, end, rank in _chosen(truth, wrong, _examples.WORDS):
        steps = slice(start, end)
        tagged.append({
            **_where(samples, truth, start, end), "rank": rank, "wrong": int(wrong[steps].sum()),
            "true": [_examples.label(dataset, number) for number in truth.y[steps].tolist()],
            "predicted": [_examples.label(dataset, number) for number in guess[steps].tolist()],
            **_examples.inputs(samples, truth.rows[steps]),
        })  # fmt: skip
    return {"samples": len(guess), "wrong": int(wrong.sum()), "tagged": tagged}


def of_numbers(samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
    """``points``: truth and prediction at steps of all sequences; ``strips``: those of some pieces.

    A strip has the ``true`` and the ``predicted`` values of the first ``targets``, step by step.
    """
    dataset = samples.dataset
    strips = []
    for start, end, rank in _chosen(truth, np.abs(y_pred - truth.y).mean(axis=1), STEPS):
        steps = slice(start, end)
        strips.append({
            **_where(samples, truth, start, end), "rank": rank,
            "targets": _examples.compared(dataset, truth.y[steps], y_pred[steps]),
        })  # fmt: skip
    points = _examples.scattered(dataset, truth.y, y_pred)
    return {"samples": len(y_pred), "points": points, "strips": strips}


def _chosen(truth: Truth, badness: NDArray[Any], most: int) -> list[tuple[int, int, str]]:
    """First step, step after the last and rank of the worst pieces by the sum of ``badness`` (steps,), and of
    some from all over the rest.
    """
    every = np.array(list(_examples.pieces(truth, most)))
    sums = np.add.reduceat(badness.astype(np.float64), every[:, 0])
    order = np.argsort(-sums, kind="stable")
    first, rest = order[:WORST], order[WORST:]
    picked = [(place, "most wrong" if sums[place] > 0 else "for comparison") for place in first]
    picked += [(place, "for comparison") for place in rest[_examples.spread(len(rest), OTHERS)]]
    return [(int(every[place, 0]), int(every[place, 1]), rank) for place, rank in picked]


def _where(samples: Shown, truth: Truth, start: int, end: int) -> dict[str, str]:
    """Where a piece is, in words: ``sequence 12``, ``sequence 12, steps 81 to 160``, ``row 4,213``."""
    dataset, row = samples.dataset, int(truth.rows[start])
    place = _examples.where(dataset, row)
    if dataset.layout == "timeline":
        return {"where": place}
    begin, length = dataset.spans[_examples.span_of(dataset, row), :2]
    first, last = row - int(begin) + 1, int(truth.rows[end - 1]) - int(begin) + 1
    whole = first == 1 and last == int(length)
    return {"where": place if whole else f"{place}, steps {first:,} to {last:,}"}
