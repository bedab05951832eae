"""What is kept of the winner's judgement beside study.json: resampled metrics, and examples."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.study.results import StudyFolder, read_json, replace_arrays
from tests import standins
from tests.study.studies import FINALS, run

EXAMPLES = {"samples": 4, "wrong": 0, "mistakes": []}


def test_the_winner_leaves_examples_and_its_resampled_metrics(tmp_path: Path) -> None:
    folder = run(tmp_path)
    assert read_json(folder.examples) == {"validation": EXAMPLES, "test": EXAMPLES}
    for split in ("validation", "test"):
        with np.load(folder.resampled(split)) as arrays:
            assert list(arrays) == ["accuracy"]
            assert arrays["accuracy"].dtype == np.float64
            np.testing.assert_array_equal(arrays["accuracy"], [0.25, np.nan, 0.5])
    facts = read_json(folder.facts)
    assert not {"examples", "drawn"} & {*facts["validation"], *facts["test"][0]}


def test_lost_examples_are_no_reason_to_look_at_the_test_split_again(tmp_path: Path) -> None:
    folder = run(tmp_path)
    folder.examples.unlink()
    folder.resampled("test").unlink()
    run(tmp_path)
    assert (folder.path / "looks").read_text(encoding="utf-8").count("test") == 1
    assert not folder.examples.exists()


def test_those_of_an_earlier_winner_go(tmp_path: Path) -> None:
    def failing(*arguments: Any) -> dict[str, Any]:
        raise ValueError("no")

    harmless = "model.units={int: [30, 900]}"
    folder = run(tmp_path, harmless, "search.trials=2")
    first = read_json(folder.facts)["best"]
    parts = dataclasses.replace(
        standins.PARTS, winner=dataclasses.replace(standins.PARTS.winner, judge=failing)
    )
    run(tmp_path, harmless, "search.trials=20", parts=parts)
    assert read_json(folder.facts)["best"] != first
    assert not folder.examples.exists()
    assert not folder.judged.exists()


def test_training_the_winner_once_more_keeps_what_validation_said(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS, "winner.retrain=train+validation")
    assert set(read_json(folder.examples)) == {"validation", "test"}
    assert folder.resampled("validation").exists()


def test_a_fresh_study_begins_without_them(tmp_path: Path) -> None:
    folder = run(tmp_path)
    folder.clear()
    assert not folder.examples.exists()
    assert not folder.judged.exists()


def test_arrays_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "judged" / "test.npz"
    replace_arrays(path, {"a": [1, 2]})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        replace_arrays(path, {"a": [object()]})  # type: ignore[list-item]
    assert path.read_bytes() == before
    replace_arrays(path, {})
    with np.load(path) as arrays:
        assert list(arrays) == []
    assert [file.name for file in path.parent.iterdir()] == ["test.npz"]


def test_the_paths_of_a_judgement(tmp_path: Path) -> None:
    assert StudyFolder(tmp_path).resampled("test") == tmp_path / "judged" / "test.npz"
