"""Numbers for a sequence, or for the last row of a window."""

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
from gru_tune.tasks._classes import training_targets
from gru_tune.tasks._numbers import errors, original


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
        y = original(dataset, truth.y)
        error = original(dataset, y_pred) - y
        result = errors(error, names)
        spread = np.square(y - y.mean(axis=0)).sum(axis=0)
        if wanted("r2", names) and (spread > 0).all():
            result["r2"] = float(np.mean(1 - np.square(error).sum(axis=0) / spread))
        return result

    def baselines(self, dataset: Dataset, truth: Truth) -> dict[str, Metrics]:
        known = training_targets(dataset)
        guesses = {"training mean": known.mean(axis=0), "training median": np.median(known, axis=0)}
        if _bag.is_bag(dataset):
            guesses[_bag.NAME] = _bag.numbers(dataset, truth.rows)
        return {
            name: self.score(dataset, truth, np.broadcast_to(guess, truth.y.shape))
            for name, guess in guesses.items()
        }


REGRESSION = Regression()
