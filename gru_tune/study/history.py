"""What a log means: the trials so far, the jobs in flight, and what the search was told.

The same fold serves a log read from the disk and a search that is running, so that going
on after a kill cannot see anything else than the search saw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gru_tune.errors import StudyError
from gru_tune.study.log import Died, Event, Finished, Launch, Started, Stopped
from gru_tune.trial import Epoch, Objective, Status, Trial


@dataclass(frozen=True)
class Told:
    """What the strategy hears of a job: the trial's score so far, None when it failed."""

    trial: int
    score: float | None


@dataclass(frozen=True)
class Flight:
    """A job without an outcome: its latest launch, and how the attempts before ended."""

    launch: Launch
    deaths: int = 0  # attempts in which its worker died
    lost: int = 0  # attempts during which the whole program was killed
    ended: bool = False  # the latest attempt is known to be over


@dataclass
class History:
    """The fold of a study's events; ``apply`` takes the next one.

    With ``slim``, a trial keeps only its best and its last epoch: a long search then does
    not fill the memory with curves that are on the disk anyway.
    """

    objective: Objective
    slim: bool = False
    trials: dict[int, Trial] = field(default_factory=dict)  # those with an outcome
    flights: dict[int, Flight] = field(default_factory=dict)  # in the order of their launch
    lasting: set[int] = field(default_factory=set)  # trials that may be trained further
    failures_in_a_row: int = 0
    seconds: float = 0.0  # that the program has been at work on this study
    _last: float | None = None

    def apply(self, event: Event) -> None:
        """Take the next event of the log. Raises ``StudyError`` for one that cannot follow."""
        if isinstance(event, Started):
            self._lose()
        elif self._last is not None:
            self.seconds += max(event.time - self._last, 0.0)
        self._last = event.time
        if isinstance(event, Stopped) and event.trial not in self.flights:
            return  # the user stopped it a second time, between an outcome's line and all that follows it
        if isinstance(event, Died | Finished) and event.trial not in self.flights:
            raise StudyError(
                f"the study's record tells the end of a job of trial {event.trial} that never began"
            )
        if isinstance(event, Launch):
            former = self.flights.get(event.trial, Flight(event))
            self.flights[event.trial] = replace(former, launch=event, ended=False)
            (self.lasting.add if event.checkpoint else self.lasting.discard)(event.trial)
        elif isinstance(event, Died):
            flight = self.flights[event.trial]
            self.flights[event.trial] = replace(flight, deaths=flight.deaths + 1, ended=True)
        elif isinstance(event, Stopped):
            self.flights[event.trial] = replace(self.flights[event.trial], ended=True)
        elif isinstance(event, Finished):
            self._finish(event)

    def told(self, trial: int) -> Told:
        """What the strategy hears of a trial that has an outcome."""
        return Told(trial, self.trials[trial].score)

    def _lose(self) -> None:
        """A new start: what is in flight without a word about its end was killed with the program."""
        for trial, flight in self.flights.items():
            if not flight.ended:
                self.flights[trial] = replace(flight, lost=flight.lost + 1, ended=True)

    def _finish(self, event: Finished) -> None:
        launch = self.flights.pop(event.trial).launch
        trial = merge(self.trials.get(event.trial), launch, event, self.objective)
        self.trials[trial.number] = slim(trial) if self.slim else trial
        self.failures_in_a_row = self.failures_in_a_row + 1 if trial.status is Status.FAILED else 0


def replay(events: Iterable[Event], history: History) -> Iterator[Launch | Told]:
    """Fold ``events`` into ``history``; yield what the strategy proposed and was told, in order.

    A further attempt at a job is no proposal, and the death of a worker is not told.
    """
    for event in events:
        history.apply(event)
        if isinstance(event, Launch) and event.attempt == 1:
            yield event
        elif isinstance(event, Finished):
            yield history.told(event.trial)


def merge(former: Trial | None, launch: Launch, event: Finished, objective: Objective) -> Trial:
    """A trial after one more of its jobs; it fails with the job, whatever it had reached before."""
    outcome = event.outcome
    # A job whose checkpoint was gone has begun at the first epoch again.
    start = outcome.epochs[0].number if outcome.epochs else launch.first_epoch + 1
    known = tuple(e for e in former.epochs if e.number < start) if former else ()
    epochs = known + outcome.epochs
    error = outcome.error or _no_score(epochs, objective)
    return Trial(
        number=outcome.trial,
        values=launch.values,
        seed=launch.seed,
        status=Status.FAILED if error else Status.COMPLETED,
        objective=objective,
        epochs=epochs,
        parameters=outcome.parameters or (former.parameters if former else None),
        seconds=outcome.seconds + (former.seconds if former else 0.0),
        compiling=sum(e.compiling for e in outcome.epochs) + (former.compiling if former else 0.0),
        fast_path=outcome.fast_path or (former.fast_path if former else ""),
        error=error,
        attempts=max(event.attempt, former.attempts if former else 1),
    )


def slim(trial: Trial) -> Trial:
    """The trial with only its best and its last epoch."""
    if not trial.epochs:
        return trial
    kept = {epoch.number: epoch for epoch in (trial.best, trial.epochs[-1]) if epoch}
    return replace(trial, epochs=tuple(kept.values()))


def _no_score(epochs: tuple[Epoch, ...], objective: Objective) -> str | None:
    if not epochs:
        return "no epoch was trained"
    if any(math.isfinite(e.validation.get(objective.name, math.nan)) for e in epochs):
        return None
    return f"the objective ({objective.name} of the validation split) was never a finite number"
