"""What the inputs of a step alone tell of its class or its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks import _models
from gru_tune.tasks._classes import training_rows
from gru_tune.tasks._inputs import is_numeric, thinned

Ints = NDArray[np.int64]

LOGISTIC = "logistic regression on the step"
LINEAR = "linear regression on the step"


def class_guesses(dataset: Dataset, rows: Ints) -> dict[str, NDArray[np.float32]]:
    """Probabilities (rows, classes) by the name of the model."""
    x, y, classes = np.asarray(dataset.x), np.asarray(dataset.y), len(dataset.info["labels"])
    known = thinned(training_rows(dataset), x.shape[1] * classes)
    return {LOGISTIC: _models.class_chances(_models.logistic(), x[known], y[known], x[rows], classes)}


def number_guesses(dataset: Dataset, rows: Ints) -> dict[str, NDArray[Any]]:
    """Targets (rows, targets), scaled as prepared, by the name of the model."""
    if not is_numeric(dataset):
        return {}
    x, y = np.asarray(dataset.x), np.asarray(dataset.y)
    known = thinned(training_rows(dataset), x.shape[1])
    model = _models.fit(_models.ridge(), x[known].astype(np.float64), y[known])
    return {LINEAR: np.asarray(model.predict(x[rows].astype(np.float64))).reshape(len(rows), -1)}
