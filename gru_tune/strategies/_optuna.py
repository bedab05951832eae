"""Search over Optuna's samplers: an in-memory study of the trials so far is asked for the next.

Optuna sees neither words nor units but the place of each value in its range, as the
encoder has it. Every proposal comes from a fresh sampler with a seed of its own, so that
it follows from the seed, the number of the trial and what the study holds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState, create_trial
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from gru_tune.space import Space, Values, key
from gru_tune.strategies._candidates import Axis, Encoder
from gru_tune.strategies._codec import encode, index_size
from gru_tune.strategies._oracle import COMPLETED, RUNNING, RandomOracle
from gru_tune.strategies.base import Proposal, derive
from gru_tune.trial import Objective

optuna.logging.set_verbosity(optuna.logging.ERROR)

Params = dict[str, Any]
NEAR, WIDTH = 80, 0.05  # neighbours of a configuration that was tried before, and how far they lie
SEEN = 100  # trials a Gaussian process sees, at most


class OptunaOracle(RandomOracle):
    """Proposes what a sampler draws; a neighbour of it where that was tried before.

    ``sampler`` makes one from a seed. With ``fixed`` it is one that needs every
    hyperparameter in every trial and keeps notes in the study: then those not in force are
    drawn and told as well, and a replay draws again, for the sake of the notes.
    """

    def __init__(
        self,
        space: Space,
        objective: Objective,
        seed: int,
        cap: int | None,
        epochs: int,
        sampler: Callable[[int], BaseSampler],
        fixed: bool = False,
    ) -> None:
        super().__init__(space, objective, seed, cap, epochs)
        self.encoder = Encoder(space)
        self._sampler, self._fixed = sampler, fixed
        searched = [axis for axis in self.encoder.axes if axis.columns]
        self._distributions = {axis.hp.name: _distribution(axis, fixed) for axis in searched}
        self._study = optuna.create_study(
            direction="minimize" if objective.direction == "min" else "maximize"
        )
        self._places: dict[int, int] = {}  # the number in Optuna's study of each trial
        self._drawn: tuple[Params, dict[str, Any]] = ({}, {})
        self._scores: list[float] = []
        self._failures: list[int] = []

    def begin(self, given: Proposal | None = None) -> Any:
        trial = super().begin(given)
        if trial.status == RUNNING:
            self._enter(self.numbers[trial.trial_id])
        return trial

    def propose(self, trial_id: str) -> dict[str, Any]:
        if self.room and not self.exhausted and self._distributions:
            self._draw()
            values = self._untried(self._decode(self._drawn[0]))
            if values is not None:
                return {"status": RUNNING, "values": encode(self.space, values)}
        return super().propose(trial_id)

    def adopt(self, trial_id: str, given: Proposal) -> None:
        if self._fixed and self._distributions:
            self._draw()

    def end(self, trial: Any, score: float | None) -> None:
        """Report a score; a failure counts as the worst one so far, once there is one."""
        super().end(trial, score)
        number = self.numbers[trial.trial_id]
        if score is None:
            self._failures.append(number)
        else:
            self._scores.append(score)
            self._study.tell(self._places[number], score)
        if self._scores:
            worst = max(self._scores) if self.objective.direction == "min" else min(self._scores)
            for failed in self._failures:
                self._study.tell(self._places[failed], worst)
            self._failures.clear()

    def _draw(self) -> None:
        study = self._seen()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.sampler = self._sampler(derive(self.study_seed, "sampler", len(self.values) + 1))
            trial = study.ask(self._distributions)
            # Only what is proposed in the end stays in the study, as the same entry in a replay.
            drawn = study.tell(trial, state=TrialState.FAIL)
        self._drawn = drawn.params, drawn.system_attrs if self._fixed else {}

    def _seen(self) -> optuna.Study:
        """The study the sampler is asked in."""
        return self._study

    def _untried(self, values: Values) -> Values | None:
        """The values themselves, or neighbours of them, that no trial had; None when all had."""
        near = [values]
        if key(values) in self._tried_so_far:
            rng = np.random.default_rng(derive(self.study_seed, "neighbours", len(self.values) + 1))
            near = self.encoder.around(values, NEAR, WIDTH, rng)
        return next((v for v in near if key(v) not in self._tried_so_far), None)

    def _enter(self, number: int) -> None:
        """Put a trial into the study, as running."""
        (drawn, notes), values = self._drawn, self.values[number]
        params = self._params(values)
        if self._fixed and self._distributions:
            params = drawn if self._decode(drawn) == values else {**drawn, **params}
        self._study.add_trial(self._entry(params, notes))
        self._places[number] = len(self._study.get_trials(deepcopy=False)) - 1

    def _entry(
        self, params: Params, notes: dict[str, Any], score: float | None = None
    ) -> optuna.trial.FrozenTrial:
        return create_trial(
            state=TrialState.RUNNING if score is None else TrialState.COMPLETE,
            value=score,
            params=params,
            distributions={name: self._distributions[name] for name in params},
            system_attrs=notes,
        )

    def _params(self, values: Values) -> Params:
        """The hyperparameters in force, in Optuna's form."""
        params: Params = {}
        for axis in self.encoder.axes:
            if axis.hp.name in values and axis.columns:
                unit, count = axis.unit(values[axis.hp.name]), index_size(axis.domain)
                params[axis.hp.name] = unit if count is None else min(int(unit * count), count - 1)
        return params

    def _decode(self, params: Params) -> Values:
        return self.encoder.decode([_unit(axis, params) for axis in self.encoder.axes])


class ProcessOracle(OptunaOracle):
    """For Optuna's Gaussian process, which is slow with many trials and misled by extreme scores.

    It sees the best trials and a selection of the rest, with bounded scores; a
    hyperparameter not in force counts as the middle of its range.
    """

    def __init__(self, *args: Any, initial: int, **keys: Any) -> None:
        super().__init__(*args, **keys)
        self._most = max(SEEN, initial)
        self._middle = {axis.hp.name: _middle(axis) for axis in self.encoder.axes if axis.columns}

    def _draw(self) -> None:
        # One thread: the cores belong to the workers, and their number must not change a sum's last digit.
        with threadpool_limits(1):
            super()._draw()

    def _seen(self) -> optuna.Study:
        from gru_tune.strategies._gaussian import costs, thin

        study = optuna.create_study()
        told = [self.trials[identity] for identity in self.end_order]
        if any(trial.status == COMPLETED for trial in told):
            y = costs(told, self.objective.direction)
            for index in thin(y, self._most):
                study.add_trial(self._whole(told[index], float(y[index])))
        for trial in self.ongoing_trials.values():
            study.add_trial(self._whole(trial))
        return study

    def _whole(self, trial: Any, score: float | None = None) -> optuna.trial.FrozenTrial:
        params = self._params(self.values[self.numbers[trial.trial_id]])
        return self._entry({**self._middle, **params}, {}, score)


def _distribution(axis: Axis, fixed: bool) -> BaseDistribution:
    """The place in a list, or on the unit interval; words have an order only where a sampler needs one."""
    count = index_size(axis.domain)
    if count is None:
        return FloatDistribution(0.0, 1.0)
    return (
        CategoricalDistribution(range(count)) if axis.words and not fixed else IntDistribution(0, count - 1)
    )


def _unit(axis: Axis, params: Params) -> float:
    if axis.hp.name not in params:
        return 0.5
    count = index_size(axis.domain)
    place: float = params[axis.hp.name]
    return place if count is None else (place + 0.5) / count


def _middle(axis: Axis) -> int | float:
    count = index_size(axis.domain)
    return 0.5 if count is None else count // 2
