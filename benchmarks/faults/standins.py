"""Training that takes no time, or goes wrong as its number of units says: a whole study in a process of its own.

python -m benchmarks.faults.standins FOLDER [--workers N] [--ray ADDRESS] [--set KEY=VALUE …]
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import sys
import time
from pathlib import Path

from benchmarks.standins import parts
from gru_tune import config as configs
from gru_tune.errors import GruTuneError
from gru_tune.study import hanging, study
from gru_tune.trial import Epoch, Fault, Job, Outcome

RAISES, NAN, SEGFAULT, MEMORY, HANGS = 91, 92, 93, 94, 95
GOOD = tuple(range(1, 13))
LIMIT = 600_000_000  # bytes of a worker
EPOCHS = 3
CONFIG = f"""
name: study
task: classification
data: {{kind: arrays, path: "builtin:digits"}}
model: {{units: {{choice: {list(GOOD)}}}}}
training: {{epochs: {EPOCHS}}}
search: {{strategy: grid, trials: null, seed: 3, objective: accuracy, max_failures: null}}
winner: {{finalists: 0}}
"""
SOON = 2.0  # seconds of an epoch before a worker may count as hanging; the tool itself waits for minutes
PAUSE = "FAULTS_PAUSE"  # seconds of an epoch


def score(units: int, epoch: int) -> float:
    """What an epoch of so many units reaches: the same in every attempt."""
    return units / 50 + epoch / 100


def train(job: Job) -> Outcome:
    """``EPOCHS`` epochs, or the fault that the number of units stands for."""
    units = job.settings.model.units[0]
    if units == RAISES:
        raise ValueError("injected")
    if units == SEGFAULT:
        ctypes.string_at(0)
    if units == HANGS:
        time.sleep(3600)
    if units == MEMORY and job.accumulation == 1:
        held = []
        while True:
            held.append(bytearray(b"1") * 20_000_000)
            time.sleep(0.02)
    epochs: list[Epoch] = []
    for number in range(1, job.last_epoch + 1):
        time.sleep(float(os.environ.get(PAUSE, "0")))
        if units == NAN and number == 2:
            error = f"loss became {math.nan} in epoch {number}"
            return Outcome(job.trial, tuple(epochs), 1, 0.1, "plain", error=error, fault=Fault.NUMBER)
        reached = score(units, number)
        epochs.append(Epoch(number, {"loss": 1.0}, {"accuracy": reached, "loss": 1 - reached}, 0.01))
        facts = {"trial": job.trial, "epoch": number, "last_epoch": job.last_epoch, "score": reached}
        _replace(Path(job.progress or ""), json.dumps(facts))
    _replace(Path(job.folder) / "model.keras", f"model of trial {job.trial}")
    return Outcome(job.trial, tuple(epochs), 10 * units, 0.05, "plain")


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.beside")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


PARTS = parts(train)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ray")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    given = parser.parse_args()
    hanging.FIRST = hanging.LATER = SOON
    written = given.folder / "study.yaml"
    if not written.exists():
        written.write_text(CONFIG, encoding="utf-8")
    options = {"ray": given.ray} if given.ray else {}
    try:
        loaded = configs.load(written, given.settings)
        study.run(loaded, out=given.folder, workers=given.workers, parts=PARTS, **options)
    except GruTuneError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    from benchmarks.faults.standins import main as begin  # by its name, so that jobs travel to other machines

    begin()
