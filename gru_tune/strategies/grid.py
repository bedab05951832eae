"""Grid search: the list of all configurations."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work
from gru_tune.trial import Objective


class GridSearch(SearchSection):
    """Tries every combination of values once: the largest models first, or with a limit in the order of the config."""

    strategy: Literal["grid"] = "grid"
    trials: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="configurations to try, the first of the grid; null for the whole grid",
    )

    def problems(self, space: Space) -> list[Problem]:
        endless = [hp.name for hp in space.hyperparameters if math.isinf(hp.domain.size)]
        if not endless:
            return super().problems(space)
        text = (
            f"a grid needs a list of values for every hyperparameter, and {', '.join(endless)} has none: "
            "give it a step or a choice, or another strategy"
        )
        return [Problem(("search", "strategy"), text)]

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from gru_tune.strategies._oracle import GridOracle
        from gru_tune.strategies._search import OracleSearch

        # The whole grid may be walked in any order, and no worker is idle for long at its end if it
        # begins with what takes longest; what a limit may cut off keeps the order of the config.
        whole = self.limit(space) == space.size and self.minutes is None
        oracle = GridOracle(space, objective, self.seed, self.trials, epochs, work if whole else None)
        return OracleSearch(oracle, self.try_first)
