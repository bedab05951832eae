"""Padded arrays of an NPZ: found by name, checked for shape, padding cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame, absent
from gru_tune.data.raw import Classes, Numbers, Objects, Quantities, Words
from gru_tune.errors import DataError
from gru_tune.kinds import _columns

if TYPE_CHECKING:
    from gru_tune.kinds.arrays import Arrays

SPLIT_NAMES = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Found:
    """The arrays of one file: x, perhaps y and lengths, and the split of every sequence."""

    x: NDArray[Any]
    y: NDArray[Any] | None
    lengths: NDArray[np.int64] | None
    split: Objects | None


def find(frame: Frame, section: Arrays, labelled: bool) -> Found:
    """Look the arrays up under the names of the section, or under Keras' (``x_train`` …); y where ``labelled``.

    Raises ``DataError`` for one that is not there or has another number of sequences.
    """
    if frame.table is not None:
        raise DataError(
            f"{frame.name} is a table, and kind: arrays reads npz: use kind: series, wide or timeline"
        )
    arrays = dict(frame.arrays)
    splits = [name for name in SPLIT_NAMES if _key(arrays, f"{section.x}_{name}")]
    if _key(arrays, section.x) is None and splits:
        found = _stacked(frame, section, splits, labelled)
    else:
        lengths = _optional(arrays, section.lengths, "lengths", frame)
        split = _optional(arrays, section.split_key or section.split_section.column, "split", frame)
        found = Found(
            _need(arrays, section.x, frame, "data.x"),
            _need(arrays, section.y, frame, "data.y") if labelled else None,
            None if lengths is None else _whole(frame, lengths),
            None if split is None else split.astype(str).astype(object),
        )
    for name, array in (("x", found.x), ("y", found.y), ("lengths", found.lengths), ("split", found.split)):
        if array is None:
            continue
        if array.ndim == 0 or (name not in "xy" and array.ndim > 1):
            raise DataError(f"{frame.name}: {name} must have an entry a sequence, got shape {array.shape}")
        if len(array) != len(found.x):
            raise DataError(f"{frame.name}: x has {len(found.x):,} sequences and {name} has {len(array):,}")
    return found


def inputs(
    frame: Frame, section: Arrays, found: Found
) -> tuple[Words | Numbers, NDArray[np.int64], list[str]]:
    """The rows of all sequences end to end, without padding, and every length."""
    x = found.x
    if x.ndim not in (2, 3) or x.dtype.kind not in "iufb":
        raise DataError(
            f"{frame.name}: x must be numbers of shape (sequences, time) or (sequences, time, features), "
            f"got {x.dtype} of shape {x.shape}"
        )
    if not x.size:
        raise DataError(f"{frame.name}: x holds nothing (its shape is {x.shape})")
    whole = x.dtype.kind in "iu" and x.ndim == 2
    words = whole if section.tokens is None else section.tokens
    if words and not whole:
        raise DataError(
            f"{frame.name}: word ids must be whole numbers of shape (sequences, time), got {x.dtype}"
        )
    known: NDArray[np.bool_] = np.asarray(x != 0 if words else ~np.isnan(x.astype(np.float64)))
    lengths = found.lengths
    if lengths is None:
        last = np.asarray(known if known.ndim == 2 else np.logical_or.reduce(known, axis=2))
        lengths = np.where(last.any(axis=1), x.shape[1] - np.argmax(last[:, ::-1], axis=1), 1).astype(
            np.int64
        )
    if lengths.min() < 1 or lengths.max() > x.shape[1]:
        raise DataError(
            f"{frame.name}: lengths must be 1 to {x.shape[1]}, got {lengths.min()} to {lengths.max()}"
        )
    rows = x[np.arange(x.shape[1]) < lengths[:, None]]
    if words:
        distinct, ids = np.unique(rows, return_inverse=True)
        note = "x holds whole numbers, read as word ids (data.tokens: false reads them as measurements)"
        names = tuple("" if value == 0 else str(value) for value in distinct)
        return Words(ids.astype(np.int32), names, section.x), lengths, [] if section.tokens else [note]
    values = rows.reshape(len(rows), -1).astype(np.float64)
    columns = tuple(f"{section.x}_{n}" for n in range(values.shape[1])) if x.ndim == 3 else (section.x,)
    return Numbers(np.where(np.isinf(values), np.nan, values), columns), lengths, []


def target(
    frame: Frame, section: Arrays, found: Found, lengths: NDArray[np.int64], task: str
) -> tuple[Classes | Quantities, list[str]]:
    """The target of every sequence, or of every row in labelling; none where there is no y."""
    import pandas as pd

    y = found.y
    if y is None:
        count = int(lengths.sum()) if task == "labelling" else len(lengths)
        return Quantities(np.empty((count, 0)), ()), []
    if task == "labelling":
        if y.ndim < 2 or y.shape[1] != found.x.shape[1]:
            raise DataError(f"{frame.name}: labelling needs y of shape (sequences, time), got {y.shape}")
        y = y[np.arange(y.shape[1]) < lengths[:, None]]
    elif task == "classification" and y.ndim == 2 and y.shape[1] > 1:
        if not (np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()):
            raise DataError(f"{frame.name}: y must be one class a sequence (or one-hot), got shape {y.shape}")
        y = y.argmax(axis=1)
    y = y.reshape(len(y), -1)
    columns = [section.y] if y.shape[1] == 1 else [f"{section.y}_{n}" for n in range(y.shape[1])]
    table = pd.DataFrame({name: y[:, n] for n, name in enumerate(columns)})
    return _columns.target(replace(frame, table=table), columns, task, section.target_type)


def _whole(frame: Frame, lengths: NDArray[Any]) -> NDArray[np.int64]:
    if lengths.dtype.kind not in "iuf" or not np.array_equal(lengths, np.floor(lengths)):
        raise DataError(f"{frame.name}: lengths must be whole numbers, got {lengths.dtype}")
    # Beyond is refused like all that is longer than x.
    whole: NDArray[np.int64] = np.clip(lengths, -1, np.iinfo(np.int32).max).astype(np.int64)
    return whole


def _stacked(frame: Frame, section: Arrays, splits: list[str], labelled: bool) -> Found:
    arrays = dict(frame.arrays)
    xs = [_need(arrays, f"{section.x}_{name}", frame, "data.x") for name in splits]
    ys = [_need(arrays, f"{section.y}_{name}", frame, "data.y") for name in splits] if labelled else []
    lengths = [_optional(arrays, None, f"{section.lengths or 'lengths'}_{name}", frame) for name in splits]
    if any(array.ndim == 0 for array in (*ys, *(n for n in lengths if n is not None))):
        raise DataError(f"{frame.name}: y and lengths must have an entry a sequence in every split")
    if len({(x.ndim, *x.shape[2:]) for x in xs}) > 1 or xs[0].ndim not in (2, 3):
        raise DataError(
            f"{frame.name}: the splits of x differ in shape: {', '.join(str(x.shape) for x in xs)}"
        )
    if len({y.shape[1:] for y in ys}) > 1:
        raise DataError(
            f"{frame.name}: the splits of y differ in shape: {', '.join(str(y.shape) for y in ys)}"
        )
    steps = max(x.shape[1] for x in xs)
    own = [
        x.shape[1] * np.ones(len(x), np.int64) if n is None else _whole(frame, n)
        for x, n in zip(xs, lengths, strict=True)
    ]
    even = len({x.shape[1] for x in xs}) == 1 and all(n is None for n in lengths)
    padded = [np.pad(x, [(0, 0), (0, steps - x.shape[1])] + [(0, 0)] * (x.ndim - 2)) for x in xs]
    names = np.repeat([SPLIT_NAMES[name] for name in splits], [len(x) for x in xs]).astype(object)
    y = np.concatenate(ys) if ys else None
    return Found(np.concatenate(padded), y, None if even else np.concatenate(own), names)


def _key(arrays: dict[str, NDArray[Any]], name: str) -> str | None:
    return next((key for key in (name, name[:1].upper() + name[1:]) if key in arrays), None)


def _need(arrays: dict[str, NDArray[Any]], name: str, frame: Frame, key: str) -> NDArray[Any]:
    found = _key(arrays, name)
    if found is None:
        raise DataError(absent("array", name, arrays, frame.name, key))
    return arrays[found]


def _optional(
    arrays: dict[str, NDArray[Any]], wanted: str | None, default: str, frame: Frame
) -> NDArray[Any] | None:
    if wanted is not None:
        return _need(arrays, wanted, frame, f"data.{default}")
    return arrays.get(default)
