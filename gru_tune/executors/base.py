"""What every place where jobs run has in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from gru_tune.study.log import Launch
from gru_tune.trial import Fault, Job, Outcome

Train = Callable[[Job], Outcome]
Configure = Callable[[int], None]  # told how many threads the worker may use


class WorkerDied(Exception):
    """The process of a job is gone; the text says why, as far as can be known."""

    def __init__(self, reason: str, fault: Fault = Fault.CRASH) -> None:
        super().__init__(reason)
        self.fault = fault


class Executor(Protocol):
    """A place with ``slots`` jobs side by side; one future a job.

    A future fails with ``WorkerDied`` when the job's process died, and with the job's own
    exception when it raised one. Never more than ``slots`` calls may be in flight.
    """

    @property
    def slots(self) -> int: ...

    @property
    def blocking(self) -> bool:
        """Whether ``submit`` returns only when the job is done."""
        ...

    def warm(self, function: Callable[[], Any]) -> None:
        """Start whatever runs jobs now, with a call of ``function`` there; nobody waits for it."""
        ...

    def submit(self, job: Job) -> Future[Outcome]:
        """Train a job."""
        ...

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run any picklable function there."""
        ...

    def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
        """Kill the process of a job; its future fails with ``WorkerDied(reason, fault)``. None is killed where jobs block."""
        ...

    def progress(self) -> list[dict[str, Any]]:
        """What the running jobs wrote into their progress files, by trial."""
        ...

    def close(self, kill: bool = False) -> None:
        """Wait for what runs and end; with ``kill``, end it at once."""
        ...


def read_progress(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """The progress files of some jobs; a job that has written none yet is named all the same."""
    ordered = sorted(jobs, key=lambda job: (job.trial, job.repeat))
    return [report(job, Path(job.progress or "")) for job in ordered]


def report(job: Job | Launch, file: Path) -> dict[str, Any]:
    """How far a job is, by its progress file."""
    found = begun(job)
    with suppress(OSError, ValueError):  # not there yet
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found


def begun(job: Job | Launch) -> dict[str, Any]:
    """What is known of a job before its worker has written a progress file."""
    first, last = job.first_epoch, job.last_epoch
    return {"trial": job.trial, "repeat": job.repeat, "epoch": first, "last_epoch": last}
