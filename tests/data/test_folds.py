"""Cross-validation: which rows train and validate in which fold, and that nothing is fitted across them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gru_tune.data.dataset import SPLITS
from gru_tune.data.folds import assign
from gru_tune.data.raw import Raw
from gru_tune.errors import DataError
from gru_tune.kinds.base import SplitSection
from tests.data.preparing import prepared
from tests.data.test_prepare import LINE, TEXT, hours, reviews
from tests.data.test_splits import names, rows, sequences


def folds(raw: Raw, seed: int = 1, **plan: Any) -> list[list[str]]:
    return [
        ["-" if code < 0 else SPLITS[code] for code in fold] for fold in assign(raw, plan_of(plan), seed)[0]
    ]


def plan_of(plan: dict[str, Any]) -> SplitSection:
    return SplitSection.model_validate(plan)


def validated(found: list[list[str]]) -> list[int]:
    """How often each unit validates."""
    return [sum(split == "validation" for split in unit) for unit in zip(*found, strict=True)]


def test_every_sequence_outside_the_test_split_validates_once() -> None:
    found = folds(sequences(["a", "b"] * 50), folds=5, test=0.2)
    test = [n for n, split in enumerate(found[0]) if split == "test"]
    assert len(test) == 20
    for fold in found:
        assert [n for n, split in enumerate(fold) if split == "test"] == test
        assert Counter(fold) == {"train": 64, "validation": 16, "test": 20}
    assert validated(found) == [0 if n in test else 1 for n in range(100)]


def test_folds_are_stratified() -> None:
    labels = np.array(["a"] * 70 + ["b"] * 20 + ["c"] * 10)
    for fold in folds(sequences(labels.tolist()), folds=5, test=0):
        validation = Counter(labels[np.array(fold) == "validation"].tolist())
        assert all(abs(validation[label] - count) <= 1 for label, count in (("a", 14), ("b", 4), ("c", 2)))


def test_the_seed_decides() -> None:
    raw = sequences(["a", "b"] * 50)
    assert folds(raw, 1, folds=3) == folds(raw, 1, folds=3)
    assert folds(raw, 1, folds=3) != folds(raw, 2, folds=3)


@pytest.mark.parametrize("per_class", [True, False])
def test_groups_stay_whole_and_each_validates_once(per_class: bool) -> None:
    groups = [f"g{n // 5}" for n in range(60)]
    raw = sequences(["a", "b"] * 30, groups=names(*groups)) if per_class else rows(60, groups=names(*groups))
    found = folds(raw, folds=4, group="g", test=0.2)
    for fold in found:
        splits: dict[str, set[str]] = {}
        for group, split in zip(groups, fold, strict=True):
            splits.setdefault(group, set()).add(split)
        assert all(len(one) == 1 for one in splits.values())
        assert "validation" in fold
    assert set(validated(found)) == {0, 1}
    assert sum(validated(found)) == 50  # two of the twelve groups test


def test_the_origin_rolls_and_the_first_fold_is_the_latest() -> None:
    first, second, third = folds(rows(12), folds=3, test=2)
    assert first == ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    assert second == ["train"] * 6 + ["validation"] * 2 + ["-"] * 2 + ["test"] * 2
    assert third == ["train"] * 4 + ["validation"] * 2 + ["-"] * 4 + ["test"] * 2


def test_the_latest_origin_leaves_nothing_out() -> None:
    for count in range(8, 30):
        first = folds(rows(count), folds=3, test=0.2)[0]
        assert "-" not in first


def test_every_timeline_rolls_by_itself() -> None:
    first, second = folds(rows(3, 6), folds=2, test=0)
    assert first == ["train", "train", "validation"] + ["train"] * 4 + ["validation"] * 2
    assert second == [
        *("train", "validation", "-"),
        *("train", "train", "validation", "validation", "-", "-"),
    ]


def test_sequences_roll_in_their_order() -> None:
    raw = sequences(["a"] * 6, order=np.arange(6)[::-1].copy())
    first, second = folds(raw, folds=2, by="time", test=0)
    assert first == ["validation"] * 2 + ["train"] * 4
    assert second == ["-"] * 2 + ["validation"] * 2 + ["train"] * 2


def test_a_column_names_the_test_split_and_the_folds_divide_the_rest() -> None:
    column = names(*["train"] * 6, *["dev"] * 3, *["test"] * 3)
    found = folds(sequences(["a"] * 12, split=column), column="c", folds=3)
    assert all(fold[9:] == ["test"] * 3 for fold in found)
    assert validated(found) == [1] * 9 + [0] * 3


def test_a_test_that_the_column_lacks_is_carved_out() -> None:
    found = folds(sequences(["a"] * 12, split=names(*["train"] * 12)), column="c", folds=2, test=4)
    assert Counter(found[0]) == {"train": 4, "validation": 4, "test": 4}


def test_a_class_too_rare_for_every_fold_is_told() -> None:
    raw = sequences(["a"] * 20 + ["b"] * 3 + ["c"])
    assert assign(raw, SplitSection(folds=5, test=0), 1)[1] == [
        "there is no test split: the winner is judged by the validation split it was chosen on",
        "2 classes have fewer than 5 sequences outside the test split (b, c), so not every fold validates on them; "
        "use fewer data.split.folds, or join classes",
    ]


@pytest.mark.parametrize(
    ("raw", "plan", "message"),
    [
        (
            sequences(["a"] * 5),
            {"folds": 5, "test": 1},
            "4 sequences outside the test split are too few for 5 folds; use 4 at most, or test on fewer",
        ),
        (
            sequences(["a"] * 9, groups=names(*"xxxyyyzzz")),
            {"folds": 3, "group": "g", "test": 1},
            "2 groups outside the test split are too few for 3 folds; use 2 at most, or test on fewer",
        ),
        (
            rows(9, 4),
            {"folds": 4, "test": 0},
            "4 rows of one series outside the test split are too few for 4 folds; use 3 at most, or test on fewer",
        ),
        (
            sequences(["a"] * 2),
            {"folds": 2, "by": "time", "test": 0},
            "2 sequences outside the test split are too few for 2 folds; leave folds out, or test on fewer",
        ),
    ],
)
def test_too_few(raw: Raw, plan: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        folds(raw, **plan)
    assert str(error.value) == f"data.split.folds: {message}"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            {"folds": 3, "validation": 0.2},
            "folds and validation exclude each other: every fold validates on its own part",
        ),
        (
            {"folds": 3, "train": 100},
            "folds and a number for train exclude each other: all that does not test is in the folds",
        ),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"folds": 21}, "less than or equal to 20"),
    ],
)
def test_plans_that_contradict_themselves(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plan_of(plan)


def test_words_are_counted_in_every_fold_by_itself(tmp_path: Path) -> None:
    reviews(tmp_path)
    data = prepared(tmp_path, **TEXT, split={"folds": 4, "test": 0.2})
    every = (data.dataset, *data.others)
    assert data.facts["folds"] == len(every) == 4
    assert [len(one.of("validation")) for one in every] == [8] * 4
    # A number of a film is in one text alone: a word of training has been seen there.
    held_out = [one.x[one.spans[one.of("validation")][:, 0] + 3] for one in every]
    assert all((words == 1).all() for words in held_out)
    assert data.facts["splits"]["validation"]["sequences"] == 8


def test_scales_are_those_of_every_fold_and_the_test_rows_the_same(tmp_path: Path) -> None:
    hours(tmp_path, other=[float(n) for n in range(200)])
    data = prepared(tmp_path, **LINE, split={"folds": 3, "test": 40})
    every = (data.dataset, *data.others)
    column = data.dataset.info["inputs"].index("other")
    means = [one.info["input_scale"]["mean"][column] for one in every]
    assert means == pytest.approx([59.5, 39.5, 19.5])  # 120, 80 and 40 rows train
    assert data.preprocessing["input_scale"] == data.dataset.info["input_scale"]
    assert all(one.spans[one.of("test")].tolist() == [[160, 40, 2]] for one in every)
    assert [one.spans[one.of("validation")].tolist() for one in every] == [
        [[120, 40, 1]],
        [[80, 40, 1]],
        [[40, 40, 1]],
    ]


def test_a_fold_too_short_for_its_window_is_named(tmp_path: Path) -> None:
    hours(tmp_path, rows=60)
    with pytest.raises(DataError) as error:
        prepared(tmp_path, **LINE, split={"folds": 5, "test": 12})
    assert str(error.value) == (
        "data.window: the validation split has 8 rows in a row, too few for a window of 8 and a horizon of 1; "
        "the largest window possible is 7 (fold 1 of 5; with fewer data.split.folds each is larger)"
    )


def test_a_later_fold_that_cannot_be_fitted_is_named(tmp_path: Path) -> None:
    hours(tmp_path, gaps=[float("nan")] * 90 + [float(n) for n in range(110)])
    with pytest.raises(DataError, match=r"\(fold 2 of 3; with fewer data\.split\.folds each is larger\)$"):
        prepared(tmp_path, **LINE, split={"folds": 3, "test": 40}, missing="mean")
