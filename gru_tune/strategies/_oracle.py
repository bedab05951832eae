"""The fence around keras-tuner: the only module that imports it.

keras-tuner proposes configurations and nothing else. Its oracles are driven by ask and
tell; their files, retries, limits and printing are switched off, and what they are told
comes from the study's own log. Written against keras-tuner 1.4.8, whose inner names it uses.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from gru_tune.space import LISTABLE, Space, Values, key
from gru_tune.strategies._codec import decode, encode, index_size
from gru_tune.strategies.base import Observation, Proposal, Work, derive
from gru_tune.trial import Objective
from gru_tune.values import Float, Scalar


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    """Lets keras-tuner be imported without TensorFlow, which would cost seconds and half a gigabyte.

    It only needs Keras to import; on JAX that is quick, and no device is touched. The
    environment is put back, so that the worker processes choose their own backend.
    """
    before = dict(os.environ)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "jax"
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):  # Keras and JAX set some of their own
            del os.environ[name]
        os.environ.update(before)


with _without_tensorflow():
    import keras_tuner
    from keras_tuner import oracles

RUNNING, IDLE, STOPPED = "RUNNING", "IDLE", "STOPPED"  # keras-tuner's words for the state of a trial
COMPLETED, FAILED = "COMPLETED", "FAILED"
BayesianOracle = oracles.BayesianOptimizationOracle
HalvingOracle = oracles.HyperbandOracle
METRIC = "score"
GAPS = 1_000  # draws to fill what a configuration to try first leaves out, before it counts as tried
TRIES = 50_000  # draws before a space too large to list counts as exhausted


class SharedSpace(keras_tuner.HyperParameters):  # type: ignore[misc]
    """Hyperparameters whose copies share the space: it never changes, and each trial holds a copy."""

    def copy(self) -> SharedSpace:
        twin = SharedSpace()
        twin._space, twin._hps, twin.values = self._space, self._hps, dict(self.values)
        return twin


def declare(space: Space) -> SharedSpace:
    """Every hyperparameter for keras-tuner, all without conditions: ``decode`` applies those.

    A listed domain is an index, so that the last value is reached and ints stay ints;
    a range without a step a float; a logarithmic int range the unit interval.
    """
    declared = SharedSpace()
    for hp in space.hyperparameters:
        count = index_size(hp.domain)
        if count is not None:
            declared.Int(hp.name, 0, count - 1)
        elif isinstance(hp.domain, Float):
            sampling = "log" if hp.domain.log else "linear"
            declared.Float(hp.name, hp.domain.low, hp.domain.high, sampling=sampling)
        else:
            declared.Float(hp.name, 0.0, 1.0)
    return declared


class Quiet:
    """What every oracle here does differently from keras-tuner's; goes before one of its classes.

    ``values`` are the configurations by trial number, ``numbers`` the trial number of each
    of the oracle's own trials (a promoted trial is a new one there), in the order proposed.
    """

    def __init__(
        self, space: Space, objective: Objective, seed: int, cap: int | None, epochs: int, **more: Any
    ) -> None:
        self.space, self.study_seed, self.cap, self.epochs = space, seed, cap, epochs
        self.values: dict[int, Values] = {}
        self.numbers: dict[str, int] = {}
        self._size, self._last = space.size, 0
        self.first: Sequence[
            Mapping[str, Scalar]
        ] = ()  # configurations to begin with, what they leave out is drawn
        self.heard = 0  # scores told so far, revised ones too
        self._costs: dict[int, float | None] = {}  # by trial number, with two objectives
        self._given: Proposal | None = None
        self._rest: list[tuple[str, Values]] | None = None
        super().__init__(  # type: ignore[call-arg]
            objective=keras_tuner.Objective(METRIC, objective.direction),
            hyperparameters=declare(space),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=derive(seed, "oracle"),
            max_consecutive_failed_trials=sys.maxsize,
            **more,
        )
        self.verbose = 0
        self.max_trials = None  # random and Bayesian search would stop at ten of their own accord

    # What the study asks of it.

    def begin(self, given: Proposal | None = None) -> Any:
        """keras-tuner's trial for the next proposal, or for one that was made before."""
        oracle: Any = self
        self._given = given
        # Each configuration has a seed of its own: draws do not depend on what was drawn before,
        # and the streams of neighbouring seeds are not one stream shifted.
        oracle._seed_state = derive(self.study_seed, "draw", len(self.values) + 1)
        trial = oracle.create_trial(f"slot {len(oracle.trials)}")
        if trial.status == RUNNING:
            number = self.number(trial)
            self.numbers[trial.trial_id] = number
            self._last = max(self._last, number)
            self.values[number] = given.values if given else self.decoded(trial.hyperparameters.values)
        return trial

    def number(self, trial: Any) -> int:
        """The trial number of one of keras-tuner's trials that has just begun."""
        return self._given.trial if self._given else self._last + 1

    def stretch(self, trial: Any) -> tuple[int, int, bool]:
        """Epochs to begin after, epochs to reach, and whether more may follow."""
        epochs = self.values[self.numbers[trial.trial_id]].get("epochs", self.epochs)
        assert isinstance(epochs, int)
        return 0, epochs, False

    def end(self, trial: Any, score: float | None, cost: float | None = None) -> None:
        """Report a finite score, with two objectives also a cost; or a failure."""
        oracle: Any = self
        self._costs[self.numbers[trial.trial_id]] = cost
        if score is not None:
            oracle.update_trial(trial.trial_id, {METRIC: score})
        trial.status = COMPLETED if score is not None else FAILED
        oracle.end_trial(trial)
        self.heard += 1

    def revise(self, number: int, score: float | None, cost: float | None = None) -> None:
        """A later score of a trial that has ended; None: it has failed since."""
        oracle: Any = self
        self._costs[number] = cost
        trial = next(oracle.trials[name] for name, n in reversed(self.numbers.items()) if n == number)
        trial.status = COMPLETED if score is not None else FAILED
        trial.score = score
        self.heard += 1

    def told(self) -> list[Observation]:
        """The configurations that have ended with what came of them, in the order they ended."""
        oracle: Any = self
        found = []
        for trial in (oracle.trials[identity] for identity in oracle.end_order):
            number = self.numbers[trial.trial_id]
            score = trial.score if trial.status == COMPLETED else None
            found.append(Observation(self.values[number], score, self._costs[number]))
        return found

    def ending(self) -> str:
        """Why there is nothing more to propose."""
        tried = len(self.values)
        if self.exhausted:
            return "the only configuration of the space has been tried" if tried == 1 else (
                f"all {tried:,} configurations of the space have been tried"
            )  # fmt: skip
        if not self.room:
            return "the one trial asked for is done" if tried == 1 else f"all {tried:,} trials are done"
        return f"no configuration beyond the {tried:,} tried was found"

    def finished(self, number: int) -> bool:
        """Whether a trial that has ended will not be asked for more epochs."""
        return True

    @property
    def exhausted(self) -> bool:
        """Whether every configuration of the space has been proposed."""
        return len(self.values) >= self._size

    @property
    def room(self) -> bool:
        """Whether the number of trials asked for allows another configuration."""
        return self.cap is None or len(self.values) < self.cap

    def decoded(self, raw: dict[str, Any]) -> Values:
        return decode(self.space, raw)

    # What keras-tuner asks of it.

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self._given is not None:
            self.adopt(trial_id, self._given)
            return {"status": RUNNING, "values": encode(self.space, self._given.values)}
        wanted = self._wanted()
        return self.propose(trial_id) if wanted is None else self.place(trial_id, wanted)

    def propose(self, trial_id: str) -> dict[str, Any]:
        """New values for a trial, in keras-tuner's encoding."""
        if not self.room:
            return {"status": STOPPED}
        response: dict[str, Any] = super().populate_space(trial_id)  # type: ignore[misc]
        return response

    def adopt(self, trial_id: str, given: Proposal) -> None:
        """Note what a proposal made before changes in the search."""

    def place(self, trial_id: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Take a new configuration that is not the search's own."""
        return {"status": RUNNING, "values": raw}

    def _wanted(self) -> dict[str, Any] | None:
        """What is to be tried first, as the trial that comes now; None where that is the search's to propose."""
        number = len(self.values)
        if number >= len(self.first) or not self.room:
            return None
        oracle: Any = self
        rng = random.Random(derive(self.study_seed, "first", number + 1))
        for _ in range(GAPS):
            raw = encode(self.space, self.space.draw(rng, self.first[number]))
            if self.space.allows(self.decoded(raw)) and not oracle._duplicate(raw):
                return raw
        return None

    def _random_values(self) -> dict[str, Any] | None:
        """A configuration not tried yet; None only when there is none (or none can be found).

        keras-tuner gives up after 20 collisions in a row, long before a small space is exhausted.
        """
        if self.exhausted:
            return None
        raw: dict[str, Any] | None = super()._random_values()  # type: ignore[misc]
        if raw is not None:
            return raw
        return self._one_of_the_rest() if self._size <= LISTABLE else self._one_of_many_draws()

    def _one_of_many_draws(self) -> dict[str, Any] | None:
        oracle: Any = self
        rng = random.Random(oracle._seed_state)
        for _ in range(TRIES):
            values = self.space.draw(rng, {})
            if not self.taken(values):
                return encode(self.space, values)
        return None

    def _one_of_the_rest(self) -> dict[str, Any] | None:
        oracle: Any = self
        if self._rest is None:
            self._rest = [(key(values), values) for values in self.space.grid()]
        self._rest = [(text, values) for text, values in self._rest if text not in oracle._tried_so_far]
        if not self._rest:
            return None
        chosen = random.Random(oracle._seed_state).randrange(len(self._rest))
        return encode(self.space, self._rest[chosen][1])

    def _duplicate(self, raw: dict[str, Any]) -> bool:
        """Whether a configuration was tried before, or is none of the space."""
        return self.taken(self.decoded(raw))

    def taken(self, values: Values) -> bool:
        """The same of values."""
        oracle: Any = self
        return key(values) in oracle._tried_so_far or not self.space.allows(values)

    def _compute_values_hash(self, raw: dict[str, Any]) -> str:
        return key(self.decoded(raw))

    def save(self, *_: Any) -> None:
        """Nothing: the study's log is the only record."""

    def _save_trial(self, trial: Any) -> None:
        """Nothing, likewise."""

    def _check_consecutive_failures(self) -> None:
        """Nothing: the study counts failures (and this would read all trials after every trial)."""


class RandomOracle(Quiet, oracles.RandomSearchOracle):  # type: ignore[misc]
    """keras-tuner's random search."""


def _longest_first(walk: Iterator[Values], work: Work) -> list[Values]:
    """What takes longest first, but before all else one configuration of every amount of work.

    Those of one amount are nearly always of one model: two of them at once would both
    compile it, where the later one finds it compiled.
    """
    first: dict[float, Values] = {}
    others: list[tuple[float, Values]] = []
    for values in walk:
        amount = work(values)
        if amount in first:
            others.append((amount, values))
        else:
            first[amount] = values
    others.sort(key=itemgetter(0), reverse=True)
    return [first[amount] for amount in sorted(first, reverse=True)] + [values for _, values in others]


class GridOracle(Quiet, keras_tuner.Oracle):  # type: ignore[misc]
    """The list of all configurations; keras-tuner's own grid cannot be resumed."""

    def __init__(
        self,
        space: Space,
        objective: Objective,
        seed: int,
        cap: int | None,
        epochs: int,
        work: Work | None = None,
    ) -> None:
        super().__init__(space, objective, seed, cap, epochs)
        self._walk = space.grid()
        if work is not None and self._size <= LISTABLE:
            self._walk = iter(_longest_first(self._walk, work))

    def propose(self, trial_id: str) -> dict[str, Any]:
        if self.room:
            for values in self._walk:
                raw = encode(self.space, values)
                if not self._duplicate(raw):
                    return {"status": RUNNING, "values": raw}
        return {"status": STOPPED}
