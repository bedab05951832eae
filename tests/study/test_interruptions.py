"""A study that is stopped, killed or run twice, and the checkpoints of searches that go on with their trials."""

from __future__ import annotations

import dataclasses
import gc
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import SearchInterrupted
from gru_tune.learning.checkpoints import RUNNING, STATES, reached
from gru_tune.study import log as logs
from gru_tune.study.faults import LOST
from gru_tune.study.history import History
from gru_tune.study.log import Finished, Launch, Started
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Objective, Outcome
from tests import standins
from tests.study.studies import (
    PROGRAM,
    config,
    environment,
    proposals,
    rows,
    run,
    start,
    stopped_at,
    wait_for_outcomes,
)  # fmt: skip


def test_hyperband_goes_on_from_checkpoints_and_cleans_up(tmp_path: Path) -> None:
    settings = ("search.strategy=hyperband", "training.epochs=9", "search.trials=9")
    folder = run(tmp_path, *settings)
    jobs = [e for e in logs.read(folder.log).events if isinstance(e, Launch)]
    assert any(job.first_epoch > 0 for job in jobs)
    files = {path.name for path in folder.trials.rglob("*") if path.is_file()}
    assert files == {"model.keras"}
    assert max(int(row["epochs"]) for row in rows(folder)) == 9


def test_a_run_killed_while_it_judged_the_winner_is_ended_by_the_next(tmp_path: Path) -> None:
    folder = run(tmp_path)
    lines = folder.log.read_text(encoding="utf-8").splitlines(keepends=True)
    assert json.loads(lines[-1])["event"] == "end"
    folder.log.write_text("".join(lines[:-1]), encoding="utf-8")
    run(tmp_path)
    again = folder.log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in again[len(lines) - 1 :]] == ["run", "end"]
    run(tmp_path)
    assert len(folder.log.read_text(encoding="utf-8").splitlines()) == len(again)


def test_a_winner_that_is_trained_further_is_kept_and_judged_anew(tmp_path: Path) -> None:
    """Its number stays the same: what was saved and measured at the stop is not its model any more."""
    settings = ("search.strategy=hyperband", "training.epochs=9", "search.trials=9")

    stop = stopped_at(lambda job: job.last_epoch == 9)

    with pytest.raises(SearchInterrupted):
        run(tmp_path, *settings, parts=stop)
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
        most.append(len(list(trials.glob(f"*/{STATES}"))))
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


def test_ctrl_c_in_process(tmp_path: Path) -> None:
    stop = stopped_at(lambda job: job.trial == 3)

    with pytest.raises(SearchInterrupted, match="everything finished is saved"):
        run(tmp_path, parts=stop)
    folder = StudyFolder(tmp_path / "out" / "toy")
    assert len(rows(folder)) == 2
    assert folder.best.exists()
    assert read_json(folder.facts)["state"] == "stopped"
    run(tmp_path)
    (tmp_path / "other").mkdir()
    assert proposals(folder) == proposals(run(tmp_path / "other"))


def test_ctrl_c_before_the_first_trial_has_saved_nothing(tmp_path: Path) -> None:
    with pytest.raises(SearchInterrupted) as caught:
        run(tmp_path, parts=stopped_at(lambda job: job.trial == 1))
    assert str(caught.value) == "stopped before the first trial was done; nothing to save yet"


def test_a_search_that_goes_on_does_not_hold_the_record_that_it_read(tmp_path: Path) -> None:
    with pytest.raises(SearchInterrupted):
        run(tmp_path, parts=stopped_at(lambda job: job.trial == 4))
    held = []

    def counted(job: Any) -> Outcome:
        gc.collect()
        held.append(sum(type(one) is Finished for one in gc.get_objects()))  # some proxies have no class
        return standins.train(job)

    run(tmp_path, parts=dataclasses.replace(standins.PARTS, train=counted))
    assert held == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "strategy"), [(1, "random"), (2, "random"), (1, "hyperband"), (1, "asha"), (2, "median")]
)
def test_kill_9_at_random_moments(tmp_path: Path, workers: int, strategy: str) -> None:
    """No finished trial is lost, none doubled, and one worker proposes the same as without kills."""
    stops = {"asha": "stopper", "median": "stopper"}.get(strategy, "strategy")
    settings = (
        f"search.{stops}={strategy}",
        "search.trials=8",
        "training.epochs=9",
        "model.units={int: [24, 80]}",
    )
    broken = tmp_path / "broken"
    broken.mkdir()
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
    other = StudyFolder(log.parent)
    assert sorted(int(row["trial"]) for row in rows(other)) == list(range(1, 9))
    assert {row["status"] for row in rows(other)} <= {"completed", "stopped"}
    if workers == 1:
        one = run(tmp_path, *settings)
        assert proposals(other) == proposals(one)
        columns = ("rank", "trial", "accuracy", "units", "depth", "best_epoch", "epochs", "seed")
        assert [[r[c] for c in columns] for r in rows(other)] == [[r[c] for c in columns] for r in rows(one)]
        assert sorted(other.curves.read_text().splitlines()) == sorted(one.curves.read_text().splitlines())


@pytest.mark.slow
def test_a_trial_that_gets_on_is_never_given_up(tmp_path: Path) -> None:
    """Killed more often than a trial is tried, but every time an epoch further: a machine that is taken away."""
    config(tmp_path)
    own = PROGRAM.replace("parts=standins.PARTS", "parts=PATIENT").replace(
        'if __name__', 'PATIENT = replace(standins.PARTS, train=standins.patient)\n\nif __name__'
    )  # fmt: skip
    (tmp_path / "program.py").write_text("from dataclasses import replace\n" + own, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path), "1", "search.trials=1",
               "training.epochs=9", "model.units=30"]  # fmt: skip
    folder = StudyFolder(tmp_path / "out" / "toy")
    seconds = {**environment(), "STANDIN_SECONDS": "0.3"}
    for kill in range(1, LOST + 3):
        with subprocess.Popen(command, env=seconds) as process:
            end = time.monotonic() + 60
            while reached(folder.trial(1) / RUNNING) < kill:
                assert time.monotonic() < end, "no progress"
                time.sleep(0.01)
            process.kill()
    subprocess.run(command, env={**environment(), "STANDIN_SECONDS": "0"}, check=True, timeout=120)
    launches = [e for e in logs.read(folder.log).events if isinstance(e, Launch)]
    assert len(launches) == LOST + 3
    assert [e.reached for e in launches] == sorted({e.reached for e in launches})
    assert [row["status"] for row in rows(folder)] == ["completed"]


def test_kills_count_from_the_last_progress_on() -> None:
    objective = Objective("accuracy", "max")
    first = Launch(1, 1, {}, seed=1, first_epoch=0, last_epoch=9, checkpoint=False, time=0.0)
    history = History(objective)
    counted = []
    for attempt, saved in enumerate([0, 0, 3, 3, 3, 5], start=1):
        history.apply(dataclasses.replace(first, attempt=attempt, reached=saved))
        history.apply(Started(1, 0.0))
        counted.append(history.flights[1, 1].lost)
    assert counted == [1, 2, 1, 2, 3, 1]


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
