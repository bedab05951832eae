"""The files of the trials: what a job finds in its folder, and what is kept of it."""

from __future__ import annotations

import shutil
from collections.abc import Container
from pathlib import Path

from gru_tune.study.log import Launch, Run
from gru_tune.study.results import StudyFolder

MODEL = "model.keras"
STATE = ("state.weights.h5", "state.json")  # what training goes on from
ERROR = "error.txt"
BEFORE = "before."  # the state as it was when the running job began
PROGRESS = "progress.json"


def ready(folder: Path, launch: Launch) -> int:
    """Bring a trial's folder into the state the job must start from; returns the epochs trained by then.

    A worker that died may have left a state behind that is further on than the log; that
    of the job before is put back. Without any state the trial begins anew: 0.
    """
    if launch.first_epoch:
        for name in STATE:
            now, before = folder / name, folder / (BEFORE + name)
            source, target = (now, before) if launch.attempt == 1 else (before, now)
            if source.exists():
                shutil.copyfile(source, target)
        if all((folder / name).exists() for name in STATE):
            return launch.first_epoch
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return 0


def prune(folder: StudyFolder, keep: Container[Run], over: bool, lasting: Container[Run] = ()) -> None:
    """Delete the weights of all runs but ``keep``; a traceback stays.

    Until the search is ``over``, runs in ``lasting`` (which may be trained further, or
    are running) are left alone; then everything but models and tracebacks goes.
    """
    if not folder.trials.is_dir():
        return
    for trial in folder.trials.iterdir():
        run = _run(trial.name)
        if run is None or (not over and run in lasting):
            continue
        kept = {ERROR, MODEL} if run in keep else {ERROR}
        for file in trial.iterdir():
            if file.name not in kept:
                file.unlink(missing_ok=True)
        if not any(trial.iterdir()):
            trial.rmdir()


def _run(name: str) -> Run | None:
    """The trial and repeat of a folder's name; None for one that is somebody else's."""
    number, _, repeat = name.partition("-")
    if number.isdigit() and (not repeat or repeat.isdigit()):
        return int(number), int(repeat or 1)
    return None
