"""What a search tells whoever looks on; the displays of ``progress`` are made from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_tune.study.log import Died, Launch, Run
from gru_tune.trial import Objective, Trial


@dataclass(frozen=True)
class Plan:
    """What is known when the search begins (or goes on)."""

    name: str
    folder: Path
    objective: Objective
    total: int | None  # trials at most; None: as many as the time allows
    done: Mapping[int, float]  # trials that have an outcome already, and the seconds each has taken
    failed: Collection[int]  # those of them that failed
    slots: int
    deadline: float | None  # time.time() at which the minutes are over
    best: Trial | None
    folds: int = 1
    repeats: int = 1  # trainings of every trial
    finals: int = 0  # trainings that follow the search
    forecast: float | None = None  # seconds that all of it was expected to take, before its first trial


class Watcher:
    """Looks on and says nothing; the base of all displays."""

    def say(self, text: str) -> None:
        """A sentence for the user."""

    def begin(self, plan: Plan) -> None:
        """The search starts."""

    def launched(self, launch: Launch) -> None:
        """A job starts."""

    def finished(self, trial: Trial, best: Trial | None) -> None:
        """A job of ``trial`` ended; ``best`` is the best trial so far."""

    def finals(self, due: Sequence[Run]) -> None:
        """The search is over; these runs, a trial and a seed each, confirm the best of it."""

    def confirmed(self, run: Trial) -> None:
        """A run of the finals ended."""

    def died(self, launch: Launch, died: Died) -> None:
        """An attempt at a job came to nothing; the job will be tried again."""

    def tick(self, running: Sequence[dict[str, Any]]) -> None:
        """Some time has passed; ``running`` are the progress files of the running jobs."""

    def end(self) -> None:
        """The search is over, or stopped."""
