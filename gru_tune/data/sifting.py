"""A new table made to look like the one a study was fitted to, its bad rows left out.

A column that held numbers must hold numbers; where training refused missing values, rows
that miss one are bad. What depends on several rows goes with a bad one: all of a sequence,
and on a timeline every window over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gru_tune.data.encoding import Labels
from gru_tune.data.faults import Faults, Mask
from gru_tune.data.features import NumberInputs
from gru_tune.data.frame import Frame
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.errors import DataError
from gru_tune.kinds import DataSection, _columns, _gather, _time
from gru_tune.kinds.series import Series
from gru_tune.wording import listed, show, suggest

if TYPE_CHECKING:
    import pandas as pd


def sift(
    frame: Frame, section: DataSection, fitted: Preprocessing, labelled: bool, skip: bool
) -> tuple[Frame, Mask, list[str]]:
    """The table without bad rows, which rows of the file (by number) are bad, and what to tell of them.

    Bad rows of a timeline stay, for the others keep their distance; only those without a
    time or an id have no place. Raises ``DataError`` for columns that are not there, and,
    unless they are to be left out (``skip``), for bad rows.
    """
    if frame.table is None:
        raise DataError(f"{frame.name} holds arrays, and the study was made from a table")
    table = frame.table.reset_index(drop=True).copy()
    _refuse_lacking(frame.name, table, list(_needed(section, fitted, labelled)))
    faults = Faults(frame.name, len(table))
    _check_inputs(table, section, fitted, faults)
    if labelled and not isinstance(fitted.goal, Labels):
        for name in fitted.targets:
            _read_numbers(table, name, faults)
    placed = Faults(frame.name, len(table))
    _check_places(table, section, fitted, placed)
    faults.reasons |= placed.reasons
    bad = faults.bad
    notes = faults.settle(skip)
    gone = placed.bad if fitted.timeline else bad
    if isinstance(section, Series) and bad.any():
        gone = _whole(table[section.series], bad)
        notes.append("what is left out takes the other rows of its sequence with it")
    if gone.all():
        raise DataError(f"{faults.told()}; nothing is left to read")
    found = replace(frame, table=table)
    return (found.rows(~gone) if gone.any() else found), bad, notes


def _needed(section: DataSection, fitted: Preprocessing, labelled: bool) -> Iterator[str]:
    yield from fitted.columns
    yield from _columns.as_list(getattr(section, "time", None))
    yield from _columns.as_list(getattr(section, "series", None))
    yield from fitted.targets if labelled else ()


def _refuse_lacking(name: str, table: pd.DataFrame, needed: list[str]) -> None:
    there = [str(column) for column in table.columns]
    lacking = [column for column in dict.fromkeys(needed) if column not in there]
    if lacking:
        names = listed([repr(column) for column in lacking[:8]], "and")
        more = f" and {len(lacking) - 8:,} more" if len(lacking) > 8 else ""
        near = suggest(lacking[0], there) or f"; it has {', '.join(there[:12])}"
        columns = "columns" if len(lacking) > 1 else "column"
        raise DataError(f"{name} has no {columns} {names}{more}, which the study reads{near}")


def _check_inputs(table: pd.DataFrame, section: DataSection, fitted: Preprocessing, faults: Faults) -> None:
    if section.kind == "tokens":
        column = table[fitted.columns[0]]
        lists = column.map(lambda value: isinstance(value, str | list | tuple | np.ndarray)) | column.isna()
        faults.add(f"{column.name!r} is no list of tokens", ~lists.to_numpy(np.bool_))
    if not isinstance(fitted.inputs, NumberInputs):
        return
    words = fitted.inputs.categories.words
    refused = fitted.inputs.missing == "refuse" or (
        section.kind == "wide" and fitted.inputs.missing == "drop"
    )
    numeric = [name for name in fitted.columns if name not in words]
    wrong = {name: _read_numbers(table, name, faults) for name in numeric}
    if section.kind == "wide" and refused:
        cells = table[numeric].to_numpy(np.float64)
        inside = np.arange(len(numeric)) < _gather.until_last(cells)[:, None]
        holes = np.isnan(cells) & inside & ~np.column_stack(list(wrong.values()))
        faults.add("a step inside of the sequence is missing", holes.any(axis=1))
    elif refused:
        for name in fitted.columns:
            missing = table[name].isna().to_numpy() & ~wrong.get(name, np.False_)
            faults.add(f"{name!r} is missing", missing)


def _check_places(table: pd.DataFrame, section: DataSection, fitted: Preprocessing, faults: Faults) -> None:
    """Rows without a time or an id."""
    series, time = getattr(section, "series", None), getattr(section, "time", None)
    if series is not None:
        faults.add(f"{series!r} is missing", table[series].isna().to_numpy())
    if time is None:
        return
    if fitted.dates and isinstance(time, str) and _columns.number_column(table[time]) is not None:
        raise DataError(f"column {time!r} of {faults.name} holds numbers, and dates where the study was made")
    if not fitted.dates or isinstance(time, list):
        for name in _columns.as_list(time):
            table[name] = _columns.as_numbers(table[name])[0]
    unreadable = _time.unreadable(Frame(faults.name, table), time)
    faults.add(f"{' '.join(_columns.as_list(time))!r} is no time", unreadable)


def _read_numbers(table: pd.DataFrame, name: str, faults: Faults) -> Mask:
    """Make a column one of numbers, in place; returns where it held something else."""
    column: pd.Series[Any] = table[name]
    values, wrong = _columns.as_numbers(column)
    if wrong.any():
        example = show(column.iloc[int(np.argmax(wrong))])
        faults.add(f"{name!r} holds {example} where a number belongs", wrong)
    table[name] = values
    return wrong


def _whole(ids: pd.Series[Any], bad: Mask) -> Mask:
    """All rows of the sequences that have a bad one."""
    return np.asarray(ids.isin(ids[bad].dropna().unique()).to_numpy() | bad)
