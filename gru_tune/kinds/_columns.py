"""Columns of a table as inputs, targets, splits and groups."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame, absent
from gru_tune.data.raw import Classes, Numbers, Objects, Quantities
from gru_tune.errors import DataError
from gru_tune.kinds.base import DataSection
from gru_tune.wording import show

if TYPE_CHECKING:
    import pandas as pd

EMPTY = ("", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL")
NO_NUMBER = (*EMPTY, "None", "none", "?", "-")
FEW_CLASSES = 20  # whole numbers with more different values than this are numbers


def as_list(names: str | list[str] | None) -> list[str]:
    """One name, several or none, as a list."""
    return [] if names is None else [names] if isinstance(names, str) else names


def split_names(section: DataSection) -> set[str | None]:
    """The columns that only the split uses."""
    return {section.split_section.column, section.split_section.group}


def split(frame: Frame, section: DataSection) -> Objects | None:
    """The split's name of every row, from the files or the split column; None without either."""
    column = section.split_section.column
    if column is None:
        return frame.split
    return names(frame.column(column, "data.split"))


def groups(frame: Frame, section: DataSection) -> Objects | None:
    """The group of every row; None where the split has no groups."""
    group = section.split_section.group
    if group is None:
        return None
    column = frame.column(group, "data.split.group")
    return np.where(column.isna(), "", column.astype(str)).astype(object)


def texts(frame: Frame, name: str, key: str) -> list[str]:
    """A column of texts; missing ones are empty. Raises ``DataError`` for lists."""
    column = frame.column(name, key)
    if holds_lists(column):
        raise DataError(f"{key}: column {name!r} of {frame.name} holds lists of tokens: use kind: tokens")
    values = ["" if value is None or value != value else value for value in column.tolist()]
    return [value if isinstance(value, str) else str(value) for value in values]


def number_column(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """A column as numbers, NaN where missing or infinite; None when it holds words."""
    values, wrong = as_numbers(column)
    return None if wrong.any() else values


def as_numbers(column: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as numbers, NaN where missing, infinite or none, and which rows hold what is no number."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isinf(values), np.nan, values), np.zeros(len(column), np.bool_)
    if pd.api.types.is_datetime64_any_dtype(column) or holds_lists(column):
        return np.full(len(column), np.nan), np.ones(len(column), np.bool_)
    missing = column.isna() | column.isin(NO_NUMBER)
    # NumPy's conversion is quick to fail, and most columns that come here are words.
    known = column.where(~missing)
    try:
        values = pd.to_numeric(known, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    except OverflowError:  # a whole number of hundreds of digits
        values = np.array([_float(value) for value in known])
    wrong = np.isnan(values) & ~missing.to_numpy()
    return np.where(np.isinf(values), np.nan, values), wrong


def names(column: pd.Series[Any]) -> Objects:
    """A column as names: ``"3"`` for 3 and 3.0, ``"True"``, text as it is; None where missing.

    Raises ``DataError`` for a column of lists.
    """
    if holds_lists(column):
        raise DataError(f"column {column.name!r} holds lists where one value a row is needed")
    found, distinct = np.array(column.isna()), column.drop_duplicates()
    labels = {value: _name(value) for value in distinct[~distinct.isna()].tolist()}
    values = [None if gone else labels[value] for value, gone in zip(column.tolist(), found, strict=True)]
    return np.array(values, dtype=object)


def inputs(frame: Frame, wanted: list[str] | None, used: set[Any], patterns: bool = False) -> list[str]:
    """The input columns: those wanted, or all numeric ones that are not ``used``.

    Raises ``DataError`` when one is not there or nothing is left.
    """
    table = frame.need_table("this one")
    if wanted is None:
        found = [
            name for name in table.columns
            if name not in used and (values := number_column(table[name])) is not None and not np.isnan(values).all()
        ]  # fmt: skip
    else:
        found = []
        for name in wanted:
            near = [c for c in table.columns if c == name or (patterns and fnmatchcase(str(c), name))]
            if not near:
                raise DataError(absent("column", name, map(str, table.columns), frame.name, "data.inputs"))
            found += [column for column in near if column not in used or column == name]
    if not found:
        raise DataError(
            f"data.inputs: {frame.name} has no numeric column besides the target, the split and the like"
        )
    return list(dict.fromkeys(found))


def numbers(frame: Frame, columns: list[str]) -> Numbers:
    """Numeric columns side by side, columns of words apart."""
    table = frame.need_table("this one")
    values, texts = {}, {}
    for name in columns:
        column = None if name in frame.words else number_column(table[name])
        if column is None:
            texts[name] = names(table[name])
        else:
            values[name] = column
    joined = np.column_stack(list(values.values())) if values else np.empty((len(table), 0))
    return Numbers(joined, tuple(values), texts)


def matrix(frame: Frame, columns: list[str]) -> NDArray[np.float64]:
    """Numeric columns side by side; raises ``DataError`` for one that holds words."""
    found = numbers(frame, columns)
    for name, column in found.texts.items():
        word = next(value for value in column if value is not None)
        raise DataError(
            f"data.inputs: column {name!r} of {frame.name} holds words such as {show(word)}, not numbers"
        )
    return found.values


def target(
    frame: Frame,
    wanted: str | list[str],
    task: str,
    kind: str = "auto",
    clip: list[float] | None = None,
) -> tuple[Classes | Quantities, list[str]]:
    """The target columns of every row, as classes or numbers, and notes; none where none is wanted.

    Raises ``DataError`` when numbers are wanted and the column holds words, or the other way round.
    """
    columns = [(name, frame.column(name, "data.target")) for name in as_list(wanted)]
    if len(columns) == 1 and (columns[0][0] in frame.words or _as_classes(columns[0][1], task, kind)):
        name, column = columns[0]
        values = names(column)
        values[np.isin(values.astype(str), EMPTY)] = None
        if name not in frame.words:
            _check_classes(frame, name, column, values)
        return Classes(values, name), []
    numeric = []
    for name, column in columns:
        numbers, wrong = as_numbers(column)
        if wrong.any():
            word = column.tolist()[int(np.argmax(wrong))]
            raise DataError(
                f"data.target: {task} needs numbers, but column {name!r} of {frame.name} holds {show(word)}"
                + ("; use task: classification" if task == "regression" else "")
            )
        numeric.append(numbers)
    found = np.column_stack(numeric) if numeric else np.empty((len(frame.need_table("this one")), 0))
    return Quantities(np.clip(found, clip[0], clip[1]) if clip else found, tuple(as_list(wanted))), []


def _as_classes(column: pd.Series[Any], task: str, kind: str) -> bool:
    if task != "labelling":
        return task == "classification"
    return few_classes(column) if kind == "auto" else kind == "classes"


def few_classes(column: pd.Series[Any]) -> bool:
    """Whether a labelling target is classes: words, truth values, or few whole numbers."""
    import pandas as pd

    values = number_column(column)
    if values is None or pd.api.types.is_bool_dtype(column):
        return True
    found = np.unique(values[~np.isnan(values)])
    return bool(len(found) <= FEW_CLASSES and (found == np.floor(found)).all())


def _check_classes(frame: Frame, name: str, column: pd.Series[Any], values: Objects) -> None:
    distinct, known = len(set(values.tolist()) - {None}), int((values != None).sum())  # noqa: E711
    fractions = number_column(column)
    if fractions is not None and distinct > FEW_CLASSES and (fractions % 1 > 0).any():
        raise DataError(
            f"data.target: column {name!r} of {frame.name} holds numbers with fractions, {distinct:,} different ones, "
            "not classes; use task: regression, or target_type: numbers in labelling"
        )
    if distinct == known > FEW_CLASSES:
        raise DataError(
            f"data.target: column {name!r} of {frame.name} has a different value in each of its {known:,} rows, "
            "so it is no class; name another column"
        )


def _name(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _float(value: Any) -> float:
    """NaN for what is no number, or too large for one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def holds_lists(column: pd.Series[Any]) -> bool:
    """Whether some of the values are several, or have names."""
    return column.dtype == object and any(isinstance(v, list | dict | tuple | np.ndarray) for v in column)
