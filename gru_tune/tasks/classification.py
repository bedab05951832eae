"""One class a sequence, or a class for the last row of a window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks import _bag
from gru_tune.tasks._base import Direction, Metrics, wanted
from gru_tune.tasks._classes import area_under_curve, certain, class_metrics, majority


@dataclass(frozen=True)
class Classification:
    """Cross-entropy; scored by accuracy, macro F1 and the area under the ROC curve."""

    name: str = "classification"

    def metrics(self, target: str | None) -> dict[str, Direction]:
        return {"accuracy": "max", "macro_f1": "max", "auc": "max", "loss": "min"}

    def default_objective(self, target: str | None) -> str:
        return "accuracy"

    def score(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Metrics:
        result = class_metrics(truth.y, y_pred, names)
        area = area_under_curve(truth.y, y_pred) if wanted("auc", names) else None
        return result if area is None else {**result, "auc": area}

    def baselines(self, dataset: Dataset, truth: Truth) -> dict[str, Metrics]:
        guess = np.full(len(truth.y), majority(dataset))
        chances = {"majority class": certain(guess, len(dataset.info["labels"]))}
        if _bag.is_bag(dataset):
            chances[_bag.NAME] = _bag.class_chances(dataset, truth.rows)
        return {name: self.score(dataset, truth, found) for name, found in chances.items()}


CLASSIFICATION = Classification()
