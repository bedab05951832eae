"""Small prepared data sets with something easy to learn, made by hand for the tests of learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import settle
from gru_tune.trial import Job, Objective


def info(**facts: Any) -> dict[str, Any]:
    """``Dataset.info`` with something for every key."""
    targets = facts.get("targets", [])
    return {
        "task": "classification", "kind": "series", "features": 2, "inputs": ["a", "b"], "targets": [],
        "labels": [], "vocabulary": 0, "season": None, "target_inputs": [None] * len(targets),
        "input_scale": {"mean": [0.0, 0.0], "std": [1.0, 1.0]},
        "target_scale": {"mean": [0.0] * len(targets), "std": [1.0] * len(targets)},
        **facts,
    }  # fmt: skip


def spans(lengths: list[int], splits: list[int]) -> NDArray[np.int64]:
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.stack([starts, lengths, splits], axis=1).astype(np.int64)


def sequences(
    task: str = "classification", *, words: bool = False, classes: int = 2, count: int = 60, varying: bool = True,
    tags: list[str] | None = None,
) -> Dataset:  # fmt: skip
    """``count`` sequences of 3 to 9 steps (or 6), two thirds for training; the sign of column a decides."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(3, 10, count) if varying else np.full(count, 6)
    where = spans(lengths.tolist(), [(0, 0, 1, 0, 2, 0)[i % 6] for i in range(count)])
    rows = int(lengths.sum())
    kind = rng.integers(0, classes, count)
    level = np.repeat(kind, lengths)
    x: NDArray[Any]
    if words:
        x = (2 + level * 4 + rng.integers(0, 4, rows)).astype(np.int32)
    else:
        x = np.stack([level - (classes - 1) / 2 + rng.normal(0, 0.2, rows), rng.normal(0, 1, rows)], 1)
        x = x.astype(np.float32)
    facts: dict[str, Any] = {"task": task}
    if words:
        facts.update(features=0, vocabulary=2 + 4 * classes, kind="text", inputs=["text"])
    names = tags or [f"class {i}" for i in range(classes)]
    y: NDArray[Any]
    if task == "classification":
        target, y, facts["labels"] = "label", kind.astype(np.int32), names
    elif task == "regression":
        target, y, facts["targets"] = "number", (kind[:, None] * 2.0 - 1).astype(np.float32), ["y"]
    elif tags or words or classes > 2:
        target, y, facts["labels"] = "labels", level.astype(np.int32), names
    else:
        target, y, facts["targets"] = "numbers", (level[:, None] * 2.0 - 1).astype(np.float32), ["y"]
    return Dataset("sequences", target, x, y, np.ones(len(y), bool), where, info(**facts))  # type: ignore[arg-type]


def timeline(
    task: str = "forecasting", *, rows: int = 240, horizon: int = 3, max_window: int = 12, classes: int = 0, **facts: Any
) -> Dataset:  # fmt: skip
    """A wave in two columns, three spans in time order; forecasts of column b, then of one that is no input."""
    t = np.arange(rows)
    wave = np.sin(2 * np.pi * t / 12)
    x = np.stack([np.cos(2 * np.pi * t / 12), wave], 1).astype(np.float32)
    where = spans([rows * 2 // 3, rows // 6, rows - rows * 2 // 3 - rows // 6], [0, 1, 2])
    common = {
        "task": task, "kind": "timeline", "horizon": horizon, "stride": None, "max_window": max_window, **facts
    }  # fmt: skip
    if classes:
        y = (wave > 0).astype(np.int32)
        more = info(labels=["low", "high"], **common)
        return Dataset("timeline", "labels", x, y, np.ones(rows, bool), where, more)
    y = np.stack([wave, np.roll(wave, 3)], 1).astype(np.float32)
    more = info(targets=["b", "c"], **{"target_inputs": [1, None], **common})
    return Dataset("timeline", "numbers", x, y, np.ones(rows, bool), where, more)


def job(dataset: Dataset, folder: Path, objective: str, direction: Any = "min", **knobs: Any) -> Job:
    """A whole trial of a tiny model on ``dataset``, which is saved for it."""
    if not (folder / "data").exists():
        dataset.save(folder / "data")
    settings = settle(
        {"units": 8, "embedding": 6, "epochs": 2, "batch_size": 16, "learning_rate": 0.02, **knobs}
    )
    return Job(
        trial=1, settings=settings, seed=11, objective=Objective(objective, direction), metrics=("loss",),
        data=str(folder / "data"), folder=str(folder / "trial"), first_epoch=0, last_epoch=settings.training.epochs,
    )  # fmt: skip
