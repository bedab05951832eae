"""A study with stand-ins for training: resuming, refusing, judging, and real kills."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config as configs
from gru_tune.errors import StudyError
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Outcome
from tests import standins
from tests.study.studies import Ears, config, proposals, rows, run


def test_what_a_study_leaves_behind(tmp_path: Path) -> None:
    folder = run(tmp_path)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "MODEL.md", "best.keras", "config.resolved.yaml", "config.yaml", "curves.csv", "examples.json",
        "judged", "looks", "preprocessing.json", "sample.npz", "study.json", "trials", "trials.csv", "trials.jsonl",
    ]  # fmt: skip
    table = rows(folder)
    assert [row["rank"] for row in table] == ["1", "2", "3", "4", "5", "6"]
    scores = [float(row["accuracy"]) for row in table]
    assert scores == sorted(scores, reverse=True)
    winner = table[0]["trial"]
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner}"
    kept = {path.name for path in folder.trials.iterdir()}
    assert kept == {row["trial"] for row in table[:2]}  # search.keep: 2
    with folder.curves.open(encoding="utf-8", newline="") as file:
        curves = list(csv.DictReader(file))
    assert len(curves) == 6 * 3
    facts = read_json(folder.facts)
    assert facts["baselines"]["validation"] == {"majority class": {"accuracy": 0.55}}
    assert (facts["state"], facts["seed"], facts["planned"]) == ("finished", 3, 6)
    assert facts["versions"]["keras-tuner"]
    assert facts["settings"]["model"]["units"][0] == int(table[0]["units"])
    resolved = configs.load(folder.resolved)
    assert resolved.question() == config(tmp_path).question()
    assert folder.config.read_text(encoding="utf-8") == standins.CONFIG


def test_the_size_of_the_grid_is_told_before_the_start(tmp_path: Path) -> None:
    told = []
    for trials in (None, 3):
        ears = Ears()
        asked = (
            "search.strategy=grid",
            f"search.trials={trials or 'null'}",
            "model.units={choice: [1, 2, 3]}",
        )
        run(tmp_path, *asked, watch=ears, fresh=True)
        told += [text for text in ears.said if text.startswith("grid: ")]
    assert told == ["grid: 6 configurations", "grid: 3 of the 6 configurations of the space"]


def test_the_test_split_is_looked_at_once(tmp_path: Path) -> None:
    folder = run(tmp_path)
    before = folder.log.read_bytes()
    ears = Ears()
    run(tmp_path, watch=ears)
    assert (folder.path / "looks").read_text(encoding="utf-8").count("test") == 1
    assert folder.log.read_bytes() == before
    assert any("nothing is left to do" in text for text in ears.said)


def test_a_study_goes_on_with_more_trials_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole = run(tmp_path)
    (tmp_path / "other").mkdir()
    for trials in (1, 2, 4, 6):
        ears = Ears()
        parts = run(tmp_path / "other", f"search.trials={trials}", watch=ears)
    assert any("going on with" in text and "4 trials done" in text for text in ears.said)
    assert proposals(parts) == proposals(whole)
    assert [r["accuracy"] for r in rows(parts)] == [r["accuracy"] for r in rows(whole)]


def test_another_question_is_refused_and_nothing_written(tmp_path: Path) -> None:
    folder = run(tmp_path)
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    with pytest.raises(StudyError, match=r"training\.epochs: 3 -> 4.*--fresh"):
        run(tmp_path, "training.epochs=4")
    with pytest.raises(StudyError, match=r"search\.seed: 3 -> 5"):
        run(tmp_path, "search.seed=5")
    changed = dataclasses.replace(standins.PARTS, prepare=lambda c: standins.prepare(c, "changed"))
    with pytest.raises(StudyError, match=r"the data of .* have changed"):
        run(tmp_path, parts=changed)
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before
    folder = run(tmp_path, "search.seed=5", fresh=True)
    assert read_json(folder.facts)["seed"] == 5


def test_fresh_deletes_only_what_a_study_writes(tmp_path: Path) -> None:
    folder = run(tmp_path)
    (folder.path / "mine.txt").write_text("notes", encoding="utf-8")
    ears = Ears()
    run(tmp_path, fresh=True, watch=ears)
    assert f"deleted {folder.path}: 6 trials" in ears.said
    assert (folder.path / "mine.txt").exists()


def test_failed_trials_are_rows_with_a_reason(tmp_path: Path) -> None:
    folder = run(tmp_path, "model.units={choice: [21, 23, 30]}", "model.depth=1", "search.trials=3")
    table = rows(folder)
    assert (table[0]["units"], table[0]["status"]) == ("30", "completed")
    errors = {row["units"]: row["error"] for row in table}
    assert errors["21"] == "ValueError: twenty-one"
    assert "never a finite number" in errors["23"]


def test_a_search_without_any_completed_trial_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"none of the trials .* was completed; the last one: ValueError: twenty-one"
    ):
        run(tmp_path, "model.units=21", "model.depth=1")
    assert rows(StudyFolder(tmp_path / "out" / "toy"))[0]["status"] == "failed"


def test_two_runs_do_not_share_a_study(tmp_path: Path) -> None:
    def also(job: Any) -> Outcome:
        with pytest.raises(StudyError, match="another run is using"):
            run(tmp_path)
        return standins.train(job)

    run(tmp_path, "search.trials=1", parts=dataclasses.replace(standins.PARTS, train=also))


def test_a_results_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be made"):
        run(tmp_path)
