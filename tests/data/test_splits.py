from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import SPLITS
from gru_tune.data.raw import Classes, Numbers, Raw
from gru_tune.data.splits import assign
from gru_tune.errors import DataError
from gru_tune.kinds.base import SplitSection


def sequences(labels: list[Any], **facts: Any) -> Raw:
    count = len(labels)
    x = Numbers(np.arange(float(count))[:, None], ("v",))
    y = Classes(np.array(labels, dtype=object), "label")
    return Raw("sequences", x, y, per_row=False, lengths=np.ones(count, np.int64), **facts)


def rows(*lengths: int, **facts: Any) -> Raw:
    count = sum(lengths)
    x = Numbers(np.arange(float(count))[:, None], ("v",))
    y = Classes(np.array(["a"] * count, dtype=object), "label")
    return Raw("timeline", x, y, per_row=True, lengths=np.array(lengths, np.int64), **facts)


def names(*values: Any) -> Any:
    return np.array(values, dtype=object)


def split(raw: Raw, seed: int = 1, **plan: Any) -> list[str]:
    codes, _ = assign(raw, SplitSection(**plan), seed)
    return ["-" if code < 0 else SPLITS[code] for code in codes]


def counts(found: list[str]) -> tuple[int, int, int]:
    return found.count("train"), found.count("validation"), found.count("test")


def test_the_default_is_15_percent_each() -> None:
    assert counts(split(sequences(["a", "b"] * 50))) == (70, 15, 15)


def test_random_splits_are_stratified() -> None:
    labels = ["a"] * 800 + ["b"] * 160 + ["c"] * 40
    found = np.array(split(sequences(labels), validation=0.1, test=0.25))
    for label, count in (("a", 800), ("b", 160), ("c", 40)):
        of_label = found[np.array(labels) == label]
        assert abs((of_label == "test").sum() - 0.25 * count) <= 1
        assert abs((of_label == "validation").sum() - 0.1 * count) <= 1


def test_a_file_sorted_by_class_is_shuffled() -> None:
    found = np.array(split(sequences(["neg"] * 100 + ["pos"] * 100)))
    assert 10 <= (found[:100] == "test").sum() <= 20


def test_the_only_row_of_a_class_trains() -> None:
    assert split(sequences(["a"] * 20 + ["b"]))[-1] == "train"


def test_the_seed_decides() -> None:
    raw = sequences(["a", "b"] * 50)
    assert split(raw, seed=1) == split(raw, seed=1)
    assert split(raw, seed=1) != split(raw, seed=2)


def test_counts_instead_of_shares() -> None:
    assert counts(split(sequences(["a", "b"] * 50), validation=7, test=3)) == (90, 7, 3)
    assert counts(split(sequences(["a", "b"] * 50), train=10, validation=7, test=3)) == (10, 7, 3)


def test_no_test_is_said() -> None:
    codes, notes = assign(sequences(["a", "b"] * 50), SplitSection(test=0), 1)
    assert (codes < 2).all()
    assert "no test split" in notes[0]


def test_sequences_in_time() -> None:
    found = split(sequences(["a"] * 10, order=np.arange(10)[::-1].copy()), by="time", validation=2, test=1)
    assert found == ["test", "validation", "validation"] + ["train"] * 7


def test_timelines_are_cut_in_order() -> None:
    assert split(rows(10), validation=2, test=3) == ["train"] * 5 + ["validation"] * 2 + ["test"] * 3


def test_canonical_counts_leave_the_rest_out() -> None:
    found = split(rows(10), train=4, validation=2, test=2)
    assert found == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2 + ["-"] * 2
    assert (
        "2 of 10 rows are in no split"
        in assign(rows(10), SplitSection(train=4, validation=2, test=2), 1)[1][0]
    )


def test_every_timeline_is_cut_by_itself() -> None:
    found = split(rows(4, 8), validation=0.25, test=0.25)
    assert found == [
        *("train", "train", "validation", "test"),
        *("train", "train", "train", "train", "validation", "validation", "test", "test"),
    ]


def test_groups_stay_whole() -> None:
    groups = names(*(f"g{n // 5}" for n in range(100)))
    found = split(sequences(["a"] * 100, groups=groups), by="group", group="g")
    assert all(len({found[n] for n in range(start, start + 5)}) == 1 for start in range(0, 100, 5))
    assert counts(found) == (70, 15, 15)


def test_groups_of_a_timeline() -> None:
    groups = names(*"aaabbbccc")
    found = split(rows(3, 3, 3, groups=groups), group="plant")
    assert {tuple(found[n : n + 3]) for n in (0, 3, 6)} == {
        ("train",) * 3,
        ("validation",) * 3,
        ("test",) * 3,
    }


def test_a_column_with_the_usual_names() -> None:
    found = split(sequences(["a"] * 5, split=names("Training", "dev", "test", "train", "TEST")), column="c")
    assert found == ["train", "validation", "test", "train", "test"]


def test_a_column_with_names_of_its_own() -> None:
    raw = rows(5, split=names("train", "test1", "test1", "test2", "other"))
    found = split(raw, column="c", validation="test1", test=["test2"])
    assert found == ["train", "validation", "validation", "test", "-"]


def test_a_column_with_numbers() -> None:
    raw = sequences(["a"] * 4, split=names("0", "0", "1", "2"))
    assert split(raw, column="c", train=[0], validation=[1], test=[2]) == [
        "train",
        "train",
        "validation",
        "test",
    ]


def test_validation_is_carved_out_of_training_alone() -> None:
    labels, column = ["a", "b"] * 50, names(*["train"] * 60, *["test"] * 40)
    codes, notes = assign(sequences(labels, split=column), SplitSection(column="c"), 1)
    assert (codes[60:] == 2).all()
    assert (codes[:60] == 1).sum() == 9
    assert notes == ["validation is carved out of training: 9 of 60 sequences"]


def test_carving_takes_the_last_rows_of_a_timeline() -> None:
    raw = rows(10, split=names(*["train"] * 6, *["test"] * 4))
    assert split(raw, column="c", validation=2) == ["train"] * 4 + ["validation"] * 2 + ["test"] * 4


def test_carving_keeps_groups_whole() -> None:
    raw = sequences(["a"] * 8, split=names(*["train"] * 6, *["test"] * 2), groups=names(*"xxyyzzqq"))
    found = split(raw, column="c", group="g")
    assert all(found[n] == found[n + 1] for n in range(0, 8, 2))
    assert counts(found) == (4, 2, 2)


def test_a_test_that_is_asked_for_is_carved_too() -> None:
    raw = sequences(["a", "b"] * 10, split=names(*["train"] * 20))
    assert counts(split(raw, column="c", validation=4, test=6)) == (10, 4, 6)


@pytest.mark.parametrize(
    ("raw", "plan", "message"),
    [
        (sequences(["a", "b"]), {}, "2 sequences are too few for 1 for validation and 1 for test"),
        (rows(10), {"train": 8, "validation": 2, "test": 2}, "10 rows are too few for 8 for training, 2 for"),
        (sequences(["a"] * 4, groups=names(*"xxyy")), {"group": "g"}, "2 groups are too few"),
        (sequences(["a"] * 2, split=names("train", "fold3")), {"column": "c"}, "1 rows have 'fold3'"),
        (sequences(["a"] * 2, split=names("train", None)), {"column": "c"}, "1 rows have nothing"),
        (
            sequences(["a"] * 2, split=names("test", "test")),
            {"column": "c"},
            "no row is in the training split",
        ),
        (
            sequences(["a"] * 2, split=names("train", "test")),
            {"column": "c", "test": "tset"},
            "data.split.test: no row has 'tset' in the split column",
        ),
    ],
)
def test_refused(raw: Raw, plan: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        assign(raw, SplitSection(**plan), 1)
    assert message in str(error.value)
