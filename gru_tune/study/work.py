"""What the loop of a search asks of a study: jobs to run, and what to do when one ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gru_tune.data.dataset import Dataset, Split
from gru_tune.learning.checkpoints import MODEL, RUNNING, reached
from gru_tune.study.aims import Aims
from gru_tune.study.derived import Derived
from gru_tune.study.history import History, of_first_fold
from gru_tune.study.log import Launch, Run
from gru_tune.study.pareto import rivals
from gru_tune.study.results import StudyFolder
from gru_tune.study.table import best
from gru_tune.study.weights import PROGRESS, Weights, prune, ready, settle
from gru_tune.trial import Job, Outcome, Trial

if TYPE_CHECKING:
    from gru_tune.config import Config


class Arrays:
    """The prepared data of a study: written for the workers when the first of them needs them.

    Until then they are held in memory, and not a moment longer.
    """

    def __init__(self, folder: Path, folds: Sequence[Dataset]) -> None:
        self.splits: tuple[Split, ...] = tuple(
            split for split in ("train", "validation", "test") if len(folds[0].of(split))
        )
        self._folder = folder
        self._folds = folds

    def __call__(self, fold: int = 1) -> Path:
        """The folder of a fold."""
        if self._folds:
            self.clear()
            for number, dataset in enumerate(self._folds, start=1):
                dataset.save(self._folder / str(number))
            self._folds = ()
        return self._folder / str(fold)

    def clear(self) -> None:
        """Delete what an earlier run, or this one, has written."""
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass
class Work:
    """Makes jobs of launches, and keeps tables and weights in order."""

    config: Config
    folder: StudyFolder
    aims: Aims
    history: History
    data: Arrays
    derived: Derived
    weights: Weights

    def job(self, launch: Launch, deadline: float | None) -> Job:
        """The job of a launch; its folder is brought into the state it starts from."""
        folder = self.folder.trial(*launch.run)
        first = ready(folder, launch)
        former = self.history.runs.get(launch.run)
        return Job(
            trial=launch.trial,
            settings=self.config.settings(launch.values),
            seed=launch.seed,
            objective=self.aims.objective,
            metrics=self.aims.metrics,
            data=str(self.data(self.history.fold(launch.repeat))),
            folder=str(folder),
            first_epoch=first,
            last_epoch=launch.last_epoch,
            checkpoint=launch.checkpoint,
            best_before=former.score if former and first else None,
            deadline=deadline,
            progress=str(folder / PROGRESS),
            repeat=launch.repeat,
            accumulation=launch.accumulation,
        )

    def reached(self, launch: Launch) -> int:
        """The epoch that an earlier attempt at a job has saved, with its batches in as many parts; 0 for none."""
        former = self.history.flights.get(launch.run)
        if launch.attempt == 1 or former is None or former.launch.accumulation != launch.accumulation:
            return 0
        return reached(self.folder.trial(*launch.run) / RUNNING)

    def alone(self, run: Trial) -> Job:
        """A job like the one of ``run``, for a training outside of the search."""
        return Job(
            trial=run.number, settings=self.config.settings(run.values), seed=run.seed,
            objective=self.aims.objective, metrics=self.aims.metrics, data=str(self.data()),
            folder="", first_epoch=0, last_epoch=self.history.asked[run.number], accumulation=run.accumulation,
        )  # fmt: skip

    def usable(self, runs: Iterable[Trial]) -> list[Trial]:
        """The runs that have a model which goes with the preprocessing of the study."""
        return [run for run in of_first_fold(runs, self.history.folds) if run.score is not None]

    def member(self, run: Trial) -> dict[str, Any]:
        """A model of the finals, for whoever wants to ask them all."""
        file = self.folder.trial(run.number, run.repeat) / MODEL
        return {
            "file": str(file.relative_to(self.folder.path)),
            "settings": asdict(self.config.settings(run.values)),
            "trial": run.number,
            "repeat": run.repeat,
        }

    def ended(self, run: Trial, outcome: Outcome) -> None:
        """A job of ``run`` ended: bring the tables up to date, and let go of weights nobody needs."""
        self.derived.add(outcome, run.repeat)
        settle(self.folder.trial(run.number, run.repeat))
        done = (trial for trial in self.history.ranked if not self._lasting(trial.number))
        flights = self.history.flights
        self.weights.ended(
            (run.number, run.repeat), self.kept(done), lambda one: one in flights or self._lasting(one[0])
        )

    def _lasting(self, number: int) -> bool:
        """Whether a trial may be trained further: it may still fail, and takes nobody's place before it is done."""
        return number in self.history.lasting or number in self.history.missing

    def kept(self, ranked: Iterable[Trial]) -> set[Run]:
        """The runs whose weights are worth keeping, of these trials and of the finals."""
        most, within = self.config.search.keep, self.config.winner.within
        ranked, again = tee(ranked)
        kept = best(ranked, most) + (rivals(again, within) if self.aims.objective.cost else [])
        finals = (run for runs in self.history.finals().values() for run in runs)
        return {(run.number, run.repeat) for run in self.usable((*kept, *finals))}

    def over(self) -> None:
        """The search is over: only models and tracebacks stay."""
        prune(self.folder, self.kept(self.history.ranked))
        self.data.clear()
