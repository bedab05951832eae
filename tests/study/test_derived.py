"""The tables while a search runs: how far behind they may be, and that a kill leaves none that stays wrong."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import SearchInterrupted
from gru_tune.report import plain, read
from gru_tune.study import derived
from gru_tune.study.derived import LATEST, SHARE, Derived
from gru_tune.study.history import History
from gru_tune.study.log import Finished, Header, Launch, Log
from gru_tune.study.results import StudyFolder, replace_text
from gru_tune.study.table import Table
from gru_tune.trial import Epoch, Objective, Outcome
from tests import standins
from tests.study.studies import rows, run, start, wait_for_outcomes

ACCURACY = Objective("accuracy", "max")
ASKED = {"name": "toy", "objective": dataclasses.asdict(ACCURACY), "hyperparameters": ["units"]}


class Desk:
    """Tables of a study whose trials end when they are told to, by a clock that stands still otherwise."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
        self.now, self.folder, self.history = 0.0, StudyFolder(folder), History(ACCURACY)
        self._log = Log(self.folder.log)
        self._log.append(Header(ASKED, 0.0))

        def slowly(path: Path, text: str, **how: Any) -> None:
            self.now += cost if path == self.folder.table else 0.0
            replace_text(path, text, **how)

        monkeypatch.setattr("gru_tune.study.derived.replace_text", slowly)
        self.derived = Derived(self.folder, Table(ACCURACY, ("units",)), self.history, lambda: self.now)

    def end(self, trial: int) -> None:
        outcome = Outcome(trial, (Epoch(1, {}, {"accuracy": trial / 10}, 0.1),), 5, 0.1, "plain")
        for event in (Launch(trial, 1, {"units": trial}, 1, 0, 1, False, 0.0), Finished(1, outcome, 0.0)):
            self._log.append(event)
            self.history.apply(event)
        self.derived.add(outcome, 1)

    @property
    def shown(self) -> list[int]:
        return [int(row["trial"]) for row in rows(self.folder)]


def test_a_table_that_takes_no_time_is_written_after_every_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, monkeypatch, cost=0.0)
    for trial in (1, 2, 3):
        desk.end(trial)
        assert desk.shown == list(range(trial, 0, -1))


def test_a_table_takes_its_share_of_the_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, monkeypatch, cost=0.1)
    desk.end(1)  # the first one brings the metrics, and with them the columns
    assert desk.shown == [1]
    desk.end(2)
    desk.now += 0.1 / SHARE - 0.01
    desk.derived.refresh()
    assert desk.shown == [1]  # the curves have both
    assert plain.curves_csv(read.study(tmp_path)) == desk.folder.curves.read_text(encoding="utf-8")
    desk.now += 0.02
    desk.derived.refresh()  # though no trial has ended since
    assert desk.shown == [2, 1]
    before = desk.now
    desk.derived.refresh()
    assert desk.now == before  # nothing is new


def test_a_table_is_never_further_behind_than_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, monkeypatch, cost=60.0)
    desk.end(1)
    desk.end(2)
    assert desk.shown == [1]
    desk.now += LATEST
    desk.derived.refresh()
    assert desk.shown == [2, 1]
    desk.end(3)
    desk.derived.refresh(now=True)
    assert desk.shown == [3, 2, 1]


@pytest.fixture
def hesitant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once written, a table is as good as never written again of its own accord."""
    monkeypatch.setattr(derived, "SHARE", 1e-9)
    monkeypatch.setattr(derived, "LATEST", 3600.0)


def test_the_tables_are_whole_at_the_end(tmp_path: Path, hesitant: None) -> None:
    folder = run(tmp_path)
    assert len(rows(folder)) == 6
    assert folder.table.read_text(encoding="utf-8") == plain.csv(read.study(folder.path))


def test_the_tables_are_whole_after_ctrl_c(tmp_path: Path, hesitant: None) -> None:
    behind = []

    def stopped(job: Any) -> Any:
        if job.trial == 4:
            behind.append(len(rows(StudyFolder(tmp_path / "out" / "toy"))))
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    with pytest.raises(SearchInterrupted):
        run(tmp_path, parts=dataclasses.replace(standins.PARTS, train=stopped))
    folder = StudyFolder(tmp_path / "out" / "toy")
    assert behind == [1]  # the first one brought the columns
    assert sorted(int(row["trial"]) for row in rows(folder)) == [1, 2, 3]


@pytest.mark.slow
def test_tables_that_a_kill_left_behind_are_made_anew(tmp_path: Path, hesitant: None) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")
    with start(tmp_path, 1, seconds=0.2) as process:
        wait_for_outcomes(folder.log, 3)
        process.kill()
    done = {run.number for run in read.study(folder.path).runs}
    for path in (folder.table, folder.curves):
        path.write_text("trial\n", encoding="utf-8")
    seen = []

    def looking(job: Any) -> Any:
        seen.append({int(row["trial"]) for row in rows(folder)})
        return standins.train(job)

    run(tmp_path, parts=dataclasses.replace(standins.PARTS, train=looking))
    assert seen[0] == done
    assert len(rows(folder)) == 6
    assert folder.curves.read_text(encoding="utf-8") == plain.curves_csv(read.study(folder.path))
