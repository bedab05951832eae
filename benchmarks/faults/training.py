"""kill -9 in the middle of a long training with Keras: what it costs, and whether the numbers are the same."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.faults.subject import PATIENCE, ROOT, Broken
from gru_tune.study import log as logs
from gru_tune.study.log import Launch

# Epochs of more than five seconds: shorter ones are not saved each.
CONFIG = """
name: study
task: forecasting
data: {kind: timeline, path: "builtin:mackey_glass", target: value, horizon: 6, window: 96,
  split: {validation: 0.15, test: 0.15, by: time}}
model: {units: 320, depth: 2, dropout: 0.1}
training: {learning_rate: {choice: [0.001, 0.002]}, batch_size: 16, epochs: 6, early_stopping: null}
search: {strategy: random, trials: 1, objective: mse, seed: 7}
winner: {finalists: 0}
"""
KILLS = (2, 4)  # killed in the epoch after these


def training_killed(folder: Path, chance: random.Random) -> int:
    """Two kills, each anywhere within an epoch; the curves are those of a training without."""
    for name in ("whole", "killed"):
        (folder / name).mkdir()
        (folder / name / "study.yaml").write_text(CONFIG, encoding="utf-8")
    seconds = _end(folder / "whole")
    for epoch in KILLS:
        process = _start(folder / "killed")
        try:
            reached = _wait(folder / "killed", epoch)
            time.sleep(chance.random() * seconds)
            reached = max(reached, _epoch(folder / "killed"))
        finally:
            process.kill()
            process.wait()
        again = _start(folder / "killed")
        try:
            kept = _wait_for_launch(folder / "killed").reached
        finally:
            again.kill()
            again.wait()
        if reached - kept > 1:
            raise Broken(f"{reached} epochs were trained, and {kept} kept")
    _end(folder / "killed")
    if _curves(folder / "killed") != _curves(folder / "whole"):
        raise Broken("the curves are not those of a training without kills")
    return 2 * len(KILLS)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "said").open("ab") as said:
        command = [sys.executable, "-m", "gru_tune", "run", str(folder / "study.yaml"), "--out", str(folder)]
        return subprocess.Popen([*command, "--workers", "1"], cwd=ROOT, stdout=said, stderr=said)


def _end(folder: Path) -> float:
    """Run to the end; returns the seconds of an epoch."""
    if _start(folder).wait(4 * PATIENCE):
        raise Broken((folder / "said").read_text(encoding="utf-8")[-300:])
    with (folder / "study" / "curves.csv").open(encoding="utf-8", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["seconds"])


def _wait(folder: Path, epoch: int) -> int:
    """Until so many epochs are trained."""
    end = time.monotonic() + PATIENCE
    while (reached := _epoch(folder)) < epoch:
        if time.monotonic() > end:
            raise Broken("the training does not get on")
        time.sleep(0.02)
    return reached


def _epoch(folder: Path) -> int:
    try:
        progress = (folder / "study" / "trials" / "1" / "progress.json").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(json.loads(progress)["epoch"])


def _wait_for_launch(folder: Path) -> Launch:
    """The launch of the run that has just begun."""
    path = folder / "study" / "trials.jsonl"
    before = len(_launches(path))
    end = time.monotonic() + PATIENCE
    while len(found := _launches(path)) == before:
        if time.monotonic() > end:
            raise Broken("the study does not go on")
        time.sleep(0.05)
    return found[-1]


def _launches(path: Path) -> list[Launch]:
    return [event for event in logs.read(path).events if isinstance(event, Launch)]


def _curves(folder: Path) -> list[dict[str, str]]:
    with (folder / "study" / "curves.csv").open(encoding="utf-8", newline="") as file:
        return [
            {name: value for name, value in row.items() if "seconds" not in name}
            for row in csv.DictReader(file)
        ]
