"""Training on JAX: many steps are one execution of one compiled program.

Everything of a trial that is a mere number (learning rate, dropout rate, weight decay,
penalties, the norm to clip to, seeds) goes into the program as an input, so trials of the
same shapes share it. Imported inside functions only, since it needs JAX and Keras.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import ModelKnobs, Settings, TrainingKnobs
from gru_tune.learning.batches import RUN
from gru_tune.learning.engines import Rates, Sums, random_states, reseed
from gru_tune.learning.losses import make_loss, watched
from gru_tune.learning.samples import Batch

STRETCH = 64_000_000  # bytes of input that are handed to one execution at most
PROGRAMS = 16  # kept by a worker, the latest used

KERNELS = ("kernel", "recurrent_kernel")

Shape = tuple[tuple[int, ...], ...]


class CompiledScorer:
    """Compiles the forward pass of a model, for every shape it meets."""

    def __init__(self, model: Any, settings: Settings, dataset: Dataset) -> None:
        self.model = model
        self.compiling = 0.0
        self._program = _program(model, settings, dataset)
        self._trained = [_copied(v.value) for v in model.trainable_variables]
        self._fixed = [_copied(v.value) for v in model.non_trainable_variables]

    def score(self, batch: Batch) -> tuple[NDArray[np.float32], float]:
        arguments = (self._trained, self._fixed, *batch)
        out, loss = self._compiled(self._program.score, arguments)(*arguments)
        return np.asarray(out), float(loss)

    def _compiled(self, function: Any, arguments: Any, donated: tuple[int, ...] = ()) -> Any:
        """``function`` of the program for the shapes of these arguments, of which x, y and w come last."""
        key = (function.__name__, tuple(part.shape for part in arguments[-3:]))
        found = self._program.compiled.get(key)
        if found is None:
            start = time.perf_counter()
            found = jax.jit(function, donate_argnums=donated).lower(*arguments).compile()
            self._program.compiled[key] = found
            self.compiling += time.perf_counter() - start
        return found


class Compiled(CompiledScorer):
    """An ``Engine``: trains ``model``, which ``engines.make_model`` has made."""

    def __init__(self, model: Any, settings: Settings, dataset: Dataset) -> None:
        super().__init__(model, settings, dataset)
        self._numbers = _numbers(settings)
        self._optimizer = [_copied(v.value) for v in model.optimizer.variables]

    def begin(self, seed: int, epoch: int) -> None:
        reseed(self.model, seed, epoch)
        states = {id(state) for state in random_states(self.model)}
        for place, variable in enumerate(self.model.non_trainable_variables):
            if id(variable) in states:
                self._fixed[place] = _copied(variable.value)

    def learn(self, batches: Iterable[Batch], rates: Rates) -> Iterator[Sums]:
        place = 0
        for some in _stretches(batches):
            due = [rates(place + ahead) for ahead in range(len(some))]
            place += len(some)
            yield self._learn(some, due)

    def weights(self) -> list[NDArray[Any]]:
        return [np.array(value) for value in (*self._trained, *self._fixed)]

    def restore(self, weights: list[NDArray[Any]]) -> None:
        count = len(self._trained)
        self._trained = [_copied(value) for value in weights[:count]]
        self._fixed = [_copied(value) for value in weights[count:]]
        self.settle()

    def settle(self) -> None:
        variables = (
            *self.model.trainable_variables, *self.model.non_trainable_variables, *self.model.optimizer.variables,
        )  # fmt: skip
        for variable, value in zip(variables, (*self._trained, *self._fixed, *self._optimizer), strict=True):
            variable.assign(np.array(value))

    def _learn(self, some: list[Batch], rates: list[float]) -> Sums:
        room = _room(some[0])
        # Fewer batches than the program has room for: it stops after those there are.
        x, y, w = (_stacked([batch[part] for batch in some], room) for part in range(3))
        due = np.zeros(room, np.float32)
        due[: len(rates)] = rates
        arguments = (
            self._trained, self._fixed, self._optimizer, self._numbers, np.int32(len(some)), due, x, y, w,
        )  # fmt: skip
        run = self._compiled(self._program.learn, arguments, donated=(0, 1, 2))
        self._trained, self._fixed, self._optimizer, sums = run(*arguments)
        weight, loss, metric = (float(value) for value in sums)
        return Sums(weight, {"loss": loss, self._program.watched.name: metric})


class _Program:
    """The functions that are compiled for one structure of model and optimizer."""

    def __init__(self, model: Any, loss: Any, dataset: Dataset) -> None:
        self.model, self.loss, self.dataset = model, loss, dataset
        self.watched = watched(dataset)
        self.compiled: dict[tuple[str, Shape], Any] = {}

    def score(self, trained: Any, fixed: Any, x: Any, y: Any, w: Any) -> Any:
        out, _ = self.model.stateless_call(trained, fixed, x, training=False)
        return out, self.loss(y, out, w)

    def learn(
        self, trained: Any, fixed: Any, optimizer: Any, numbers: Any, count: Any, rates: Any,
        x: Any, y: Any, w: Any,
    ) -> Any:  # fmt: skip
        """``count`` steps on the batches of ``x``, ``y``, ``w``; the states after them, and the sums."""

        def step(place: Any, carry: Any) -> Any:
            trained, fixed, optimizer, sums = carry
            batch = (x[place], y[place], w[place])
            optimizer = [rates[place] if i == self._rate else v for i, v in enumerate(optimizer)]
            (loss, (metric, fixed)), gradients = jax.value_and_grad(self._cost, has_aux=True)(
                trained, fixed, numbers, batch
            )
            trained, optimizer = self._stepped(optimizer, _clipped(gradients, numbers), trained, numbers)
            weight = batch[2].sum()
            return trained, fixed, optimizer, sums + weight * jnp.stack([jnp.ones(()), loss, metric])

        return lax.fori_loop(0, count, step, (trained, fixed, optimizer, jnp.zeros(3)))

    @cached_property
    def _rate(self) -> int:
        """The place of the learning rate among the optimizer's variables."""
        rate = self.model.optimizer._learning_rate
        return next(i for i, variable in enumerate(self.model.optimizer.variables) if variable is rate)

    @cached_property
    def _charged(self) -> list[int]:
        """The places of the weights that the penalties are for: what ``factory`` gives regularizers otherwise."""
        paths = [v.path.split("/") for v in self.model.trainable_variables]
        return [i for i, path in enumerate(paths) if path[-1] in KERNELS and path[-2].endswith("_cell")]

    def _cost(self, trained: Any, fixed: Any, numbers: Any, batch: Any) -> Any:
        x, y, w = batch
        out, fixed = self.model.stateless_call(trained, fixed, x, training=True)
        loss = self.loss(y, out, w)
        if "l1" in numbers:
            for value in (trained[place] for place in self._charged):
                loss += numbers["l1"] * jnp.abs(value).sum() + numbers["l2"] * jnp.square(value).sum()
        weight = jnp.maximum(w.sum(), 1e-12)  # a batch may hold no known target at all
        return loss, ((self.watched.values(y, out) * w).sum() / weight, fixed)

    def _stepped(self, optimizer: Any, gradients: Any, trained: Any, numbers: Any) -> Any:
        keras_optimizer = self.model.optimizer
        former = keras_optimizer.weight_decay
        if "weight_decay" in numbers:
            keras_optimizer.weight_decay = numbers["weight_decay"]
        try:
            return keras_optimizer.stateless_apply(optimizer, gradients, trained)
        finally:
            keras_optimizer.weight_decay = former


_programs: OrderedDict[Any, _Program] = OrderedDict()


def _program(model: Any, settings: Settings, dataset: Dataset) -> _Program:
    """The program for ``model``: that of an earlier trial where nothing but numbers differs."""
    # The program keeps the dataset, so that no other gets its id.
    key = (_structure(settings), tuple(_numbers(settings)), id(dataset))
    if key in _programs:
        _programs.move_to_end(key)
        return _programs[key]
    program = _Program(model, make_loss(settings.training, dataset), dataset)
    if getattr(model, "optimizer", None) is not None:  # else it can score, but not learn
        _programs[key] = program
        if len(_programs) > PROGRAMS:
            _programs.popitem(last=False)
    return program


def _structure(settings: Settings) -> Settings:
    """``settings`` with what a program takes as input, or what does not concern it, at one value."""
    training, usual = settings.training, ModelKnobs()
    return replace(
        settings,
        model=replace(
            settings.model,
            dropout=0.5 if settings.model.dropout else 0.0,
            l1=0.0,
            l2=0.0,
            initializer=usual.initializer,
            recurrent_initializer=usual.recurrent_initializer,
        ),
        training=TrainingKnobs(
            optimizer=training.optimizer,
            momentum=training.momentum,
            loss=training.loss,
            label_smoothing=training.label_smoothing,
        ),
    )


def _numbers(settings: Settings) -> dict[str, Any]:
    """The inputs of a program that a trial sets once; one that is absent is computed without."""
    model, training = settings.model, settings.training
    numbers: dict[str, float | None] = {
        "weight_decay": training.weight_decay or None,
        "clip_norm": training.clip_norm,
        "clip_value": training.clip_value,
    }
    if model.l1 or model.l2:
        numbers |= {"l1": model.l1, "l2": model.l2}
    return {name: np.float32(value) for name, value in numbers.items() if value is not None}


def _clipped(gradients: list[Any], numbers: dict[str, Any]) -> list[Any]:
    """As Keras' optimizers do it."""
    if "clip_norm" in numbers:
        norm = jnp.sqrt(sum(jnp.square(g).sum() for g in gradients))
        scale = numbers["clip_norm"] / jnp.maximum(norm, numbers["clip_norm"])
        gradients = [g * scale for g in gradients]
    if "clip_value" in numbers:
        limit = numbers["clip_value"]
        gradients = [jnp.clip(g, -limit, limit) for g in gradients]
    return gradients


def _stretches(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Batches in a row that have one shape, as many as one execution takes."""
    some: list[Batch] = []
    for batch in batches:
        if some and (batch.x.shape != some[0].x.shape or len(some) == _room(some[0])):
            yield some
            some = []
        some.append(batch)
    if some:
        yield some


def _room(batch: Batch) -> int:
    """How many batches of this shape one execution takes."""
    return max(1, min(RUN, STRETCH // sum(part.nbytes for part in batch)))


def _copied(value: Any) -> Any:
    """An array that a program may overwrite."""
    return jnp.asarray(np.array(value))


def _stacked(parts: list[NDArray[Any]], room: int) -> NDArray[Any]:
    whole = np.empty((room, *parts[0].shape), parts[0].dtype)
    np.stack(parts, out=whole[: len(parts)])
    return whole
