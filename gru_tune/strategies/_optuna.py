"""Search over Optuna's samplers: an in-memory study of the trials so far is asked for the next.

Optuna sees neither words nor units but the place of each value in its range, as the
encoder has it. Every proposal comes from a fresh sampler with a seed of its own, so that
it follows from the seed, the number of the trial and what the study holds.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from gru_tune.space import Space, Values
from gru_tune.strategies._candidates import Axis, Encoder
from gru_tune.strategies._codec import encode, index_size
from gru_tune.strategies._oracle import RUNNING, RandomOracle
from gru_tune.strategies.base import Known, Proposal, derive
from gru_tune.trial import Objective

optuna.logging.set_verbosity(optuna.logging.ERROR)

Params = dict[str, Any]
NEAR, WIDTH = 80, 0.05  # neighbours of a configuration that was tried before, and how far they lie
SEEN, SEEN_BY_TWO = 100, 60  # trials a Gaussian process sees, at most; with two objectives it is two


class OptunaOracle(RandomOracle):
    """Proposes what a sampler draws; a neighbour of it where that was tried before.

    ``sampler`` makes one from a seed. With ``fixed`` it is one that needs every
    hyperparameter in every trial and keeps notes in the study: then those not in force are
    drawn and told as well, and a replay draws again, for the sake of the notes. The study
    begins with the trials that are ``known``, and ``notes`` in each of them.
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
        known: Known = (),
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(space, objective, seed, cap, epochs)
        self.encoder = Encoder(space)
        self._sampler, self._fixed, self.known = sampler, fixed, known
        searched = [axis for axis in self.encoder.axes if axis.columns]
        self._distributions = {axis.hp.name: _distribution(axis, fixed) for axis in searched}
        self._directions = [objective.direction, "min"] if objective.cost else [objective.direction]
        self._study = _study(self._directions)
        self._places: dict[int, int] = {}  # the number in Optuna's study of each trial
        self._later: dict[int, list[float]] = {}  # what the study has yet to hear, by those numbers
        self._drawn: tuple[Params, dict[str, Any]] = ({}, {})
        self._middle = {axis.hp.name: _middle(axis) for axis in searched}
        self._reached = [found for one in known if (found := self._objectives(one.score, one.cost))]
        self._failures: list[int] = []
        for values, *told in known if self._reached else ():
            params = {**self._middle, **self._params(values)} if fixed else self._params(values)
            self._study.add_trial(
                self._entry(params, dict(notes or {}), self._objectives(*told) or self._worst())
            )
        self.earlier = self._study.get_trials(deepcopy=False)

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
        self._draw_notes()

    def place(self, trial_id: str, raw: dict[str, Any]) -> dict[str, Any]:
        self._draw_notes()
        return super().place(trial_id, raw)

    def end(self, trial: Any, score: float | None, cost: float | None = None) -> None:
        """Report a score; a failure counts as the worst one so far, once there is one."""
        super().end(trial, score, cost)
        number = self.numbers[trial.trial_id]
        found = self._objectives(score, cost)
        if found is None:
            self._failures.append(number)
        else:
            self._reached.append(found)
            self._study.tell(self._places[number], found)
        if self._reached:
            for failed in self._failures:
                self._study.tell(self._places[failed], self._worst())
            self._failures.clear()

    def revise(self, number: int, score: float | None, cost: float | None = None) -> None:
        """Optuna's trials are final: the study is made anew, once before the next draw, with the later scores."""
        super().revise(number, score, cost)
        found = self._objectives(score, cost)
        if found is not None:
            self._reached.append(found)
        self._later[self._places[number]] = found or self._worst()

    def _objectives(self, score: float | None, cost: float | None) -> list[float] | None:
        """What Optuna hears of a trial: the score, and the cost by its order of magnitude; None: it failed."""
        if score is None:
            return None
        if len(self._directions) == 1:
            return [score]
        return None if cost is None else [score, math.log(cost)]

    def _worst(self) -> list[float]:
        """The worst of each objective so far."""
        columns = zip(*self._reached, strict=True)
        return [
            max(column) if direction == "min" else min(column)
            for column, direction in zip(columns, self._directions, strict=True)
        ]

    def _draw_notes(self) -> None:
        """What the sampler would have noted of a configuration that is not its own."""
        if self._fixed and self._distributions:
            self._draw()

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
        if self._later:
            entries = self._study.get_trials(deepcopy=False)
            for place, reached in self._later.items():
                entry = entries[place]
                entries[place] = self._entry(entry.params, entry.system_attrs, reached)
            self._study = _study(self._directions)
            self._study.add_trials(entries)
            self._later.clear()
        return self._study

    def _untried(self, values: Values) -> Values | None:
        """The values themselves, or neighbours of them, that no trial had; None when all had."""
        near = [values]
        if self.taken(values):
            rng = np.random.default_rng(derive(self.study_seed, "neighbours", len(self.values) + 1))
            near = self.encoder.around(values, NEAR, WIDTH, rng)
        return next((v for v in near if not self.taken(v)), None)

    def _enter(self, number: int) -> None:
        """Put a trial into the study, as running."""
        (drawn, notes), values = self._drawn, self.values[number]
        params = self._params(values)
        if self._fixed and self._distributions:
            params = drawn if self._decode(drawn) == values else {**drawn, **params}
        self._study.add_trial(self._entry(params, notes))
        self._places[number] = len(self._study.get_trials(deepcopy=False)) - 1

    def _entry(
        self, params: Params, notes: dict[str, Any], reached: list[float] | None = None
    ) -> optuna.trial.FrozenTrial:
        return create_trial(
            state=TrialState.RUNNING if reached is None else TrialState.COMPLETE,
            values=reached,
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

    It sees the best trials (with two objectives: those that the fewest others beat) and a
    selection of the rest, with bounded scores and costs; a hyperparameter not in force counts as
    the middle of its range.
    """

    def __init__(self, *args: Any, initial: int, **keys: Any) -> None:
        super().__init__(*args, **keys)
        self._most = max(SEEN if len(self._directions) == 1 else SEEN_BY_TWO, initial)

    def _draw(self) -> None:
        # One thread: the cores belong to the workers, and their number must not change a sum's last digit.
        with threadpool_limits(1):
            super()._draw()

    def _seen(self) -> optuna.Study:
        from gru_tune.strategies._gaussian import costs, thin

        study = _study(["min"] * len(self._directions))
        told = [*self.known, *self.told()]
        reached = [self._objectives(one.score, one.cost) for one in told]
        if any(reached):
            y = np.column_stack(
                [
                    costs([None if found is None else found[place] for found in reached], direction)
                    for place, direction in enumerate(self._directions)
                ]
            )
            for index in thin(_beaten(y), self._most):
                study.add_trial(self._whole(told[index].values, y[index].tolist()))
        for trial in self.ongoing_trials.values():
            study.add_trial(self._whole(self.values[self.numbers[trial.trial_id]]))
        return study

    def _whole(self, values: Values, reached: list[float] | None = None) -> optuna.trial.FrozenTrial:
        return self._entry({**self._middle, **self._params(values)}, {}, reached)


def _beaten(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how many rows each row of (trials, objectives) is beaten, where less is better in every column."""
    if y.shape[1] == 1:
        return y[:, 0]
    no_worse = (y[:, None] <= y[None]).all(2)
    counts: NDArray[np.float64] = (no_worse & ~no_worse.T).sum(0).astype(float)
    return counts


def _study(directions: Sequence[str]) -> optuna.Study:
    words = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    return optuna.create_study(directions=[words[direction] for direction in directions])


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
