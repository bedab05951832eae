"""Metrics of numbers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks._base import Metrics, Scorer, wanted


def original(dataset: Dataset, scaled: NDArray[Any]) -> NDArray[np.float64]:
    """Targets (…, targets) in the units of the data as given."""
    scale = dataset.info["target_scale"]
    return np.asarray(scaled.astype(np.float64) * np.asarray(scale["std"]) + np.asarray(scale["mean"]))


def error_scorer(error: NDArray[Any], names: Collection[str] | None, prefix: str = "") -> Scorer:
    """``mae``, ``mse`` and ``rmse`` of ``error`` (n, targets) by weights (n,), their names after ``prefix``."""
    absolute, squared = np.abs(error).mean(axis=1), np.square(error).mean(axis=1)

    def score(weights: NDArray[Any]) -> Metrics:
        mse = float(np.average(squared, weights=weights))
        every = {"mae": float(np.average(absolute, weights=weights)), "mse": mse, "rmse": mse**0.5}
        return {prefix + name: value for name, value in every.items() if wanted(prefix + name, names)}

    return score


def quartiles(dataset: Dataset, y: NDArray[Any], y_pred: NDArray[Any]) -> list[dict[str, Any]]:
    """The mean absolute error by quartile of the truth, in original units, for every target.

    ``y`` and ``y_pred`` (n, targets) as prepared. Each quartile of each target is a row with
    ``target``, ``low`` and ``high`` (the least and greatest truth in it), ``count`` and ``mae``;
    quartiles without rows are left out.
    """
    true, told = original(dataset, y), original(dataset, y_pred)
    rows = []
    for column, target in enumerate(dataset.info["targets"]):
        values = true[:, column]
        home = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values, side="left")
        for quartile in np.unique(home):
            here = home == quartile
            error = np.abs(told[here, column] - values[here])
            rows.append(
                {
                    "target": target, "low": float(values[here].min()), "high": float(values[here].max()),
                    "count": int(here.sum()), "mae": float(error.mean()),
                }
            )  # fmt: skip
    return rows
