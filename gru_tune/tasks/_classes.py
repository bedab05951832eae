"""Metrics of classes. A class the training split lacks (id beyond the probabilities) is always missed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import valid_rows
from gru_tune.tasks._base import Metrics, wanted


def class_metrics(y: NDArray[Any], chances: NDArray[Any], names: Collection[str] | None) -> Metrics:
    """``accuracy`` and ``macro_f1`` of ids (n,) and probabilities (n, classes)."""
    guess = chances.argmax(axis=1)
    result: Metrics = {}
    if wanted("accuracy", names):
        result["accuracy"] = float((guess == y).mean())
    if wanted("macro_f1", names):
        from sklearn.metrics import f1_score

        result["macro_f1"] = float(f1_score(y, guess, average="macro", zero_division=0.0))
    return result


def area_under_curve(y: NDArray[Any], chances: NDArray[Any]) -> float | None:
    """Area under the ROC curve, for many classes the mean of each against the rest.

    A class without examples, or with nothing but examples, has none; None when no class has.
    """
    from sklearn.metrics import roc_auc_score

    classes = range(chances.shape[1]) if chances.shape[1] > 2 else [1]
    areas = [
        roc_auc_score(y == one, chances[:, one]) for one in classes if 0 < int((y == one).sum()) < len(y)
    ]
    return float(np.mean(areas)) if areas else None


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
