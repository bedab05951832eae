"""``gru-tune check --time``: a few real steps of the smallest and the largest model, and a forecast.

This is the one part of ``check`` that loads a framework.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice, repeat
from typing import TYPE_CHECKING

from gru_tune.knobs import Settings

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared

STRETCHES = 4  # of ``RUN`` steps each, timed


@dataclass(frozen=True)
class Pace:
    """What a model's training costs, in seconds; ``steps`` are those of an epoch."""

    compilation: float
    step: float
    steps: int

    @property
    def epoch(self) -> float:
        return self.step * self.steps

    def trial(self, epochs: int) -> float:
        return self.compilation + epochs * self.epoch


def describe(config: Config, prepared: Prepared, small: Settings, large: Settings) -> Iterator[str]:
    """A line for each model, and how long the search may take, on one core a trial."""
    from gru_tune.executors.places import backend
    from gru_tune.learning import training
    from gru_tune.quiet import quiet_stderr

    with quiet_stderr():
        training.configure(backend(config.backend)[0], threads=1)
        paces = {"smallest": measure(small, prepared), "largest": measure(large, prepared)}
    for word, pace in paces.items():
        yield (
            f"time    {word:<8} {pace.step * 1000:,.0f} ms a step, {pace.steps:,} steps: {_span(pace.epoch)} an epoch, "
            f"compiled in {_span(pace.compilation)}"
        )
    limit = config.search.limit(config.space)
    if limit is not None:
        from gru_tune.executors.places import cores

        low, high = (
            limit * paces[word].trial(settings.training.epochs) / len(cores())
            for word, settings in (("smallest", small), ("largest", large))
        )
        yield (
            f"        {limit:,} trials of all epochs would take {_span(low)} to {_span(high)} on {len(cores())} cores; "
            "validation comes on top, early stopping takes off"
        )


def measure(settings: Settings, prepared: Prepared) -> Pace:
    """Train a few batches of one model and time them."""
    import numpy as np

    from gru_tune.learning.batches import RUN, batches, steps_per_epoch
    from gru_tune.learning.engines import fast_path, make_engine, make_model
    from gru_tune.learning.fitting import price
    from gru_tune.learning.samples import Samples

    samples = Samples(prepared.dataset, "train", settings.data)
    price(samples, Samples(prepared.dataset, "validation", settings.data), settings)
    size = settings.training.batch_size
    path = fast_path(settings, samples)
    engine = make_engine(make_model(settings, samples, path), settings, samples, path)
    rng = np.random.default_rng(0)
    # Over and over: a small file has fewer steps an epoch than are needed to tell them from compiling.
    endless = chain.from_iterable(batches(samples, size, rng) for _ in repeat(None))
    seconds: dict[tuple[int, ...], list[float]] = {}
    for _ in range(STRETCHES):
        some = list(islice(endless, RUN))
        for shape, alike in groupby(some, key=lambda batch: batch.x.shape):
            run = list(alike)
            before, start = engine.compiling, time.perf_counter()
            for _ in engine.learn(run, lambda place: settings.training.learning_rate):
                pass
            spent = time.perf_counter() - start - (engine.compiling - before)
            seconds.setdefault(shape, []).append(spent / len(run))
    # A shape's later steps tell more: the first has the memory to fetch, and on TensorFlow was all compiling.
    steps = [value for values in seconds.values() for value in (values[1:] or values)]
    return Pace(engine.compiling, statistics.median(steps), steps_per_epoch(samples, size))


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
