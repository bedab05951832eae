from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.checking import found, levels, noise, write
from tests.data.preparing import prepared

SERIES: dict[str, Any] = {
    "task": "classification", "kind": "series", "series": "run", "target": "y", "inputs": ["v"],
}  # fmt: skip
TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "y"}
LINE: dict[str, Any] = {"task": "forecasting", "kind": "timeline", "target": "v", "knobs": {"window": 4}}


def runs(folder: Path, **more: Any) -> None:
    """200 sequences of 4 steps; further columns have a value a sequence."""
    columns = {name: np.repeat(np.asarray(values), 4) for name, values in more.items()}
    ids = np.repeat(np.arange(200), 4)
    write(folder, run=ids, v=noise(800), y=np.repeat(noise(200, seed=2) > 0, 4).astype(int), **columns)


@pytest.mark.parametrize("name", ["patient", "Subject_ID", "machineId"])
def test_a_group_on_both_sides_of_a_split(tmp_path: Path, name: str) -> None:
    runs(tmp_path, **{name: [f"p{n % 17}" for n in range(200)]})
    data = prepared(tmp_path, **SERIES)
    assert found(data, "groups") == [
        f"60 of 60 validation and test sequences share their {name!r} with training, so that the scores are those of "
        f"known ones; for others, keep it whole with data.split: {{by: group, group: {name}}}"
    ]
    assert levels(data, "groups") == ["warning"]
    kept = prepared(tmp_path, split={"by": "group", "group": name}, **SERIES)
    assert found(kept, "groups") == []


def test_a_group_of_texts(tmp_path: Path) -> None:
    rows = range(200)
    write(tmp_path, text=[f"text {n}" for n in rows], y=["a", "b"] * 100, author=[n % 9 for n in rows])
    (text,) = found(prepared(tmp_path, **TEXT), "groups")
    assert "share their 'author' with training" in text


def test_several_groups_are_told_in_one_sentence(tmp_path: Path) -> None:
    runs(tmp_path, subject=np.arange(200) % 17, device=np.arange(200) % 50)
    (text,) = found(prepared(tmp_path, **SERIES), "groups")
    assert "share their 'subject' with training (and so with device)" in text


@pytest.mark.parametrize(
    "columns",
    [
        {"patient": range(200)},  # each has one sequence
        {"label_id": [n % 9 for n in range(200)]},  # another name of the class
        {"colour": [n % 9 for n in range(200)]},
    ],
    ids=["one each", "a class", "no group"],
)
def test_columns_that_are_no_groups(tmp_path: Path, columns: dict[str, Any]) -> None:
    runs(tmp_path, **columns)
    assert found(prepared(tmp_path, **SERIES), "groups") == []


def test_a_group_that_changes_within_a_sequence_is_none(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(200), 4)
    write(tmp_path, run=ids, v=noise(800), y=ids % 2, user=np.arange(800) % 7)
    assert found(prepared(tmp_path, **SERIES), "groups") == []


def days(count: int = 200) -> list[str]:
    return [str(np.datetime64("2024-01-01") + n) for n in range(count)]


def test_sequences_with_dates_split_at_random(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(200), 4)
    write(tmp_path, run=ids, v=noise(800), y=(noise(200) > 0).astype(int)[ids], at=days(800))
    data = prepared(tmp_path, time="at", **SERIES)
    assert found(data, "time") == [
        "the sequences have a date ('at') and are split at random, so that training knows what came after validation "
        "and test; to score on later ones, set data.split: {by: time}"
    ]
    assert levels(data, "time") == ["note"]
    for by in ("time", "random"):
        assert found(prepared(tmp_path, time="at", split={"by": by}, **SERIES), "time") == []


def test_texts_with_dates_split_at_random(tmp_path: Path) -> None:
    rows = [f"text {n}" for n in range(200)]
    write(tmp_path, text=rows, y=["a", "b"] * 100, date=days())
    (text,) = found(prepared(tmp_path, **TEXT), "time")
    assert text.endswith("to score on later ones, sort the file by 'date' and set data.split: {by: time}")
    write(tmp_path, text=rows, y=["a", "b"] * 100, time=[f"{n} minutes" for n in range(200)])
    assert found(prepared(tmp_path, **TEXT), "time") == []


def test_steps_counted_from_1_in_every_sequence_are_no_date(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(200), 4)
    write(tmp_path, run=ids, v=noise(800), y=ids % 2, at=np.tile(days(4), 200))
    assert found(prepared(tmp_path, time="at", **SERIES), "time") == []


def test_sequences_that_test_from_before_training(tmp_path: Path) -> None:
    part = ["test"] * 40 + ["train"] * 130 + ["dev"] * 30
    write(tmp_path, text=[f"text {n}" for n in range(200)], y=["a", "b"] * 100, date=days(), part=part)
    assert found(prepared(tmp_path, split="part", **TEXT), "time") == [
        "the test split begins before the training split in time, and most training sequences come after its last "
        "one; if training should not know the future, sort the file by 'date' and set data.split: {by: time}"
    ]
    write(
        tmp_path,
        text=[f"text {n}" for n in range(200)],
        y=["a", "b"] * 100,
        date=days(),
        part=part[40:] + part[:40],
    )
    assert found(prepared(tmp_path, split="part", **TEXT), "time") == []


def test_a_timeline_that_tests_before_it_trains(tmp_path: Path) -> None:
    write(tmp_path, v=noise(200), part=["test"] * 60 + ["train"] * 140)
    data = prepared(tmp_path, split="part", **LINE)
    assert found(data, "time") == [
        "the test split begins before the training split in time: 119 of 119 training rows come after its first row; "
        "if training should not know the future, set data.split: {by: time}"
    ]
    assert sum("begins before" in note for note in data.notes) == 1


def test_a_timeline_that_tests_in_its_middle(tmp_path: Path) -> None:
    write(tmp_path, v=noise(200), part=["train"] * 60 + ["test"] * 40 + ["train"] * 100)
    (text,) = found(prepared(tmp_path, split="part", **LINE), "time")
    assert text.startswith(
        "the test split begins before the end of the training split in time: 76 of 136 training"
    )


def test_a_timeline_in_order_has_no_note(tmp_path: Path) -> None:
    write(tmp_path, v=noise(200), shop=["a"] * 90 + ["b"] * 110)
    assert found(prepared(tmp_path, series="shop", **LINE), "time") == []
    group = {"by": "group", "group": "shop"}
    write(tmp_path, v=noise(200), shop=np.repeat(list("abcd"), 50))
    assert found(prepared(tmp_path, series="shop", split=group, **LINE), "time") == []
