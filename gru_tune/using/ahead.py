"""The times of steps that have not come yet."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.raw import DAY, Stamps

if TYPE_CHECKING:
    import pandas as pd

MONTH = 365.25 / 12 * DAY  # seconds
EVEN = 1e-6  # the share by which even steps may differ
WORKDAYS = 10  # in a row without a weekend: there are none


def continued(stamps: Stamps, steps: int, usual: float | None) -> list[Any]:
    """The ``steps`` times after the last of ``stamps``, those of one timeline.

    Dates go on by the calendar where they follow one (months, business days), else by the
    usual step; numbers by theirs. ``usual`` is the study's own step, for a timeline of one
    row. None where no next time can be told.
    """
    apart = np.diff(stamps.values)
    step = float(np.median(apart)) if len(apart) else usual
    if not step:
        return [None] * steps
    if stamps.dates is not None:
        return _dates(stamps.dates, steps, step)
    if len(apart) and np.ptp(apart) > EVEN * abs(step):
        return [None] * steps
    return list(plain(stamps.values[-1] + step * np.arange(1, steps + 1)))


def plain(numbers: NDArray[np.float64]) -> NDArray[Any]:
    """Whole numbers without a point."""
    return numbers.astype(np.int64) if (numbers == np.floor(numbers)).all() else numbers


def _dates(dates: pd.DatetimeIndex, steps: int, step: float) -> list[Any]:
    import pandas as pd

    last, frequency = dates[-1], _frequency(dates, step)
    if frequency is not None:
        return list(pd.date_range(last, periods=steps + 1, freq=frequency)[1:])
    months = round(step / MONTH)
    if step < 28 * DAY or not months:
        return [last + pd.Timedelta(seconds=step) * n for n in range(1, steps + 1)]
    ends = len(dates) > 1 and bool(dates.is_month_end.all())
    # Counted from the last date: from step to step, a 31st would become a 28th for good.
    found = [last + pd.DateOffset(months=months * n) for n in range(1, steps + 1)]
    return [date + pd.offsets.MonthEnd(0) for date in found] if ends else found


def _frequency(dates: pd.DatetimeIndex, step: float) -> Any:
    """The calendar's rule that all dates follow, as pandas has it; None without one."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it returns, text or an offset, is taken either way
        frequency = pd.infer_freq(dates) if len(dates) > 2 else None
    if frequency is None and step == DAY and len(dates) >= WORKDAYS and (dates.day_of_week < 5).all():
        return "B"  # with holidays
    return frequency
