"""What a log means: the trials so far, the finals, the jobs in flight, and what the search was told.

The same fold serves a log read from the disk and a search that is running, so that going
on after a kill cannot see anything else than the search saw.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.study import pareto, table
from gru_tune.study.log import Died, Ended, Event, Finished, Launch, Run, Started, Stopped
from gru_tune.trial import Epoch, Fault, Objective, Status, Trial


class Asking:
    """A study by the head of its log, ``asked``."""

    asked: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.asked["name"])

    @property
    def objective(self) -> Objective:
        return Objective(**self.asked["objective"])


@dataclass(frozen=True)
class Told:
    """What the strategy hears of a job: the trial's score so far, None when it failed."""

    trial: int
    score: float | None
    cost: float | None = None  # with two objectives


@dataclass(frozen=True)
class Flight:
    """A job without an outcome: its latest launch, and how the attempts before ended."""

    launch: Launch
    deaths: int = 0  # attempts in which its worker died or hung
    lost: int = 0  # attempts during which the whole program was killed, or the machine of its worker was lost
    starts: int = 0  # attempts in a row, of this run of the program, for which no worker could start
    ended: bool = False  # the latest attempt is known to be over
    died: Died | None = None  # how the latest attempt ended, where its worker died
    spent: float = 0.0  # seconds from launch to death, of all attempts whose worker died


@dataclass
class History:
    """The fold of a study's events; ``apply`` takes the next one.

    The search trains a configuration ``repeats`` times, and what is trained after that belongs to
    the finals. Every repeat has a seed of its own; with ``folds`` they go through these in turn.
    With ``slim``, a trial keeps only its best and its last epoch: a long search then does not fill
    the memory with curves that are on the disk anyway.
    """

    objective: Objective
    slim: bool = False
    repeats: int = 1
    folds: int = 1
    trials: dict[int, Trial] = field(default_factory=dict)  # with an outcome of every repeat
    ranked: list[Trial] = field(default_factory=list)  # the same, best first
    runs: dict[Run, Trial] = field(default_factory=dict)  # every seed for itself
    flights: dict[Run, Flight] = field(default_factory=dict)  # in the order of their launch
    missing: dict[int, dict[int, Launch]] = field(default_factory=dict)  # repeats without outcome, by trial
    asked: dict[int, int] = field(default_factory=dict)  # the last epoch a trial was asked for
    divided: set[int] = field(default_factory=set)  # trials whose batches did not fit into the memory whole
    _lengths: dict[Run, int] = field(default_factory=dict)  # and every run
    _fresh: set[Run] = field(default_factory=set)  # runs of the finals
    _epochs: list[int] = field(default_factory=list)  # of every trial with a score, ascending
    lasting: set[int] = field(default_factory=set)  # trials that may be trained further
    failures_in_a_row: int = 0
    behind: set[int] = field(default_factory=set)  # trials that ended since one was better than all before
    seconds: float = 0.0  # that the program has been at work on this study
    ended: Ended | None = None  # how its search ended, if nothing was searched for since
    _last: float | None = None
    _tops: dict[int, pareto.Point] = field(default_factory=dict)  # trials as good as no other, so far

    @classmethod
    def of(cls, asked: Mapping[str, Any], slim: bool = False) -> History:
        """The empty history of a study, by the head of its log."""
        trainings, folds = repeats(asked)
        return cls(Objective(**asked["objective"]), slim=slim, repeats=trainings, folds=folds)

    @property
    def best(self) -> Trial | None:
        """The best trial so far."""
        return next(iter(table.best(self.ranked, 1)), None)

    @property
    def usual_epochs(self) -> float:
        """The median of the epochs that the trials with a score were trained for; there must be one."""
        middle = len(self._epochs) // 2
        return (self._epochs[middle] + self._epochs[~middle]) / 2

    def apply(self, event: Event) -> None:
        """Take the next event of the log. Raises ``StudyError`` for one that cannot follow."""
        if isinstance(event, Started):
            self._lose()
        elif self._last is not None:
            self.seconds += max(event.time - self._last, 0.0)
        self._last = event.time
        if isinstance(event, Stopped) and event.run not in self.flights:
            return  # the user stopped it a second time, between an outcome's line and all that follows it
        if isinstance(event, Died | Finished) and not self._began(event.run):
            raise StudyError(
                f"the study's record tells the end of a job of trial {event.run[0]} that never began; "
                "`gru-tune repair` keeps what makes sense"
            )
        if isinstance(event, Launch):
            self._launch(event)
        elif isinstance(event, Died):
            self._die(event)
        elif isinstance(event, Stopped):
            self.flights[event.run] = replace(self.flights[event.run], ended=True)
        elif isinstance(event, Finished):
            self._finish(event)
        elif isinstance(event, Ended):
            self.ended = event

    def told(self, trial: int) -> Told | None:
        """What the strategy hears of a trial; None while some of its repeats have no outcome."""
        found = self.trials[trial] if trial not in self.missing else None
        return Told(trial, found.score, found.cost) if found else None

    def finals(self) -> dict[int, list[Trial]]:
        """Of every trial what was trained with the seeds of the finals, as far as it has an outcome."""
        found: dict[int, list[Trial]] = {}
        for run in sorted(run for run in self._fresh if self.settled(run)):
            found.setdefault(run[0], []).append(self.runs[run])
        return found

    def fold(self, repeat: int) -> int:
        """The fold that a repeat trains and validates on, from 1."""
        return fold_of(repeat, self.folds)

    def settled(self, run: Run) -> bool:
        """Whether a run has an outcome, of as many epochs as its trial was last asked for."""
        return run in self._lengths and self._lengths[run] == self.asked[run[0]]

    def _began(self, run: Run) -> bool:
        """Whether a job of a run is known to have begun, and its end is not."""
        trial, repeat = run
        return run in self.flights and (repeat > self.repeats or repeat in self.missing.get(trial, ()))

    def _launch(self, event: Launch) -> None:
        former = self.flights.get(event.run, Flight(event))
        if event.reached > former.launch.reached:  # it gets on, however often it is killed
            former = replace(former, lost=0)
        self.flights[event.run] = replace(former, launch=event, ended=False, died=None)
        if event.repeat > self.repeats:
            return
        self.ended = None
        (self.lasting.add if event.checkpoint else self.lasting.discard)(event.trial)
        if event.proposed:
            self.asked[event.trial] = event.last_epoch
            self.missing[event.trial] = dict.fromkeys(range(1, self.repeats + 1), event)

    def _die(self, event: Died) -> None:
        flight, fault = self.flights[event.run], event.fault
        if fault is Fault.MEMORY:
            self.divided.add(event.trial)
        self.flights[event.run] = replace(
            flight,
            deaths=flight.deaths + (fault in (Fault.CRASH, Fault.HUNG)),
            lost=flight.lost + (fault is Fault.LOST),
            starts=flight.starts + 1 if fault is Fault.START else 0,
            ended=True,
            died=event,
            spent=flight.spent + max(event.time - flight.launch.time, 0.0),
        )

    def _lose(self) -> None:
        """A new start: what is in flight without a word about its end was killed with the program."""
        for run, flight in self.flights.items():
            lost = flight.lost if flight.ended else flight.lost + 1
            self.flights[run] = replace(flight, lost=lost, starts=0, ended=True)

    def _finish(self, event: Finished) -> None:
        launch = self.flights.pop(event.run).launch
        run = merge(self.runs.get(event.run) if launch.first_epoch else None, launch, event, self.objective)
        self.runs[event.run] = slim(run) if self.slim else run
        if (
            event.repeat <= self.repeats or not event.outcome.cut
        ):  # a final that was cut short cannot be compared
            self._lengths[event.run] = launch.last_epoch
        if event.repeat > self.repeats:
            self._fresh.add(event.run)
            return
        missing = self.missing[run.number]
        del missing[event.repeat]
        if missing:
            return
        del self.missing[run.number]
        runs = [self.runs[run.number, repeat] for repeat in range(1, self.repeats + 1)]
        trial = combined(runs, self.folds)
        lost = trial.score is None and trial.number in self._tops  # its score counts no longer
        self._rank(trial)
        self.failures_in_a_row = self.failures_in_a_row + 1 if trial.status is Status.FAILED else 0
        if lost:
            self._tops = {}
            for other in self.trials.values():
                self._gain(other)
        if self._gain(trial):
            self.behind.clear()
        else:
            self.behind.add(trial.number)

    def _rank(self, trial: Trial) -> None:
        """Put a trial in its place: to sort all of them at every outcome would make a long search slow."""
        key = partial(table.place, self.objective)
        if (former := self.trials.get(trial.number)) is not None:
            del self.ranked[bisect_left(self.ranked, key(former), key=key)]
            if former.score is not None:
                self._epochs.remove(former.epochs[-1].number)
        insort(self.ranked, trial, key=key)
        if trial.score is not None:
            insort(self._epochs, trial.epochs[-1].number)
        self.trials[trial.number] = trial

    def _gain(self, trial: Trial) -> bool:
        """Take note of a trial that no other was as good as; returns whether it is one."""
        place = pareto.point(trial)
        if place is None or any(pareto.as_good(top, place) for top in self._tops.values()):
            return False
        self._tops = {n: top for n, top in self._tops.items() if not pareto.as_good(place, top)}
        self._tops[trial.number] = place
        return True


def replay(events: Iterable[Event], history: History) -> Iterator[Launch | Told]:
    """Fold ``events`` into ``history``; yield what the strategy proposed and was told, in order.

    A further attempt at a job is no proposal, and the death of a worker is not told.
    """
    for event in events:
        history.apply(event)
        if isinstance(event, Launch) and event.proposed:
            yield event
        elif isinstance(event, Finished) and event.repeat <= history.repeats:
            told = history.told(event.run[0])
            yield from [told] if told else []


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
        status=Status.FAILED if error else _status(launch, event),
        objective=objective,
        epochs=epochs,
        parameters=outcome.parameters or (former.parameters if former else None),
        seconds=outcome.seconds + (former.seconds if former else 0.0),
        compiling=sum(e.compiling for e in outcome.epochs) + (former.compiling if former else 0.0),
        fast_path=outcome.fast_path or (former.fast_path if former else ""),
        error=error,
        attempts=max(event.attempt, former.attempts if former else 1),
        repeat=event.repeat,
        epoch_seconds=_epoch_seconds(former, outcome.epochs),
        latency=outcome.latency or (former.latency if former else None),
        accumulation=launch.accumulation,
    )


def _epoch_seconds(former: Trial | None, new: tuple[Epoch, ...]) -> float | None:
    """The mean over the epochs of a run, of which a former trial may not have kept every one.

    The first epoch of a job is left out where there are others: what a worker does once, such
    as imports, falls into it.
    """
    known = former.epoch_seconds if former else None
    if not new:
        return known
    before = new[0].number - 1 if known is not None else 0
    if before > 1 and len(new) == 1:
        return known
    mean = fmean(epoch.seconds - epoch.compiling for epoch in new[1:] or new)
    if before == 0 or (before == 1 and len(new) > 1):
        return mean
    return (before * (known or 0.0) + len(new) * mean) / (before + len(new))


def _status(launch: Launch, event: Finished) -> Status:
    """A trial that may be trained further, or that was cut short, has stopped; not one that its patience has ended."""
    epochs = event.outcome.epochs
    waits = launch.checkpoint and bool(epochs) and epochs[-1].number >= launch.last_epoch
    return Status.STOPPED if waits or event.outcome.cut else Status.COMPLETED


def fold_of(repeat: int, folds: int) -> int:
    """The fold of a repeat, from 1."""
    return (repeat - 1) % folds + 1


def of_first_fold(runs: Iterable[Trial], folds: int) -> list[Trial]:
    """The runs whose models go with ``preprocessing.json``, which is fitted on the first fold."""
    return [run for run in runs if fold_of(run.repeat, folds) == 1]


def combined(runs: list[Trial], folds: int = 1) -> Trial:
    """A trial of its repeats: the best on the first fold, with the scores of all; it fails with any of them."""
    failed = [run for run in runs if run.score is None]
    scored = [run for run in runs if run.score is not None]
    first = of_first_fold(scored, folds)
    shown = failed[0] if failed else min(first, key=lambda run: run.objective.sort_key(run.score or 0.0))
    if len(runs) == 1:
        return shown
    return replace(
        shown,
        seconds=sum(run.seconds for run in runs),
        compiling=sum(run.compiling for run in runs),
        attempts=max(run.attempts for run in runs),
        accumulation=max(run.accumulation for run in runs),
        scores=tuple(run.score for run in scored if run.score is not None),
        status=_worst(runs),
        epoch_seconds=_mean(run.epoch_seconds for run in runs),
        latency=_mean(run.latency for run in runs),
        error=f"{named(shown.repeat, folds)}: {shown.error}" if failed else None,
    )


def _worst(runs: Iterable[Trial]) -> Status:
    """How several runs together ended: failed with any that failed, stopped with any that was stopped."""
    found = {run.status for run in runs}
    return next(s for s in (Status.FAILED, Status.STOPPED, Status.COMPLETED) if s in found)


def repeats(asked: Mapping[str, Any]) -> tuple[int, int]:
    """How often a search trains a configuration, and on how many folds, by the head of its log."""
    question = asked.get("question", {})
    split = question.get("data", {}).get("split")
    folds = int(split.get("folds") or 1) if isinstance(split, dict) else 1
    return int(question.get("search", {}).get("repeats", 1)) * folds, folds


def named(repeat: int, folds: int) -> str:
    """``repeat 2``; ``fold 2`` where there are folds."""
    return f"repeat {repeat}" if folds == 1 else f"fold {fold_of(repeat, folds)}"


def slim(trial: Trial) -> Trial:
    """The trial with only its best and its last epoch."""
    if not trial.epochs:
        return trial
    kept = {epoch.number: epoch for epoch in (trial.best, trial.epochs[-1]) if epoch}
    return replace(trial, epochs=tuple(kept.values()))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _no_score(epochs: tuple[Epoch, ...], objective: Objective) -> str | None:
    if not epochs:
        return "no epoch was trained"
    if any(math.isfinite(e.validation.get(objective.name, math.nan)) for e in epochs):
        return None
    return f"the objective ({objective.name} of the validation split) was never a finite number"
