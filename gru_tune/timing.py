"""How long a search takes on this machine: measured beforehand, and told as a forecast.

Three models are trained for a moment, at the workers that the search is going to have, and
configurations drawn from the space stand for its trials.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING, Any

from gru_tune import constraints
from gru_tune.errors import StudyError
from gru_tune.knobs import ModelKnobs, Settings, TrainingKnobs
from gru_tune.learning.pace import Measured, Pace, expected_seconds
from gru_tune.learning.volume import Volume
from gru_tune.report.numbers import duration
from gru_tune.space import Values
from gru_tune.strategies import rungs
from gru_tune.strategies.base import SearchSection
from gru_tune.strategies.hyperband import HyperbandSearch, total_epochs
from gru_tune.study.finals import AFTER, SHARE, makespan
from gru_tune.trial import Fault
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.dataset import Dataset
    from gru_tune.data.prepare import Prepared
    from gru_tune.executors.base import Executor
    from gru_tune.study.aims import Aims

DRAWS = 300  # configurations that stand for the space
MEASURING = 0.05  # of the minutes: another model is only measured while less than this has gone by
Moment = Callable[..., Measured]  # ``learning.pacing.measure``
MOST = 100_000  # trials that are counted one by one
LONGEST = 1800.0  # seconds that one model may take


def describe(config: Config, prepared: Prepared) -> Iterator[str]:
    """The lines of ``check --time``: the slowest model, and how long the search would take.

    Raises ``ConfigError`` when no configuration is as quick as ``max_seconds_per_epoch`` asks.
    """
    from tempfile import TemporaryDirectory

    from gru_tune.executors.local import Local
    from gru_tune.executors.places import backend, starts
    from gru_tune.learning import pacing, training
    from gru_tune.study.aims import aims

    name, _ = backend(config.backend)
    dataset = prepared.dataset
    told = starts(None, partial(training.configure, name), None, config.search.workers_per_gpu)
    with TemporaryDirectory(prefix="gru-tune-") as folder:
        path = Path(folder)
        dataset.save(path / "data")
        executor = Local(training.train, [replace(one, output=str(path / "workers.log")) for one in told])
        try:
            aim = aims(config, dataset.target)
            pace = measure(config, dataset, path / "data", aim, executor, name, pacing.measure)
        finally:
            executor.close(kill=True)

    def seconds(values: Values) -> float:
        return pace.epoch(config.settings(values), dataset.info)

    left = constraints.constrain(config, dataset.info, seconds)
    found = forecast(left, pace, dataset.info, len(told))
    workers = plural(len(told), "worker")
    yield f"time    an epoch of the slowest model takes about {duration(found.epoch)}; with {workers}:"
    if config.search.max_seconds_per_epoch is not None:
        yield from (f"        {text}" for text in constraints.describe(left, dataset.info, seconds))
    yield from (f"        {sentence}" for sentence in found.sentences(left))


def drawn(config: Config) -> list[Settings]:
    """Configurations at random, always the same; all of them satisfy the constraints."""
    if not config.space.hyperparameters:
        return [config.settings({})]
    rng = Random(1)
    found: list[Settings] = []
    for _ in range(100 * DRAWS):
        values = config.space.draw(rng, {})
        if config.space.allows(values):
            found.append(config.settings(values))
        if len(found) == DRAWS:
            return found
    # Hardly any satisfies them, perhaps none that was drawn: those that the whole space has.
    rest = list(config.space.sample())
    rng.shuffle(rest)
    return found + [config.settings(values) for values in rest[: DRAWS - len(found)]]


def measure(
    config: Config,
    dataset: Dataset,
    data: Path,
    aims: Aims,
    executor: Executor,
    backend: str,
    train: Moment,
) -> Pace:
    """The pace of the executor's workers, by a large, a small and a middling model of the space.

    ``dataset`` lies in the folder ``data``, and ``train`` is what a worker does. Raises ``StudyError`` when one of them cannot be trained.
    """
    volume, info = Volume.of(dataset), dataset.info

    def expected(settings: Settings) -> float:
        amounts = volume.training(settings, info), volume.validating(settings, info)
        return expected_seconds(*amounts, settings, info, backend)

    ranked = sorted(drawn(config), key=expected)
    chosen = deque(dict.fromkeys([ranked[-1], ranked[0], ranked[len(ranked) // 2]]))
    limit = math.inf if config.search.minutes is None else MEASURING * 60 * config.search.minutes
    begun = time.monotonic()
    found: list[Measured] = []
    running: set[Future[Any]] = set()
    while running or chosen:
        if (running or found) and time.monotonic() - begun > limit:
            chosen.clear()
        while chosen and len(running) < executor.slots:
            settings = chosen.popleft()
            running.add(executor.call(train, data, settings, aims.objective, aims.metrics, backend))
        done, running = wait(running, LONGEST, FIRST_COMPLETED)
        if not done:
            for future in running:
                executor.abandon(future, f"no answer for {duration(LONGEST)}", Fault.HUNG)
            continue
        for future in done:
            if (error := future.exception()) is not None:
                raise StudyError(f"no model could be timed ({type(error).__name__}: {error})")
            found.append(future.result())
    return Pace.fit(volume, backend, found)


@dataclass(frozen=True)
class Forecast:
    """What a search is expected to do; seconds are of the wall clock, with the finals."""

    trials: int | None  # that fit into the minutes; None without a limit of minutes
    asked: float | None  # seconds until all trials asked for are done; None where their number is not limited
    space: float | None  # until every configuration is; None for an endless space
    finals: float  # of these seconds, those of the finals and what follows them
    epoch: float  # one epoch of the slowest model

    def sentences(self, config: Config) -> Iterator[str]:
        """What is told of it."""
        limit, minutes = config.search.limit(config.space), config.search.minutes
        finals = (
            f", {duration(self.finals)} of them for the finals and the test" if self.finals > AFTER else ""
        )
        if self.asked is not None and limit is not None:
            early = config.search.stopper or config.search.strategy == "hyperband"
            epochs = "with the epochs of their rungs" if early else "of all epochs"
            yield f"{plural(limit, 'trial')} {epochs} would take about {duration(self.asked)}{finals}"
        if self.trials is not None and minutes is not None:
            fit = "all of them fit" if self.trials == limit else f"about {plural(self.trials, 'trial')} fit"
            yield f"{fit} into the {minutes:g} min{finals if self.asked is None else ''}"
        if self.space is not None and config.space.size != limit:
            size = int(config.space.size)
            yield f"the whole space, {plural(size, 'configuration')}, would take {duration(self.space)}"


def forecast(config: Config, pace: Pace, info: Mapping[str, Any], slots: int, spent: float = 0.0) -> Forecast:
    """What a search of ``config`` is expected to do with ``slots`` workers, after ``spent`` seconds."""
    own, winner = config.search, config.winner
    every = drawn(config)
    epochs = max(settings.training.epochs for settings in every)
    limit, size = own.limit(config.space), config.space.size
    count = limit if limit is not None else 1000
    share = _epochs(own, count, epochs) / (count * epochs)
    runs = own.repeats * config.data.folds
    trainings = [
        (structure(settings), runs * pace.trial(settings, info, share * settings.training.epochs, compiled=True),
         pace.compiling(settings, info))
        for settings in every
    ]  # fmt: skip
    mean = fmean(seconds for _, seconds, _ in trainings) / runs / share
    finals = makespan([mean] * (winner.finalists * winner.seeds), slots) + bool(winner.retrain) * mean
    after = AFTER * pace.slowness
    minutes = None if own.minutes is None else 60 * own.minutes
    if minutes is None:
        reserve = finals + after
    else:
        reserve = min(finals, SHARE * minutes) + min(after, SHARE / 2 * minutes)
    ends = _ends(trainings, slots)
    return Forecast(
        trials=None if minutes is None else _within(ends, minutes - reserve - spent, limit),
        asked=None if limit is None else _until(ends, limit) + finals + after,
        space=None if math.isinf(size) else _until(ends, int(size)) + finals + after,
        finals=reserve,
        epoch=max(pace.epoch(settings, info) for settings in every),
    )


def structure(settings: Settings) -> Settings:
    """``settings`` without what can differ between trials that share what is compiled."""
    training, usual = settings.training, ModelKnobs()
    return replace(
        settings,
        model=replace(
            settings.model, dropout=float(settings.model.dropout > 0), l1=0.0, l2=0.0,
            initializer=usual.initializer, recurrent_initializer=usual.recurrent_initializer,
        ),
        training=TrainingKnobs(
            optimizer=training.optimizer, loss=training.loss, label_smoothing=training.label_smoothing
        ),
    )  # fmt: skip


def _epochs(search: SearchSection, trials: int, epochs: int) -> float:
    """The epochs of so many trials, as far as they are known beforehand."""
    if isinstance(search, HyperbandSearch):
        return total_epochs(trials, epochs, search.factor)
    return rungs.expected_epochs(search, trials, epochs)


def _ends(trainings: Sequence[tuple[Settings, float, float]], slots: int) -> Callable[[], Iterator[float]]:
    """When the first trial ends, the second …: the drawn ones again and again; each structure is compiled once."""

    def ends() -> Iterator[float]:
        free = [0.0] * slots
        known: set[Settings] = set()
        for key, seconds, compiling in cycle(trainings):
            end = free[0] + seconds + (0.0 if key in known else compiling)
            known.add(key)
            heapq.heapreplace(free, end)
            yield end

    return ends


def _within(ends: Callable[[], Iterator[float]], seconds: float, limit: int | None) -> int:
    """How many trials end within ``seconds``, the one that is cut short then included."""
    most = MOST if limit is None else limit
    for count, end in enumerate(ends(), start=1):
        if end >= seconds or count >= most:
            return count
    raise AssertionError("ends without end")


def _until(ends: Callable[[], Iterator[float]], trials: int) -> float:
    """Seconds until so many trials have ended."""
    counted = min(trials, 10 * DRAWS)
    last = max(end for _, end in zip(range(counted), ends(), strict=False))
    return last * trials / counted
