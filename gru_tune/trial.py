"""What the rest of the program passes around about trials: all frozen, all plain data.

``Job`` is what travels to a worker, ``Outcome`` what comes back, ``Trial`` what the log
and the table are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import inf, isfinite, nan
from statistics import fmean, stdev
from typing import Literal

from gru_tune.knobs import Settings
from gru_tune.values import Scalar

COSTS = {
    "parameters": "the weights of the model",
    "seconds": "the seconds of training an epoch, compiling left out",
    "latency": "the milliseconds the model takes for one sequence",
}


class Status(str, Enum):
    """How a trial ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"  # ended early, by a stopper or the end of the minutes; it has a score all the same
    FAILED = "failed"


class Fault(str, Enum):
    """What went wrong with a job, as far as it changes what is done about it."""

    ERROR = "error"  # training raised: once more would raise once more
    NUMBER = "number"  # the loss or the objective is no finite number any more
    MEMORY = "memory"  # the kernel, the framework or the limit of a worker ended it for want of memory
    CRASH = "crash"  # its process ended by a signal or by itself
    HUNG = "hung"  # no epoch for far longer than expected; its process was killed
    START = "start"  # its worker could not start
    LOST = "lost"  # the machine it ran on is gone


@dataclass(frozen=True)
class Objective:
    """The validation metric that ranks trials, and which way is better; with two objectives also a cost."""

    name: str
    direction: Literal["max", "min"]
    cost: str | None = None  # one of ``COSTS``, less is better

    def better(self, a: float, b: float) -> bool:
        """Whether score ``a`` beats score ``b``."""
        return a > b if self.direction == "max" else a < b

    def gains(self, scores: Iterable[float | None]) -> list[int]:
        """The places of the scores that beat all before them, from 0; None is no score."""
        places, best = list[int](), None
        for place, score in enumerate(scores):
            if score is not None and (best is None or self.better(score, best)):
                places.append(place)
                best = score
        return places

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most it can be: shares are from 0 to 1, errors from 0 up."""
        least = -inf if self.name == "r2" else 0.0
        return least, 1.0 if self.direction == "max" else inf

    def sort_key(self, score: float) -> float:
        """Ascending order of this is best first."""
        return -score if self.direction == "max" else score


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial: metrics on training and validation data, wall seconds."""

    number: int  # from 1
    train: Mapping[str, float]
    validation: Mapping[str, float]
    seconds: float
    compiling: float = 0.0  # seconds of these that went into compiling


@dataclass(frozen=True)
class Job:
    """One stretch of training: everything a worker needs, picklable and small.

    A trial is usually one job; a search that stops bad trials early (Hyperband) trains
    a trial in several, each going on from the checkpoint the one before has left.
    """

    trial: int
    settings: Settings
    seed: int
    objective: Objective
    metrics: tuple[str, ...]
    data: str  # folder of the prepared arrays
    folder: str  # the trial's own folder, for weights and tracebacks
    first_epoch: int  # epochs already trained; 0 for a new trial
    last_epoch: int  # train until this many epochs are done
    checkpoint: bool = False  # leave optimizer and weights behind to go on from
    best_before: float | None = None  # best score of the epochs before first_epoch
    deadline: float | None = None  # time.time() after which no further epoch starts
    progress: str | None = None  # file that the worker replaces after every epoch
    repeat: int = 1  # which of the trial's seeds it is
    accumulation: int = 1  # parts that every batch is divided into; their gradients make one update


@dataclass(frozen=True)
class Outcome:
    """What a worker reports of a job: the epochs it trained, or why it could not."""

    trial: int
    epochs: tuple[Epoch, ...]
    parameters: int
    seconds: float  # of the whole job, compilation and evaluation included
    fast_path: str  # jax, jax-scan, xla, cudnn, plain
    error: str | None = None
    cut: bool = False  # whether the end of the minutes ended it
    latency: float | None = None  # milliseconds for one sequence, where the objective asks for them
    fault: Fault | None = None  # what kind of error it is


@dataclass(frozen=True)
class Trial:
    """One configuration and all that was seen of it so far.

    Trained with several seeds (``search.repeats``), the epochs are those of the best one,
    and ``scores`` has the score of each.
    """

    number: int
    values: Mapping[str, Scalar]  # the hyperparameters in force, by name
    seed: int
    status: Status
    objective: Objective
    epochs: tuple[Epoch, ...] = ()
    parameters: int | None = None
    seconds: float = 0.0
    fast_path: str = ""
    error: str | None = None
    attempts: int = 1
    compiling: float = 0.0  # of the seconds, those that went into compiling
    scores: tuple[float, ...] = ()  # of every seed, where there are several
    repeat: int = 1  # the seed that the epochs belong to
    epoch_seconds: float | None = None  # of training an epoch, on average, compiling left out
    latency: float | None = None  # milliseconds for one sequence
    accumulation: int = 1  # parts that its batches were divided into, for want of memory

    @cached_property
    def best(self) -> Epoch | None:
        """The epoch with the best objective (the earliest of equals); None for a failed trial."""
        name = self.objective.name
        scored = [e for e in self.epochs if isfinite(e.validation.get(name, nan))]
        if self.status is Status.FAILED or not scored:
            return None
        return min(scored, key=lambda e: self.objective.sort_key(e.validation[name]))

    @cached_property
    def score(self) -> float | None:
        """The objective at the best epoch, the mean over the seeds; None for a failed trial."""
        best = self.best
        if best is None:
            return None
        return fmean(self.scores) if self.scores else best.validation[self.objective.name]

    @property
    def cost(self) -> float | None:
        """What is weighed against the score; None for a failed trial, and with one objective."""
        if self.objective.cost is None or self.score is None:
            return None
        costs = {"parameters": self.parameters, "seconds": self.epoch_seconds, "latency": self.latency}
        return costs[self.objective.cost]

    @property
    def spread(self) -> float | None:
        """The standard deviation of the score over the seeds; None with one seed."""
        return stdev(self.scores) if len(self.scores) > 1 and self.score is not None else None
