"""``gru-tune check --time``: a few real steps of the smallest and the largest model, and a forecast.

This is the one part of ``check`` that loads TensorFlow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

from gru_tune.knobs import Settings

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared

STEPS = 8  # timed after the first of every shape, which is compiled


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
    from gru_tune.learning import training
    from gru_tune.quiet import quiet_stderr

    with quiet_stderr():
        training.configure(threads=1)
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

    from gru_tune.learning.batches import batches, steps_per_epoch
    from gru_tune.learning.factory import build, fast_path
    from gru_tune.learning.samples import Samples

    samples = Samples(prepared.dataset, "train", settings.data)
    size = settings.training.batch_size
    steps = steps_per_epoch(samples, size)
    model = build(settings, prepared.dataset, fast_path(settings, samples))
    first: dict[tuple[int, ...], float] = {}
    later: list[float] = []
    # Over and over: a small file has fewer steps an epoch than are needed to tell them from compiling.
    rng = np.random.default_rng(0)
    endless = chain.from_iterable(batches(samples, size, rng) for _ in repeat(None))
    for batch in islice(endless, 4 * STEPS):
        start = time.perf_counter()
        model.train_on_batch(batch.x, batch.y, batch.w)
        seconds = time.perf_counter() - start
        if batch.x.shape in first:
            later.append(seconds)
        else:
            first[batch.x.shape] = seconds
        if len(later) >= STEPS:
            break
    step = statistics.median(later or first.values())
    return Pace(sum(first.values()), step, steps)


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
