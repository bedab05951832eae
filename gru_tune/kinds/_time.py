"""Time columns: order, spacing, season, calendar."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.kinds import _columns

if TYPE_CHECKING:
    import pandas as pd

HOUR, DAY = 3600.0, 86400.0
# Seconds between rows, from and to, and the steps of the season they suggest.
SEASONS = ((HOUR, HOUR, 24), (HOUR / 2, HOUR / 2, 48), (DAY, DAY, 7), (28 * DAY, 31 * DAY, 12))


@dataclass(frozen=True)
class Stamps:
    """The time of every row: seconds where ``dates`` is there, else plain numbers."""

    name: str
    values: NDArray[np.float64]
    dates: pd.DatetimeIndex | None = None


def parse(frame: Frame, time: str | list[str] | None) -> Stamps | None:
    """Read the time column (or columns); None without one.

    Raises ``DataError`` with the row of a value that is no time.
    """
    if time is None:
        return None
    if isinstance(time, list):
        return _from_parts(frame, time)
    column = frame.column(time, "data.time")
    numbers = _columns.number_column(column)
    if numbers is not None:
        _complete(frame, time, column, np.isnan(numbers))
        return Stamps(time, numbers)
    return _from_dates(frame, time, column, _dates(column))


def season(stamps: Stamps | None, lengths: NDArray[np.int64]) -> int | None:
    """The steps of a season that the spacing of dates suggests; None where it suggests none."""
    if stamps is None or stamps.dates is None:
        return None
    steps = _steps(stamps, lengths)
    if not len(steps):
        return None
    typical = float(np.median(steps))
    return next((count for low, high, count in SEASONS if low <= typical <= high), None)


def spacing_notes(stamps: Stamps | None, lengths: NDArray[np.int64]) -> list[str]:
    """Notes on gaps and on time stamps that occur twice."""
    if stamps is None:
        return []
    steps, notes = _steps(stamps, lengths), []
    if not len(steps):
        return []
    if twice := int((steps == 0).sum()):
        notes.append(f"{twice:,} rows have the same {stamps.name!r} as the row before")
    typical = float(np.median(steps))
    if typical > 0 and (gaps := int((steps > 1.5 * typical).sum())):
        longest = _span(float(steps.max()), stamps)
        notes.append(
            f"{gaps:,} gaps in {stamps.name!r} (rows are {_span(typical, stamps)} apart, the longest gap is "
            f"{longest}); windows read over them as if there were none"
        )
    return notes


def calendar(stamps: Stamps | None, wanted: list[Any]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """A sine and a cosine of every part of the calendar: (rows, 2 · parts), and their names.

    Raises ``DataError`` where the time column holds no dates.
    """
    if stamps is None or stamps.dates is None:
        raise DataError("data.calendar: the time column holds no dates, so there is no calendar to read")
    dates = stamps.dates
    parts = {
        "hour": ((dates.hour + dates.minute / 60), 24.0),
        "weekday": (dates.day_of_week, 7.0),
        "month": (dates.month - 1, 12.0),
        "dayofyear": (dates.day_of_year - 1, 365.25),
    }
    columns, names = [], []
    for part in wanted:
        value, period = parts[part]
        angle = 2 * np.pi * np.asarray(value, np.float64) / period
        columns += [np.sin(angle), np.cos(angle)]
        names += [f"{part}_sin", f"{part}_cos"]
    return np.column_stack(columns), tuple(names)


def _from_parts(frame: Frame, names: list[str]) -> Stamps:
    import pandas as pd

    parts = {}
    for name in names:
        values = _columns.number_column(frame.column(name, "data.time"))
        if values is None:
            raise DataError(
                f"data.time: column {name!r} of {frame.name} holds words; in a list it must be a number"
            )
        parts[name.lower()] = values
    allowed = ("year", "month", "day", "hour", "minute", "second")
    if not {"year"} <= set(parts) <= set(allowed):
        raise DataError(
            f"data.time: a list of columns needs year, and may have {', '.join(allowed[1:])}; got {names}"
        )
    rows = len(next(iter(parts.values())))
    parts = {"month": np.ones(rows), "day": np.ones(rows), **parts}
    dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    return _from_dates(frame, " ".join(names), dates, dates)


def _from_dates(frame: Frame, name: str, column: pd.Series[Any], dates: pd.Series[Any]) -> Stamps:
    import pandas as pd

    _complete(frame, name, column, dates.isna().to_numpy())
    index = pd.DatetimeIndex(dates)
    seconds = (index - pd.Timestamp(0, tz=index.tz)) / pd.Timedelta(seconds=1)
    return Stamps(name, np.asarray(seconds, np.float64), index)


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns where it reads date by date
        dates = pd.to_datetime(column, errors="coerce")
        if dates.isna().any():
            dates = pd.to_datetime(column, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
    return dates


def _complete(frame: Frame, name: str, column: pd.Series[Any], missing: NDArray[np.bool_]) -> None:
    if missing.any():
        row = int(np.argmax(missing))
        value = column.iloc[row]
        shown = "empty" if value is None or value != value else repr(value)
        raise DataError(f"data.time: row {row + 1} of column {name!r} in {frame.name} is {shown}, not a time")


def _steps(stamps: Stamps, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    steps = np.diff(stamps.values)
    within = np.ones(len(steps), np.bool_)
    within[np.cumsum(lengths)[:-1] - 1] = False
    return steps[within]


def _span(step: float, stamps: Stamps) -> str:
    if stamps.dates is None:
        return f"{step:g}"
    for size, unit in ((DAY, "days"), (HOUR, "hours"), (60.0, "minutes")):
        if step >= size:
            return f"{step / size:.3g} {unit if step != size else unit[:-1]}"
    return f"{step:g} seconds"
