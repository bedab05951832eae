"""TPE: what good trials have in common, against what bad ones have.

Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization",
NeurIPS 2011; with all hyperparameters at once (multivariate), after Falkner, Klein and
Hutter, "BOHB", ICML 2018.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from gru_tune.space import Space
from gru_tune.strategies.base import Known, Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.trial import Objective


class TPESearch(BayesianSearch):
    """Starts at random, then draws near the better trials and far from the worse ones (Optuna's TPE)."""

    WEIGHS: ClassVar[bool] = True

    strategy: Literal["tpe"] = "tpe"  # type: ignore[assignment]

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from optuna.samplers import TPESampler

        from gru_tune.strategies._optuna import OptunaOracle
        from gru_tune.strategies._search import OracleSearch

        first = self.initial_points(space)

        def sampler(seed: int) -> TPESampler:
            return TPESampler(
                n_startup_trials=first, multivariate=True, group=True, constant_liar=True, seed=seed
            )

        oracle = OptunaOracle(space, objective, self.seed, self.trials, epochs, sampler, known=known)
        return OracleSearch(oracle, self.try_first)
