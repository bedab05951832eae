"""Bayesian search over keras-tuner's oracle, with the proposal mended.

keras-tuner's own puts words on one axis, uses one length scale for everything, lets
conditional hyperparameters roam where they are not in force, drops failed trials and so
returns to them, and proposes the same configuration again. Kept are its life cycle and
the random start; replaced are features, kernel, and the choice of the next point.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from gru_tune.space import Space, Values, key
from gru_tune.strategies._candidates import Encoder
from gru_tune.strategies._codec import encode
from gru_tune.strategies._oracle import RUNNING, BayesianOracle, Quiet
from gru_tune.strategies.base import Known, derive
from gru_tune.trial import Objective

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int_]]

FIT, SEE = 100, 600  # trials the kernel is fitted to, and trials the model sees, at most
STEPS = 30  # of the kernel's optimiser
LISTED = 1_000  # spaces up to this size are scored in full
WIDE, NEAR = 1_000, 80  # candidates from anywhere, and around each of the best


class GaussianOracle(Quiet, BayesianOracle):  # type: ignore[misc]
    """Proposes the configuration with the highest expected improvement."""

    def __init__(
        self,
        space: Space,
        objective: Objective,
        seed: int,
        cap: int | None,
        epochs: int,
        initial: int,
        known: Known = (),
    ) -> None:
        self.encoder = Encoder(space)
        self.known = known
        self._rows: dict[str, list[float]] = {}
        self._fitted: tuple[int, Kernel] | None = None
        super().__init__(space, objective, seed, cap, epochs, num_initial_points=initial)

    def propose(self, trial_id: str) -> dict[str, Any]:
        if not self.room:
            return {"status": "STOPPED"}
        told = [*self.known, *self.told()]
        completed = sum(score is not None for _, score, _ in told)
        begun = len(self.known) + len(self.values)
        if begun < self.num_initial_points or completed < 2 or not len(self.encoder.groups):
            response: dict[str, Any] = self._random_populate_space()
            return response
        # One thread: the cores belong to the workers, and their number must not change a sum's last digit.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            values = self._most_promising(told)
        if values is None:
            return dict(self._random_populate_space())
        return {"status": RUNNING, "values": encode(self.space, values)}

    def _most_promising(self, told: Known) -> Values | None:
        rng = np.random.default_rng(derive(self.study_seed, "candidates", len(self.values) + 1))
        x = self._features([values for values, _, _ in told])
        y = costs([score for _, score, _ in told], self.objective.direction)
        model, best = self._model(x, y)
        seen = set(self._tried_so_far)
        pool = _Pool(self.encoder, model, best, seen)
        if self._size <= LISTED:
            pool.add(list(self.space.grid()))
            return pool.best()
        pool.add(self.encoder.anywhere(WIDE, rng))
        leaders = [told[i][0] for i in np.argsort(y, kind="stable")[:5]]
        for width in (0.15, 0.03):
            pool.add([v for leader in leaders for v in self.encoder.around(leader, NEAR, width, rng)])
        for width in (0.05, 0.01):
            pool.add([v for top in pool.top(3) for v in self.encoder.around(top, NEAR, width, rng)])
        return pool.best()

    def _model(self, x: Array, y: Array) -> tuple[GaussianProcessRegressor, float]:
        """The process given all scores and guesses for what is in flight, and the best it knows of."""
        kept = thin(y, SEE)
        x, y = x[kept], y[kept]
        model = _regressor(self._kernel(x, y)).fit(x, y)
        best = float(np.min(model.predict(x)))
        flying = sorted(self.numbers[trial.trial_id] for trial in self.ongoing_trials.values())
        if flying:
            extra = self._features([self.values[number] for number in flying])
            guess = model.predict(extra)
            model = _regressor(model.kernel_).fit(np.vstack([x, extra]), np.concatenate([y, guess]))
        return model, best

    def _kernel(self, x: Array, y: Array) -> Kernel:
        """The kernel for these scores: the same whether or not the search was interrupted.

        So the optimiser never begins where it ended last time, and what an earlier
        proposal fitted is only used again while no score has come in.
        """
        if self._fitted is None or self._fitted[0] != self.heard:
            kept = thin(y, FIT)
            model = self._make_gpr().fit(x[kept], y[kept])
            self._fitted = (self.heard, model.kernel_)
        return self._fitted[1]

    def _make_gpr(self) -> GaussianProcessRegressor:
        count = int(self.encoder.groups.max()) + 1 if len(self.encoder.groups) else 1
        scales = Grouped(self.encoder.groups, np.full(count, 0.5), (0.03, 20.0))
        kernel = ConstantKernel(1.0, (0.05, 20.0)) * scales + WhiteKernel(1e-3, (1e-6, 0.5))
        return GaussianProcessRegressor(kernel, alpha=1e-8, normalize_y=True, optimizer=_bounded)

    def _features(self, configurations: list[Values]) -> Array:
        keys = [key(values) for values in configurations]
        for name, values in zip(keys, configurations, strict=True):
            if name not in self._rows:
                self._rows[name] = self.encoder.features(values)
        return np.array([self._rows[name] for name in keys])


class Grouped(Matern):  # type: ignore[misc]
    """Matérn 5/2 with one length scale for all columns of a hyperparameter."""

    def __init__(self, groups: Indices, length_scale: Any, length_scale_bounds: Any) -> None:
        super().__init__(length_scale, length_scale_bounds, nu=2.5)
        self.groups = groups

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:  # noqa: N803
        scale = np.atleast_1d(self.length_scale)[self.groups]
        if not eval_gradient:
            return Matern(scale, nu=2.5)(X, Y)
        # Matérn's own gradient is by the logarithm of each column's scale: those of a group add up.
        value, columns = Matern(scale, nu=2.5)(X, Y, eval_gradient=True)
        gradient = np.zeros((*value.shape, len(np.atleast_1d(self.length_scale))))
        for column, group in enumerate(self.groups):
            gradient[:, :, group] += columns[:, :, column if columns.shape[2] > 1 else 0]
        return value, gradient


class _Pool:
    """Candidates, each once, none tried before, with their expected improvement."""

    def __init__(
        self, encoder: Encoder, model: GaussianProcessRegressor, best: float, seen: set[str]
    ) -> None:
        self._encoder, self._model, self._best, self._seen = encoder, model, best, seen
        self._values: list[Values] = []
        self._scores: list[float] = []

    def add(self, candidates: list[Values]) -> None:
        fresh = []
        for values in candidates:
            text = key(values)
            if text not in self._seen:
                self._seen.add(text)
                fresh.append(values)
        if fresh:
            x = np.array([self._encoder.features(values) for values in fresh])
            mean, deviation = self._model.predict(x, return_std=True)
            self._scores += [float(gain) for gain in log_improvement(self._best, mean, deviation)]
            self._values += fresh

    def top(self, count: int) -> list[Values]:
        order = np.argsort(-np.array(self._scores), kind="stable")
        return [self._values[index] for index in order[:count]]

    def best(self) -> Values | None:
        return self.top(1)[0] if self._values else None


def costs(scores: Sequence[float | None], direction: str) -> Array:
    """A number for each trial's score, lower is better, that a Gaussian process can live with.

    Failed trials count as the worst seen, and what is far worse than most is cut off:
    one diverged loss would otherwise make all others look alike.
    """
    sign = -1.0 if direction == "max" else 1.0
    y = np.array([np.nan if score is None else sign * score for score in scores])
    known = y[~np.isnan(y)]
    best = known.min()
    spread = max(np.median(known), np.quantile(known, 0.75)) - best
    if spread > 0:
        y = np.minimum(y, best + 4 * spread)
    return np.where(np.isnan(y), np.nanmax(y), y)


def thin(y: Array, most: int) -> Indices:
    """Indices of at most so many trials: the best half, and an even selection of the rest."""
    if len(y) <= most:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    rest = order[most // 2 :]
    even = rest[np.linspace(0, len(rest) - 1, most - most // 2).astype(int)]
    return np.sort(np.concatenate([order[: most // 2], even]))


def log_improvement(best: float, mean: Array, deviation: Array) -> Array:
    """The logarithm of the expected improvement below ``best``, also where it is next to nothing."""
    deviation = np.maximum(deviation, 1e-12)
    z = (best - mean) / deviation
    density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    far = np.minimum(z, -5.0)
    tail = -0.5 * far**2 - 0.5 * np.log(2 * np.pi) - 2 * np.log(-far)
    near = np.log(np.maximum(np.exp(density) + z * ndtr(z), 1e-300))
    score: Array = np.log(deviation) + np.where(z < -5.0, tail, near)
    return score


def _regressor(kernel: Kernel) -> GaussianProcessRegressor:
    return GaussianProcessRegressor(kernel, alpha=1e-8, normalize_y=True, optimizer=None)


def _bounded(objective: Any, start: Array, bounds: Array) -> tuple[Array, float]:
    """A few steps towards the most probable kernel, with mild beliefs that keep few trials from overfitting."""
    centre = start.copy()
    width = np.full(len(start), 1.0)
    width[-1] = 2.0  # the noise

    def penalised(theta: Array) -> tuple[float, Array]:
        value, gradient = objective(theta)
        return value + 0.5 * np.sum(((theta - centre) / width) ** 2), gradient + (theta - centre) / width**2

    found = minimize(
        penalised, start, jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": STEPS, "maxfun": 2 * STEPS},
    )  # fmt: skip
    return found.x, float(found.fun)
