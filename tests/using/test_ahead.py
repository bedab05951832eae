from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune.data.raw import Stamps
from gru_tune.using.ahead import continued


def after(dates: Any, steps: int = 3, usual: float | None = None) -> list[str]:
    index = pd.DatetimeIndex(dates)
    seconds = (index - pd.Timestamp(0, tz=index.tz)) / pd.Timedelta(seconds=1)
    return [str(date) for date in continued(Stamps("date", np.asarray(seconds), index), steps, usual)]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (pd.date_range("2024-01-01", periods=9, freq="15min"), ["02:15", "02:30", "02:45"]),
        (pd.date_range("2024-01-01", periods=9, freq="h"), ["09:00", "10:00", "11:00"]),
    ],
)
def test_even_steps_go_on(dates: Any, expected: list[str]) -> None:
    assert after(dates) == [f"2024-01-01 {time}:00" for time in expected]


@pytest.mark.parametrize(
    ("frequency", "last", "expected"),
    [
        ("MS", "2024-12-01", ["2025-01-01", "2025-02-01", "2025-03-01"]),
        ("ME", "2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ("QS", "2024-10-01", ["2025-01-01", "2025-04-01", "2025-07-01"]),
        ("YS", "2024-01-01", ["2025-01-01", "2026-01-01", "2027-01-01"]),
        ("B", "2024-03-07", ["2024-03-08", "2024-03-11", "2024-03-12"]),
        ("W-SUN", "2024-02-25", ["2024-03-03", "2024-03-10", "2024-03-17"]),
    ],
)
def test_the_calendar_is_kept(frequency: str, last: str, expected: list[str]) -> None:
    dates = pd.date_range(end=last, periods=30, freq=frequency)
    assert after(dates) == [f"{date} 00:00:00" for date in expected]


def test_months_from_a_day_within_go_on_at_that_day() -> None:
    dates = [pd.Timestamp("2023-01-15") + pd.DateOffset(months=n) for n in range(12)]
    assert after(dates) == [f"2024-0{month}-15 00:00:00" for month in (1, 2, 3)]


def test_a_31st_does_not_become_a_28th_for_good() -> None:
    dates = pd.to_datetime(["2023-07-31", "2023-08-31", "2023-10-31", "2023-11-30", "2023-12-31"])  # a gap
    assert after(dates) == [f"2024-{day} 00:00:00" for day in ("01-31", "02-29", "03-31")]


def test_a_gap_does_not_change_the_step() -> None:
    hours = pd.date_range("2024-01-01", periods=9, freq="h").delete(4)
    assert after(hours, 1) == ["2024-01-01 09:00:00"]


def test_workdays_with_a_holiday_stay_workdays() -> None:
    days = pd.date_range("2024-02-01", "2024-03-08", freq="B").delete(7)
    assert after(days, 1) == ["2024-03-11 00:00:00"]


def test_one_row_goes_on_by_the_step_of_the_study() -> None:
    assert after(["2024-01-01"], 1, usual=3600.0) == ["2024-01-01 01:00:00"]
    assert after(["2024-01-01"], 2) == ["None", "None"]


def test_numbers_go_on_where_they_are_even() -> None:
    def numbers(*values: float) -> list[Any]:
        return continued(Stamps("t", np.array(values)), 2, None)

    assert [str(time) for time in numbers(1, 3, 5)] == ["7", "9"]
    assert numbers(0.5, 0.75) == pytest.approx([1.0, 1.25])
    assert numbers(199911, 199912, 200001) == [None, None]
