"""What every task has to offer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth

Direction = Literal["max", "min"]
Metrics = dict[str, float]


class Task(Protocol):
    """Scores predictions, and knows predictions that cost next to nothing.

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
        """The metrics ``names`` (None: all) of predictions shaped like ``truth.y``.

        For classes they are probabilities with one more axis (…, classes).
        """

    def baselines(self, dataset: Dataset, truth: Truth) -> dict[str, Metrics]:
        """Metrics of predictions that need no network, by what they predict, in words."""


def wanted(name: str, names: Collection[str] | None) -> bool:
    """Whether the metric ``name`` was asked for."""
    return names is None or name in names
