"""No worker at all: a job runs where it is submitted. For tests and ``--workers 0``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gru_tune.executors.base import Train, read_progress
from gru_tune.trial import Job, Outcome


class InProcess:
    """Runs every job at once, in this process; ``submit`` returns when it is done."""

    slots = 1
    blocking = True

    def __init__(self, train: Train) -> None:
        self._train = train
        self._running: list[Job] = []

    def warm(self, function: Callable[[], Any]) -> None:
        pass  # its first job does it

    def submit(self, job: Job) -> Future[Outcome]:
        self._running = [job]
        try:
            return self.call(self._train, job)
        finally:
            self._running = []

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            result = function(*arguments)
        except Exception as error:  # what the job raised is the future's to tell
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def progress(self) -> list[dict[str, Any]]:
        return read_progress(self._running)

    def close(self, kill: bool = False) -> None:
        pass
