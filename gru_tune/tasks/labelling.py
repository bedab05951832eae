"""A class or numbers at every step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks._base import Direction, Metrics, wanted
from gru_tune.tasks._classes import certain, class_metrics, majority, training_rows, training_targets
from gru_tune.tasks._numbers import errors, original
from gru_tune.tasks.spans import is_span_tags, span_f1

CLASSES: dict[str, Direction] = {"accuracy": "max", "macro_f1": "max", "span_f1": "max", "loss": "min"}
NUMBERS: dict[str, Direction] = dict.fromkeys(("mae", "mse", "rmse", "last_mae", "last_rmse", "loss"), "min")


@dataclass(frozen=True)
class Labelling:
    """Every known step counts once; ``last_…`` only the last known step of every sequence."""

    name: str = "labelling"

    def metrics(self, target: str | None) -> dict[str, Direction]:
        if target is None:
            return {**CLASSES, **NUMBERS}
        return dict(CLASSES if target in ("label", "labels") else NUMBERS)

    def default_objective(self, target: str | None) -> str:
        return "rmse" if target in ("number", "numbers") else "accuracy"

    def score(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Metrics:
        if dataset.target == "labels":
            return _score_classes(dataset, truth, y_pred, names)
        error = original(dataset, y_pred) - original(dataset, truth.y)
        last = np.cumsum(truth.lengths) - 1
        return {
            **errors(error, names),
            **{n: v for n, v in errors(error[last], names, "last_").items() if n != "last_mse"},
        }

    def baselines(self, dataset: Dataset, truth: Truth) -> dict[str, Metrics]:
        if dataset.target == "numbers":
            guess = np.broadcast_to(training_targets(dataset).mean(axis=0), truth.y.shape)
            return {"training mean": self.score(dataset, truth, guess)}
        classes = len(dataset.info["labels"])
        guesses = {"majority class": np.full(len(truth.y), majority(dataset))}
        if np.asarray(dataset.x).ndim == 1:
            guesses["most frequent class of the word"] = _habitual(dataset)[np.asarray(dataset.x)[truth.rows]]
        return {name: self.score(dataset, truth, certain(guess, classes)) for name, guess in guesses.items()}


def _score_classes(
    dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None
) -> Metrics:
    result = class_metrics(truth.y, y_pred, names)
    tags = dataset.info["labels"]
    if wanted("span_f1", names) and is_span_tags(tags):
        starts = np.zeros(len(truth.y), bool)
        starts[np.cumsum(truth.lengths) - truth.lengths] = True
        result["span_f1"] = span_f1(truth.y, y_pred.argmax(axis=1), starts, tags)
    return result


def _habitual(dataset: Dataset) -> NDArray[np.int64]:
    """For every word id its most frequent class in training; the overall one for the rest."""
    rows = training_rows(dataset)
    x, y = np.asarray(dataset.x)[rows], np.asarray(dataset.y)[rows]
    words = int(max(np.asarray(dataset.x).max(initial=0), 1)) + 1
    pairs, counts = np.unique(np.stack([x, y]), axis=1, return_counts=True)
    order = np.argsort(counts, kind="stable")  # the most frequent is written last
    habit = np.full(words, majority(dataset), np.int64)
    habit[pairs[0][order]] = pairs[1][order]
    return habit


LABELLING = Labelling()
