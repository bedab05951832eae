"""Stand-ins for what a study does besides training: tiny data, and a verdict on the winner that is always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gru_tune.data.dataset import Dataset
from gru_tune.data.prepare import Prepared
from gru_tune.executors.base import Train
from gru_tune.study import winner
from gru_tune.study.study import Parts
from gru_tune.trial import Job


def parts(train: Train) -> Parts:
    """A study that trains with ``train``."""
    return Parts(prepare, train, None, None, winner.Parts(judge, retrain, sample))


def prepare(asked: Any) -> Prepared:
    """Twelve sequences of two steps, two classes."""
    count = 12
    spans = np.stack([np.arange(count) * 2, np.full(count, 2), np.arange(count) % 3], axis=1)
    dataset = Dataset(
        layout="sequences", target="label", x=np.zeros((2 * count, 1), np.float32),
        y=(np.arange(count) % 2).astype(np.int32), valid=np.ones(count, bool), spans=spans,
        info={"task": "classification", "kind": "arrays", "features": 1, "labels": ["a", "b"], "vocabulary": 0},
    )  # fmt: skip
    return Prepared(dataset, {"labels": ["a", "b"]}, {"rows": 24}, (), "the same")


def judge(*given: Any) -> dict[str, Any]:
    """The same of every model."""
    against = {
        "name": "majority class", "difference": 0.1, "interval": [0.0, 0.2], "beaten": True,
        "objective": {"name": "accuracy", "direction": "max"}, "score": 0.6, "rival": 0.5,
    }  # fmt: skip
    return {
        "metrics": {"accuracy": 0.6, "loss": 1.0}, "intervals": {"accuracy": [0.5, 0.7]},
        "baselines": {"majority class": {"accuracy": 0.5}}, "against": against, "details": {},
        "examples": {"samples": 4, "wrong": 0, "mistakes": []}, "drawn": {"accuracy": [0.5, 0.7]},
    }  # fmt: skip


def retrain(job: Job, epochs: int, folder: Path) -> None:
    """Never asked for."""
    raise NotImplementedError


def sample(model: Path, data: Path, settings: Any, path: Path) -> None:
    """No inputs at all."""
    path.write_text("a sample", encoding="utf-8")
