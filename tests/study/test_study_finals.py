"""The finals of a study, repeats, retraining and the minutes they share."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import SearchInterrupted, StudyError
from gru_tune.study import log as logs
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Outcome
from tests import standins
from tests.study.studies import FINALS, Ears, in_pieces, proposals, rows, run, seeds, start, stopped_at


def test_the_finals_train_the_best_again_with_fresh_seeds(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS)
    trained = seeds(folder)
    again = sorted(key for key in trained if key[1] > 1)
    assert len(again) == 4
    assert len({trial for trial, _ in again}) == 2
    assert len(set(trained.values())) == len(trained)
    facts = read_json(folder.facts)
    winner, repeat = facts["finals"]["winner"], facts["finals"]["repeat"]
    assert (facts["best"], facts["best_repeat"]) == (winner, repeat)
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner}"
    table = rows(folder)
    assert table[0]["trial"] == str(winner)
    assert [row["confirmed_runs"] for row in table] == ["2", "2", "", "", "", ""]
    assert [member["file"] for member in facts["members"]] == [
        f"trials/{t}-{r}/model.keras" for t, r in again
    ]
    assert all((folder.path / member["file"]).exists() for member in facts["members"])
    with folder.curves.open(encoding="utf-8", newline="") as file:
        assert {(row["trial"], row["repeat"]) for row in csv.DictReader(file)} >= {
            (str(t), str(r)) for t, r in again
        }
    before = folder.log.read_bytes()
    run(tmp_path, *FINALS)
    assert folder.log.read_bytes() == before


def test_the_finals_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    whole = run(tmp_path, *FINALS)

    stop = stopped_at(lambda job: Path(job.folder).name.endswith("-3"))

    (tmp_path / "other").mkdir()
    with pytest.raises(SearchInterrupted):
        run(tmp_path / "other", *FINALS, parts=stop)
    folder = StudyFolder(tmp_path / "other" / "out" / "toy")
    assert "finals" not in read_json(folder.facts)
    run(tmp_path / "other", *FINALS)
    assert seeds(folder) == seeds(whole)
    assert read_json(folder.facts)["finals"] == read_json(whole.facts)["finals"]
    attempts = [e.attempt for e in logs.read(folder.log).events if isinstance(e, Launch) and e.repeat == 3]
    assert attempts == [1, 2, 1]


def test_more_trials_bring_new_finalists_and_say_that_the_test_was_opened(tmp_path: Path) -> None:
    run(tmp_path, *FINALS, "search.trials=2")
    ears = Ears()
    folder = run(tmp_path, *FINALS, "search.trials=12", watch=ears)
    assert any("the test split was opened on 20" in text for text in ears.said)
    found = read_json(folder.facts)["finals"]["finalists"]
    assert len(found) > 2  # those of the first search were trained as well, and are no worse for it


def test_a_final_that_fails_loses_nothing(tmp_path: Path) -> None:
    def failing(job: Any) -> Outcome:
        if Path(job.folder).name.endswith("-2"):
            raise ValueError("no")
        return standins.train(job)

    folder = run(tmp_path, *FINALS, parts=dataclasses.replace(standins.PARTS, train=failing))
    facts = read_json(folder.facts)
    assert [one["failed"] for one in facts["finals"]["finalists"]] == [1, 1]
    assert facts["finals"]["repeat"] == 3
    assert folder.best.exists()


def test_every_trial_with_several_seeds(tmp_path: Path) -> None:
    folder = run(tmp_path, "search.repeats=3", "search.trials=4")
    table = rows(folder)
    assert len(table) == 4
    assert len(seeds(folder)) == len(set(seeds(folder).values())) == 12
    assert all(float(row["spread"]) > 0 for row in table)
    with folder.curves.open(encoding="utf-8", newline="") as file:
        best = [r for r in csv.DictReader(file) if r["trial"] == table[0]["trial"] and r["epoch"] == "3"]
    mean = sum(float(row["validation_accuracy"]) for row in best) / 3
    assert float(table[0]["accuracy"]) == pytest.approx(mean)
    with pytest.raises(StudyError, match=r"search\.repeats: 3 -> \(absent\)"):
        run(tmp_path, "search.trials=4")


@pytest.mark.parametrize("strategy", ["random", "hyperband"])
def test_repeats_survive_a_stop_at_any_job(tmp_path: Path, strategy: str) -> None:
    settings = (f"search.strategy={strategy}", "search.repeats=2", "search.trials=4", "training.epochs=9")
    whole = run(tmp_path, *settings)
    jobs = len(seeds(whole))
    (tmp_path / "other").mkdir()
    started = itertools.count(1)
    stop = stopped_at(lambda job: next(started) % 2 == 0)  # every run of the program gets one job done
    in_pieces(lambda: run(tmp_path / "other", *settings, parts=stop), jobs * 3)
    other = StudyFolder(tmp_path / "other" / "out" / "toy")
    assert seeds(other) == seeds(whole)
    assert proposals(other) == proposals(whole)
    assert [r["accuracy"] for r in rows(other)] == [r["accuracy"] for r in rows(whole)]


def test_the_winner_may_be_trained_on_the_validation_split_too(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS, "winner.retrain=train+validation")
    facts = read_json(folder.facts)
    winner = facts["finals"]["winner"]
    assert folder.best.read_text(encoding="utf-8") == f"trial {winner} again, 3 epochs"
    assert facts["retrained"] == {"epochs": 3}
    assert facts["test"][0]["retrained"] is True
    before = folder.best.stat().st_mtime_ns
    run(tmp_path, *FINALS, "winner.retrain=train+validation")
    assert folder.best.stat().st_mtime_ns == before
    assert not (folder.path / "retrained").exists()


def test_minutes_are_shared_with_the_finals(tmp_path: Path) -> None:
    """The search ends early enough for them, and one that would not end in time does not begin."""

    def slow(job: Any) -> Outcome:
        for _ in range(4):
            if job.deadline is None or time.time() < job.deadline:
                time.sleep(0.05)
        return dataclasses.replace(standins.train(job), seconds=0.2)

    parts = dataclasses.replace(standins.PARTS, train=slow)
    start = time.monotonic()
    settings = ("search.trials=1000", f"search.minutes={3 / 60}", "model.units={int: [30, 900]}")
    folder = run(tmp_path, *FINALS, *settings, parts=parts)
    assert time.monotonic() - start < 3 + 10  # a thousand trials would take minutes; the machine may be busy
    trained = seeds(folder)
    assert len([key for key in trained if key[1] > 1]) == 4
    assert read_json(folder.facts)["ended"] == "the minutes given are over"


def test_finals_side_by_side_leave_the_best_trials_their_models(tmp_path: Path) -> None:
    settings = (*FINALS, "search.keep=2", "model.units={int: [24, 40]}")
    assert start(tmp_path, 2, *settings, seconds=0.02).wait(60) == 0
    folder = StudyFolder(tmp_path / "out" / "toy")
    ranked = sorted(rows(folder), key=lambda row: -float(row["accuracy"]))
    for row in ranked[:2]:
        assert (folder.trial(int(row["trial"])) / "model.keras").exists()


def test_a_search_whose_minutes_are_over_stays_over(tmp_path: Path) -> None:
    """Finals that are quicker than expected are no reason to begin with further trials."""

    def quick(job: Any) -> Outcome:
        final = "-" in Path(job.folder).name
        time.sleep(0.0 if final else 0.15)
        return dataclasses.replace(standins.train(job), seconds=0.01 if final else 0.15)

    parts = dataclasses.replace(standins.PARTS, train=quick)
    settings = (*FINALS, "search.trials=1000", f"search.minutes={2 / 60}", "model.units={int: [30, 900]}")
    folder = run(tmp_path, *settings, parts=parts)
    order = [e.repeat for e in logs.read(folder.log).events if isinstance(e, Launch)]
    assert order == sorted(order)
    assert max(order) == 3


def test_retraining_asked_for_later_is_tested_by_itself(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS)
    plain = folder.best.read_text(encoding="utf-8")
    folder.sample.write_text("of the plain model", encoding="utf-8")
    run(tmp_path, *FINALS, "winner.retrain=train+validation")
    assert "again, 3 epochs" in folder.best.read_text(encoding="utf-8")
    assert [look["retrained"] for look in read_json(folder.facts)["test"]] == [False, True]
    assert folder.sample.read_text(encoding="utf-8") == "sample"
    run(tmp_path, *FINALS)
    assert folder.best.read_text(encoding="utf-8") == plain
    looks = (folder.path / "looks").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in looks] == ["validation", "test", "test", "validation"]


def test_a_retraining_that_fails_leaves_the_test_locked(tmp_path: Path) -> None:
    def failing(job: Any, epochs: int, folder: Path) -> None:
        raise ValueError("no")

    parts = dataclasses.replace(
        standins.PARTS, winner=dataclasses.replace(standins.PARTS.winner, retrain=failing)
    )
    ears = Ears()
    folder = run(tmp_path, *FINALS, "winner.retrain=train+validation", parts=parts, watch=ears)
    assert any("that did not work (ValueError: no)" in text for text in ears.said)
    assert "test" not in read_json(folder.facts)
    run(tmp_path, *FINALS, "winner.retrain=train+validation")
    assert len(read_json(folder.facts)["test"]) == 1


def test_without_finalists_the_best_of_the_search_wins(tmp_path: Path) -> None:
    run(tmp_path, *FINALS, "search.trials=3")
    folder = run(tmp_path, "search.trials=12")  # the config has finalists: 0
    best = max(rows(folder), key=lambda row: float(row["accuracy"] or 0))
    assert read_json(folder.facts)["finals"] is None
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {best['trial']}"


def test_ctrl_c_in_a_study_that_goes_on_keeps_its_winner(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS)
    before = folder.best.read_text(encoding="utf-8"), read_json(folder.facts)["best_repeat"]

    stop = stopped_at(lambda job: job.trial == 8)

    with pytest.raises(SearchInterrupted):
        run(
            tmp_path,
            *FINALS,
            "search.trials=12",
            parts=stop,
        )
    assert (folder.best.read_text(encoding="utf-8"), read_json(folder.facts)["best_repeat"]) == before
