"""The first values of a model's weights, drawn by NumPy.

On JAX, Keras draws them operation by operation, and every operation is compiled for every
shape: more than a second for each model of a new size. The distributions are those that
Keras documents; the layers keep Keras' own initializers, so a saved model names them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
TRUNCATED = 0.87962566103423978  # the spread of a normal distribution cut off at two of its spreads


def built(make: Callable[[], Any], seed: int) -> Any:
    """What ``make`` builds: a model, its layers' variables drawn here where Keras computes with JAX."""
    import keras

    if keras.backend.backend() != "jax":
        return make()
    rng = np.random.default_rng(seed)
    # In this scope Keras puts off the first values until its end.
    with keras.StatelessScope():
        model = make()
        optimizer = getattr(model, "optimizer", None)
        for variable in (*model.variables, *(optimizer.variables if optimizer else ())):
            if variable._initializer is not None:
                variable._initializer = partial(draw, variable._initializer, rng)
    return model


def draw(initializer: Any, rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = None) -> Any:
    """An array as ``initializer`` (one of Keras') would give it; by itself where it is none of those known here."""
    from keras import initializers

    kinds: list[tuple[type, Callable[[Any, np.random.Generator, tuple[int, ...]], Array]]] = [
        (initializers.Zeros, lambda _, rng, shape: np.zeros(shape)),
        (initializers.Ones, lambda _, rng, shape: np.ones(shape)),
        (initializers.Constant, lambda own, rng, shape: np.full(shape, own.value)),
        (initializers.RandomUniform, lambda own, rng, shape: rng.uniform(own.minval, own.maxval, shape)),
        (initializers.RandomNormal, lambda own, rng, shape: rng.normal(own.mean, own.stddev, shape)),
        (initializers.VarianceScaling, _scaled),
        (initializers.Orthogonal, _orthogonal),
    ]
    for kind, function in kinds:
        if isinstance(initializer, kind):
            return function(initializer, rng, shape).astype(dtype)
    return initializer(shape, dtype=dtype)


def _scaled(own: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Glorot's, He's and LeCun's, of a matrix (inputs, outputs)."""
    fans = {"fan_in": shape[0], "fan_out": shape[-1], "fan_avg": (shape[0] + shape[-1]) / 2}
    variance = own.scale / max(1.0, fans[own.mode])
    if own.distribution == "uniform":
        limit = math.sqrt(3 * variance)
        return rng.uniform(-limit, limit, shape)
    if own.distribution == "untruncated_normal":
        return rng.normal(0.0, math.sqrt(variance), shape)
    values = rng.normal(size=shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.normal(size=int(outside.sum()))
    return values * (math.sqrt(variance) / TRUNCATED)


def _orthogonal(own: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A matrix with orthonormal rows or columns, whichever are fewer; uniformly among these."""
    tall = rng.normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    matrix: Array = own.gain * (q if shape[0] >= shape[1] else q.T)
    return matrix
