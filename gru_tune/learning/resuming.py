"""Training that goes on inside a job: saved now and then, and found again after a kill."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from gru_tune.data.dataset import Dataset
from gru_tune.learning.checkpoints import RUNNING, Damaged, State, read_state, state_name, write_state
from gru_tune.learning.engines import variables
from gru_tune.learning.fitting import Fit
from gru_tune.trial import Job

SHARE = 20  # times what a save takes must have been trained since the last one: at most 5 % go into saving
LEAST = 5.0  # and these seconds
LOOKED_AT = 1000  # rows of the data that tell them from others


class Saver:
    """Saves the state of a job where its next attempt looks for it."""

    def __init__(self, job: Job, name: str) -> None:
        """``name``: the ``digest`` of the job."""
        self._name = name
        self._path = Path(job.folder) / RUNNING
        self._pause = LEAST
        self._since = time.perf_counter()

    def __call__(self, fit: Fit) -> None:
        """An epoch was trained: save its state where that is due."""
        start = time.perf_counter()
        if start - self._since < self._pause:
            return
        write_state(self._path, replace(fit.state(), job=self._name))
        self._since = time.perf_counter()
        self._pause = max(LEAST, SHARE * (self._since - start))


def digest(job: Job, dataset: Dataset, path: str) -> str:
    """What tells a job from all others, whenever and wherever it is attempted; ``path`` as in ``fast_path``.

    Of large data some rows are looked at: a study does not go on with other data anyway.
    """
    asked = asdict(replace(job, data="", folder="", progress=None, deadline=None))
    found = hashlib.sha256(json.dumps([asked, path, dict(dataset.info)], sort_keys=True).encode())
    found.update(np.ascontiguousarray(dataset.spans).tobytes())
    for array in (dataset.x, dataset.y, dataset.valid):
        rows = np.linspace(0, len(array) - 1, LOOKED_AT).astype(np.int64)
        found.update(f"{array.shape} {array.dtype}".encode() + array[rows].tobytes())
    return found.hexdigest()


def resume(fit: Fit, name: str) -> None:
    """Bring ``fit`` to where its training can go on: its own last state, that of the job before, or the beginning."""
    job, folder = fit.job, Path(fit.job.folder)
    own = _state(fit, folder / RUNNING)
    if own is not None and own.job == name:
        fit.resume(own)
        _say(job, f"goes on after epoch {len(own.scores)}")
        return
    former = _state(fit, folder / state_name(job.first_epoch)) if job.first_epoch else None
    if former is not None:
        fit.resume(replace(former, best=job.best_before))
    elif job.first_epoch:
        fit.best = None
        _say(job, "begins at epoch 1 again")


def _state(fit: Fit, path: Path) -> State | None:
    """What is in ``path``; None where nothing is, or nothing that can be used."""
    try:
        state = read_state(path)
        if [v.shape for v in state.variables] != [tuple(v.shape) for v in variables(fit.engine.model)]:
            raise Damaged("it is of another model")
    except FileNotFoundError:
        return None
    except Damaged as problem:
        _say(fit.job, f"{path} is damaged and not used: {problem}")
        return None
    return state


def _say(job: Job, text: str) -> None:
    """To whoever reads what the workers print."""
    run = f"trial {job.trial}" + (f", repeat {job.repeat}" if job.repeat > 1 else "")
    print(f"{run}: {text}", file=sys.stderr, flush=True)
