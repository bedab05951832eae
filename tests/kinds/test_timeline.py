from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune.data.raw import Classes, Numbers, Quantities, Raw
from gru_tune.errors import DataError
from tests.data.preparing import raw


def timeline(columns: dict[str, Any], task: str = "forecasting", **keys: Any) -> Raw:
    return raw(task, "timeline", columns, **{"target": "v", **keys})


def stamps(frequency: str, rows: int = 40) -> list[str]:
    return pd.date_range("2024-01-01", periods=rows, freq=frequency).astype(str).tolist()


@pytest.mark.parametrize(
    ("frequency", "season"), [("h", 24), ("30min", 48), ("D", 7), ("MS", 12), ("min", None), ("YS", None)]
)
def test_season_is_guessed_from_the_spacing(frequency: str, season: int | None) -> None:
    assert timeline({"d": stamps(frequency), "v": range(40)}, time="d").season == season


def test_season_can_be_told() -> None:
    assert timeline({"v": range(40)}, season=11).season == 11
    assert timeline({"v": range(40)}).season is None


def test_rows_are_sorted_by_time() -> None:
    data = timeline({"d": ["2024-01-03", "2024-01-01", "2024-01-02"], "v": [3, 1, 2]}, time="d")
    assert data.y.values.tolist() == [[1.0], [2.0], [3.0]]
    assert data.notes == ("data.csv was not in order of 'd' and is sorted",)


def test_gaps_and_repeated_stamps_are_noted() -> None:
    days = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-07"]
    notes = timeline({"d": days, "v": range(6)}, time="d").notes
    assert notes[0] == "1 rows have the same 'd' as the row before"
    assert notes[1].startswith("1 gaps in 'd' (rows are 1 day apart, the longest gap is 3 days)")


def test_a_date_in_several_columns() -> None:
    columns = {"year": [2024] * 3, "month": [1] * 3, "day": [1] * 3, "hour": [2, 0, 1], "v": [2, 0, 1]}
    data = timeline(columns, time=["year", "month", "day", "hour"])
    assert data.y.values.ravel().tolist() == [0.0, 1.0, 2.0]
    assert data.season == 24
    assert data.x.names == ("v",)


def test_several_timelines_of_one_table() -> None:
    columns = {"shop": ["b", "a", "b", "a"], "t": [1, 0, 0, 1], "v": [2, 3, 1, 4]}
    data = timeline(columns, time="t", series="shop")
    assert data.lengths.tolist() == [2, 2]
    assert data.y.values.ravel().tolist() == [1, 2, 3, 4]
    assert data.x.names == ("v",)


def test_targets_are_inputs_of_forecasts_only() -> None:
    columns = {"v": [1.0, 2.0], "w": [3.0, 4.0]}
    assert timeline(columns).x.names == ("v", "w")
    assert timeline(columns, task="regression").x.names == ("w",)


def test_classes_or_numbers_of_a_labelling() -> None:
    columns = {"v": [0, 1, 0], "w": [3.0, 4.0, 5.0]}
    assert isinstance(timeline(columns, task="labelling").y, Classes)
    assert isinstance(timeline(columns, task="labelling", target="w").y, Classes)  # few whole numbers
    assert isinstance(timeline({**columns, "v": [0.5, 1, 0]}, task="labelling").y, Quantities)
    assert isinstance(timeline({**columns, "v": [True, False, True]}, task="labelling").y, Classes)


def test_calendar() -> None:
    data = timeline({"d": stamps("6h", 4), "v": range(4)}, time="d", calendar=["hour", "month"])
    assert isinstance(data.x, Numbers)
    assert data.x.names == ("v", "hour_sin", "hour_cos", "month_sin", "month_cos")
    np.testing.assert_allclose(data.x.values[:, 1], [0, 1, 0, -1], atol=1e-9)
    assert data.x.fixed == {"hour_sin", "hour_cos", "month_sin", "month_cos"}


def test_dates_of_different_precision() -> None:
    data = timeline({"d": ["2024-01-01", "2024-01-01 12:00", "2024-01-02"], "v": [1, 2, 3]}, time="d")
    assert data.notes == ()


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        (
            {"d": ["2024-01-01", "soon"]},
            {"time": "d"},
            "row 2 of column 'd' in data.csv is 'soon', not a time",
        ),
        ({"d": [1, 2]}, {"time": "d", "calendar": ["hour"]}, "the time column holds no dates"),
        ({"d": ["a", "b"]}, {"time": ["d"]}, "column 'd' of data.csv holds words"),
        ({"d": [1, 2]}, {"time": ["d"]}, "a list of columns needs year"),
        ({"v": ["low", "high"]}, {}, "forecasting needs numbers, but column 'v' of data.csv holds 'low'"),
        ({}, {"target": "w"}, "data.target: there is no column 'w' in data.csv"),
    ],
)
def test_refused(columns: dict[str, Any], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        timeline({"v": [1, 2], **columns}, **keys)
    assert message in str(error.value)
