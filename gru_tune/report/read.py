"""Studies as the reports see them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gru_tune import bounds
from gru_tune.errors import StudyError
from gru_tune.study import facts as facts_of
from gru_tune.study import log, pareto
from gru_tune.study.history import Asking, History
from gru_tune.study.history import repeats as counted
from gru_tune.study.log import Finished, Header
from gru_tune.study.results import StudyFolder, read_json, test_result
from gru_tune.study.table import Table, failed, rank
from gru_tune.trial import Status, Trial
from gru_tune.wording import suggest

DEEPEST = 4  # folders below the given one that are searched for studies


@dataclass(frozen=True)
class Step:
    """A training of the search that ended."""

    seconds: float  # that the program had been at work by then
    trial: int
    epochs: int
    score: float | None  # of its trial by then; None without one (yet)


@dataclass(frozen=True)
class Study(Asking):
    """One study, read whole: ``asked`` is the head of its log, ``facts`` its ``study.json``."""

    folder: StudyFolder
    asked: Mapping[str, Any]
    facts: Mapping[str, Any]
    ranked: tuple[
        Trial, ...
    ]  # the winner, the other finalists by what fresh seeds reach, the others by their score
    runs: tuple[Trial, ...]  # every training for itself, by trial and repeat
    course: tuple[Step, ...]  # how the search went, in the order of time; without the finals
    running: tuple[int, ...]  # trials whose outcome is not known, and may yet be
    finals_due: bool  # whether some of the finals have begun and not ended
    seconds: float
    updated: float  # Unix time of the last event
    notes: tuple[str, ...]
    lost: bool = False  # whether the search came to its end, and outcomes of it are missing all the same
    doubt: str = ""  # what is to be known of a study.json that is lost; "" for a whole one

    @property
    def folds(self) -> int:
        """How many folds a score is the mean over; 1 without cross-validation."""
        return counted(self.asked)[1]

    @property
    def table(self) -> Table:
        return Table(
            self.objective,
            tuple(self.asked["hyperparameters"]),
            self.finalists,
            pareto.members(self.ranked, self.objective),
        )

    @cached_property
    def front(self) -> tuple[Trial, ...]:
        """With two objectives the Pareto set, cheapest first."""
        return tuple(pareto.front(self.ranked)) if self.objective.cost else ()

    @property
    def within(self) -> float:
        """With two objectives, the share of the best score that the winner may be away from it."""
        return _within(self.facts)

    @property
    def winner(self) -> Trial | None:
        """The trial that won the finals; without any, the one that leads the search."""
        return self.ranked[0] if self.ranked and self.ranked[0].score is not None else None

    @cached_property
    def kept(self) -> Trial | None:
        """The run of the winner whose weights are handed over."""
        if self.winner is None:
            return None
        repeat = self.facts["finals"]["repeat"] if self.finalists else self.winner.repeat
        found = (run for run in self.runs if (run.number, run.repeat) == (self.winner.number, repeat))
        return next(found, None)

    @cached_property
    def finalists(self) -> dict[int, Mapping[str, Any]]:
        """What the finals said of every trial that was in them, the winner first; {} before they are over."""
        return _finalists(self.facts)

    @property
    def validated(self) -> Mapping[str, Any] | None:
        """How the winner stands against the baselines on the validation split, once it is known."""
        return self.facts.get("validation") if self._handed_over else None

    @property
    def retrained(self) -> Mapping[str, Any] | None:
        """How the winner was trained once more on training and validation, where it was."""
        return self.facts.get("retrained") if self._handed_over else None

    @property
    def _handed_over(self) -> bool:
        """Whether ``best.keras`` is the winner's; while a study goes on it may be that of an earlier one."""
        kept, facts = self.kept, self.facts
        return kept is not None and (facts.get("best"), facts.get("best_repeat", 1)) == (
            kept.number,
            kept.repeat,
        )

    @property
    def finished(self) -> bool:
        """Whether the search and all that follows it are over."""
        return self.facts.get("state") == "finished" and not self.lost

    @property
    def unfinished(self) -> bool:
        """Whether a run has begun and not come to its end, or that is lost; False where nothing is known of it."""
        return self.facts.get("state") in ("running", "stopped") or self.lost or bool(self.doubt)

    @property
    def finals_done(self) -> int:
        """How many trainings of the finals have ended."""
        repeats = counted(self.asked)[0]
        return sum(run.repeat > repeats for run in self.runs)

    @property
    def failed(self) -> int:
        return failed(self.ranked)

    @property
    def stopped(self) -> int:
        return sum(trial.status is Status.STOPPED for trial in self.ranked)

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The hyperparameters that differ between the trials (all of them with one trial)."""
        names = self.table.hyperparameters
        if len(self.ranked) < 2:
            return names
        first = self.ranked[0].values
        missing = object()
        return tuple(
            name
            for name in names
            if any(t.values.get(name, missing) != first.get(name, missing) for t in self.ranked)
        )

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """The metrics of every baseline on a split, by the baseline's name; {} when not known (yet)."""
        found: dict[str, dict[str, float]] = (self.facts.get("baselines") or {}).get(split) or {}
        return found

    def best_baseline(self, split: str) -> tuple[str, float] | None:
        """The baseline with the best objective on a split, and its score."""
        name = self.objective.name
        scores = [(b, m[name]) for b, m in self.baselines(split).items() if m.get(name) is not None]
        return min(scores, key=lambda pair: self.objective.sort_key(pair[1]), default=None)

    @property
    def test(self) -> Mapping[str, Any] | None:
        """The result of the winner on the locked test split, once it is known."""
        return test_result(self.facts, self.kept) if self.kept else None


def study(path: Path) -> Study:
    """Read one study. Raises ``StudyError`` when there is none or it is damaged."""
    folder = StudyFolder(path)
    with _collecting_later():
        try:
            return _study(folder)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            raise StudyError(
                f"{path}: its record or its study.json holds what no study writes ({type(error).__name__}: {error}); "
                "take them from a backup, or start the study anew with --fresh"
            ) from error


@contextmanager
def _collecting_later() -> Iterator[None]:
    """A long log becomes millions of objects that all stay: looking for garbage among them takes as long as reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _study(folder: StudyFolder) -> Study:
    bounds.regular(folder.log)
    record = log.read_sound(folder.log)
    if not record.events:
        raise StudyError(f"{folder.path}: this study was stopped before it began; run it again")
    header = record.events[0]
    assert isinstance(header, Header)  # log.read has seen to it
    try:
        history = History.of(header.facts)
        list(header.facts["hyperparameters"]), header.facts["name"]
    except (KeyError, TypeError):
        raise StudyError(f"{folder.log}:1: this line does not say what the study asks") from None
    course = []
    for event in record.events:
        history.apply(event)
        if isinstance(event, Finished) and event.repeat <= history.repeats:
            course.append(_step(event, history))
    facts = read_json(folder.facts)
    ranked = rank(history.trials.values(), history.objective)
    leader = pareto.leader(ranked, history.objective, _within(facts))
    first = list(_finalists(facts)) or ([leader.number] if leader else [])
    # At the end a trial may have been cut off on its way up: its row is the outcome it has.
    running = tuple(sorted(n for n in history.missing if not (history.ended and n in history.trials)))
    finals_due = any(repeat > history.repeats for _, repeat in history.flights)
    # The end of the minutes leaves some of both behind; any other end has waited for them.
    complete = history.ended is not None and history.ended.minutes is None
    places = {number: place for place, number in enumerate(first)}
    return Study(
        folder=folder,
        asked=header.facts,
        facts=facts,
        ranked=tuple(sorted(ranked, key=lambda trial: places.get(trial.number, len(places)))),
        runs=tuple(run for _, run in sorted(history.runs.items())),
        course=tuple(course),
        running=running,
        lost=complete and (bool(running) or finals_due),
        finals_due=finals_due,
        seconds=history.seconds,
        updated=record.events[-1].time,
        doubt=facts_of.doubt(folder, record.over),
        notes=record.notes,
    )


def _step(event: Finished, history: History) -> Step:
    told = history.told(event.run[0])
    return Step(history.seconds, event.run[0], len(event.outcome.epochs), told.score if told else None)


def _within(facts: Mapping[str, Any]) -> float:
    return float(facts.get("within") or 0.0)


def _finalists(facts: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    found = facts.get("finals") if facts.get("state") == "finished" else None
    if not found:
        return {}
    named = {one["trial"]: one for one in found["finalists"]}
    return {found["winner"]: named[found["winner"]], **named}


def find(path: Path) -> list[Path]:
    """The folders of all studies at or below ``path``. Raises ``StudyError`` when there is none."""
    if not path.exists():
        raise StudyError(f"{path}: there is no such folder{_near(path)}")
    if path.is_file():
        if not StudyFolder(path.parent).log.exists():
            raise StudyError(f"{path}: this is a file; name the folder of a study, or one above it")
        path = path.parent
    if StudyFolder(path).log.exists():
        return [path]
    found = []
    base = len(path.parts)
    for folder, inner, files in os.walk(path):
        if "trials.jsonl" in files:
            found.append(Path(folder))
        if "trials.jsonl" in files or len(Path(folder).parts) - base >= DEEPEST:
            inner.clear()
    if not found:
        raise StudyError(f"{path}: no study here or below it; `gru-tune run CONFIG` makes one in results/")
    return sorted(found)


def _near(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    except OSError:
        return ""
    return suggest(path.name, names)
