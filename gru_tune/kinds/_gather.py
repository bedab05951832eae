"""Rows of a long table gathered into sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame
from gru_tune.data.raw import Classes, Objects, Quantities, Stamps
from gru_tune.errors import DataError
from gru_tune.kinds import _columns, _time

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]


def gather(
    frame: Frame, series: str | None, time: str | Stamps | None
) -> tuple[pd.DataFrame, Ints, list[str], list[str]]:
    """Sort a table by sequence (in order of appearance) and time.

    Returns the sorted table, whose index still has the old row numbers, the number of
    rows of every sequence, their ids, and notes. Raises ``DataError`` for missing ids.
    """
    import pandas as pd

    table = frame.need_table("this one").reset_index(drop=True)
    codes, ids = np.zeros(len(table), np.int64), [""]
    if series is not None:
        column = frame.column(series, "data.series")
        if _columns.holds_lists(column):
            raise DataError(
                f"data.series: column {series!r} of {frame.name} holds lists, not the name of a series"
            )
        codes, found = pd.factorize(column)
        ids = [str(value) for value in found]
        if (codes < 0).any():
            raise DataError(f"data.series: {(codes < 0).sum():,} rows of {frame.name} have no {series!r}")
        if frame.split is not None:  # every file may count its sequences from 1
            codes, ids = _by_file(codes, ids, frame.split)
    stamps = _time.parse(frame, time) if isinstance(time, str) else time
    lengths = np.bincount(codes, minlength=len(ids)).astype(np.int64)
    order = np.argsort(codes, kind="stable")
    notes = []
    if stamps is not None:
        by_time = np.lexsort((stamps.values, codes))
        if not np.array_equal(by_time, order):
            notes.append(f"{frame.name} was not in order of {stamps.name!r} and is sorted")
        order = by_time
    return table.iloc[order], lengths, ids, notes


def _by_file(codes: Ints, ids: list[str], files: Objects) -> tuple[Ints, list[str]]:
    """The same id in two files is two sequences."""
    import pandas as pd

    places, names = pd.factorize(files)
    both, found = pd.factorize(codes * len(names) + places)
    return both, [f"{ids[pair // len(names)]} ({names[pair % len(names)]})" for pair in found.tolist()]


def drop(
    frame: Frame, inputs: list[str], lengths: Ints, ids: list[str]
) -> tuple[Frame, Ints, list[str], list[str]]:
    """Without the rows that miss an input, and the sequences that have no row left."""
    numbers = _columns.numbers(frame, inputs)
    gone = np.asarray(np.isnan(numbers.values).any(axis=1))
    for column in numbers.texts.values():
        gone |= column == None  # noqa: E711  element by element
    if not gone.any():
        return frame, lengths, ids, []
    owner = np.repeat(np.arange(len(lengths)), lengths)[~gone]
    left = np.bincount(owner, minlength=len(lengths)).astype(np.int64)
    notes = [f"{gone.sum():,} of {len(gone):,} rows are dropped because they miss an input"]
    if (left == 0).any():
        notes.append(f"{(left == 0).sum():,} sequences have no rows left and are dropped")
    return frame.rows(~gone), left[left > 0], [i for i, n in zip(ids, left, strict=True) if n], notes


def constant(values: Objects | None, lengths: Ints, ids: list[str], what: str) -> Objects | None:
    """One value a sequence from one a row; raises ``DataError`` for a sequence with several."""
    if values is None:
        return None
    first = values[_starts(lengths)]
    bad = np.flatnonzero(values != np.repeat(first, lengths))
    if len(bad):
        number = int(np.searchsorted(np.cumsum(lengths), bad[0], side="right"))
        raise DataError(
            f"data.split: sequence {ids[number]!r} has rows of two {what}s, {first[number]!r} and {values[bad[0]]!r}"
        )
    return first


def one_each(target: Classes | Quantities, lengths: Ints, ids: list[str]) -> Classes | Quantities:
    """One target a sequence from one a row; missing ones are filled by the others of the sequence.

    Raises ``DataError`` for a sequence with different targets.
    """
    owner, known = np.repeat(np.arange(len(lengths)), lengths), target.known
    first = np.full(len(lengths), -1)
    rows = np.flatnonzero(known)[::-1]
    first[owner[rows]] = rows  # the last assignment wins: the first known row
    other = target.values != target.values[first[owner]]
    differs = known & (other if other.ndim == 1 else other.any(axis=1))
    if differs.any():
        number = int(owner[np.argmax(differs)])
        raise DataError(
            f"data.target: sequence {ids[number]!r} has several values of {target.names[0]!r}; "
            "a target at every step is task: labelling"
        )
    values = target.values[first]
    values[first < 0] = None if isinstance(target, Classes) else np.nan
    if isinstance(target, Classes):
        return Classes(values, target.name)
    return Quantities(values, target.names)


def start_order(frame: Frame, time: str | None, lengths: Ints) -> Ints | None:
    """The rank of every sequence by the time of its first row."""
    stamps = _time.parse(frame, time)
    if stamps is None:
        return None
    order = np.argsort(stamps.values[_starts(lengths)], kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def until_last(cells: NDArray[np.float64]) -> Ints:
    """The steps of every row up to its last one that is not missing, at least 1."""
    known = ~np.isnan(cells)
    last = cells.shape[1] - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), last, 1).astype(np.int64)


def _starts(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
