"""Training on JAX: many steps are one execution of one compiled program.

Everything of a trial that is a mere number (learning rate, dropout rate, weight decay,
penalties, the norm to clip to, seeds) goes into the program as an input, so trials of the
same shapes share it. A batch goes through the model in parts that fit a core's cache, and
its step follows the sum of their gradients: batch sizes share programs too. Imported inside
functions only, since it needs JAX and Keras.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.compilation_cache import compilation_cache
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import ModelKnobs, Settings, TrainingKnobs
from gru_tune.learning.batches import evened
from gru_tune.learning.engines import Rates, Sums, random_states, reseed, variables
from gru_tune.learning.losses import make_loss, watched
from gru_tune.learning.samples import Batch

STRETCH = 64_000_000  # bytes of input that are handed to one execution at most
PARTS = 16  # of batches, that one execution takes; more where a single batch has more
PART = 32  # rows of a part on a CPU (docs/design.md has the times of others)
PROGRAMS = 16  # kept by a worker at most, the latest used

# On a CPU: compiles in 0.9 of the time, and the programs are as fast as with XLA's usual 3 (docs/design.md).
COMPILER = {"xla_backend_optimization_level": 1}

LEAST = 1e-12  # to divide by instead of 0, where no target of a batch is known
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

    def predict(self, batch: Batch) -> NDArray[np.float32]:
        return self.score(batch)[0]  # the loss of a batch is next to nothing

    def _compiled(self, function: Any, arguments: Any, donated: tuple[int, ...] = ()) -> Any:
        """``function`` of the program for the shapes of these arguments, of which x, y and w come last."""
        key = (function.__name__, tuple(part.shape for part in arguments[-3:]))
        found = self._program.compiled.get(key)
        if found is None:
            start = time.perf_counter()
            lowered = jax.jit(function, donate_argnums=donated).lower(*arguments)
            found = lowered.compile(COMPILER if jax.default_backend() == "cpu" else None)
            self._program.compiled[key] = found
            self.compiling += time.perf_counter() - start
        return found


class Compiled(CompiledScorer):
    """An ``Engine``: trains ``model``, which ``engines.make_model`` has made.

    To save memory, ``accumulation`` times fewer rows go through it together than otherwise.
    """

    def __init__(self, model: Any, settings: Settings, dataset: Dataset, accumulation: int = 1) -> None:
        super().__init__(model, settings, dataset)
        self._settings, self._accumulation = settings, accumulation
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
        for some, rows in _stretches(batches, self._rows):
            due = [rates(place + ahead) for ahead in range(len(some))]
            place += len(some)
            yield self._learn(some, rows, due)

    def weights(self) -> list[NDArray[Any]]:
        return [np.array(value) for value in (*self._trained, *self._fixed)]

    def restore(self, weights: list[NDArray[Any]]) -> None:
        count = len(self._trained)
        self._trained = [_copied(value) for value in weights[:count]]
        self._fixed = [_copied(value) for value in weights[count:]]
        self.settle()

    def _rows(self, batch: Batch) -> int:
        """How many rows of a batch go through the model together: all where they are normalised together."""
        together = self._settings.model.normalization == "batch"
        rows = len(batch.w) if together else part(len(batch.w))
        return -(-rows // self._accumulation)

    def state(self) -> list[NDArray[Any]]:
        return [np.array(value) for value in (*self._trained, *self._fixed, *self._optimizer)]

    def resume(self, state: list[NDArray[Any]]) -> None:
        values = iter(state)
        self._trained = [_copied(next(values)) for _ in self._trained]
        self._fixed = [_copied(next(values)) for _ in self._fixed]
        self._optimizer = [_copied(next(values)) for _ in self._optimizer]

    def settle(self) -> None:
        """Bring ``model`` and its optimizer to where the training stands."""
        for variable, value in zip(variables(self.model), self.state(), strict=True):
            variable.assign(value)

    def _learn(self, some: list[Batch], rows: int, rates: list[float]) -> Sums:
        room = _room(some[0], rows)
        # Fewer batches than the program has room for: it stops after those there are.
        x, y, w = (_stacked([batch[place] for batch in some], room, rows) for place in range(3))
        due = np.zeros(room, np.float32)
        due[: len(rates)] = rates
        counts = np.int32(len(some)), np.int32(len(some[0].w) // rows)
        arguments = (self._trained, self._fixed, self._optimizer, self._numbers, counts, due, x, y, w)
        run = self._compiled(self._program.learn, arguments, donated=(0, 1, 2))
        self._trained, self._fixed, self._optimizer, sums = run(*arguments)
        weight, loss, metric = (float(value) for value in sums)
        return Sums(weight, {"loss": loss, self._program.watched.name: metric})


class _Program:
    """The functions that are compiled for one structure of model and optimizer."""

    def __init__(self, model: Any, loss: Any, dataset: Dataset) -> None:
        self.model, self.loss = model, loss
        self.watched = watched(dataset)
        self.compiled: dict[tuple[str, Shape], Any] = {}

    def score(self, trained: Any, fixed: Any, x: Any, y: Any, w: Any) -> Any:
        """The outputs for all rows, and their loss."""

        def piece(batch: Any) -> Any:
            x, y, w = batch
            out, _ = self.model.stateless_call(trained, fixed, x, training=False)
            return out, w.sum() * self.loss(y, out, w)

        rows = part(len(w))
        outs, losses = lax.map(piece, tuple(a.reshape(-1, rows, *a.shape[1:]) for a in (x, y, w)))
        return outs.reshape(-1, *outs.shape[2:]), losses.sum() / jnp.maximum(w.sum(), LEAST)

    def learn(
        self, trained: Any, fixed: Any, optimizer: Any, numbers: Any, counts: Any, rates: Any,
        x: Any, y: Any, w: Any,
    ) -> Any:  # fmt: skip
        """Steps on the batches of ``x``, ``y``, ``w``; the states after them, and the sums.

        ``counts``: of the steps, and of the parts of every batch. ``x``, ``y`` and ``w`` hold
        the parts of all batches, one after the other.
        """
        steps, parts = counts

        def step(place: Any, carry: Any) -> Any:
            trained, fixed, optimizer, sums = carry

            def piece(offset: Any, carry: Any) -> Any:
                fixed, total, sums = carry
                batch = tuple(a[place * parts + offset] for a in (x, y, w))
                (loss, (metric, fixed)), gradients = jax.value_and_grad(self._cost, has_aux=True)(
                    trained, fixed, numbers, batch
                )
                weight = batch[2].sum()
                total = [t + weight * g for t, g in zip(total, gradients, strict=True)]
                return fixed, total, sums + weight * jnp.stack([jnp.ones(()), loss, metric])

            nothing = [jnp.zeros_like(value) for value in trained]
            fixed, total, now = lax.fori_loop(0, parts, piece, (fixed, nothing, jnp.zeros(3)))
            gradients = [value / jnp.maximum(now[0], LEAST) for value in total]
            optimizer = [rates[place] if i == self._rate else v for i, v in enumerate(optimizer)]
            trained, optimizer = self._stepped(optimizer, _clipped(gradients, numbers), trained, numbers)
            return trained, fixed, optimizer, sums + now

        return lax.fori_loop(0, steps, step, (trained, fixed, optimizer, jnp.zeros(3)))

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
        weight = jnp.maximum(w.sum(), LEAST)
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
    key = (_structure(settings), tuple(_numbers(settings)), *_constants(model, settings, dataset))
    if key in _programs:
        _programs.move_to_end(key)
        return _programs[key]
    program = _Program(model, make_loss(settings.training, dataset), dataset)
    if getattr(model, "optimizer", None) is not None:  # else it can score, but not learn
        _programs[key] = program
        if len(_programs) > PROGRAMS:
            while len(_programs) > PROGRAMS // 2:
                _programs.popitem(last=False)
            # What JAX remembers of their tracing would stay; but to forget it all costs 0.3 s.
            jax.clear_caches()
    return program


def _constants(model: Any, settings: Settings, dataset: Dataset) -> tuple[Any, ...]:
    """All that a program takes from the data: folds in which it is equal share their programs.

    The names are left out, and the scales where no window is scaled by itself: else they are
    constants of the model, and every fold has its own.
    """
    info = {**dataset.info, "labels": len(dataset.info["labels"]), "inputs": None}
    info["vocabulary"] = None  # the shapes tell how many of its words the model has
    if settings.data.scale not in ("window", "last"):
        info["input_scale"] = info["target_scale"] = None
    shapes = (model.input_shape, *(tuple(v.shape) for v in model.variables))
    return dataset.layout, dataset.target, json.dumps(info, sort_keys=True), shapes


@contextmanager
def anew() -> Iterator[None]:
    """Compile all programs inside, whatever this process or the persistent cache already has."""
    former = jax.config.jax_enable_compilation_cache
    _programs.clear()
    _enable_cache(False)
    try:
        yield
    finally:
        _enable_cache(former)


def _enable_cache(enabled: bool) -> None:
    jax.config.update("jax_enable_compilation_cache", enabled)
    compilation_cache.reset_cache()  # JAX looks at the setting once, and never again before this


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


def part(rows: int) -> int:
    """How many of a batch's rows go through the model together."""
    if jax.default_backend() != "cpu":
        return rows
    return next((size for size in range(PART, PART // 2, -1) if rows % size == 0), rows)


def _stretches(
    batches: Iterable[Batch], together: Callable[[Batch], int]
) -> Iterator[tuple[list[Batch], int]]:
    """Batches in a row that have one shape, as many as one execution takes, and how many rows go together."""
    some: list[Batch] = []
    rows = 0
    for batch in batches:
        now = together(batch)
        whole = evened(batch, now)
        if some and (whole.x.shape != some[0].x.shape or len(some) == _steps(some[0], rows)):
            yield some, rows
            some = []
        some.append(whole)
        rows = now
    if some:
        yield some, rows


def _room(batch: Batch, rows: int) -> int:
    """How many parts of ``rows`` such rows one execution takes."""
    parts = len(batch.w) // rows
    return max(parts, min(PARTS, STRETCH * parts // sum(array.nbytes for array in batch)))


def _steps(batch: Batch, rows: int) -> int:
    """How many such batches one execution takes."""
    return _room(batch, rows) * rows // len(batch.w)


def _copied(value: Any) -> Any:
    """An array that a program may overwrite."""
    return jnp.asarray(np.array(value))


def _stacked(arrays: list[NDArray[Any]], room: int, rows: int) -> NDArray[Any]:
    """The arrays of some batches, divided into parts, in an array with room for ``room`` parts."""
    whole = np.empty((room, rows, *arrays[0].shape[1:]), arrays[0].dtype)
    parts = len(arrays[0]) // rows
    np.concatenate(arrays, out=whole[: len(arrays) * parts].reshape(-1, *arrays[0].shape[1:]))
    return whole
