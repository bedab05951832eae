"""The files of the trials: what a job finds in its folder, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Set
from pathlib import Path

from gru_tune.learning.checkpoints import ERROR, MODEL, RUNNING, STATES, state_name
from gru_tune.study.log import Launch, Run
from gru_tune.study.results import StudyFolder

PROGRESS = "progress.json"


def ready(folder: Path, launch: Launch) -> int:
    """Leave in a trial's folder what the job goes on from alone; returns the epochs trained before it.

    That is the state of the job before, and what an attempt at this job has left of its own.
    Nothing is moved or copied: a kill at any moment leaves all of it. Without any state the
    trial begins anew: 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = state_name(launch.first_epoch)
    first = launch.first_epoch if (folder / state).exists() else 0
    needed = {state, MODEL} if first else set()
    if launch.reached:
        needed.add(RUNNING)
    _clean(folder, needed)
    return first


def settle(folder: Path) -> None:
    """A job of the trial has its outcome: what only its next attempt would have needed goes."""
    former = sorted(folder.glob(STATES))[:-1]
    for file in (folder / RUNNING, *former):
        file.unlink(missing_ok=True)


class Weights:
    """Deletes the weights that nobody needs any more, as the search goes on; a traceback stays.

    Only folders in which something may have changed are looked at: there may be very many.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._untidy = _runs(folder)  # they may have more than they are to keep
        self._kept: set[Run] = set()  # they have their model and nothing else

    def ended(self, run: Run, keep: Set[Run], lasting: Callable[[Run], bool]) -> None:
        """A job of ``run`` ended: ``keep`` models alone, and all of what is ``lasting`` (it may be trained further)."""
        self._untidy.add(run)
        settled = {one for one in self._untidy if not lasting(one)}
        self._untidy -= settled
        for one in settled | (self._kept - keep):
            _prune(self._folder, one, keep)
        self._kept = (self._kept | settled) & keep


def prune(folder: StudyFolder, keep: Container[Run]) -> None:
    """The search is over: delete everything but the models to ``keep`` and the tracebacks."""
    for run in _runs(folder):
        _prune(folder, run, keep)


def _prune(folder: StudyFolder, run: Run, keep: Container[Run]) -> None:
    trial = folder.trial(*run)
    if not trial.is_dir():
        return
    _clean(trial, {ERROR, MODEL} if run in keep else {ERROR})
    if not any(trial.iterdir()):
        trial.rmdir()


def _runs(folder: StudyFolder) -> set[Run]:
    """The runs that have a folder."""
    if not folder.trials.is_dir():
        return set()
    return {run for trial in folder.trials.iterdir() if (run := _run(trial.name)) is not None}


def _clean(folder: Path, kept: Container[str]) -> None:
    for file in folder.iterdir():
        if file.name not in kept:
            file.unlink(missing_ok=True)


def _run(name: str) -> Run | None:
    """The trial and repeat of a folder's name; None for one that is somebody else's."""
    number, _, repeat = name.partition("-")
    if number.isdecimal() and (not repeat or repeat.isdecimal()):
        return int(number), int(repeat or 1)
    return None
