"""What happens to a study, in the words of its log: each event is one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gru_tune.space import Values
from gru_tune.trial import Fault, Outcome

Run = tuple[int, int]  # a trial and its repeat: the search's own first, fresh seeds after them


class _OfRun:
    """What happened to one run."""

    trial: int
    repeat: int

    @property
    def run(self) -> Run:
        return self.trial, self.repeat


@dataclass(frozen=True)
class Header:
    """What a study asks; the first line of its log."""

    facts: Mapping[str, Any]
    time: float


@dataclass(frozen=True)
class Started:
    """The program began (or went on) with the study."""

    workers: int
    time: float


@dataclass(frozen=True)
class Launch(_OfRun):
    """A job is about to start; ``attempt`` counts from 1 for each job of a run.

    ``repeat`` counts the seeds a configuration is trained with: from 1 in the search, and
    after that those of the finals.
    """

    trial: int
    attempt: int
    values: Values
    seed: int
    first_epoch: int
    last_epoch: int
    checkpoint: bool
    time: float
    repeat: int = 1
    accumulation: int = 1  # parts that every batch is divided into, after want of memory
    reached: int = 0  # the epoch that an attempt before has saved: this one goes on after it

    @property
    def proposed(self) -> bool:
        """Whether the strategy asked for it, and not the tool: neither another attempt nor another seed."""
        return self.attempt == 1 and self.repeat == 1


@dataclass(frozen=True)
class Finished:
    """A job ended, well or with an error."""

    attempt: int
    outcome: Outcome
    time: float
    repeat: int = 1

    @property
    def run(self) -> Run:
        return self.outcome.trial, self.repeat


@dataclass(frozen=True)
class Died(_OfRun):
    """The worker of a job died; the job is tried again if attempts are left."""

    trial: int
    attempt: int
    reason: str
    time: float
    repeat: int = 1
    fault: Fault = Fault.CRASH


@dataclass(frozen=True)
class Stopped(_OfRun):
    """The user stopped the search while this job ran; it is not held against the trial."""

    trial: int
    attempt: int
    time: float
    repeat: int = 1


@dataclass(frozen=True)
class Ended:
    """The search and all that follows it are over; ``minutes`` are those given, where their end ended it."""

    reason: str
    minutes: float | None
    time: float


Event = Header | Started | Launch | Finished | Died | Stopped | Ended
