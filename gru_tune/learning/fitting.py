"""The epochs of one trial: train, validate, remember the best, know when to stop.

Numpy batches of static shape go to an engine: Keras' ``fit`` would start tf.data's
autotuner, which waits at the end of every epoch.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gru_tune.data.dataset import Dataset
from gru_tune.errors import NotANumber, TrainingError
from gru_tune.knobs import Settings
from gru_tune.learning import checkpoints
from gru_tune.learning.batches import EVALUATED, batches, steps_per_epoch
from gru_tune.learning.checkpoints import State
from gru_tune.learning.engines import Engine
from gru_tune.learning.predicting import measure
from gru_tune.learning.samples import Samples
from gru_tune.learning.schedules import halvings, learning_rate, stale
from gru_tune.learning.sizes import recurrent_products
from gru_tune.learning.truth import Truth
from gru_tune.trial import Epoch, Job

# Of one core: floating-point operations a second in training, and seconds to compile one shape of
# a model for training and for validation (benchmarks/RESULTS.md). Rough, but the same for every run.
SPEED = 1e11
COMPILING = (1.1, 0.3)


@dataclass
class Fit:
    """The state of one training: ``engine`` learns ``job``'s epochs from ``train``."""

    job: Job
    engine: Engine
    train: Samples
    validation: Samples
    scores: list[float] = field(default_factory=list)  # the objective of every epoch, former jobs' too
    epochs: list[Epoch] = field(default_factory=list)  # of this job
    best: float | None = None  # of all epochs
    best_weights: list[Any] | None = None  # None while a former job's are better
    cut: bool = False  # whether the deadline ended it
    seconds: float = 0.0  # that earlier attempts have spent on the epochs of this job
    truth: Truth = field(init=False)
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        self.truth = self.validation.truth()
        self.steps = steps_per_epoch(self.train, self.job.settings.training.batch_size)
        self.best = self.job.best_before
        if self.job.settings.training.class_weights == "balanced" and self.train.classes:
            self.train.balance()

    def run(self, save: Callable[[Fit], None] = lambda fit: None) -> None:
        """Train until the last epoch, the deadline or the end of patience; a new trial one epoch at least.

        ``save`` is called after every epoch but the last. Raises ``NotANumber`` when the loss or the
        objective is no number any more.
        """
        # Counted by what was trained: patience or the deadline may have ended the job before early.
        while len(self.scores) < self.job.last_epoch and not self._over():
            self._remember(self._epoch(len(self.scores) + 1))
            if len(self.scores) < self.job.last_epoch:
                save(self)

    def state(self) -> State:
        """All that ``resume`` needs to go on from here."""
        return State(
            scores=tuple(self.scores),
            variables=self.engine.state(),
            epochs=tuple(self.epochs),
            best=self.best,
            best_weights=self.best_weights,
        )

    def resume(self, state: State) -> None:
        """Go on from a ``state``: of this job, or of the one before, whose epochs are not this one's."""
        self.engine.resume(state.variables)
        self.scores, self.epochs = [*state.scores], [*state.epochs]
        self.best, self.best_weights = state.best, state.best_weights
        self.seconds = sum(epoch.seconds for epoch in state.epochs)

    def _epoch(self, number: int) -> Epoch:
        start, compiled = time.perf_counter(), self.engine.compiling
        trained = self.learn(number)
        names = {*self.job.metrics, self.job.objective.name}
        together = EVALUATED // self.job.accumulation
        validated = measure(self.engine, self.validation, self.truth, names, together)
        self._check(validated, number)
        seconds = time.perf_counter() - start
        return Epoch(number, trained, validated, seconds, self.engine.compiling - compiled)

    def learn(self, number: int) -> dict[str, float]:
        """All batches of an epoch; random numbers depend on the trial's seed and the epoch alone."""
        knobs = self.job.settings.training
        self.engine.begin(self.job.seed, number)
        rng = np.random.default_rng([self.job.seed, number])
        halved = halvings(self.scores, self.job.objective.direction, knobs.min_delta)
        before = (number - 1) * self.steps
        sums: dict[str, float] = {}
        weight = 0.0
        for part in self.engine.learn(
            batches(self.train, knobs.batch_size, rng),
            lambda place: learning_rate(knobs, before + place, self.steps, halved),
        ):
            if not math.isfinite(part.metrics["loss"]):
                raise NotANumber(f"loss became {part.metrics['loss']} in epoch {number}")
            weight += part.weight
            for name, value in part.metrics.items():
                sums[name] = sums.get(name, 0.0) + value
        return {name: total / weight for name, total in sums.items()}

    def _check(self, validated: dict[str, float], number: int) -> None:
        name = self.job.objective.name
        for metric, value in validated.items():
            if math.isnan(value) or (metric == name and math.isinf(value)):
                raise NotANumber(f"validation {metric} became {value} in epoch {number}")
        if name not in validated:
            raise TrainingError(f"the objective {name} is not defined on the validation split of these data")

    def _remember(self, epoch: Epoch) -> None:
        score = epoch.validation[self.job.objective.name]
        self.epochs.append(epoch)
        self.scores.append(score)
        if self.best is None or self.job.objective.better(score, self.best):
            self.best, self.best_weights = score, self.engine.weights()
        if self.job.progress:
            facts = {
                "trial": self.job.trial, "epoch": epoch.number, "last_epoch": self.job.last_epoch,
                "score": score, "seconds": epoch.seconds,
            }  # fmt: skip
            checkpoints.write_text(Path(self.job.progress), json.dumps(facts))

    def _over(self) -> bool:
        if not self.scores:
            return False
        knobs = self.job.settings.training
        # Another epoch where that ends nearer to the deadline than none: too late as often as too early.
        usual = self.epochs[-1].seconds - self.epochs[-1].compiling if self.epochs else 0.0
        if self.job.deadline is not None and time.time() + usual / 2 >= self.job.deadline:
            self.cut = True
            return True
        waited = stale(self.scores, self.job.objective.direction, knobs.min_delta)
        return knobs.patience is not None and waited >= knobs.patience


def split_samples(dataset: Dataset, job: Job) -> tuple[Samples, Samples]:
    """The training and validation samples. Raises ``TrainingError`` when there are none."""
    train = Samples(dataset, "train", job.settings.data)
    validation = Samples(dataset, "validation", job.settings.data)
    for samples in (train, validation):
        refuse_empty(samples)
    price(train, validation, job.settings)
    return train, validation


def price(train: Samples, validation: Samples, settings: Settings) -> None:
    """Set what another shape costs: lengths are planned by it."""
    train.shape_cost, validation.shape_cost = shape_costs(settings, train.dataset.info)


def shape_costs(settings: Settings, info: Mapping[str, Any]) -> tuple[float, float]:
    """What compiling another shape costs in training and in validation, in steps of one sequence."""
    # What such a step takes in all epochs, forward and backward or forward alone.
    step = recurrent_products(settings, info) * settings.training.epochs / SPEED
    return COMPILING[0] / (6 * step), COMPILING[1] / (2 * step)


def refuse_empty(samples: Samples) -> None:
    """Raise ``TrainingError`` for a split that gives no sample."""
    if len(samples):
        return
    reason = "it has no sequence with a target"
    if samples.dataset.layout == "timeline":
        rows = int(samples.dataset.spans[samples.dataset.of(samples.split), 1].max(initial=0))
        reason = f"its longest stretch has {rows} rows, too few for a window of {samples.knobs.window}"
    raise TrainingError(f"the {samples.split} split gives no samples: {reason}")
