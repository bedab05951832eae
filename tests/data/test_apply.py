from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune.data import apply
from gru_tune.data.apply import NewData
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.errors import DataError
from tests.data.preparing import has, prepared

HOURS = pd.DataFrame(
    {
        "date": pd.date_range("2024-01-01", periods=60, freq="h"),
        "load": np.sin(np.arange(60.0)),
        "wind": [["N", "S"][n % 2] for n in range(60)],
        "state": [["low", "high"][n // 5 % 2] for n in range(60)],
    }
)
SERIES = pd.DataFrame(
    {
        "machine": [f"m{n // 4}" for n in range(80)],
        "second": [n % 4 for n in range(80)],
        "heat": np.arange(80.0),
        "state": [["ok", "worn"][n // 4 % 2] for n in range(80)],
    }
)
WIDE = pd.DataFrame({"a": np.arange(30.0), "b": 1.0, "c": np.arange(30.0) % 3, "y": np.arange(30.0)})
FORECAST = {"time": "date", "inputs": ["load", "wind"], "target": "load", "horizon": 2}
MACHINES = {"series": "machine", "time": "second", "inputs": ["heat"], "target": "state"}


class Study:
    """What was fitted to a table, to read others with."""

    def __init__(
        self, folder: Path, task: str, kind: str, table: pd.DataFrame, window: int = 4, **keys: Any
    ) -> None:
        table.to_csv(folder / "data.csv", index=False)
        made = prepared(folder, task, kind, knobs={"window": window}, **keys)
        self.made, self.folder, self.window = made, folder, window
        self.fitted = Preprocessing.from_json(made.preprocessing)

    def read(self, table: pd.DataFrame, *, labelled: bool = False, skip: bool = False) -> NewData:
        table.to_csv(self.folder / "new.csv", index=False)
        return apply.read(self.fitted, self.folder / "new.csv", self.window, labelled=labelled, skip=skip)

    def refused(self, table: pd.DataFrame, *, labelled: bool = False, skip: bool = False) -> str:
        with pytest.raises(DataError) as error:
            self.read(table, labelled=labelled, skip=skip)
        return str(error.value)


@pytest.fixture
def forecast(tmp_path: Path) -> Study:
    return Study(tmp_path, "forecasting", "timeline", HOURS, **FORECAST)


@pytest.fixture
def machines(tmp_path: Path) -> Study:
    return Study(tmp_path, "classification", "series", SERIES, **MACHINES)


def changed(table: pd.DataFrame, column: str, **values: Any) -> pd.DataFrame:
    """The table with other values in some rows: ``r4="x"`` is row 4, counted from 1."""
    other = table.copy()
    other[column] = other[column].astype(object)
    for row, value in values.items():
        other.loc[int(row[1:]) - 1, column] = value
    return other


def test_the_same_rows_give_the_same_arrays(machines: Study) -> None:
    new = machines.read(SERIES, labelled=True)
    np.testing.assert_array_equal(new.dataset.x, machines.made.dataset.x)
    np.testing.assert_array_equal(new.dataset.y, machines.made.dataset.y)
    assert new.dataset.info["input_scale"] == machines.made.dataset.info["input_scale"]
    assert len(new.dataset.of("test")) == 20
    assert new.notes == ()


def test_no_target_is_needed_and_none_is_looked_at(machines: Study) -> None:
    without = machines.read(SERIES.drop(columns="state"))
    nonsense = machines.read(SERIES.assign(state=1.5))
    for new in (without, nonsense):
        np.testing.assert_array_equal(new.dataset.x, machines.made.dataset.x)
        assert new.dataset.valid.all()
        assert len(new.dataset.of("test")) == 20


def test_another_delimiter_order_and_more_columns(machines: Study) -> None:
    other = SERIES[["state", "heat", "second", "machine"]].assign(note="x")
    other.to_csv(machines.folder / "new.csv", index=False, sep=";")
    new = apply.read(machines.fitted, machines.folder / "new.csv", 4, labelled=False, skip=False)
    np.testing.assert_array_equal(new.dataset.x, machines.made.dataset.x)


def test_a_column_that_is_not_there(machines: Study) -> None:
    assert machines.refused(SERIES.rename(columns={"heat": "heats"})) == (
        "new.csv has no column 'heat', which the study reads; did you mean 'heats'?"
    )
    assert machines.refused(SERIES[["state"]]) == (
        "new.csv has no columns 'heat', 'second' and 'machine', which the study reads; it has state"
    )
    assert "has no column 'state'" in machines.refused(SERIES.drop(columns="state"), labelled=True)


def test_a_suffix_that_is_not_known(machines: Study) -> None:
    SERIES.to_csv(machines.folder / "new.dump", index=False)
    with pytest.raises(
        DataError, match=r"^new.dump has a suffix that is not known; rename it to one of .csv, "
    ):
        apply.read(machines.fitted, machines.folder / "new.dump", 4, labelled=False, skip=False)


def test_bad_rows_are_named(machines: Study) -> None:
    table = changed(changed(SERIES, "heat", r4="hot", r9=None, r70="cold"), "machine", r80=None)
    assert machines.refused(table) == (
        "4 of 80 rows of new.csv cannot be used: 'heat' holds 'hot' where a number belongs (rows 4, 70); "
        "'heat' is missing (row 9); 'machine' is missing (row 80); mend them, or leave them out with --skip-bad"
    )


def test_a_bad_row_takes_its_sequence_with_it(machines: Study) -> None:
    new = machines.read(changed(SERIES, "heat", r4="hot", r9=None), skip=True)
    assert new.raw.origin.ids == tuple(f"m{n}" for n in range(20) if n not in (0, 2))
    assert new.raw.origin.rows.tolist() == [*range(4, 8), *range(12, 80)]
    assert new.notes == (
        "left out: 2 of 80 rows of new.csv cannot be used: 'heat' holds 'hot' where a number belongs (row 4); "
        "'heat' is missing (row 9)",
        "what is left out takes the other rows of its sequence with it",
    )


def test_nothing_left(machines: Study) -> None:
    assert machines.refused(SERIES.assign(heat="hot"), skip=True) == (
        "80 of 80 rows of new.csv cannot be used: 'heat' holds 'hot' where a number belongs "
        "(rows 1, 2, 3, 4, 5 and 75 more); nothing is left to read"
    )


def test_what_the_study_fills_is_filled(tmp_path: Path) -> None:
    study = Study(
        tmp_path, "classification", "series", changed(SERIES, "heat", r2=None), missing="mean", **MACHINES
    )
    new = study.read(changed(SERIES, "heat", r9=None))
    mean = study.made.preprocessing["fills"]["heat"]
    scale = study.made.preprocessing["input_scale"]
    assert new.dataset.x[8, 0] == pytest.approx((mean - scale["mean"][0]) / scale["std"][0], abs=1e-6)


def test_wide_rows_with_holes(tmp_path: Path) -> None:
    study = Study(tmp_path, "regression", "wide", WIDE, inputs=["a", "b", "c"], target="y")
    table = changed(changed(WIDE, "b", r3=None), "c", r5=None)  # the end of row 5 only makes it shorter
    assert "'a'" not in study.refused(table)
    assert study.refused(table) == (
        "1 of 30 rows of new.csv cannot be used: a step inside of the sequence is missing (row 3); "
        "mend them, or leave them out with --skip-bad"
    )
    new = study.read(table, skip=True)
    assert new.raw.origin.rows.tolist() == [n for n in range(30) if n != 2]
    assert new.raw.lengths[3] == 2


def test_forecasts_go_beyond_the_last_row(forecast: Study) -> None:
    new = forecast.read(HOURS)
    assert new.dataset.spans.tolist() == [[0, 6, 2]]
    np.testing.assert_array_equal(new.dataset.x[:4], forecast.made.dataset.x[-4:])
    assert new.series.tolist() == [0]


def test_too_short_a_history(forecast: Study) -> None:
    assert (
        forecast.refused(HOURS.head(3))
        == "new.csv has 3 rows, and the model needs 4 good ones in a row at its end"
    )
    assert forecast.refused(HOURS.head(5), labelled=True) == (
        "new.csv has 5 rows, and the model needs 6 good ones in a row"
    )
    assert len(forecast.read(HOURS.head(6), labelled=True).dataset.spans) == 1


def test_a_short_series_beside_long_ones(tmp_path: Path) -> None:
    two = pd.concat([HOURS.assign(site="a"), HOURS.assign(site="b")])
    study = Study(tmp_path, "forecasting", "timeline", two, series="site", **FORECAST)
    table = pd.concat([HOURS.head(2).assign(site="a"), HOURS.assign(site="b")])
    told = "1 of 2 series of new.csv are too short (the first is 'a' with 2 rows): the model needs 4 good ones in a row at its end"
    assert study.refused(table) == f"{told}; make them longer, or leave them out with --skip-bad"
    new = study.read(table, skip=True)
    assert new.series.tolist() == [1]
    assert new.notes[-1] == f"left out: {told}"


def test_no_window_reaches_over_a_bad_row(tmp_path: Path) -> None:
    keys = {"time": "date", "inputs": ["load"], "target": "state"}
    study = Study(tmp_path, "classification", "timeline", HOURS, **keys)
    new = study.read(changed(HOURS, "load", r21="much"), skip=True)
    assert new.dataset.spans.tolist() == [[0, 20, 2], [21, 39, 2]]


def test_rows_without_a_time(forecast: Study) -> None:
    table = changed(HOURS, "date", r3="soon", r4=None)
    assert forecast.refused(table) == (
        "2 of 60 rows of new.csv cannot be used: 'date' is no time (rows 3, 4); "
        "mend them, or leave them out with --skip-bad"
    )
    assert forecast.refused(HOURS.assign(date=range(60))) == (
        "column 'date' of new.csv holds numbers, and dates where the study was made"
    )


def test_another_step_of_time_is_told(forecast: Study) -> None:
    slower = HOURS.assign(date=pd.date_range("2025-01-01", periods=60, freq="D"))
    assert has(
        forecast.read(slower).notes,
        "rows of new.csv are 1 day apart, and those of the study 1 hour: the model was not made for such steps",
    )
    assert forecast.read(HOURS.assign(date=HOURS["date"] + pd.Timedelta("365 days"))).notes == ()


def test_months_are_equal_steps(tmp_path: Path) -> None:
    monthly = HOURS.assign(date=pd.date_range("2020-01-01", periods=60, freq="MS"))
    study = Study(tmp_path, "forecasting", "timeline", monthly, **FORECAST)
    assert not has(study.read(monthly.iloc[[1, 2, 3, 4, 5]]).notes, "apart")


def test_new_words_and_categories_are_told(forecast: Study, tmp_path: Path) -> None:
    new = forecast.read(changed(HOURS, "wind", r7="7", r8="E"))
    assert new.notes == ("2 rows of new.csv with a 'wind' that training lacks, such as '7'",)
    assert forecast.read(HOURS.assign(wind=1)).notes[0].startswith("60 rows of new.csv with a 'wind'")

    texts = pd.DataFrame({"text": ["good film", "bad film"] * 20, "label": ["p", "n"] * 20})
    study = Study(tmp_path, "classification", "text", texts, target="label")
    new = study.read(pd.DataFrame({"text": ["good weather", "good"]}))
    assert new.notes == ("1 of 3 words of new.csv (33 %) were not in training and are read as unknown",)
    assert new.dataset.x.tolist()[1] == 1


def test_new_classes_and_missing_targets_are_told(machines: Study) -> None:
    table = SERIES.copy()
    table.loc[table["machine"] == "m1", "state"] = "burnt"
    table.loc[table["machine"] == "m2", "state"] = None
    new = machines.read(table, labelled=True)
    assert new.notes == (
        "1 target of new.csv of a class that training lacks ('burnt'), counted as wrong where classes are counted",
        "1 target of 20 missing in new.csv, not counted",
    )
    assert new.dataset.y[1] == 2
    assert (
        machines.refused(table.assign(state=None), labelled=True)
        == "no row of new.csv has a value of 'state'"
    )


def test_few_new_rows_are_classes_if_the_study_has_classes(tmp_path: Path) -> None:
    """Twenty-five different intents in 25 rows are no mistake in a file that is only evaluated."""
    table = SERIES.assign(state=[f"s{n // 4 % 10}" for n in range(80)])
    study = Study(tmp_path, "labelling", "series", table, **MACHINES)
    odd = table.head(30).assign(state=[f"x{n}" for n in range(30)])
    assert study.read(odd, labelled=True).dataset.target == "labels"


def test_tokens_and_arrays(tmp_path: Path) -> None:
    rows = [{"tokens": ["to", "Rome"][: 1 + n % 2], "tags": ["O", "B"][: 1 + n % 2]} for n in range(30)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = prepared(tmp_path, "labelling", "tokens", path="data.jsonl", tags="tags")
    fitted = Preprocessing.from_json(made.preprocessing)
    (tmp_path / "new.jsonl").write_text('{"tokens": ["to", "Rome"]}\n{"tokens": 5}\n{"tokens": []}')
    with pytest.raises(DataError, match=r"'tokens' is no list of tokens \(row 2\)"):
        apply.read(fitted, tmp_path / "new.jsonl", 1, labelled=False, skip=False)
    new = apply.read(fitted, tmp_path / "new.jsonl", 1, labelled=False, skip=True)
    assert new.raw.origin.rows.tolist() == [0, 2]
    assert new.dataset.valid.tolist() == [True, True, False]

    x = np.arange(60.0).reshape(15, 4)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(15) % 2)
    made = prepared(tmp_path, "classification", "arrays", path="data.npz")
    fitted = Preprocessing.from_json(made.preprocessing)
    x[2, 1] = np.nan
    np.savez(tmp_path / "new.npz", x=x)
    with pytest.raises(
        DataError, match=r"1 of 15 sequences of new.npz cannot be used: an input is missing \(sequence 3\)"
    ):
        apply.read(fitted, tmp_path / "new.npz", 1, labelled=False, skip=False)
    assert len(apply.read(fitted, tmp_path / "new.npz", 1, labelled=False, skip=True).dataset.spans) == 14
    np.savez(tmp_path / "new.npz", x=np.ones((3, 4), np.int64))  # whole numbers are no words here
    assert apply.read(fitted, tmp_path / "new.npz", 1, labelled=False, skip=False).dataset.x.shape == (12, 1)
    np.savez(tmp_path / "new.npz", x=np.ones((3, 4, 2)))
    with pytest.raises(DataError, match=r"new.npz has 2 numbers a step where the study was made from 1"):
        apply.read(fitted, tmp_path / "new.npz", 1, labelled=False, skip=False)
