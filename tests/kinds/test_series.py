"""``kind: series``, ``kind: wide`` and ``kind: arrays``: sequences of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune.data.frame import Frame
from gru_tune.data.raw import Classes, Numbers, Quantities, Raw, Words
from gru_tune.errors import DataError
from gru_tune.kinds import read
from tests.data.preparing import raw, section

LONG: dict[str, Any] = {
    "id": ["b", "a", "b", "a", "b"],
    "t": [2, 1, 0, 2, 1],
    "v": [3.0, 10.0, 1.0, 11.0, 2.0],
    "label": [1, 2, 1, 2, 1],
}


def series(task: str = "classification", columns: dict[str, Any] | None = None, **keys: Any) -> Raw:
    return raw(
        task,
        "series",
        {**LONG, **(columns or {})},
        **{"series": "id", "time": "t", "target": "label", **keys},
    )


def values(data: Raw) -> list[Any]:
    assert isinstance(data.x, Numbers)
    return data.x.values.tolist()


def test_rows_are_gathered_and_sorted() -> None:
    data = series()
    assert data.lengths.tolist() == [3, 2]
    assert values(data) == [[1.0], [2.0], [3.0], [10.0], [11.0]]
    assert data.y.values.tolist() == ["1", "2"]
    assert "not in order of 't'" in data.notes[0]


def test_without_time_the_file_has_the_order() -> None:
    assert values(series(time=None, inputs=["v"])) == [[3.0], [1.0], [2.0], [10.0], [11.0]]


def test_inputs_are_the_numeric_columns_left() -> None:
    data = series(columns={"w": [1, 2, 3, 4, 5], "note": list("abcde"), "part": ["train"] * 5}, split="part")
    assert data.x.names == ("v", "w")


def test_words_among_the_inputs_are_kept_apart() -> None:
    data = series(columns={"wind": ["N", "S", "N", None, "S"]}, inputs=["wind", "v"])
    assert isinstance(data.x, Numbers)
    assert data.x.names == ("v",)
    assert data.x.texts["wind"].tolist() == ["N", "S", "N", "S", None]


def test_na_is_missing_in_numbers() -> None:
    data = series(columns={"v": ["1", "NA", "nan", "", "2.5"]})
    assert np.isnan(np.array(values(data))).sum() == 3


def test_dropped_rows() -> None:
    data = series(columns={"v": [3, None, 1, None, None]}, missing="drop")
    assert data.lengths.tolist() == [2]
    assert "3 of 5 rows are dropped" in data.notes[1]
    assert "1 sequences have no rows left" in data.notes[2]


def test_missing_targets_are_filled_within_a_sequence() -> None:
    assert series(columns={"label": [None, 2, None, 2, "x"]}).y.values.tolist() == ["x", "2"]
    assert series(columns={"label": [1, None, None, None, 1]}).y.values.tolist() == ["1", None]


def test_labelling_with_classes_or_numbers() -> None:
    rul = {"label": [0.5, 1, 2, 3, 4]}
    assert isinstance(series("labelling").y, Classes)
    assert isinstance(series("labelling", target_type="numbers").y, Quantities)
    numbers = series("labelling", columns=rul, clip_target=[0.0, 2.5]).y
    assert numbers.values.tolist() == [[2.0], [2.5], [0.5], [1.0], [2.5]]


def test_starts_in_time() -> None:
    data = series(columns={"t": [12, 1, 10, 2, 11]})
    assert data.order is not None
    assert data.order.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        (
            {"label": [1, 2, 1, 2, 7]},
            {},
            "sequence 'b' has several values of 'label'; a target at every step is",
        ),
        ({"id": ["b", None, "b", "a", "b"]}, {}, "1 rows of data.csv have no 'id'"),
        (
            {"part": ["train", "train", "test", "train", "test"]},
            {"split": "part"},
            "sequence 'b' has rows of two splits",
        ),
        ({"t": [2, 1, None, 2, 1]}, {}, "row 3 of column 't' in data.csv is empty, not a time"),
        ({}, {"inputs": ["w"]}, "data.inputs: there is no column 'w' in data.csv: it has id, t, v, label"),
        ({"v": list("abcde")}, {}, "data.csv has no numeric column besides the target"),
    ],
)
def test_refused(columns: dict[str, Any], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        series(columns=columns, **keys)
    assert message in str(error.value)


def test_wide_rows_may_end_early() -> None:
    columns = {"t0": [1, 4], "t1": [2, 5], "t2": [3, None], "label": [-1, 1]}
    data = raw("classification", "wide", columns, target="label")
    assert data.lengths.tolist() == [3, 2]
    assert values(data) == [[1.0], [2.0], [3.0], [4.0], [5.0]]
    assert data.y.values.tolist() == ["-1", "1"]


def test_wide_patterns_do_not_take_the_target() -> None:
    columns = {"t0": [1, 4], "t1": [2, 5], "target": [1, 2], "extra": [9, 9]}
    assert values(raw("regression", "wide", columns, inputs=["t*"], target="target")) == [
        [1.0],
        [2.0],
        [4.0],
        [5.0],
    ]


def test_wide_drops_whole_rows() -> None:
    columns = {"t0": [1, None], "t1": [2, 5], "label": ["x", "y"]}
    assert raw("classification", "wide", columns, target="label", missing="drop").y.values.tolist() == ["x"]


def test_wide_steps_must_be_numbers() -> None:
    with pytest.raises(DataError, match=r"column 't0' of data\.csv holds words such as 'a'"):
        raw("classification", "wide", {"t0": ["a"], "label": ["x"]}, inputs=["t0"], target="label")


def test_arrays_with_lengths_and_split() -> None:
    arrays = {
        "X": np.arange(12.0).reshape(2, 3, 2), "y": np.array(["b", "a"]),
        "lengths": np.array([1, 3]), "split": np.array(["train", "test"]),
    }  # fmt: skip
    data = raw("classification", "arrays", arrays)
    assert values(data) == [[0, 1], [6, 7], [8, 9], [10, 11]]
    assert data.split is not None
    assert data.split.tolist() == ["train", "test"]


def test_arrays_named_like_keras() -> None:
    arrays = {
        "x_train": np.ones((2, 3)),
        "y_train": np.arange(2),
        "x_test": np.ones((1, 3)),
        "y_test": np.ones(1),
    }
    data = raw("classification", "arrays", arrays)
    assert data.lengths.tolist() == [3, 3, 3]
    assert data.split is not None
    assert data.split.tolist() == ["train", "train", "test"]


def test_arrays_of_word_ids_lose_their_padding() -> None:
    arrays = {"x": np.array([[5, 7, 0, 0], [7, 0, 5, 0]]), "y": np.array([0, 1])}
    data = raw("classification", "arrays", arrays)
    assert isinstance(data.x, Words)
    assert data.lengths.tolist() == [2, 3]
    assert [data.x.words[n] for n in data.x.ids] == ["5", "7", "7", "", "5"]
    assert "word ids" in data.notes[0]
    assert isinstance(raw("classification", "arrays", arrays, tokens=False).x, Numbers)


def test_one_hot_targets() -> None:
    arrays = {"x": np.ones((2, 3)), "y": np.eye(3)[[2, 0]]}
    assert raw("classification", "arrays", arrays).y.values.tolist() == ["2", "0"]


def test_arrays_with_a_target_a_step() -> None:
    arrays = {"x": np.ones((2, 3)), "y": np.array([[1, 2, 9], [3, 4, 5]]), "lengths": np.array([2, 3])}
    assert raw("labelling", "arrays", arrays).y.values.tolist() == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((2, 3))}, "data.y: there is no array 'y' in data.npz: it has x"),
        ({"x": np.ones((2, 3)), "y": np.ones(3)}, "x has 2 sequences and y has 3"),
        ({"x": np.ones(2), "y": np.ones(2)}, "got float64 of shape (2,)"),
        ({"x": np.ones((2, 3)), "y": np.ones(2), "lengths": np.array([0, 4])}, "lengths must be 1 to 3, got 0 to 4"),
        ({"x_train": np.ones((2, 3)), "y_train": np.ones(2), "x_test": np.ones((2, 3, 1)), "y_test": np.ones(2)}, "differ in shape"),
    ],
)  # fmt: skip
def test_arrays_refused(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        raw("classification", "arrays", arrays)
    assert message in str(error.value)


def test_the_same_id_in_two_files_is_two_sequences() -> None:
    """Published sets often count the sequences of every file from 1."""
    table = pd.DataFrame({"s": [1, 1, 2, 1, 1, 1], "x": range(6), "y": ["a", "a", "b", "b", "b", "b"]})
    files = np.array(["train"] * 3 + ["test"] * 3, object)
    asked = section("series", series="s", target="y")
    data = read(asked, Frame("two files", table, split=files), "classification")
    assert data.lengths.tolist() == [2, 1, 3]
    assert data.y.values.tolist() == ["a", "b", "b"]


def test_classes_that_agree_to_six_digits_stay_apart() -> None:
    data = raw(
        "classification",
        "series",
        {"s": [1, 2], "x": [0, 1], "y": [1.0000001, 1.0000002]},
        series="s",
        target="y",
    )
    assert len(set(data.y.values.tolist())) == 2
