"""The inputs and targets of a study, encoded: words to ids, numbers to scaled features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.encoding import (
    Categories,
    Floats,
    Labels,
    Mask,
    Method,
    Scaler,
    Vocabulary,
    fill_forward,
    forward_words,
    refuse_missing,
)
from gru_tune.data.raw import Classes, Numbers, Quantities, Words
from gru_tune.errors import DataError

NO_SCALE: dict[str, list[float]] = {"mean": [], "std": []}


@dataclass(frozen=True)
class Inputs:
    """``x`` as ``Dataset`` wants it, the names of its columns, and what was fitted."""

    x: NDArray[Any]
    names: tuple[str, ...]
    vocabulary: int = 0
    scale: dict[str, list[float]] = field(default_factory=lambda: dict(NO_SCALE))
    fitted: dict[str, Any] = field(default_factory=dict)  # JSON-able, to apply to new rows later


@dataclass(frozen=True)
class Targets:
    """``y`` and ``valid`` as ``Dataset`` wants them, and what was fitted."""

    y: NDArray[Any]
    valid: Mask
    labels: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()  # classes that training lacks; their ids follow the labels'
    scale: dict[str, list[float]] = field(default_factory=lambda: dict(NO_SCALE))


def words(x: Words, training: Mask) -> Inputs:
    """Ids by falling frequency in training."""
    vocabulary = Vocabulary.fit(x, training)
    fitted = {"vocabulary": list(vocabulary.words)}
    return Inputs(vocabulary.apply(x), x.names, vocabulary.size, fitted=fitted)


def numbers(
    x: Numbers, training: Mask, starts: NDArray[np.int64], missing: str, method: Method, timeline: bool
) -> Inputs:
    """Scaled columns, then a one-hot column for every category.

    Raises ``DataError`` for missing values that ``missing`` refuses, and for a column
    without a single value in training.
    """
    if missing in ("refuse", "drop"):
        refuse_missing(x, timeline)
    scaler = _scaler(x, training, method)
    values, texts = x.values, dict(x.texts)
    if missing == "forward":
        values = fill_forward(values, starts)
        texts = {name: forward_words(column, starts) for name, column in texts.items()}
    fills = np.nanmean(x.values[training], axis=0) if len(x.names) else np.empty(0)
    values = np.where(np.isnan(values), fills, values)
    categories = Categories.fit(x, training)
    ones = categories.apply(Numbers(values, x.names, texts))
    mean = np.concatenate([scaler.mean, np.zeros(ones.shape[1])])
    std = np.concatenate([scaler.std, np.ones(ones.shape[1])])
    fitted = {
        "missing": missing,
        "fills": dict(zip(x.names, fills.tolist(), strict=True)),
        "categories": {name: list(found) for name, found in categories.words.items()},
        "fixed": sorted(x.fixed),
    }
    joined = np.concatenate([scaler.apply(values), ones], axis=1).astype(np.float32)
    return Inputs(joined, (*x.names, *categories.names), 0, Scaler(mean, std).to_json(), fitted)


def classes(y: Classes, training: Mask) -> Targets:
    """Ids of classes; raises ``DataError`` when training has fewer than two."""
    labels = Labels.fit(y, training)
    ids, unseen = labels.apply(y)
    return Targets(ids, y.known, labels.names, tuple(unseen))


def quantities(y: Quantities, training: Mask, inputs: Inputs, method: Method) -> Targets:
    """Scaled numbers, 0 where missing; a target that is an input as well has the input's scale."""
    known = y.known
    if not (known & training).any():
        raise DataError(f"data.target: the training split has no value of {', '.join(y.names)}")
    scaler = Scaler.fit(y.values[training], method)
    mean, std = scaler.mean.copy(), scaler.std.copy()
    for n, column in enumerate(columns_of(y, inputs)):
        if column is not None:
            mean[n], std[n] = inputs.scale["mean"][column], inputs.scale["std"][column]
    scaler = Scaler(mean, std)
    scaled = np.nan_to_num(scaler.apply(y.values), nan=0.0).astype(np.float32)
    return Targets(scaled, known, scale=scaler.to_json())


def columns_of(y: Classes | Quantities, inputs: Inputs) -> list[int | None]:
    """For every target its column among the inputs, or None."""
    names = inputs.names if not inputs.vocabulary else ()
    return [names.index(name) if name in names else None for name in y.names]


def _scaler(x: Numbers, training: Mask, method: Method) -> Scaler:
    values: Floats = x.values[training]
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        name = x.names[int(np.argmax(empty))]
        raise DataError(f"data.inputs: column {name!r} has no value in the training split; leave it out")
    scaler = Scaler.fit(values, method)
    fixed = np.array([name in x.fixed for name in x.names], np.bool_)
    return Scaler(np.where(fixed, 0.0, scaler.mean), np.where(fixed, 1.0, scaler.std))
