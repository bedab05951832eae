"""Numbers for a sequence, or for the last row of a window."""

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
from gru_tune.tasks._classes import training_targets
from gru_tune.tasks._numbers import error_scorer, original, quartiles

CONSTANT = 1e-14  # a spread below it, as a share of the numbers themselves, is one of rounding errors


@dataclass(frozen=True)
class Regression:
    """Squared error; scored in the units of the data as given."""

    name: str = "regression"

    def metrics(self, target: str | None) -> dict[str, Direction]:
        return {"mae": "min", "mse": "min", "rmse": "min", "r2": "max", "loss": "min"}

    def default_objective(self, target: str | None) -> str:
        return "rmse"

    def score(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Metrics:
        return self.scorer(dataset, truth, y_pred, names)(np.ones(len(y_pred)))

    def scorer(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Scorer:
        y = original(dataset, truth.y)
        error = original(dataset, y_pred) - y
        errors = error_scorer(error, names)
        squared, size = np.square(error), np.abs(y).max(axis=0)

        def score(weights: NDArray[Any]) -> Metrics:
            result = errors(weights)
            spread = weights @ np.square(y - np.average(y, axis=0, weights=weights))
            if wanted("r2", names) and (spread > np.square(CONSTANT * size) * weights.sum()).all():
                result["r2"] = float(np.mean(1 - weights @ squared / spread))
            return result

        return score

    def guesses(self, dataset: Dataset, truth: Truth) -> dict[str, NDArray[Any]]:
        known = training_targets(dataset)
        guesses = {"training mean": known.mean(axis=0), "training median": np.median(known, axis=0)}
        if _bag.is_bag(dataset):
            guesses[_bag.NAME] = _bag.numbers(dataset, truth.rows)
        guesses |= _summary.number_guesses(dataset, truth.rows)
        return {name: np.broadcast_to(guess, truth.y.shape) for name, guess in guesses.items()}

    def details(self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        return {"quartiles": quartiles(dataset, truth.y, y_pred)}

    def examples(self, samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """``points``: truth and prediction of every target; ``misses``: the samples farthest off, with inputs.

        Far is the mean over targets of the error in their own spread.
        """
        dataset, error = samples.dataset, np.abs(y_pred - truth.y).mean(axis=1)
        misses = [
            {
                "targets": _examples.compared(dataset, truth.y[[place]], y_pred[[place]]),
                **_examples.sample(samples, truth, place),
            }
            for place in _examples.worst(samples, truth, error)
        ]
        points = _examples.scattered(dataset, truth.y, y_pred)
        return {"samples": len(error), "points": points, "misses": misses}


REGRESSION = Regression()
