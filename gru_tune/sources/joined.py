"""One file a split, made into one frame that remembers which row came from which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError


def join(frames: Mapping[str, Frame]) -> Frame:
    """The rows of all files, training first, with ``split`` telling them apart.

    Raises ``DataError`` when the files do not have the same columns or arrays.
    """
    name = " and ".join(frame.name for frame in frames.values())
    notes = tuple(note for frame in frames.values() for note in frame.notes)
    first, *others = frames.values()
    if all(frame.table is not None for frame in frames.values()):
        import pandas as pd

        tables = {split: frame.table for split, frame in frames.items() if frame.table is not None}
        for other in others:
            _same(first, other, list(tables["train"].columns), list(other.need_table("").columns))
        split = np.repeat(list(tables), [len(t) for t in tables.values()]).astype(object)
        return Frame(name, pd.concat(list(tables.values()), ignore_index=True), split=split, notes=notes)
    if any(frame.table is not None for frame in frames.values()):
        raise DataError(f"data.path: {name} are tables and arrays; all files of a study have one format")
    for other in others:
        _same(first, other, list(first.arrays), list(other.arrays))
    arrays = {
        f"{key}_{split}": array for split, frame in frames.items() for key, array in frame.arrays.items()
    }
    return Frame(name, arrays=arrays, notes=notes)


def _same(first: Frame, other: Frame, columns: list[str], theirs: list[str]) -> None:
    lacking = [name for name in columns if name not in theirs]
    if lacking:
        raise DataError(
            f"data.path: {other.name} lacks {', '.join(map(str, lacking[:8]))}, which {first.name} has"
        )
