from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.checking import found, noise, write
from tests.data.preparing import prepared

SERIES: dict[str, Any] = {"task": "classification", "kind": "series", "series": "id", "target": "y"}
ROWS: dict[str, Any] = {
    "task": "labelling", "kind": "timeline", "target": "y", "target_type": "classes", "knobs": {"window": 4},
}  # fmt: skip
LINE: dict[str, Any] = {"task": "forecasting", "kind": "timeline", "target": "load", "knobs": {"window": 8}}
TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "y"}


def sequences(folder: Path, **more: Any) -> np.ndarray[Any, Any]:
    """200 sequences of 5 steps with a class each and a column of noise."""
    y = noise(200, seed=3) > 0
    write(folder, id=np.repeat(np.arange(200), 5), v=noise(1000), y=np.repeat(y, 5).astype(int), **more)
    return np.repeat(y, 5)


@pytest.mark.parametrize("how", ["first value", "last value", "mean", "largest value"])
def test_a_column_that_tells_the_class_of_a_sequence(tmp_path: Path, how: str) -> None:
    y = sequences(tmp_path)
    assert found(prepared(tmp_path, **SERIES), "leak") == []
    code = noise(1000, seed=4).reshape(200, 5)
    told = y[::5] * 10 + np.abs(noise(200, seed=5))
    if how == "mean":
        code *= 30
        code += (told - code.mean(axis=1))[:, None]
    else:
        place = {"first value": 0, "last value": 4}.get(how, np.arange(200) % 3 + 1)
        code[np.arange(200), place] = 100 + told if how == "largest value" else told
    sequences(tmp_path, code=code.ravel())
    assert found(prepared(tmp_path, **SERIES), "leak") == [
        f"input 'code' by its {how} alone tells 'y' in 100.0% of the sequences (52% are of the largest "
        "class); if it is not known when a prediction is made, it is a leak: leave it out with data.inputs"
    ]


def test_a_column_that_tells_the_class_of_few_sequences_may_be_luck(tmp_path: Path) -> None:
    """By one step, an excerpt of the Italian power demand is told apart with one mistake in 102."""
    ids, y = np.arange(120), noise(120, seed=3) > 0
    part = ["train"] * 82 + ["dev"] * 20 + ["test"] * 18
    keys: dict[str, Any] = {"task": "classification", "kind": "wide", "target": "y", "split": "part"}
    write(tmp_path, v=noise(120), code=np.where(ids == 50, ~y, y) * 9 + ids % 3, y=y, part=part)
    assert found(prepared(tmp_path, **keys), "leak") == []
    write(tmp_path, v=noise(120), code=y * 9 + ids % 3, y=y, part=part)
    assert len(found(prepared(tmp_path, **keys), "leak")) == 1


def test_columns_that_tell_the_class_are_named_together(tmp_path: Path) -> None:
    y = sequences(tmp_path)
    sequences(tmp_path, a=y + np.abs(noise(1000)) / 9, b=y * -3 + np.abs(noise(1000, seed=2)))
    (text,) = found(prepared(tmp_path, **SERIES), "leak")
    assert text.startswith("each of 2 inputs (a, b) alone tells 'y' in 100.0% of the sequences")


def test_a_column_of_words_that_tells_the_class(tmp_path: Path) -> None:
    y = sequences(tmp_path)
    sequences(tmp_path, mark=np.where(y, "x", "w"), other=np.where(noise(1000) > 0, "x", "w"))
    (text,) = found(prepared(tmp_path, inputs=["v", "mark", "other"], **SERIES), "leak")
    assert text.startswith("input 'mark' by its first value alone tells 'y'")


def test_a_column_that_names_the_class_of_few_sequences(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(30), 4)
    write(tmp_path, id=ids, v=noise(120), path=ids % 4, y=ids % 2)
    assert found(prepared(tmp_path, **SERIES), "leak") == [
        "input 'path' never changes within a sequence and tells 'y' by itself; is it a leak? If so, leave it out "
        "with data.inputs"
    ]


def test_a_step_of_a_wide_table_that_is_the_class(tmp_path: Path) -> None:
    y = noise(200, seed=3) > 0
    steps = {f"t{n}": noise(200, seed=10 + n) for n in range(4)}
    keys: dict[str, Any] = {"task": "classification", "kind": "wide", "target": "y"}
    write(tmp_path, **steps, y=y.astype(int))
    assert found(prepared(tmp_path, **keys), "leak") == []
    write(tmp_path, **steps, code=y * 2, y=y.astype(int))
    (text,) = found(prepared(tmp_path, **keys), "leak")
    assert text.startswith("input 'step 5' alone tells 'y' in 100.0% of the sequences")


def test_a_column_that_tells_the_class_of_its_row(tmp_path: Path) -> None:
    y = np.cumsum(noise(1000, seed=3) > 1) % 3
    write(tmp_path, v=noise(1000), y=y)
    assert found(prepared(tmp_path, **ROWS), "leak") == []
    write(tmp_path, v=noise(1000), code=(y * 2 + 1) % 5 + np.abs(noise(1000, seed=5)) / 100, y=y)
    (text,) = found(prepared(tmp_path, **ROWS), "leak")
    assert text.startswith("input 'code' alone tells 'y' in 100.0% of the validation rows")


def test_a_column_that_guesses_the_largest_class_tells_nothing(tmp_path: Path) -> None:
    rare = np.arange(1000) % 125 == 0
    write(tmp_path, v=noise(1000), y=rare.astype(int))
    assert found(prepared(tmp_path, **ROWS), "leak") == []


def test_a_column_that_follows_a_number(tmp_path: Path) -> None:
    y = noise(600, seed=3)
    keys = {**ROWS, "target_type": "numbers"}
    write(tmp_path, near=y + noise(600) / 5, y=y)
    assert found(prepared(tmp_path, **keys), "leak") == []
    write(tmp_path, near=y + noise(600) / 5, cube=-(y**3), y=y)
    assert found(prepared(tmp_path, **keys), "leak") == [
        "input 'cube' alone follows 'y' (rank correlation 1.0000 in the validation rows); if it is not known when a prediction "
        "is made, it is a leak: leave it out with data.inputs"
    ]


@pytest.mark.parametrize(("lag", "when"), [(1, "the next step"), (7, "7 steps later")])
def test_a_column_from_the_future(tmp_path: Path, lag: int, when: str) -> None:
    load = noise(1007).cumsum()
    past = {"load": load[:1000], "before": np.roll(load, 3)[:1000], "same": load[:1000] * 2 + 1}
    write(tmp_path, **past)
    assert found(prepared(tmp_path, **LINE), "leak") == []
    write(tmp_path, **past, ahead=load[lag : 1000 + lag] * -3)
    assert found(prepared(tmp_path, **LINE), "leak") == [
        f"input 'ahead' holds 'load' of {when}, which no forecast can know; leave it out with data.inputs"
    ]


def test_a_wave_that_is_ahead_of_another_knows_no_future(tmp_path: Path) -> None:
    hours = np.arange(1000) / 24 * 2 * np.pi
    write(tmp_path, load=np.sin(hours), other=np.sin(hours + 1))
    assert found(prepared(tmp_path, **LINE), "leak") == []


def documents(folder: Path, mark: str, share: float) -> list[str]:
    """300 texts of 12 random words, of which some of class ``b`` have a further one."""
    rng = np.random.default_rng(1)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 40, 12)) for _ in range(300)]
    marked = [n % 2 == 1 and n < 300 * share for n in range(300)]
    write(
        folder,
        text=[f"{t} {mark}" if m else t for t, m in zip(texts, marked, strict=True)],
        y=["b" if n % 2 else "a" for n in range(300)],
    )
    return found(prepared(folder, **TEXT), "leak")


def test_a_word_that_tells_the_class(tmp_path: Path) -> None:
    (text,) = documents(tmp_path, "zz", 1)
    assert text == (
        "the word 'zz' alone tells the class 'b' (105 of its 105 training texts have it, and 0 others); if it is not "
        "known when a prediction is made, it is a leak: take it out of the texts"
    )


def test_a_word_of_half_the_class_is_a_word_to_learn_from(tmp_path: Path) -> None:
    assert documents(tmp_path, "zz", 0.5) == []


def test_the_name_of_the_class_need_not_be_everywhere(tmp_path: Path) -> None:
    (text,) = documents(tmp_path, "B", 0.5)
    assert text.startswith("the word 'b' alone tells the class 'b'")
