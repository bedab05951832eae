"""CMA-ES: a cloud of configurations that moves, stretches and turns towards the better ones.

Hansen and Ostermeier, "Completely Derandomized Self-Adaptation in Evolution Strategies",
Evolutionary Computation 9 (2001).
"""

from __future__ import annotations

from typing import Literal

from gru_tune.space import Space
from gru_tune.strategies.base import Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.trial import Objective


class CMAESSearch(BayesianSearch):
    """Starts at random, then draws from a cloud that moves towards the better trials (Optuna's CMA-ES)."""

    strategy: Literal["cmaes"] = "cmaes"  # type: ignore[assignment]

    def create(self, space: Space, objective: Objective, epochs: int, work: Work | None = None) -> Strategy:
        from optuna.samplers import CmaEsSampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        first = self.initial_points(space)

        def sampler(seed: int) -> CmaEsSampler:
            return CmaEsSampler(n_startup_trials=first, warn_independent_sampling=False, seed=seed)

        oracle = OptunaOracle(space, objective, self.seed, self.trials, epochs, sampler, fixed=True)
        return OracleSearch(oracle)
