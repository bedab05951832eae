"""Genetic search: the better trials of a generation are crossed and mutated.

Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II", IEEE Transactions on Evolutionary Computation 6 (2002).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work, amount, unlearned
from gru_tune.trial import Objective


class GeneticSearch(SearchSection):
    """Crosses and mutates the better trials, generation after generation (Optuna's NSGA-II)."""

    LEARNS: ClassVar[bool] = True

    strategy: Literal["genetic"] = "genetic"
    population: int = Field(
        8,
        ge=2,
        le=10_000,
        description="trials of a generation, and parents of the next; the first generation is drawn at random",
    )

    def describe(self, space: Space, epochs: int) -> str:
        limit, text = self.limit(space), f"{self.strategy}: {amount(self, space)}"
        if self.earlier is None and limit is not None and limit <= self.population:
            return f"{text}, {unlearned(space, self.population)}"
        first = ", the first at random" if self.earlier is None else ""
        return f"{text} in generations of {self.population}{first}"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from optuna.samplers import NSGAIISampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        def sampler(seed: int) -> NSGAIISampler:
            return NSGAIISampler(population_size=self.population, seed=seed)

        oracle = OptunaOracle(
            space, objective, self.seed, self.trials, epochs, sampler, fixed=True, known=known,
            notes={NSGAIISampler._get_generation_key(): 0},  # what is known belongs to the first generation
        )  # fmt: skip
        return OracleSearch(oracle, self.try_first)
