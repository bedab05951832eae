"""Random search: every configuration drawn anew, none twice.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012).
"""

from __future__ import annotations

from typing import Literal

from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work
from gru_tune.trial import Objective


class RandomSearch(SearchSection):
    """Draws configurations at random, evenly in the scale of each range."""

    strategy: Literal["random"] = "random"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from gru_tune.strategies._oracle import RandomOracle
        from gru_tune.strategies._search import OracleSearch

        return OracleSearch(RandomOracle(space, objective, self.seed, self.trials, epochs), self.try_first)
