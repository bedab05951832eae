"""No worker at all: a job runs where it is submitted. For tests and ``--workers 0``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gru_tune.executors.base import Train
from gru_tune.trial import Fault, Job, Outcome


class InProcess:
    """Runs every job at once, in this process; ``submit`` returns when it is done."""

    slots = 1
    blocking = True

    def __init__(self, train: Train) -> None:
        self._train = train

    def warm(self, function: Callable[[], Any]) -> None:
        pass  # its first job does it

    def submit(self, job: Job) -> Future[Outcome]:
        return self.call(self._train, job)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            result = function(*arguments)
        except Exception as error:  # what the job raised is the future's to tell
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
        pass  # nobody can kill it while it runs

    def progress(self) -> list[dict[str, Any]]:
        return []  # nobody can ask while a job runs

    def close(self, kill: bool = False) -> None:
        pass
