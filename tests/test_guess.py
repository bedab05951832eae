from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gru_tune import guess

TINY = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tiny"


def hours(rows: int) -> list[str]:
    return [str(t) for t in pd.date_range("2024-01-01", periods=rows, freq="h")]


@pytest.mark.parametrize(("rows", "windows"), [(1000, (24, 48)), (144, (9, 19)), (20, (1, 2))])
def test_windows_of_a_short_timeline_have_room_in_validation(rows: int, windows: tuple[int, ...]) -> None:
    table = pd.DataFrame({"date": hours(rows), "load": [1.5 * n % 7 for n in range(rows)]})
    assert guess.from_table(table).windows == windows


def test_texts_with_labels() -> None:
    table = pd.DataFrame(
        {"review": [f"film number {i} was fine" for i in range(30)], "stars": ["good", "bad", "ok"] * 10}
    )
    found = guess.from_table(table)
    assert (found.kind, found.task) == ("text", "classification")
    assert found.keys == {"text": "review", "target": "stars"}


@pytest.mark.parametrize(("spam", "objective", "imbalance"), [(5, "macro_f1", True), (6, "accuracy", False)])
def test_a_class_that_is_nearly_all(spam: int, objective: str, imbalance: bool) -> None:
    texts = [f"message number {i} is here" for i in range(30)]
    found = guess.from_table(pd.DataFrame({"text": texts, "label": ["spam"] * spam + ["ham"] * (30 - spam)}))
    assert (found.objective, found.imbalance) == (objective, imbalance)


def test_single_words_are_read_by_character() -> None:
    table = pd.DataFrame({"name": [f"name{i}" for i in range(30)], "language": ["da", "de", "en"] * 10})
    assert guess.from_table(table).keys["level"] == "character"


def test_lists_with_tags() -> None:
    table = pd.DataFrame({"tokens": [["to", "Rome"], ["stop"]], "tags": [["O", "B-city"], ["O"]]})
    found = guess.from_table(table)
    assert (found.kind, found.task, found.objective) == ("tokens", "labelling", "span_f1")


def test_series_leave_out_what_could_give_the_target_away() -> None:
    table = pd.DataFrame(
        {
            "series_id": np.repeat(range(10), 5),
            "time": list(range(5)) * 10,
            "x": np.linspace(0, 1, 50) ** 2,
            "label": np.repeat([0, 1] * 5, 5),
            "path": np.repeat([1, 2, 3, 4, 5] * 2, 5),
        }
    )
    found = guess.from_table(table)
    assert (found.kind, found.task) == ("series", "classification")
    assert found.keys["target"] == "label"
    assert found.keys["inputs"] == ["x"]


def test_a_column_a_step() -> None:
    table = pd.DataFrame({f"t{i}": np.arange(20.0) ** 0.5 for i in range(12)} | {"label": [1, 2] * 10})
    found = guess.from_table(table)
    assert (found.kind, found.keys["inputs"], found.keys["target"]) == ("wide", ["t*"], "label")


def test_a_pattern_never_takes_the_target_in() -> None:
    table = pd.DataFrame({f"t{i}": np.arange(20.0) ** 0.5 for i in range(12)} | {"target": [1, 2] * 10})
    assert "target" not in guess.from_table(table).keys["inputs"]


def test_timeline_without_its_row_counter() -> None:
    table = pd.DataFrame({"No": range(1, 49), "date": hours(48), "load": np.sin(np.arange(48.0))})
    found = guess.from_table(table)
    assert (found.kind, found.task) == ("timeline", "forecasting")
    assert found.keys["time"] == "date"
    assert found.keys["target"] == "load"
    assert found.keys["inputs"] == ["load"]


def test_split_column() -> None:
    table = pd.DataFrame(
        {"date": hours(4), "y": [1.5, 2.5, 0.5, 3.0], "split": ["train", "train", "test1", "test2"]}
    )
    assert guess.from_table(table).keys["split"] == {
        "column": "split",
        "train": ["train"],
        "test": ["test1", "test2"],
    }
    table["split"] = ["train", "train", "dev", "test"]
    assert guess.from_table(table).keys["split"] == "split"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "kind", "task"),
    [
        ("airline_passengers.csv", "timeline", "forecasting"),
        ("beijing_pm25.csv", "timeline", "forecasting"),
        ("cmapss_fd001.csv", "series", "labelling"),
        ("etth1.csv", "timeline", "forecasting"),
        ("gunpoint.csv", "wide", "classification"),
        ("imdb.csv", "text", "classification"),
        ("indoor_movement_long.csv", "series", "classification"),
        ("names18.csv", "text", "classification"),
        ("nyc_taxi.csv", "timeline", "forecasting"),
        ("occupancy.csv", "timeline", "labelling"),
    ],
)
def test_real_files(file: str, kind: str, task: str) -> None:
    if not TINY.is_dir():
        pytest.skip("the folder of published data sets is not beside the repository")
    found = guess.from_table(pd.read_csv(TINY / file))
    assert (found.kind, found.task) == (kind, task)
