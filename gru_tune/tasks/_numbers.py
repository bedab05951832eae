"""Metrics of numbers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks._base import Metrics, wanted


def original(dataset: Dataset, scaled: NDArray[Any]) -> NDArray[np.float64]:
    """Targets (…, targets) in the units of the data as given."""
    scale = dataset.info["target_scale"]
    return np.asarray(scaled.astype(np.float64) * np.asarray(scale["std"]) + np.asarray(scale["mean"]))


def errors(error: NDArray[Any], names: Collection[str] | None, prefix: str = "") -> Metrics:
    """``mae``, ``mse`` and ``rmse`` over all of ``error``, their names after ``prefix``."""
    squared = float(np.mean(np.square(error)))
    every = {"mae": float(np.mean(np.abs(error))), "mse": squared, "rmse": float(np.sqrt(squared))}
    return {prefix + name: value for name, value in every.items() if wanted(prefix + name, names)}
