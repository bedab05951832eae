from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.checking import found, levels, noise, write
from tests.data.preparing import prepared

TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "y"}
LINE: dict[str, Any] = {"task": "forecasting", "kind": "timeline", "target": "load", "knobs": {"window": 8}}
WIDE: dict[str, Any] = {"task": "classification", "kind": "wide", "target": "y"}


def texts(folder: Path, last: list[str], labels: dict[int, str] | None = None) -> None:
    """200 different texts, the last ones replaced; the last 20 test, 20 before them validate."""
    films = [f"film {n} was long" for n in range(200)]
    films[200 - len(last) :] = last
    y = ["a" if n % 2 else "b" for n in range(200)]
    for n, label in (labels or {}).items():
        y[n] = label
    write(folder, text=films, y=y, part=["train"] * 160 + ["dev"] * 20 + ["test"] * 20)


def test_texts_that_differ_in_case_and_punctuation_alone(tmp_path: Path) -> None:
    texts(tmp_path, [])
    assert found(prepared(tmp_path, split="part", **TEXT), "duplicates") == []
    texts(tmp_path, ["film 1 was long", "Film 2, was  LONG!", "film 3 was long...", "film 4 was short"])
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "duplicates") == [
        "3 of 20 test sequences occur in training as well (2 of them but for case, blanks and punctuation); the score "
        "flatters by them: take them out of training in the file"
    ]
    assert data.facts["duplicates"] == {"validation": 0, "test": 1}


def test_both_splits_are_told_in_one_sentence(tmp_path: Path) -> None:
    texts(tmp_path, ["film 1 was long"] * 21)
    assert found(prepared(tmp_path, split="part", **TEXT), "duplicates") == [
        "1 of 20 validation and 20 of 20 test sequences occur in training as well; the score flatters by them: take "
        "them out of training in the file"
    ]


def test_equal_texts_can_be_kept_together(tmp_path: Path) -> None:
    films = [f"film {n % 60} was long" for n in range(200)]
    write(tmp_path, film=films, y=["a" if n % 2 else "b" for n in range(200)])
    (text,) = found(prepared(tmp_path, text="film", **TEXT), "duplicates")
    assert text.endswith("keep equal ones together with data.split: {by: group, group: film}")
    together = prepared(tmp_path, text="film", split={"by": "group", "group": "film"}, **TEXT)
    assert found(together, "duplicates") == []


def test_texts_that_are_the_same_only_as_words_are_in_groups_of_their_own(tmp_path: Path) -> None:
    films = [f"{'Film' if n % 2 else 'film'} {n % 120} was long{' ' * (n > 120)}" for n in range(240)]
    columns: dict[str, Any] = {"film": films, "y": ["a", "b"] * 120}
    write(tmp_path, **columns)
    (text,) = found(
        prepared(tmp_path, text="film", split={"by": "group", "group": "film"}, **TEXT), "duplicates"
    )
    assert text == (
        "28 of 36 validation and 22 of 36 test sequences occur in training as well (50 of them but for case, blanks "
        "and punctuation); the score flatters by them: add a column to the file, 'film' in lower case without blanks "
        "and punctuation, and keep equal ones together with data.split: {by: group, group: that column}"
    )
    plain = ["".join(filter(str.isalnum, film.lower())) for film in films]
    write(tmp_path, plain=plain, **columns)
    together = prepared(tmp_path, text="film", split={"by": "group", "group": "plain"}, **TEXT)
    assert found(together, "duplicates") == []


def test_a_few_copies_are_a_note(tmp_path: Path) -> None:
    films = [f"film {n} was long" for n in range(400)]
    films[399] = "film 0 was long"
    part = ["train"] * 100 + ["dev"] * 100 + ["test"] * 200
    write(tmp_path, text=films, y=["a", "b"] * 200, part=part)
    assert levels(prepared(tmp_path, split="part", **TEXT), "duplicates") == ["note"]
    films[398:] = ["film 0 was long", "film 2 was long"]
    write(tmp_path, text=films, y=["a", "b"] * 200, part=part)
    assert levels(prepared(tmp_path, split="part", **TEXT), "duplicates") == ["warning"]


def test_equal_texts_with_different_classes(tmp_path: Path) -> None:
    films = [f"film {n // 2} was long" for n in range(160)] + [f"other {n}" for n in range(40)]
    part = ["train"] * 160 + ["dev"] * 20 + ["test"] * 20
    write(tmp_path, text=films, y=[str(n // 2 % 2) for n in range(200)], part=part)
    assert found(prepared(tmp_path, split="part", **TEXT), "contradictions") == []
    write(tmp_path, text=films, y=[str(n % 2 if n < 6 else n // 2 % 2) for n in range(200)], part=part)
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "contradictions") == [
        "6 of 160 training sequences occur with another 'y', too, so that no model can be right about all of them; "
        "look whether their targets are mistakes"
    ]
    assert levels(data, "contradictions") == ["warning"]


def test_sequences_of_words_alone_are_told_apart(tmp_path: Path) -> None:
    """Columns of words once counted for nothing, and all sequences were copies."""
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(200), 12)
    write(tmp_path, id=ids, wind=rng.choice(["N", "E", "S", "W"], 2400), y=ids % 2)
    keys: dict[str, Any] = {"task": "classification", "kind": "series", "series": "id", "target": "y"}
    assert found(prepared(tmp_path, inputs=["wind"], **keys), "duplicates") == []


def test_a_block_of_rows_that_comes_again(tmp_path: Path) -> None:
    load = noise(1000).round(2)
    write(tmp_path, load=load, other=load.round(0))
    assert found(prepared(tmp_path, **LINE), "duplicates") == []
    load[900:940] = load[100:140]
    write(tmp_path, load=load, other=load.round(0))
    assert found(prepared(tmp_path, **LINE), "duplicates") == [
        "40 of 150 test rows repeat training rows, in stretches of 24 and more; the score flatters by them: take them "
        "out of the file"
    ]


def test_a_sensor_that_stands_still_repeats_nothing(tmp_path: Path) -> None:
    load = noise(1000)
    load[100:200] = load[800:1000] = 0.5
    write(tmp_path, load=load)
    assert found(prepared(tmp_path, **LINE), "duplicates") == []


@pytest.mark.parametrize("split", [None, {"by": "time"}])
def test_windows_of_one_record_split_at_random(tmp_path: Path, split: Any) -> None:
    record = noise(1000)
    windows = np.lib.stride_tricks.sliding_window_view(record, 20)[::5]
    y = windows[:, -1] > 0
    write(tmp_path, **{f"t{n}": windows[:, n] for n in range(20)}, y=y)
    texts = found(prepared(tmp_path, split=split, **WIDE), "overlap")
    if split:
        assert texts == []
    else:
        assert texts == [
            "neighbouring sequences overlap, as windows cut from one record do, and the split tears 86 pairs of them "
            "apart, so that training knows parts of validation and test: give the record as it is with kind: "
            "timeline, or set data.split: {by: time}"
        ]


def test_sequences_that_merely_begin_alike_do_not_overlap(tmp_path: Path) -> None:
    steps = noise(200 * 20).reshape(200, 20)
    steps[:, 0] = steps[:, 10] = 0
    write(tmp_path, **{f"t{n}": steps[:, n] for n in range(20)}, y=steps[:, -1] > 0)
    assert found(prepared(tmp_path, **WIDE), "overlap") == []
