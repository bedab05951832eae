"""One class a sequence, or a class for the last row of a window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks import _bag, _examples, _summary
from gru_tune.tasks._base import Direction, Metrics, Scorer, Shown, wanted
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

    def examples(self, samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """``mistakes``: where the model was most sure of a wrong class.

        Each has the ``true`` and ``predicted`` class and the chances of both, that of a class training
        lacks being None, besides ``where`` it is and its inputs.
        """
        dataset, guess, sure = samples.dataset, y_pred.argmax(axis=1), y_pred.max(axis=1)
        wrong = guess != truth.y
        mistakes = []
        for place in _examples.worst(samples, truth, np.where(wrong, sure, 0.0)):
            true, told = int(truth.y[place]), int(guess[place])
            known = true < y_pred.shape[1]
            mistakes.append({
                "true": _examples.label(dataset, true), "predicted": _examples.label(dataset, told),
                "chance_of_true": float(y_pred[place, true]) if known else None,
                "chance": float(sure[place]), **_examples.sample(samples, truth, place),
            })  # fmt: skip
        return {"samples": len(guess), "wrong": int(wrong.sum()), "mistakes": mistakes}


CLASSIFICATION = Classification()
