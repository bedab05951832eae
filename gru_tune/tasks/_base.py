"""What every task has to offer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import DataKnobs
from gru_tune.learning.truth import Truth

Direction = Literal["max", "min"]
Metrics = dict[str, float]
Scorer = Callable[[NDArray[Any]], Metrics]


class Shown(Protocol):
    """The samples of a split as a model is shown them."""

    dataset: Dataset
    knobs: DataKnobs

    def rows(self, index: int) -> NDArray[np.int64]:
        """The rows of ``x`` that make up the sample at ``index``."""


class Task(Protocol):
    """Scores predictions, and knows predictions that cost next to nothing.

    Predictions ``y_pred`` are shaped like ``truth.y``; for classes they are probabilities
    with one more axis (…, classes).

    ``loss`` is a metric of every task; it is the model's, so ``score`` leaves it to the
    caller. A metric that the data do not define (AUC with one class) is left out.
    """

    @property
    def name(self) -> str: ...

    def metrics(self, target: str | None) -> dict[str, Direction]:
        """The metrics for ``Dataset.target`` (None: for any), and which way is better."""

    def default_objective(self, target: str | None) -> str:
        """The metric that ranks trials unless the user says otherwise."""

    def score(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Metrics:
        """The metrics ``names`` (None: all) of predictions."""

    def scorer(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Scorer:
        """A function that gives the metrics by weights (len(y_pred),), how often each row counts.

        Whatever does not depend on the weights is done once, so that many weights are cheap.
        """

    def guesses(self, dataset: Dataset, truth: Truth) -> dict[str, NDArray[Any]]:
        """Predictions that need no network, learned from the training split, by their names in plain words."""

    def details(self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """What a single number does not tell of predictions, as JSON: by class, by step ahead …"""

    def examples(self, samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """Some samples with what is predicted of them, the most wrong ones first, as JSON.

        ``samples`` is how many predictions there are; numbers are in original units.
        """


def wanted(name: str, names: Collection[str] | None) -> bool:
    """Whether the metric ``name`` was asked for."""
    return names is None or name in names
