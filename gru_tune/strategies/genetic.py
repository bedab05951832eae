"""Genetic search: the better trials of a generation are crossed and mutated.

Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II", IEEE Transactions on Evolutionary Computation 6 (2002); here with one objective.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gru_tune.space import Space
from gru_tune.strategies.base import SearchSection, Strategy, Work, amount
from gru_tune.trial import Objective


class GeneticSearch(SearchSection):
    """Crosses and mutates the better trials, generation after generation (Optuna's NSGA-II)."""

    strategy: Literal["genetic"] = "genetic"
    population: int = Field(
        8,
        ge=2,
        le=10_000,
        description="trials of a generation, and parents of the next; the first generation is drawn at random",
    )

    def describe(self, space: Space, epochs: int) -> str:
        limit = self.limit(space)
        if limit is not None and limit <= self.population:
            return f"{self.strategy}: {amount(self, space)}, at random"
        return (
            f"{self.strategy}: {amount(self, space)} in generations of {self.population}, the first at random"
        )

    def create(self, space: Space, objective: Objective, epochs: int, work: Work | None = None) -> Strategy:
        from optuna.samplers import NSGAIISampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        def sampler(seed: int) -> NSGAIISampler:
            return NSGAIISampler(population_size=self.population, seed=seed)

        oracle = OptunaOracle(space, objective, self.seed, self.trials, epochs, sampler, fixed=True)
        return OracleSearch(oracle)
