"""What it costs that a training can go on after a kill.

    python -m benchmarks.checkpoints

A trial is trained as a worker does it, with its states saved as the tool does and with none, in
turn. Told are the size of a state, how often one was saved, what a save took, the share of the
training's seconds that went into saving, and the median seconds of a core that the trainings of
either kind took.
Prints a Markdown table.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from benchmarks.surroundings import surroundings
from gru_tune.data.dataset import Dataset
from gru_tune.knobs import settle
from gru_tune.learning import resuming, training
from gru_tune.learning.checkpoints import RUNNING, State, write_state
from gru_tune.learning.fitting import Fit
from gru_tune.trial import Job, Objective

ROUNDS = 3
STEPS, FEATURES = 50, 4


class Case(NamedTuple):
    """A model, and data of which an epoch takes about a second."""

    units: int
    depth: int
    sequences: int
    epochs: int


CASES = (Case(32, 1, 8000, 30), Case(128, 2, 1500, 30), Case(512, 2, 150, 30))


class Seen:
    """How long each save took, and the bytes of its file."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.size = 0

    def __call__(self, path: Path, state: State) -> None:
        start = time.perf_counter()
        write_state(path, state)
        self.seconds.append(time.perf_counter() - start)
        self.size = path.stat().st_size


class Never(resuming.Saver):
    """Saves nothing."""

    def __call__(self, fit: Fit) -> None:
        pass


def data(folder: Path, count: int) -> Path:
    """Sequences of noise, two classes; a tenth of them is for validation."""
    rng = np.random.default_rng(0)
    spans = np.stack([np.arange(count) * STEPS, np.full(count, STEPS), np.arange(count) % 10 == 0], axis=1)
    info = {
        "task": "classification", "kind": "arrays", "features": FEATURES, "inputs": list("abcd"), "targets": [],
        "labels": ["a", "b"], "vocabulary": 0, "target_inputs": [],
        "input_scale": {"mean": [0.0] * FEATURES, "std": [1.0] * FEATURES}, "target_scale": {"mean": [], "std": []},
    }  # fmt: skip
    x = rng.normal(size=(count * STEPS, FEATURES)).astype(np.float32)
    y = rng.integers(0, 2, count).astype(np.int32)
    Dataset("sequences", "label", x, y, np.ones(count, bool), spans.astype(np.int64), info).save(folder)
    return folder


def trained(case: Case, folder: Path, saving: bool) -> tuple[float, float, Seen]:
    """The seconds of one training, those of them a core was busy with it, and its saves."""
    settings = settle(
        {"units": case.units, "depth": case.depth, "epochs": case.epochs, "batch_size": 64, "patience": None}
    )
    job = Job(
        trial=1, settings=settings, seed=1, objective=Objective("accuracy", "max"), metrics=("accuracy",),
        data=str(folder / "data"), folder=str(folder / "trial"), first_epoch=0, last_epoch=case.epochs,
    )  # fmt: skip
    seen = Seen()
    start, busy = time.perf_counter(), time.process_time()
    saver = resuming.Saver if saving else Never
    with mock.patch.object(resuming, "write_state", seen), mock.patch.object(resuming, "Saver", saver):
        outcome = training.train(job)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    (folder / "trial" / RUNNING).unlink(missing_ok=True)
    if outcome.error:
        raise SystemExit(outcome.error)
    return seconds, busy, seen


def lines() -> Iterator[str]:
    """The rows of the table."""
    yield "| H | layers | state, MB | saves | a save, ms | saving, at most % of the seconds | with, s of a core | without, s of a core |"
    yield f"|{'---|' * 8}"
    for case in CASES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            data(folder / "data", case.sequences)
            trained(case._replace(epochs=2), folder, saving=False)  # compiles
            took: dict[bool, list[float]] = {True: [], False: []}
            saves, shares, each = [], [], list[float]()
            size = 0
            for number in range(ROUNDS):
                for saving in (True, False) if number % 2 else (False, True):
                    seconds, busy, seen = trained(case, folder, saving)
                    took[saving].append(busy)
                    if saving:
                        saves.append(len(seen.seconds))
                        shares.append(sum(seen.seconds) / seconds)
                        each += seen.seconds
                        size = seen.size
            with_, without = (statistics.median(took[saving]) for saving in (True, False))
            yield (
                f"| {case.units} | {case.depth} | {size / 1e6:.2f} | {statistics.median(saves):g} "
                f"| {1000 * statistics.median(each or [0.0]):.0f} | {100 * max(shares):.2f} "
                f"| {with_:.1f} | {without:.1f} |"
            )


if __name__ == "__main__":
    print(surroundings([]), "\n")
    training.configure("jax", 1)
    for line in lines():
        print(line, flush=True)
