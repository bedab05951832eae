"""GP: Optuna's Gaussian process, written with PyTorch.

Snoek, Larochelle and Adams, "Practical Bayesian Optimization of Machine Learning
Algorithms", NeurIPS 2012; the improvement in logarithms after Ament, Daulton, Eriksson,
Balandat and Bakshy, "Unexpected Improvements to Expected Improvement", NeurIPS 2023.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar, Literal

from gru_tune.errors import Problem
from gru_tune.space import Space
from gru_tune.strategies.base import Known, Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.trial import Objective


class GPSearch(BayesianSearch):
    """Starts at random, then proposes what promises most by Optuna's Gaussian process; needs PyTorch."""

    WEIGHS: ClassVar[bool] = True

    strategy: Literal["gp"] = "gp"  # type: ignore[assignment]

    def problems(self, space: Space) -> list[Problem]:
        found = super().problems(space)
        if find_spec("torch") is None:
            text = "gp needs PyTorch: pip install 'gru-tune[gp]', or take bayesian or tpe, which do without"
            found.append(Problem(("search", "strategy"), text))
        return found

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from optuna.samplers import GPSampler

        from gru_tune.strategies._optuna import ProcessOracle
        from gru_tune.strategies._search import OracleSearch

        first = self.initial_points(space)

        def sampler(seed: int) -> GPSampler:
            made = GPSampler(n_startup_trials=first, warn_independent_sampling=False, seed=seed)
            # Nearly all of a proposal's time is the climb to the most promising point. Optuna has no
            # public setting for it; where a later one renames these, proposals are only slower.
            made._n_local_search = 4  # climbs, of 10
            if objective.cost:  # every step of a climb is several times as dear
                made._n_local_search = 2
                made._n_preliminary_samples = 512  # points to choose the starts from, of 2,048
                made._n_qmc_samples_ehvi = 32  # draws that stand for the two scores of a point, of 128
                made._tol = 1e-2  # how flat the top is, of 1e-4
            return made

        oracle = ProcessOracle(
            space, objective, self.seed, self.trials, epochs, sampler=sampler, known=known, initial=first
        )
        return OracleSearch(oracle, self.try_first)
