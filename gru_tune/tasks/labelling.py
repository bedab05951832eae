"""A class or numbers at every step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth
from gru_tune.tasks import _pieces, _step
from gru_tune.tasks._base import Direction, Metrics, Scorer, Shown, wanted
from gru_tune.tasks._by_class import class_details
from gru_tune.tasks._classes import certain, class_scorer, majority, training_rows, training_targets
from gru_tune.tasks._inputs import is_numeric
from gru_tune.tasks._numbers import error_scorer, original, quartiles
from gru_tune.tasks.spans import by_type, is_span_tags, span_scorer

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
        return self.scorer(dataset, truth, y_pred, names)(np.ones(len(y_pred)))

    def scorer(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Scorer:
        if dataset.target == "labels":
            return _class_scorer(dataset, truth, y_pred, names)
        error = original(dataset, y_pred) - original(dataset, truth.y)
        last = np.cumsum(truth.lengths) - 1
        steps, lasts = error_scorer(error, names), error_scorer(error[last], names, "last_")

        def score(weights: NDArray[Any]) -> Metrics:
            at_last = lasts(weights[last]) if weights[last].any() else {}
            at_last.pop("last_mse", None)
            return {**steps(weights), **at_last}

        return score

    def guesses(self, dataset: Dataset, truth: Truth) -> dict[str, NDArray[Any]]:
        if dataset.target == "numbers":
            mean = np.broadcast_to(training_targets(dataset).mean(axis=0), truth.y.shape)
            return {"training mean": mean, **_step.number_guesses(dataset, truth.rows)}
        classes = len(dataset.info["labels"])
        guesses = {"majority class": certain(np.full(len(truth.y), majority(dataset)), classes)}
        if is_numeric(dataset):
            return {**guesses, **_step.class_guesses(dataset, truth.rows)}
        habit = _habitual(dataset)[np.asarray(dataset.x)[truth.rows]]
        return {**guesses, "most frequent class of the word": certain(habit, classes)}

    def details(self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        if dataset.target == "numbers":
            return {"quartiles": quartiles(dataset, truth.y, y_pred)}
        tags = dataset.info["labels"]
        details = class_details(tags, truth.y, y_pred)
        if is_span_tags(tags):
            details["spans"] = by_type(truth.y, y_pred.argmax(axis=1), _starts(truth), tags)
        return details

    def examples(self, samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        if samples.dataset.target == "numbers":
            return _pieces.of_numbers(samples, truth, y_pred)
        return _pieces.of_classes(samples, truth, y_pred)


def _class_scorer(
    dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None
) -> Scorer:
    classes, tags = class_scorer(truth.y, y_pred, names), dataset.info["labels"]
    if not wanted("span_f1", names) or not is_span_tags(tags):
        return classes
    spans = span_scorer(truth.y, y_pred.argmax(axis=1), _starts(truth), tags)
    return lambda weights: {**classes(weights), "span_f1": spans(weights)}


def _starts(truth: Truth) -> NDArray[np.bool_]:
    """(steps,) marks the first step of every sequence."""
    starts = np.zeros(len(truth.y), bool)
    starts[np.cumsum(truth.lengths) - truth.lengths] = True
    return starts


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
