"""Quasi-random search: a scrambled Sobol sequence, which covers the space more evenly than chance.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012),
section 4; scrambled after Owen, "Scrambling Sobol' and Niederreiter-Xing Points", Journal
of Complexity 14 (1998).
"""

from __future__ import annotations

from typing import Literal

from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work, derive
from gru_tune.trial import Objective


class QuasirandomSearch(SearchSection):
    """Spreads configurations evenly over the whole space by a Sobol sequence; learns nothing from scores."""

    strategy: Literal["quasirandom"] = "quasirandom"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from optuna.samplers import QMCSampler, RandomSampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        def sampler(seed: int) -> QMCSampler:
            # One sequence for the whole search; what it does not reach, the first trial, is drawn by chance.
            return QMCSampler(
                scramble=True,
                seed=derive(self.seed, "sobol"),
                independent_sampler=RandomSampler(seed=seed),
                warn_independent_sampling=False,
            )

        oracle = OptunaOracle(space, objective, self.seed, self.trials, epochs, sampler, fixed=True)
        return OracleSearch(oracle, self.try_first)
