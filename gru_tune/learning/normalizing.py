"""Scaling of every window by its own values, inside the model.

A saved model carries its scaling with it, and forecasts come out in the units of the data
as prepared. After Kim et al., "Reversible instance normalization" (ICLR 2022), without
the learned part, and its simplest form, taking out the last value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]

LEAST_VARIANCE = 1e-5  # of a window, in units of the training split's variance


class Scaling(NamedTuple):
    """``center`` and ``spread`` (batch, 1, features) of every window; original = x * spread + center."""

    center: Any
    spread: Any


def normalize(x: Any, mask: Any | None, how: str) -> tuple[Any, Scaling]:
    """``x`` (batch, time, features) less each window's last value, or mean and spread.

    ``mask`` (batch, time) marks the real steps, which come first; the others keep their value.
    """
    from keras import ops

    if how == "last":
        center = _last(x, mask)
        scaled, spread = ops.subtract(x, center), ops.ones_like(center)
    else:
        center = _mean(x, mask)
        spread = ops.sqrt(ops.add(_mean(ops.square(ops.subtract(x, center)), mask), LEAST_VARIANCE))
        scaled = ops.divide(ops.subtract(x, center), spread)
    if mask is not None:
        scaled = ops.where(ops.expand_dims(mask, -1), scaled, x)
    return scaled, Scaling(center, spread)


def restore(forecast: Any, scaling: Scaling, info: Mapping[str, Any]) -> Any:
    """``forecast`` (batch, horizon, targets) with the scaling of its own inputs undone.

    Targets that are no inputs are left as they are. ``info`` as in ``Dataset.info``.
    """
    from keras import ops

    columns = [column if column is not None else 0 for column in info["target_inputs"]]
    known = _constant([0.0 if column is None else 1.0 for column in info["target_inputs"]])
    other = _constant([1.0 if column is None else 0.0 for column in info["target_inputs"]])
    ratio, shift = _units(info)
    center = ops.add(ops.multiply(ops.take(scaling.center, columns, axis=2), ratio), shift)
    spread = ops.multiply(ops.take(scaling.spread, columns, axis=2), ratio)
    spread = ops.add(ops.multiply(spread, known), other)
    return ops.add(ops.multiply(forecast, spread), ops.multiply(center, known))


def _units(info: Mapping[str, Any]) -> tuple[Row, Row]:
    """From the units of the inputs to those of the targets: they may be scaled differently."""
    inputs, targets = info["input_scale"], info["target_scale"]
    ratios, shifts = [], []
    for target, column in enumerate(info["target_inputs"]):
        place = 0 if column is None else column
        ratios.append(inputs["std"][place] / targets["std"][target])
        shifts.append((inputs["mean"][place] - targets["mean"][target]) / targets["std"][target])
    return _constant(ratios), _constant(shifts)


def _constant(values: list[float]) -> Row:
    """(1, 1, targets)"""
    return np.asarray(values, np.float32)[None, None, :]


def _mean(x: Any, mask: Any | None) -> Any:
    from keras import ops

    if mask is None:
        return ops.mean(x, axis=1, keepdims=True)
    weights = ops.expand_dims(ops.cast(mask, "float32"), -1)
    total = ops.sum(ops.where(ops.expand_dims(mask, -1), x, 0.0), axis=1, keepdims=True)
    return ops.divide(total, ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0))


def _last(x: Any, mask: Any | None) -> Any:
    from keras import ops

    if mask is None:
        return x[:, -1:, :]
    here = ops.cast(mask, "float32")
    # 1 at the last real step alone: where as many steps have gone by as there are
    at_last = ops.multiply(
        here, ops.cast(ops.equal(ops.cumsum(here, axis=1), ops.sum(here, axis=1, keepdims=True)), "float32")
    )
    chosen = ops.where(ops.expand_dims(at_last > 0.5, -1), x, 0.0)
    return ops.sum(chosen, axis=1, keepdims=True)
