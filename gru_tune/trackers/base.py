"""What a tracker is: it tells another tool (TensorBoard, MLflow, Optuna) of a study."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite
from typing import Any, ClassVar

from gru_tune.report.read import Study
from gru_tune.study.history import Asking
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder, run_name
from gru_tune.trial import Epoch, Outcome, Trial


class Stale(Exception):
    """What the tool has of the study is finished there, and has gone on here: it must be told anew."""


@dataclass(frozen=True)
class Begun(Asking):
    """A study by the head of its log; ``began`` (Unix time) tells it from another one of the same name."""

    folder: StudyFolder
    asked: Mapping[str, Any]
    began: float

    @property
    def mark(self) -> str:
        """``began`` as text, noted in the tool to know the study again."""
        return f"{self.began:.6f}"

    @property
    def second_name(self) -> str:
        """Where ``name`` is taken by another study: the name with the time (UTC) of the beginning."""
        return f"{self.name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self.began))}"


@dataclass(frozen=True)
class Stretch:
    """A job that ended: the epochs it has trained, of a run that is as far as ``run``."""

    launch: Launch
    outcome: Outcome
    run: Trial  # with its best and its last epoch
    number: int  # of the run's jobs, from 1
    time: float  # Unix time of its end

    @property
    def label(self) -> str:
        """As its folder below ``trials`` is called."""
        return run_name(*self.launch.run)

    @property
    def epochs(self) -> list[tuple[Epoch, float]]:
        """The epochs and the Unix times of their ends, of which the log knows the lengths."""
        epochs = self.outcome.epochs
        ends = accumulate((e.seconds for e in epochs), initial=self.time - sum(e.seconds for e in epochs))
        return list(zip(epochs, list(ends)[1:], strict=True))


def curves(epoch: Epoch) -> dict[str, float]:
    """``train/loss``, ``validation/loss`` …: all that is finite."""
    parts = {"train": epoch.train, "validation": epoch.validation}
    found = {f"{part}/{name}": value for part, metrics in parts.items() for name, value in metrics.items()}
    return {name: value for name, value in found.items() if isfinite(value)}


def reached(trial: Trial) -> dict[str, float]:
    """What a trial came to: ``best/accuracy``, its spread over the seeds, seconds, parameters."""
    found = {
        f"best/{trial.objective.name}": trial.score,
        "best/spread": trial.spread,
        "trial/seconds": trial.seconds,
        "trial/parameters": trial.parameters,
        "trial/latency": trial.latency,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


class Tracker:
    """Tells one tool of one study; the base of all trackers says nothing.

    All methods are called in one thread, in the order of the log. A study that goes on is told
    again from its first line: a tracker leaves out what the tool has already. Whatever a method
    raises ends the tracking, never the study.
    """

    title: ClassVar[str]

    @property
    def opens(self) -> str:
        """The command that shows what is written."""
        raise NotImplementedError

    def begin(self, study: Begun) -> None:
        """The first call; here the tool's packages are imported."""

    def launched(self, launch: Launch) -> None:
        """A job of a trial is about to start."""

    def ended(self, stretch: Stretch) -> None:
        """A job ended, well or with an error. May raise ``Stale``."""

    def settled(self, trial: Trial, jobs: int, time: float) -> None:
        """A trial is trained no further; its first run had so many jobs, and the last one ended then."""

    def flush(self) -> None:
        """All that is known so far was told."""

    def over(self, study: Study) -> None:
        """The search is over, and its winner judged."""

    def forget(self) -> None:
        """Delete what the tool has of this study; raised ``Stale`` asks for it."""

    def close(self) -> None:
        """The last call, after an error as well."""
