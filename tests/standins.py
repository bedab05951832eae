"""A study whose training takes no time: module-level functions, so that they travel to a worker."""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from gru_tune.data.dataset import Dataset
from gru_tune.data.prepare import Prepared
from gru_tune.learning.checkpoints import RUNNING, State, reached, state_name, write_state, write_text
from gru_tune.study import winner
from gru_tune.study.study import Parts
from gru_tune.trial import Epoch, Job, Outcome

CONFIG = """
task: classification
data: {kind: arrays, path: "builtin:digits"}
model: {units: {int: [1, 40]}, depth: {int: [1, 2]}}
training: {epochs: 3}
search: {strategy: random, trials: 6, seed: 3, objective: accuracy, keep: 2}
winner: {finalists: 0}
"""


def prepare(config: Any, fingerprint: str = "same") -> Prepared:
    """Twelve sequences of two steps, two classes."""
    count = 12
    spans = np.stack([np.arange(count) * 2, np.full(count, 2), np.arange(count) % 3], axis=1)
    dataset = Dataset(
        layout="sequences", target="label", x=np.zeros((2 * count, 1), np.float32),
        y=(np.arange(count) % 2).astype(np.int32), valid=np.ones(count, bool), spans=spans,
        info={"task": "classification", "kind": "arrays", "features": 1, "labels": ["a", "b"], "vocabulary": 0},
    )  # fmt: skip
    return Prepared(dataset, {"labels": ["a", "b"]}, {"rows": 24}, ("nothing to note",), fingerprint)


def train(job: Job) -> Outcome:
    """A score made of the settings and the seed, and a fault for some numbers of units.

    21 raise, 22 kill the worker, 23 give NaN, 1024 hang, 1025 need much memory unless batches are in
    parts, 1026 need it in any case, 1027 are a segmentation fault, 1028 end the process.
    """
    units = job.settings.model.units[0]
    (Path(job.data) / "info.json").read_text(encoding="utf-8")
    time.sleep(float(os.environ.get("STANDIN_SECONDS", "0")))
    if units == 21:
        raise ValueError("twenty-one")
    if units == 22:
        os.kill(os.getpid(), signal.SIGKILL)
    if units == 1024:
        time.sleep(600)
    if units == 1026 or (units == 1025 and job.accumulation == 1):
        held = [bytearray(b"x") * 50_000_000 for _ in range(14)]
        time.sleep(5 if held else 0)
    if units == 1027:
        ctypes.string_at(0)
    if units == 1028:
        os._exit(3)
    folder = Path(job.folder)
    if job.first_epoch:
        state = (folder / state_name(job.first_epoch)).read_text(encoding="utf-8")
        assert state == f"{job.first_epoch} epochs", state
    epochs = []
    for number in range(job.first_epoch + 1, job.last_epoch + 1):
        score = math.nan if units == 23 else round(units / 50 + number / 100 + job.seed % 97 / 10_000, 6)
        epochs.append(Epoch(number, {"loss": 1.0}, {"accuracy": score, "loss": 1 - score}, 0.01))
        report = {"trial": job.trial, "epoch": number, "last_epoch": job.last_epoch, "score": score}
        Path(job.progress or "").write_text(json.dumps(report), encoding="utf-8")
    text = f"model of trial {job.trial}" + (f" after {job.last_epoch} epochs" if job.first_epoch else "")
    (folder / "model.keras").write_text(text, encoding="utf-8")
    if job.checkpoint:
        write_text(folder / state_name(job.last_epoch), f"{job.last_epoch} epochs")
    return Outcome(job.trial, tuple(epochs), 10 * units, 0.05, "plain")


def patient(job: Job) -> Outcome:
    """Like ``train``, but every epoch takes ``STANDIN_SECONDS`` and is saved, to be gone on from."""
    path = Path(job.folder) / RUNNING
    for number in range(reached(path) + 1, job.last_epoch + 1):
        time.sleep(float(os.environ["STANDIN_SECONDS"]))
        write_state(path, State((0.5,) * number, []))
    return train(job)


def judge(model: Path, data: Path, settings: Any, split: str, metrics: Any, objective: Any) -> dict[str, Any]:
    """Counts how often it is called, in a file beside the model."""
    with (model.parent / "looks").open("a", encoding="utf-8") as file:
        file.write(f"{split} {model.read_text(encoding='utf-8')}\n")
    return {
        "metrics": {"accuracy": 0.4, "loss": 1.0},
        "intervals": {"accuracy": [0.3, 0.5]},
        "baselines": {"majority class": {"accuracy": 0.55}},
        "against": {
            "name": "majority class", "difference": -0.15, "interval": [-0.3, -0.05], "beaten": False,
            "objective": {"name": "accuracy", "direction": "max"}, "score": 0.4, "rival": 0.55,
        },
        "details": {},
        "examples": {"samples": 4, "wrong": 0, "mistakes": []},
        "drawn": {"accuracy": [0.25, None, 0.5]},
    }  # fmt: skip


def retrain(job: Job, epochs: int, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "model.keras").write_text(f"trial {job.trial} again, {epochs} epochs", encoding="utf-8")


def sample(model: Path, data: Path, settings: Any, path: Path) -> None:
    path.write_text("sample", encoding="utf-8")


PARTS = Parts(prepare, train, None, None, winner.Parts(judge, retrain, sample))
