"""One class a sequence, or a class for the last row of a window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks import _bag, _summary
from gru_tune.tasks._base import Direction, Metrics, Scorer, wanted
from gru_tune.tasks._by_class import class_details
from gru_tune.tasks._classes import area_scorer, certain, class_scorer, majority


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
        return self.scorer(dataset, truth, y_pred, names)(np.ones(len(y_pred)))

    def scorer(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Scorer:
        classes = class_scorer(truth.y, y_pred, names)
        area = area_scorer(truth.y, y_pred) if wanted("auc", names) else None

        def score(weights: NDArray[Any]) -> Metrics:
            auc = area(weights) if area else None
            return classes(weights) if auc is None else {**classes(weights), "auc": auc}

        return score

    def guesses(self, dataset: Dataset, truth: Truth) -> dict[str, NDArray[Any]]:
        most = np.full(len(truth.y), majority(dataset))
        guesses = {"majority class": certain(most, len(dataset.info["labels"]))}
        if _bag.is_bag(dataset):
            guesses[_bag.NAME] = _bag.class_chances(dataset, truth.rows)
        return {**guesses, **_summary.class_guesses(dataset, truth.rows)}

    def details(self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        return class_details(dataset.info["labels"], truth.y, y_pred)


CLASSIFICATION = Classification()
