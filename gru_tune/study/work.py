"""What the loop of a search asks of a study: jobs to run, and what to do when one ends."""

from __future__ import annotations

import shutil
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gru_tune.data.dataset import Dataset, Split
from gru_tune.study.aims import Aims
from gru_tune.study.derived import Derived
from gru_tune.study.history import History
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder
from gru_tune.study.table import rank
from gru_tune.study.weights import PROGRESS, prune, ready
from gru_tune.trial import Job, Outcome, Trial

if TYPE_CHECKING:
    from gru_tune.config import Config


class Arrays:
    """The prepared data of a study: written for the workers when the first of them needs them.

    Until then they are held in memory, and not a moment longer.
    """

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self.splits: tuple[Split, ...] = tuple(
            split for split in ("train", "validation", "test") if len(dataset.of(split))
        )
        self._folder = folder
        self._dataset: Dataset | None = dataset

    def __call__(self) -> Path:
        if self._dataset is not None:
            self.clear()
            self._dataset.save(self._folder)
            self._dataset = None
        return self._folder

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
    deadline: float | None

    def job(self, launch: Launch) -> Job:
        """The job of a launch; its folder is brought into the state it starts from."""
        folder = self.folder.trial(launch.trial)
        first = ready(folder, launch)
        former = self.history.trials.get(launch.trial)
        return Job(
            trial=launch.trial,
            settings=self.config.settings(launch.values),
            seed=launch.seed,
            objective=self.aims.objective,
            metrics=self.aims.metrics,
            data=str(self.data()),
            folder=str(folder),
            first_epoch=first,
            last_epoch=launch.last_epoch,
            checkpoint=launch.checkpoint,
            best_before=former.score if former and first else None,
            deadline=self.deadline,
            progress=str(folder / PROGRESS),
        )

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """A job ended: bring the tables up to date, and let go of weights nobody needs."""
        self.derived.add(outcome, self.history.trials.values())
        lasting = {*self.history.flights, *self.history.lasting}
        prune(self.folder, self.kept(lasting), over=False, lasting=lasting)

    def kept(self, lasting: Container[int] = ()) -> set[int]:
        """The trials whose weights are worth keeping, besides those in ``lasting``.

        A trial that is trained further may still fail: it takes nobody's place before it is done.
        """
        done = [trial for number, trial in self.history.trials.items() if number not in lasting]
        best = rank(done, self.aims.objective)[: self.config.search.keep]
        return {trial.number for trial in best if trial.score is not None}

    def over(self) -> None:
        """The search is over: only models and tracebacks stay."""
        prune(self.folder, self.kept(), over=True)
        self.data.clear()
