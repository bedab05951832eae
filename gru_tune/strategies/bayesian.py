"""Bayesian search: a Gaussian process of the scores so far says where to look next.

Snoek, Larochelle and Adams, "Practical Bayesian Optimization of Machine Learning
Algorithms", NeurIPS 2012.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work, amount, unlearned
from gru_tune.trial import Objective


class BayesianSearch(SearchSection):
    """Starts at random, then proposes what promises most by all scores so far."""

    LEARNS: ClassVar[bool] = True
    WEIGHS: ClassVar[bool] = False

    strategy: Literal["bayesian"] = "bayesian"
    initial: int | None = Field(
        None,
        ge=2,
        le=10_000,
        description="configurations drawn at random before the model takes over; "
        "null for two more than there are hyperparameters, 4 to 12",
    )

    def initial_points(self, space: Space) -> int:
        """The random trials at the beginning; never depends on ``trials``, which may be raised later."""
        searched = sum(hp.domain.size > 1 for hp in space.hyperparameters)
        return self.initial or min(max(searched + 2, 4), 12)

    def describe(self, space: Space, epochs: int) -> str:
        first, limit = self.initial_points(space), self.limit(space)
        if self.earlier is not None:
            return f"{self.strategy}: {amount(self, space)}"
        text = f"{self.strategy}: {amount(self, space)}"
        if limit is not None and limit <= first:
            return f"{text}, {unlearned(space, first)}"
        return f"{text}, the first {first} of them at random"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from gru_tune.strategies._gaussian import GaussianOracle
        from gru_tune.strategies._search import OracleSearch

        first = self.initial_points(space)
        oracle = GaussianOracle(space, objective, self.seed, self.trials, epochs, first, known)
        return OracleSearch(oracle, self.try_first)
