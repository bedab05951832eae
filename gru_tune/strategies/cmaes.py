"""CMA-ES: a cloud of configurations that moves, stretches and turns towards the better ones.

Hansen and Ostermeier, "Completely Derandomized Self-Adaptation in Evolution Strategies",
Evolutionary Computation 9 (2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gru_tune.space import Space
from gru_tune.strategies.base import Known, Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.trial import Objective

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class CMAESSearch(BayesianSearch):
    """Starts at random, then draws from a cloud that moves towards the better trials (Optuna's CMA-ES)."""

    strategy: Literal["cmaes"] = "cmaes"  # type: ignore[assignment]

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from optuna.samplers import CmaEsSampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        first = self.initial_points(space)

        def sampler(seed: int) -> CmaEsSampler:
            return CmaEsSampler(
                n_startup_trials=first,
                warn_independent_sampling=False,
                seed=seed,
                source_trials=_sources(oracle.earlier),
            )

        oracle = OptunaOracle(
            space, objective, self.seed, self.trials, epochs, sampler, fixed=True, known=known
        )
        return OracleSearch(oracle, self.try_first)


def _sources(known: list[FrozenTrial]) -> list[FrozenTrial] | None:
    """The trials that the cloud begins at: Optuna takes the best tenth, so of a few the best must be one."""
    return known * max(1, -(-10 // len(known))) if known else None
