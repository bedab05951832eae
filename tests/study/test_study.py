"""A study with stand-ins for training: resuming, refusing, judging, and real kills."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config as configs
from gru_tune.errors import SearchInterrupted, StudyError
from gru_tune.study import log as logs
from gru_tune.study import study
from gru_tune.study.log import Finished, Launch
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.watch import Watcher
from gru_tune.trial import Outcome
from tests import standins


class Ears(Watcher):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def config(folder: Path, *settings: str) -> Any:
    path = folder / "toy.yaml"
    path.write_text(standins.CONFIG, encoding="utf-8")
    return configs.load(path, settings)


def run(folder: Path, *settings: str, parts: study.Parts = standins.PARTS, **options: Any) -> StudyFolder:
    options.setdefault("workers", 0)
    return study.run(config(folder, *settings), out=folder / "out", parts=parts, **options)


def rows(folder: StudyFolder) -> list[dict[str, str]]:
    with folder.table.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["status"] != "baseline"]


def proposals(folder: StudyFolder) -> list[tuple[int, dict[str, Any], int]]:
    events = logs.read(folder.log).events
    return [(e.trial, e.values, e.seed) for e in events if isinstance(e, Launch) and e.proposed]


def test_what_a_study_leaves_behind(tmp_path: Path) -> None:
    folder = run(tmp_path)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "MODEL.md", "best.keras", "config.resolved.yaml", "config.yaml", "curves.csv", "looks", "preprocessing.json",
        "sample.npz", "study.json", "trials", "trials.csv", "trials.jsonl",
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
    run(tmp_path, fresh=True)
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


def test_hyperband_goes_on_from_checkpoints_and_cleans_up(tmp_path: Path) -> None:
    settings = ("search.strategy=hyperband", "training.epochs=9", "search.trials=9")
    folder = run(tmp_path, *settings)
    jobs = [e for e in logs.read(folder.log).events if isinstance(e, Launch)]
    assert any(job.first_epoch > 0 for job in jobs)
    files = {path.name for path in folder.trials.rglob("*") if path.is_file()}
    assert files == {"model.keras"}
    assert max(int(row["epochs"]) for row in rows(folder)) == 9


def test_a_winner_that_is_trained_further_is_kept_and_judged_anew(tmp_path: Path) -> None:
    """Its number stays the same: what was saved and measured at the stop is not its model any more."""
    settings = ("search.strategy=hyperband", "training.epochs=9", "search.trials=9")

    def interrupted(job: Any) -> Outcome:
        if job.last_epoch == 9:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    with pytest.raises(SearchInterrupted):
        run(tmp_path, *settings, parts=dataclasses.replace(standins.PARTS, train=interrupted))
    folder = StudyFolder(tmp_path / "out" / "toy")
    before = folder.best.read_text(encoding="utf-8")
    folder = run(tmp_path, *settings)
    winner = rows(folder)[0]
    assert f"model of trial {winner['trial']}" in before
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner['trial']} after 9 epochs"
    looks = read_json(folder.facts)["test"]
    assert [(look["trial"], look["epoch"]) for look in looks] == [(int(winner["trial"]), 9)]


def test_the_best_is_kept_while_a_better_one_may_still_fail(tmp_path: Path) -> None:
    def failing(job: Any) -> Outcome:
        if job.trial > 9 and job.last_epoch == 9:  # those of the second bracket, when they are promoted
            raise ValueError("no")
        return standins.train(job)

    settings = (
        "search.strategy=hyperband", "training.epochs=9", "search.trials=14", "search.seed=13", "search.keep=1",
        "model.units={int: [30, 90]}",
    )  # fmt: skip
    folder = run(tmp_path, *settings, parts=dataclasses.replace(standins.PARTS, train=failing))
    winner = rows(folder)[0]["trial"]
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner} after 9 epochs"


def test_hyperband_deletes_checkpoints_that_nobody_needs_any_more(tmp_path: Path) -> None:
    most = []

    def counted(job: Any) -> Outcome:
        trials = Path(job.folder).parent
        most.append(len(list(trials.glob("*/state.json"))))
        return standins.train(job)

    settings = (
        "search.strategy=hyperband",
        "training.epochs=9",
        "search.trials=40",
        "model.units={int: [30, 90]}",
    )
    folder = run(tmp_path, *settings, parts=dataclasses.replace(standins.PARTS, train=counted))
    begun = [e for e in logs.read(folder.log).events if isinstance(e, Launch) and e.checkpoint]
    assert len({e.trial for e in begun}) > 15
    assert max(most) < 15


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


def test_ctrl_c_in_process(tmp_path: Path) -> None:
    def interrupted(job: Any) -> Outcome:
        if job.trial == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    with pytest.raises(SearchInterrupted, match="everything finished is saved"):
        run(tmp_path, parts=dataclasses.replace(standins.PARTS, train=interrupted))
    folder = StudyFolder(tmp_path / "out" / "toy")
    assert len(rows(folder)) == 2
    assert folder.best.exists()
    assert read_json(folder.facts)["state"] == "stopped"
    run(tmp_path)
    (tmp_path / "other").mkdir()
    assert proposals(folder) == proposals(run(tmp_path / "other"))


PROGRAM = """
import sys
from pathlib import Path
from gru_tune import config
from gru_tune.study import study
from gru_tune.errors import SearchInterrupted
from tests import standins

if __name__ == "__main__":
    folder, workers, *settings = sys.argv[1:]
    loaded = config.load(Path(folder) / "toy.yaml", settings)
    try:
        study.run(loaded, out=Path(folder) / "out", workers=int(workers), parts=standins.PARTS)
    except SearchInterrupted:
        sys.exit(130)
"""


def environment() -> dict[str, str]:
    """As a user's shell has it: without the backend that the tests of training set."""
    kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}


def start(folder: Path, workers: int, *settings: str, seconds: float = 0.0) -> subprocess.Popen[bytes]:
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    config(folder)
    command = [sys.executable, str(folder / "program.py"), str(folder), str(workers), *settings]
    return subprocess.Popen(command, env={**environment(), "STANDIN_SECONDS": str(seconds)})


def wait_for_outcomes(path: Path, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if path.exists() and path.read_bytes().count(b'"outcome"') >= count:
            return
        time.sleep(0.01)
    raise AssertionError("no progress")


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "strategy"), [(1, "random"), (2, "random"), (1, "hyperband")])
def test_kill_9_at_random_moments(tmp_path: Path, workers: int, strategy: str) -> None:
    """No finished trial is lost, none doubled, and one worker proposes the same as without kills."""
    settings = (
        f"search.strategy={strategy}",
        "search.trials=8",
        "training.epochs=9",
        "model.units={int: [24, 80]}",
    )
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    assert start(whole, workers, *settings).wait(120) == 0
    log = broken / "out" / "toy" / "trials.jsonl"
    chance = random.Random(workers)
    seen: dict[tuple[logs.Run, int], Finished] = {}
    for outcomes in (1, 4):
        with start(broken, workers, *settings, seconds=0.05) as process:
            wait_for_outcomes(log, outcomes)
            time.sleep(chance.random() * 0.1)
            process.kill()
        finished = [e for e in logs.read(log).events if isinstance(e, Finished)]
        now = {(e.run, e.outcome.epochs[0].number): e for e in finished}
        assert len(now) == len(finished)
        assert {key: now[key] for key in seen} == seen
        seen = now
    assert start(broken, workers, *settings).wait(120) == 0
    one, other = StudyFolder(whole / "out" / "toy"), StudyFolder(log.parent)
    assert sorted(int(row["trial"]) for row in rows(other)) == list(range(1, 9))
    assert {row["status"] for row in rows(other)} == {"completed"}
    if workers == 1:
        assert proposals(other) == proposals(one)
        columns = ("rank", "trial", "accuracy", "units", "depth", "best_epoch", "epochs", "seed")
        assert [[r[c] for c in columns] for r in rows(other)] == [[r[c] for c in columns] for r in rows(one)]
        assert sorted(other.curves.read_text().splitlines()) == sorted(one.curves.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_by_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, 2, "model.units={int: [24, 80]}", seconds=0.3)
    log = tmp_path / "out" / "toy" / "trials.jsonl"
    wait_for_outcomes(log, 1)
    process.send_signal(number)
    assert process.wait(20) == 130
    assert log.read_text(encoding="utf-8").count('"outcome"') < 6
    if number == signal.SIGTERM:
        return  # going on is the same
    assert start(tmp_path, 2, "model.units={int: [24, 80]}").wait(120) == 0
    assert len(rows(StudyFolder(log.parent))) == 6


@pytest.mark.slow
def test_a_configuration_that_kills_its_worker(tmp_path: Path) -> None:
    folder = run(tmp_path, "model.units={choice: [22, 30]}", "model.depth=1", "search.trials=2", workers=2)
    table = rows(folder)
    assert [row["status"] for row in table] == ["completed", "failed"]
    assert "was killed (signal 9" in table[1]["error"]
    assert "2 attempts" in table[1]["error"]


@pytest.mark.slow
def test_the_memory_of_the_parent_does_not_grow(tmp_path: Path) -> None:
    """A hundred trials of fifty epochs: what stays of a trial is its best and its last epoch."""
    program = PROGRAM.replace("    try:", "    import resource\n    try:").replace(
        "    except", "        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n    except"
    )
    sizes = {}
    for trials in (5, 100):
        folder = tmp_path / str(trials)
        folder.mkdir()
        config(folder)
        (folder / "program.py").write_text(program, encoding="utf-8")
        command = [sys.executable, str(folder / "program.py"), str(folder), "1", f"search.trials={trials}",
                   "training.epochs=50", "model.units={int: [24, 900]}"]  # fmt: skip
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        sizes[trials] = int(done.stdout.split()[-1])
    assert sizes[100] - sizes[5] < 12_000, json.dumps(sizes)  # kB


FINALS = ("winner.finalists=2", "winner.seeds=2")


def seeds(folder: StudyFolder) -> dict[tuple[int, int], int]:
    return {e.run: e.seed for e in logs.read(folder.log).events if isinstance(e, Launch)}


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

    def interrupted(job: Any) -> Outcome:
        if Path(job.folder).name.endswith("-3"):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    (tmp_path / "other").mkdir()
    with pytest.raises(SearchInterrupted):
        run(tmp_path / "other", *FINALS, parts=dataclasses.replace(standins.PARTS, train=interrupted))
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
    done = 0

    def interrupted(job: Any) -> Outcome:
        nonlocal done
        done += 1
        if done % 2 == 0:  # every run of the program gets one job done
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    for _ in range(jobs * 3):
        try:
            run(tmp_path / "other", *settings, parts=dataclasses.replace(standins.PARTS, train=interrupted))
        except SearchInterrupted:
            continue
        break
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
    assert time.monotonic() - start < 3 + 2
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

    def interrupted(job: Any) -> Outcome:
        if job.trial == 8:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    with pytest.raises(SearchInterrupted):
        run(
            tmp_path,
            *FINALS,
            "search.trials=12",
            parts=dataclasses.replace(standins.PARTS, train=interrupted),
        )
    assert (folder.best.read_text(encoding="utf-8"), read_json(folder.facts)["best_repeat"]) == before
