"""A study that faults are injected into: it is started, hurt, started again, and looked at."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.standins import PAUSE
from gru_tune.study import log as logs
from gru_tune.study.log import Finished, Launch, Run
from gru_tune.study.results import StudyFolder

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds after which a study counts as stuck


class Broken(AssertionError):
    """A promise was not kept; the text says which."""


@dataclass
class Subject:
    """A study of stand-ins in ``folder``, run in a process of its own."""

    folder: Path
    settings: tuple[str, ...] = ()
    workers: int = 2
    ray: str | None = None
    pause: float = 0.03  # seconds of an epoch
    heard: Path | None = None  # file for what the program prints; None: one in the folder
    launches: int = 0  # of all runs so far, as counted after each
    _finished: dict[Run, Finished] = field(default_factory=dict)
    _workers: set[int] = field(default_factory=set)

    @property
    def study(self) -> StudyFolder:
        return StudyFolder(self.folder / "study")

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The program at work; whatever is left of it in the end must be gone within seconds."""
        command = [sys.executable, "-m", "benchmarks.faults.standins", str(self.folder)]
        command += ["--workers", str(self.workers), *(["--ray", self.ray] if self.ray else [])]
        with self._heard.open("ab") as said:
            process = subprocess.Popen(
                [*command, *(f"--set={setting}" for setting in self.settings)], cwd=ROOT, env={**os.environ, PAUSE: str(self.pause)},
                stdout=said, stderr=said,
            )  # fmt: skip
        self._workers = set()
        try:
            yield process
            self.refuse_orphans(process)
        finally:
            process.kill()
            process.wait()
            self.look()

    def go_on(self) -> None:
        """Run to the end, undisturbed. Raises ``Broken`` where it does not get there."""
        with self.running() as process:
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                raise Broken("the study does not end") from None
            if code:
                raise Broken(f"the study ended with code {code}: {self.said()[-300:]}")

    def said(self) -> str:
        """All that the program has printed."""
        return self._heard.read_text(encoding="utf-8", errors="replace")

    def events(self) -> tuple[logs.Event, ...]:
        """Of the log as it stands; none before there is one."""
        return logs.read(self.study.log).events if self.study.log.exists() else ()

    def look(self) -> None:
        """Raise ``Broken`` when a trial that had finished is lost, changed or doubled."""
        if not self.study.log.exists():
            return
        events = self.events()
        now: dict[Run, Finished] = {}
        for event in events:
            if isinstance(event, Finished):
                if event.run in now:
                    raise Broken(f"trial {event.run} has finished twice")
                now[event.run] = event
        for run, finished in self._finished.items():
            if now.get(run) != finished:
                raise Broken(f"trial {run} was lost or changed")
        self._finished = now
        self.launches = sum(isinstance(event, Launch) for event in events)

    def table(self) -> dict[int, dict[str, str]]:
        """The rows of trials.csv, by trial."""
        with self.study.table.open(encoding="utf-8", newline="") as file:
            return {int(row["trial"]): row for row in csv.DictReader(file) if row["status"] != "baseline"}

    def wait_for(self, process: subprocess.Popen[bytes], outcomes: int) -> None:
        """Until so many outcomes stand in the log, or the program has ended."""
        self._until(lambda: process.poll() is not None or self._outcomes() >= outcomes)

    def wait_for_workers(self, process: subprocess.Popen[bytes]) -> list[int]:
        """The process ids of the workers, as soon as all are there."""
        self._until(lambda: process.poll() is not None or len(self.children(process)) >= self.workers)
        return self.children(process)

    def children(self, process: subprocess.Popen[bytes]) -> list[int]:
        """The workers of the program that live now."""
        found = [pid for pid in _children(process.pid) if b"resource_tracker" not in _command(pid)]
        self._workers |= set(found)
        return found

    def refuse_orphans(self, process: subprocess.Popen[bytes]) -> None:
        """Once the program has ended, none of its workers may live on."""
        if process.poll() is None:
            self.children(process)
            return
        end = time.monotonic() + 10
        while left := [pid for pid in self._workers if _alive(pid)]:
            if time.monotonic() > end:
                raise Broken(f"{len(left)} workers live on")
            time.sleep(0.05)

    def kill(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the program, and wait for its end; the code it ended with."""
        self.children(process)
        process.send_signal(number)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            raise Broken(f"it did not end within 20 s of {number.name}") from None

    @property
    def _heard(self) -> Path:
        return self.heard or self.folder / "said"

    def _outcomes(self) -> int:
        try:
            return self.study.log.read_bytes().count(b'"event":"outcome"')
        except OSError:
            return 0

    def _until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                raise Broken("the study does not get on")
            time.sleep(0.005)


def _children(process: int) -> list[int]:
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(pid) for pid in listed.split()]


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _alive(process: int) -> bool:
    """Whether a process lives; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
