"""Time columns: order, spacing, season, calendar."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame
from gru_tune.data.raw import DAY, HOUR, Stamps
from gru_tune.errors import DataError
from gru_tune.kinds import _columns

if TYPE_CHECKING:
    import pandas as pd

# Seconds between rows, from and to, and the steps of the season they suggest.
SEASONS = ((HOUR, HOUR, 24), (HOUR / 2, HOUR / 2, 48), (DAY, DAY, 7), (28 * DAY, 31 * DAY, 12))


def parse(frame: Frame, time: str | list[str] | None) -> Stamps | None:
    """Read the time column (or columns); None without one.

    Raises ``DataError`` with the row of a value that is no time.
    """
    if time is None:
        return None
    stamps, column = _read(frame, time)
    _complete(frame, stamps.name, column, np.isnan(stamps.values))
    return stamps


def unreadable(frame: Frame, time: str | list[str]) -> NDArray[np.bool_]:
    """The rows that have no time, or what is none."""
    return np.asarray(np.isnan(_read(frame, time)[0].values))


def season(stamps: Stamps | None, lengths: NDArray[np.int64]) -> int | None:
    """The steps of a season that the spacing of dates suggests; None where it suggests none."""
    if stamps is None or stamps.dates is None:
        return None
    steps = stamps.steps(lengths)
    if not len(steps):
        return None
    typical = float(np.median(steps))
    return next((count for low, high, count in SEASONS if low <= typical <= high), None)


def spacing_notes(stamps: Stamps | None, lengths: NDArray[np.int64]) -> list[str]:
    """Notes on gaps and on time stamps that occur twice."""
    if stamps is None:
        return []
    steps, notes = stamps.steps(lengths), []
    if not len(steps):
        return []
    if twice := int((steps == 0).sum()):
        notes.append(f"{twice:,} rows have the same {stamps.name!r} as the row before")
    typical = float(np.median(steps))
    if typical > 0 and (gaps := int((steps > 1.5 * typical).sum())):
        longest = stamps.words(float(steps.max()))
        notes.append(
            f"{gaps:,} gaps in {stamps.name!r} (rows are {stamps.words(typical)} apart, the longest gap is "
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


def _read(frame: Frame, time: str | list[str]) -> tuple[Stamps, pd.Series[Any]]:
    """The time of every row, NaN where it cannot be read, and the column it comes from."""
    if isinstance(time, list):
        dates = _from_parts(frame, time)
        return _from_dates(" ".join(time), dates), dates
    column = frame.column(time, "data.time")
    numbers = _columns.number_column(column)
    if numbers is not None:
        return Stamps(time, numbers), column
    dates = _dates(column)
    return replace(_from_dates(time, dates), form=_form(column, dates)), column


def _from_parts(frame: Frame, names: list[str]) -> pd.Series[Any]:
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
    return pd.to_datetime(pd.DataFrame(parts), errors="coerce")


def _from_dates(name: str, dates: pd.Series[Any]) -> Stamps:
    import pandas as pd

    index = pd.DatetimeIndex(dates)
    # In the unit of the dates: nanoseconds have no year 9999, which some files write for "never".
    seconds = (index - pd.Timestamp(0, tz=index.tz).as_unit(index.unit)) / pd.Timedelta(seconds=1)
    return Stamps(name, np.asarray(seconds, np.float64), index)


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns where it reads date by date
        try:
            dates = pd.to_datetime(column, errors="coerce")
        except ValueError:  # of several time zones, as around the change to summer time
            dates = None
        if dates is None or dates.isna().any():
            dates = pd.to_datetime(column, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
    return dates


def _form(column: pd.Series[Any], dates: pd.Series[Any]) -> str | None:
    """How the first date is written, where writing it so gives the same text again."""
    from pandas.tseries.api import guess_datetime_format

    text = column.iloc[0]
    if not isinstance(text, str) or dates.isna().iloc[0]:
        return None
    try:
        form = guess_datetime_format(text)
        return form if form is not None and dates.iloc[0].strftime(form) == text else None
    except (ValueError, NotImplementedError):  # a year that Python's calendar does not have
        return None


def _complete(frame: Frame, name: str, column: pd.Series[Any], missing: NDArray[np.bool_]) -> None:
    if missing.any():
        row = int(np.argmax(missing))
        value = column.iloc[row]
        shown = "empty" if value is None or value != value else repr(value)
        raise DataError(f"data.time: row {row + 1} of column {name!r} in {frame.name} is {shown}, not a time")
