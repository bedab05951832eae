"""Metrics of classes. A class the training split lacks (id beyond the probabilities) is always missed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import valid_rows
from gru_tune.tasks._base import Metrics, Scorer, wanted


def class_scorer(y: NDArray[Any], chances: NDArray[Any], names: Collection[str] | None) -> Scorer:
    """``accuracy`` and ``macro_f1`` of ids (n,) and probabilities (n, classes) by weights (n,)."""
    guess, classes = chances.argmax(axis=1), chances.shape[1]
    hit = guess == y
    # Every pair of a class and a guess is one weighted row for scikit-learn: there are few of them.
    pairs, pair = np.unique(y.astype(np.int64) * classes + guess, return_inverse=True)

    def score(weights: NDArray[Any]) -> Metrics:
        result: Metrics = {}
        if wanted("accuracy", names):
            result["accuracy"] = float(np.average(hit, weights=weights))
        if wanted("macro_f1", names):
            from sklearn.metrics import f1_score

            counts = np.bincount(pair, weights=weights, minlength=len(pairs))
            there = counts > 0
            true, told = np.divmod(pairs[there], classes)
            f1 = f1_score(true, told, sample_weight=counts[there], average="macro", zero_division=0.0)
            result["macro_f1"] = float(f1)
        return result

    return score


def area_scorer(y: NDArray[Any], chances: NDArray[Any]) -> Callable[[NDArray[Any]], float | None]:
    """Area under the ROC curve by weights (n,), for many classes the mean of each against the rest.

    A class without examples, or with nothing but examples, has none; None when no class has.
    """
    classes = range(chances.shape[1]) if chances.shape[1] > 2 else [1]
    there = set(np.unique(y).tolist())
    areas = [_area(y == one, chances[:, one]) for one in classes if one in there]

    def score(weights: NDArray[Any]) -> float | None:
        found = [value for area in areas if (value := area(weights)) is not None]
        return float(np.mean(found)) if found else None

    return score


def _area(hit: NDArray[np.bool_], chance: NDArray[Any]) -> Callable[[NDArray[Any]], float | None]:
    """How often a hit is ranked above a miss (Mann and Whitney's U, equals half).

    scikit-learn's takes weights too, but would sort anew for each of a thousand of them.
    """
    order = np.argsort(chance, kind="stable")
    hit = hit[order]
    runs = np.flatnonzero(np.diff(chance[order], prepend=-np.inf))  # equal chances, end to end

    def area(weights: NDArray[Any]) -> float | None:
        ranked = weights[order].astype(np.float64)
        hits, misses = np.add.reduceat(ranked * hit, runs), np.add.reduceat(ranked * ~hit, runs)
        pairs = hits.sum() * misses.sum()
        below = np.cumsum(misses) - misses / 2
        return float(hits @ below / pairs) if pairs else None

    return area


def certain(ids: NDArray[Any], classes: int) -> NDArray[np.float32]:
    """Ids (n,) as probabilities (n, classes) without a doubt."""
    return np.asarray(np.eye(classes, dtype=np.float32)[ids])


def majority(dataset: Dataset) -> int:
    """The most frequent class of the training split."""
    y = training_targets(dataset)
    return int(np.bincount(y, minlength=1).argmax())


def training_rows(dataset: Dataset) -> NDArray[np.int64]:
    """The places in ``y`` that belong to the training split and are known."""
    spans = dataset.of("train")
    if dataset.target in ("label", "number"):
        rows = spans
    else:
        owned = np.zeros(len(dataset.y), bool)
        for start, length in dataset.spans[spans, :2]:
            owned[start : start + length] = True
        rows = np.flatnonzero(owned)
    return np.asarray(rows[valid_rows(dataset)[rows]])


def training_targets(dataset: Dataset) -> NDArray[Any]:
    """All known targets of the training split."""
    return np.asarray(np.asarray(dataset.y)[training_rows(dataset)])
