"""How predictions of classes fare, class by class, and how far their probabilities are to be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSEEN = "(not in training)"
BINS = 10
MOST = 200  # classes, for a confusion matrix that can still be looked at


def class_details(labels: Sequence[str], y: NDArray[Any], chances: NDArray[Any]) -> dict[str, Any]:
    """``classes``, ``calibration`` and ``confusion`` of ids (n,) and probabilities (n, classes).

    ``confusion`` has ``labels`` and ``counts``, a row a true class, a column a predicted one; it is
    left out beyond 200 classes. Classes that training lacks are one class, never predicted.
    """
    guess = chances.argmax(axis=1)
    details = {
        "classes": by_class(labels, y, guess),
        "calibration": calibration(y == guess, chances.max(axis=1)),
    }
    if len(labels) <= MOST:
        from sklearn.metrics import confusion_matrix

        names, true = _with_unseen(labels, y)
        counts = confusion_matrix(true, guess, labels=range(len(names)))
        details["confusion"] = {"labels": names, "counts": counts.tolist()}
    return details


def by_class(labels: Sequence[str], y: NDArray[Any], guess: NDArray[Any]) -> list[dict[str, Any]]:
    """``class``, ``precision``, ``recall``, ``f1`` and ``support`` of every class by ids (n,)."""
    from sklearn.metrics import precision_recall_fscore_support

    names, true = _with_unseen(labels, y)
    columns = precision_recall_fscore_support(true, guess, labels=range(len(names)), zero_division=0.0)
    keys = ("precision", "recall", "f1", "support")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        {"class": name, **dict(zip(keys, row, strict=True))} for name, row in zip(names, rows, strict=True)
    ]


def calibration(hit: NDArray[np.bool_], confidence: NDArray[Any]) -> dict[str, Any]:
    """Whether predictions made with probability p come true as often, in ten bins of p.

    ``expected_error`` is the mean distance of ``confidence`` (the mean p) and ``accuracy`` of the
    ``bins``, weighted by their ``count``: Naeini et al., "Obtaining well calibrated
    probabilities using Bayesian binning", AAAI 2015. Empty bins are left out.
    """
    home = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(home, minlength=BINS)
    there = np.flatnonzero(counts)
    told = np.bincount(home, weights=confidence, minlength=BINS)[there] / counts[there]
    came = np.bincount(home, weights=hit, minlength=BINS)[there] / counts[there]
    rows = zip(told.tolist(), came.tolist(), counts[there].tolist(), strict=True)
    keys = ("confidence", "accuracy", "count")
    return {
        "expected_error": float(np.average(np.abs(told - came), weights=counts[there])),
        "bins": [dict(zip(keys, row, strict=True)) for row in rows],
    }


def _with_unseen(labels: Sequence[str], y: NDArray[Any]) -> tuple[list[str], NDArray[Any]]:
    """The names of all classes, and ids in which those that training lacks are the one after the last."""
    return [*labels, *([UNSEEN] if (y >= len(labels)).any() else [])], np.minimum(y, len(labels))
