from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.values import Choice
from tests.data.checking import found, levels, noise, write
from tests.data.preparing import prepared

LINE: dict[str, Any] = {"task": "forecasting", "kind": "timeline", "target": "load"}
TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "y"}
PARTS = ["train"] * 200 + ["dev"] * 100 + ["test"] * 100


def line(folder: Path, more: np.ndarray[Any, Any], scale: Any = "standard") -> list[str]:
    """What is found in noise around 10 with something added."""
    write(folder, load=10 + noise(1000) + more, other=noise(1000, seed=2))
    return found(prepared(folder, knobs={"window": 8, "scale": scale}, **LINE), "shift")


def after(row: int, value: float) -> np.ndarray[Any, Any]:
    return np.where(np.arange(1000) < row, 0.0, value)


def test_a_timeline_on_another_level(tmp_path: Path) -> None:
    assert line(tmp_path, after(700, 0.5)) == []
    assert line(tmp_path, after(700, 5)) == [
        "the splits differ: 'load' is 9.949 ± 0.969 in training, 14.83 ± 1.02 in validation and 15.05 ± 1.02 in test; "
        "data.scale: last or window would read every window relative to itself"
    ]
    (text,) = line(tmp_path, after(700, 5), Choice(("standard", "last")))
    assert text.endswith("; data.scale: last, which the search tries, is there for that")


def test_a_validation_split_that_is_not_like_test(tmp_path: Path) -> None:
    (text,) = line(tmp_path, after(850, 5))
    assert (
        "in test; validation is not like test, so that the ranking of the trials may not hold there;" in text
    )


def test_a_column_that_spreads_more(tmp_path: Path) -> None:
    assert line(tmp_path, after(700, 0.8) * noise(1000, seed=3)) == []
    (text,) = line(tmp_path, after(700, 4) * noise(1000, seed=3))
    assert text.startswith("the splits differ: 'load' is 9.949 ± 0.969 in training, 9.347 ± 4.29")


def test_the_worst_column_is_named_first(tmp_path: Path) -> None:
    more = {f"v{n}": noise(1000, seed=n) + after(700, n * 4) for n in range(1, 4)}
    write(tmp_path, load=noise(1000), **more)
    (text,) = found(prepared(tmp_path, knobs={"window": 8}, **LINE), "shift")
    assert text.startswith("the splits differ: 'v3' is")
    assert "in test (and v1, v2 alike);" in text


def test_rare_events_counters_and_constants_do_not_spread(tmp_path: Path) -> None:
    rain = np.zeros(1000)
    rain[[10, 200, 300]] = 100
    write(tmp_path, load=noise(1000), rain=rain, row=range(1000), flat=[0.1] * 1000)
    assert found(prepared(tmp_path, knobs={"window": 8}, **LINE), "shift") == []


def test_a_constant_that_changes_later(tmp_path: Path) -> None:
    write(tmp_path, load=noise(1000), flat=after(700, 3))
    (text,) = found(prepared(tmp_path, knobs={"window": 8}, **LINE), "shift")
    assert "'flat' is 0 ± 0 in training, 3 ± 0 in validation and 3 ± 0 in test" in text


def test_a_target_of_sequences_on_another_level(tmp_path: Path) -> None:
    y = noise(400) + np.repeat([0, 0, 0, 3], 100)
    write(tmp_path, text=[f"text {n % 7}" for n in range(400)], y=y, part=PARTS)
    (text,) = found(prepared(tmp_path, split="part", **{**TEXT, "task": "regression"}), "shift")
    assert text.startswith("the splits differ: 'y' is ")
    assert text.endswith(
        "validation is not like test, so that the ranking of the trials may not hold there; see data.split"
    )


@pytest.mark.parametrize(("share", "told"), [(0.5, False), (0.62, False), (0.9, True)])
def test_shares_of_the_classes(tmp_path: Path, share: float, told: bool) -> None:
    y = np.where(np.arange(400) % 2, "a", "b")
    y[300:] = np.where(np.arange(100) < 100 * share, "a", "b")
    write(tmp_path, text=[f"text {n % 7}" for n in range(400)], y=y, part=PARTS)
    sentences = [
        "the splits differ in their classes: 'a' is 50% of training, 50% of validation and 90% of test; validation is "
        "not like test, so that the ranking of the trials may not hold there; see data.split"
    ]
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == (sentences if told else [])


def test_shares_of_many_classes_in_few_sequences_differ_by_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = [f"c{n}" for n in rng.integers(0, 30, 260)]
    part = ["train"] * 200 + ["dev"] * 30 + ["test"] * 30
    write(tmp_path, text=[f"text {n % 7}" for n in range(260)], y=y, part=part)
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == []


def test_words_that_training_lacks(tmp_path: Path) -> None:
    texts = [f"a b c d e f g h i {f'new{n}' if n >= 300 else 'old'}" for n in range(400)]
    write(tmp_path, text=texts, y=["a", "b"] * 200, part=PARTS)
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == []  # 10 % exactly
    write(tmp_path, text=[text[6:] for text in texts], y=["a", "b"] * 200, part=PARTS)
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "shift") == [
        "many words do not occur in training (0% in validation and 14% in test) and read as unknown; more training "
        "texts would help"
    ]
    assert levels(data, "shift") == ["note"]


def test_lengths(tmp_path: Path) -> None:
    lengths = np.random.default_rng(1).integers(10, 20, 400)
    write(tmp_path, text=["a " * n for n in lengths], y=["a", "b"] * 200, part=PARTS)
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == []
    lengths[300:] -= 8
    write(tmp_path, text=["a " * n for n in lengths], y=["a", "b"] * 200, part=PARTS)
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == [
        "the splits differ in the lengths of their sequences (half are up to 15 in training, 14 in validation and 7 "
        "in test); see data.split"
    ]


def test_few_sequences_tell_nothing(tmp_path: Path) -> None:
    part = ["train"] * 60 + ["dev"] * 19
    write(tmp_path, text=["a"] * 60 + ["b b b b"] * 19, y=["a", "b", "a"] * 26 + ["a"], part=part)
    assert found(prepared(tmp_path, split="part", **TEXT), "shift") == []
