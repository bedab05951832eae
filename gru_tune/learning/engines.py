"""What carries out the steps of a training: Keras' own step, or whole stretches compiled with JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import ModelKnobs, Settings
from gru_tune.learning.batches import buckets
from gru_tune.learning.factory import build, fast_copy, lean, make_optimizer
from gru_tune.learning.initial import built
from gru_tune.learning.losses import make_loss, make_metric, watched
from gru_tune.learning.samples import Batch, Samples
from gru_tune.learning.sizes import loses_cudnn
from gru_tune.learning.truth import Form

Rates = Callable[[int], float]


class Sums(NamedTuple):
    """Of some batches: their weight in all, and loss and metric times weight."""

    weight: float
    metrics: dict[str, float]


class Scorer(Protocol):
    """Says what a model predicts."""

    @property
    def compiling(self) -> float:
        """Seconds spent on compiling so far, the first step of a shape included where they cannot be told apart."""
        ...

    def score(self, batch: Batch) -> tuple[NDArray[np.float32], float]:
        """The model's outputs for ``batch.x``, and the loss without penalties."""
        ...

    def predict(self, batch: Batch) -> NDArray[np.float32]:
        """The outputs alone."""
        ...


class Engine(Scorer, Protocol):
    """Trains one model."""

    model: Any

    def begin(self, seed: int, epoch: int) -> None:
        """Set all random states from the trial's seed and the epoch."""
        ...

    def learn(self, batches: Iterable[Batch], rates: Rates) -> Iterator[Sums]:
        """Take one step a batch; ``rates`` gives the learning rate of each, counted from 0."""
        ...

    def weights(self) -> list[NDArray[Any]]:
        """A copy of all weights."""
        ...

    def restore(self, weights: list[NDArray[Any]]) -> None:
        """Put such a copy back, into ``model`` also."""
        ...

    def state(self) -> list[NDArray[Any]]:
        """A copy of all weights and of the optimizer, in the order of ``variables(model)``."""
        ...

    def resume(self, state: list[NDArray[Any]]) -> None:
        """Go on from such a copy."""
        ...


class Stepwise:
    """Keras' own step, a batch at a time: on TensorFlow, plain, with cuDNN or compiled by XLA."""

    def __init__(self, model: Any, loss: Any) -> None:
        self.model, self._loss = model, loss
        self.compiling = 0.0
        self._seen: set[tuple[str, tuple[int, ...]]] = set()

    def begin(self, seed: int, epoch: int) -> None:
        reseed(self.model, seed, epoch)

    def learn(self, batches: Iterable[Batch], rates: Rates) -> Iterator[Sums]:
        rate = None
        for place, batch in enumerate(batches):
            due = rates(place)
            if due != rate:
                self.model.optimizer.learning_rate = rate = due
            start = time.perf_counter()
            sums = self._step(batch)
            self._timed("learn", batch, start)
            yield sums

    def score(self, batch: Batch) -> tuple[NDArray[np.float32], float]:
        out = self.predict(batch)
        return out, float(self._loss(batch.y, out, batch.w))

    def predict(self, batch: Batch) -> NDArray[np.float32]:
        start = time.perf_counter()
        out = np.asarray(self.model.predict_on_batch(batch.x))
        self._timed("predict", batch, start)
        return out

    def weights(self) -> list[NDArray[Any]]:
        copy: list[NDArray[Any]] = self.model.get_weights()
        return copy

    def restore(self, weights: list[NDArray[Any]]) -> None:
        self.model.set_weights(weights)

    def state(self) -> list[NDArray[Any]]:
        from keras import ops

        return [np.array(ops.convert_to_numpy(variable)) for variable in variables(self.model)]

    def resume(self, state: list[NDArray[Any]]) -> None:
        for variable, value in zip(variables(self.model), state, strict=True):
            variable.assign(value)

    def _step(self, batch: Batch) -> Sums:
        self.model.reset_metrics()  # train_on_batch does so by itself from Keras 3.15 on
        logs = self.model.train_on_batch(batch.x, batch.y, batch.w, return_dict=True)
        weight = float(batch.w.sum())
        return Sums(weight, {name: weight * float(value) for name, value in logs.items()})

    def _timed(self, what: str, batch: Batch, start: float) -> None:
        """The first step of a shape is nearly all compiling."""
        if (what, batch.x.shape) not in self._seen:
            self._seen.add((what, batch.x.shape))
            self.compiling += time.perf_counter() - start


def reseed(model: Any, seed: int, epoch: int) -> None:
    """Set the random states of all dropout layers from the trial's seed and the epoch.

    Keras does not keep them with the weights; a training that goes on from a checkpoint
    would otherwise drop other values than one that was never interrupted.
    """
    states = random_states(model)
    numbers = np.random.SeedSequence([seed, epoch]).generate_state(2 * len(states), np.uint32)
    for place, state in enumerate(states):
        state.assign(numbers[2 * place : 2 * place + 2].astype(state.dtype))


def variables(model: Any) -> list[Any]:
    """All that training changes in a model and its optimizer."""
    return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]


def random_states(model: Any) -> list[Any]:
    """The variables that the model's random numbers come from."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]


def make_model(settings: Settings, train: Samples, path: str, seed: int = 0) -> Any:
    """A new model with its optimizer, for the engine of ``path`` (see ``fast_path``)."""
    knobs = settings.training
    if path.startswith("jax"):  # the engine clips, to a norm that is an input of its program
        knobs = replace(knobs, clip_norm=None, clip_value=None)
    optimizer = make_optimizer(knobs)

    def make() -> Any:
        model = build(settings, train.dataset, fast=path.startswith("jax"))
        if knobs.optimizer != "nadam":  # it makes a variable in a way that cannot be put off
            optimizer.build(model.trainable_variables)
        model.compile(
            optimizer=optimizer,
            loss=make_loss(knobs, train.dataset),
            weighted_metrics=[make_metric(train.dataset)],
            jit_compile=path == "xla",
        )
        return model

    model = built(make, seed)
    optimizer.build(model.trainable_variables)
    return model


def make_engine(model: Any, settings: Settings, train: Samples, path: str, accumulation: int = 1) -> Engine:
    """What trains ``model``, one of ``make_model``, from where it and its optimizer stand.

    Every batch goes through it in ``accumulation`` parts, whose gradients make one update.
    """
    if path.startswith("jax"):
        from gru_tune.learning.compiled import Compiled

        return Compiled(model, settings, train.dataset, accumulation)
    loss = make_loss(settings.training, train.dataset)
    if accumulation > 1:
        from gru_tune.learning.accumulating import Accumulating

        return Accumulating(model, loss, watched(train.dataset), accumulation)
    return Stepwise(model, loss)


def make_scorer(model: Any, settings: Settings, dataset: Dataset) -> Scorer:
    """What says what ``model``, a saved one of these settings, predicts."""
    import keras

    if keras.backend.backend() == "jax":
        from gru_tune.learning.compiled import CompiledScorer

        return CompiledScorer(fast_copy(model, settings, dataset), settings, dataset)
    return Stepwise(model, make_loss(settings.training, dataset))


# What XLA saves on one core, in seconds for every time step of a layer in one direction, and
# what compiling costs more for every shape and for every such layer of it.
SAVED, COST, COST_OF_A_LAYER = 0.15e-3, 1.3, 0.7
# TensorFlow's XLA on a CPU copies the states of all steps at every step: of long sequences that
# costs more than it saves.
LONG = 180


def fast_path(settings: Settings, train: Samples) -> str:
    """How to run the steps, as the table says it.

    ``jax``: many steps compiled as one, with our own recurrence; ``jax-scan``: with Keras'.
    On TensorFlow ``xla``: each step compiled, ``cudnn``: NVIDIA's kernels, ``plain``: neither.
    Depends on the settings and the training data alone, so that all stretches of a trial
    take the same path.
    """
    import keras

    if keras.backend.backend() == "jax":
        return "jax" if lean(settings.model) else "jax-scan"
    if _gpu():
        return "plain" if loses_cudnn(settings.model) else "cudnn"
    shapes = buckets(train, settings.training.batch_size)
    batches = sum(-(-len(shape.indices) // shape.size) for shape in shapes)
    length = sum(len(shape.indices) * shape.length for shape in shapes) / max(len(train), 1)
    layers = len(settings.model.units) * (2 if settings.model.bidirectional else 1)
    saved = SAVED * length * layers * batches * settings.training.epochs
    worth = saved > len(shapes) * (COST + COST_OF_A_LAYER * layers)
    return "xla" if worth and length * _kept_states(settings.model, train.form) <= LONG else "plain"


def _kept_states(knobs: ModelKnobs, form: Form) -> float:
    """The share of the recurrent layers that hand on the states of all steps."""
    last = 0 if form != "steps" and knobs.pooling == "last" else 1
    return (len(knobs.units) - 1 + last) / len(knobs.units)


def _gpu() -> bool:
    import tensorflow

    return bool(tensorflow.config.list_logical_devices("GPU"))
