from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.findings import Finding, evenly, ranked, several
from tests.data.checking import found, levels, noise, write
from tests.data.preparing import prepared

TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "y"}
PARTS = ["train"] * 60 + ["dev"] * 30 + ["test"] * 30


def texts(folder: Path, y: list[str], part: list[str] = PARTS) -> None:
    write(folder, text=[f"text {n}" for n in range(len(y))], y=y, part=part)


def test_clean_texts_have_no_note(tmp_path: Path) -> None:
    words = np.random.default_rng(1).integers(0, 40, (400, 12))
    write(tmp_path, text=[" ".join(f"w{n}" for n in row) for row in words], y=["a", "b"] * 200)
    assert prepared(tmp_path, **TEXT).notes == ()


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_clean_sequences_have_no_note(tmp_path: Path, task: str) -> None:
    ids = np.repeat(np.arange(200), 6)
    y = noise(200)[ids]
    write(tmp_path, id=ids, v=noise(1200), w=noise(1200, seed=2), y=y if task == "regression" else y > 0)
    assert prepared(tmp_path, task, "series", series="id", target="y").notes == ()


@pytest.mark.parametrize("task", ["forecasting", "labelling", "classification", "regression"])
def test_a_clean_timeline_has_no_note(tmp_path: Path, task: str) -> None:
    level = noise(1000)
    number = task in ("forecasting", "regression")
    write(
        tmp_path,
        v=noise(1000, seed=2),
        w=level + noise(1000, seed=3),
        y=level if number else (level > 0).astype(int),
    )
    assert prepared(tmp_path, task, "timeline", target="y", knobs={"window": 8}).notes == ()


def test_notes_and_checks_say_the_same_the_gravest_first(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(30), 4)
    write(tmp_path, id=ids, v=noise(120), flat=[7] * 120, path=ids % 4, y=ids % 2)
    data = prepared(tmp_path, "classification", "series", series="id", target="y")
    checks = data.facts["checks"]
    assert json.loads(json.dumps(checks)) == checks
    assert tuple(check["text"] for check in checks) == data.notes
    assert [(check["check"], check["level"]) for check in checks] == [
        ("leak", "warning"),
        ("validation", "warning"),
        ("columns", "note"),
    ]


def test_the_notes_of_reading_come_last_and_once(tmp_path: Path) -> None:
    write(tmp_path, v=noise(200), flat=[1] * 200, part=["test"] * 60 + ["train"] * 140)
    data = prepared(tmp_path, "forecasting", "timeline", target="v", split="part", knobs={"window": 8})
    assert [(check["check"], check["level"]) for check in data.facts["checks"]] == [
        ("time", "warning"),
        ("columns", "note"),
        ("reading", "note"),
    ]
    assert data.notes[-1] == "validation is carved out of training: 21 of 140 rows"


def test_ranking() -> None:
    note, warning = Finding("a", "note", "a note"), Finding("b", "warning", "it is late: by 3")
    assert ranked([note, warning], ["it is late", "read", "read"]) == [
        warning,
        note,
        Finding("reading", "note", "read"),
    ]


def test_a_class_of_few_examples(tmp_path: Path) -> None:
    texts(tmp_path, (["a", "b"] * 27 + ["rare", "c"] * 3) + ["a", "b", "c"] * 10 + ["a", "rare"] * 15)
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "classes") == [
        "of 4 classes, 2 have fewer than 5 training examples (c, rare), 1 has none in validation (rare) and 2 have "
        "none in test (b, c): what the scores say about them is chance; give them more examples or join them"
    ]
    assert levels(data, "classes") == ["note"]
    texts(tmp_path, ["a", "b"] * 60)
    assert found(prepared(tmp_path, split="part", **TEXT), "classes") == []


def test_a_class_that_training_lacks(tmp_path: Path) -> None:
    texts(tmp_path, ["a", "b"] * 59 + ["a", "new"])
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "classes") == [
        "1 class occurs only outside training (new; 1 targets) and always count as wrong"
    ]
    assert levels(data, "classes") == ["warning"]


def test_one_class_in_validation_is_told_once(tmp_path: Path) -> None:
    texts(tmp_path, ["a", "b"] * 30 + ["a"] * 30 + ["a", "b"] * 15)
    data = prepared(tmp_path, split="part", **TEXT)
    assert found(data, "validation") == [
        "all 30 validation targets are 'a': a score on them says little; see data.split"
    ]
    assert found(data, "classes") == []


def test_indices_are_thinned_evenly() -> None:
    assert evenly(np.arange(5), 5).tolist() == [0, 1, 2, 3, 4]
    assert evenly(np.arange(101), 3).tolist() == [0, 50, 100]


def test_many_inputs_are_not_all_listed() -> None:
    names = [f"v{n}" for n in range(10)]
    assert several(names[:1], "is flat") == "input 'v0' is flat"
    assert several(names, "is flat") == "each of 10 inputs (v0, v1, v2, v3, v4, v5, v6, v7 …) is flat"
