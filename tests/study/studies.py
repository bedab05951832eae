"""Studies of tiny data with stand-ins for training: how the tests run, stop and read them."""

from __future__ import annotations

import csv
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gru_tune import config as configs
from gru_tune.errors import SearchInterrupted
from gru_tune.study import log as logs
from gru_tune.study import study
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder
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


def stopped_at(when: Callable[[Any], bool]) -> study.Parts:
    """Parts in which the user presses Ctrl-C as soon as such a job begins."""

    def train(job: Any) -> Outcome:
        if when(job):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return standins.train(job)

    return dataclasses.replace(standins.PARTS, train=train)


def in_pieces(once: Callable[[], object], most: int) -> None:
    """Run a study again and again, as long as it is stopped: ``most`` times."""
    for _ in range(most):
        try:
            once()
        except SearchInterrupted:
            continue
        break


FINALS = ("winner.finalists=2", "winner.seeds=2")


def seeds(folder: StudyFolder) -> dict[tuple[int, int], int]:
    return {e.run: e.seed for e in logs.read(folder.log).events if isinstance(e, Launch)}


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
