"""What a model is scored against, in the shape its predictions are brought to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset

Form = Literal["sequence", "steps", "horizon"]

FORMS: dict[str, Form] = {
    "classification": "sequence",
    "regression": "sequence",
    "labelling": "steps",
    "forecasting": "horizon",
}


@dataclass(frozen=True)
class Truth:
    """All targets of one split, as prepared (classes as ids, numbers standardised).

    y:      by the form of the task: ``sequence`` (samples,) or (samples, targets);
            ``steps`` (steps,) or (steps, targets), the steps of all sequences end to end;
            ``horizon`` (samples, horizon, targets)
    valid:  where a target is known; ``y`` without its last axis for numbers
    rows:   int64, where each target comes from: a row of ``x`` (``steps``; on a timeline
            also ``sequence``), the index of the sequence, or for ``horizon`` the origin:
            the first row that is forecast
    lengths: ``steps`` only: how many steps each sequence has
    """

    form: Form
    y: NDArray[Any]
    valid: NDArray[np.bool_]
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]


def valid_rows(dataset: Dataset) -> NDArray[np.bool_]:
    """``Dataset.valid`` with one flag a row, also where it has one for every target."""
    valid = np.asarray(dataset.valid)
    return valid if valid.ndim == 1 else np.asarray(valid.all(axis=1))
