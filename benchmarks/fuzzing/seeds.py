"""Good files, to be made worse."""

from __future__ import annotations

import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from gru_tune.space import Values


def seeds(name: str) -> list[bytes]:
    """Good files of a target, to be made worse."""
    here = Path(__file__).parents[2]
    if name == "config":
        return [file.read_bytes() for file in sorted((here / "configs").glob("*.yaml"))]
    if name in ("log", "repair"):
        return [good_log()]
    if name == "facts":
        return [json.dumps(_FACTS, separators=(",", ":")).encode()]
    if name == "preprocessing":
        return [json.dumps(one, separators=(",", ":")).encode() for one in (_WORDS, _NUMBERS)]
    if name == "npz":
        return [_npz(compressed) for compressed in (False, True)]
    rows = [
        {"id": n // 4, "time": f"2024-01-{n + 1:02}", "text": "a b", "label": "x y" if n % 2 else "y x", "value": n / 3, "list": ["a"] * n}
        for n in range(12)
    ]  # fmt: skip
    if name == "jsonl":
        return ["\n".join(map(json.dumps, rows)).encode(), json.dumps(rows).encode()]
    import pandas as pd

    table = pd.DataFrame(rows)
    if name == "csv":
        return [table.drop(columns="list").to_csv(index=False, sep=mark).encode() for mark in ",;\t"]
    return [table.to_parquet(compression=packed) for packed in (None, "snappy")]


def _npz(compressed: bool) -> bytes:
    import numpy as np

    file = io.BytesIO()
    x = np.arange(60, dtype=np.float32).reshape(5, 4, 3)
    save = np.savez_compressed if compressed else np.savez
    save(file, x=x, y=np.arange(5) % 2, lengths=np.array([4, 3, 2, 1, 4]), split=np.array(["train"] * 5))
    return file.getvalue()


@cache
def good_log() -> bytes:
    """A short record, as this version writes it."""
    from gru_tune.study import log as logs
    from gru_tune.trial import Epoch, Outcome

    head = {
        "name": "toy", "task": "classification", "kind": "text", "strategy": "random", "seed": 7, "data": "0",
        "objective": {"name": "accuracy", "direction": "max"}, "hyperparameters": ["units", "depth"],
        "space": {"units": {"choice": [8, 16]}, "depth": {"int": [1, 2]}}, "question": {"search": {"repeats": 1}},
    }  # fmt: skip
    events: list[logs.Event] = [logs.Header(head, 1.0), logs.Started(2, 1.0)]
    for number in (1, 2, 3):
        values: Values = {"units": 8, "depth": number % 2 + 1}
        events.append(logs.Launch(number, 1, values, 5, 0, 2, False, 2.0))
        epochs = tuple(Epoch(n, {"loss": 0.5}, {"loss": 0.6, "accuracy": 0.7}, 1.0) for n in (1, 2))
        outcome = Outcome(number, epochs, 100, 2.0, "jax", "ValueError: no" if number == 3 else None)
        events.append(logs.Died(number, 1, "killed", 3.0) if number == 2 else logs.Finished(1, outcome, 4.0))
    events += [logs.Stopped(2, 1, 5.0), logs.Ended("all is tried", None, 6.0)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.jsonl"
        with logs.Log(path) as written:
            for event in events:
                written.append(event)
        return path.read_bytes()


_FACTS: dict[str, Any] = {
    "name": "toy", "state": "finished", "best": 1, "best_repeat": 1, "task": "classification", "kind": "text",
    "settings": {"data": {}, "model": {"units": [8]}, "training": {}}, "within": 0.1,
    "finals": {"winner": 1, "repeat": 1, "finalists": [{"trial": 1, "scores": [0.7], "mean": 0.7, "std": 0.0}]},
    "baselines": {"validation": {"majority": {"accuracy": 0.5}}}, "notes": ["a"], "facts": {"rows": 3},
    "test": [{"trial": 1, "repeat": 1, "metrics": {"accuracy": 0.7}, "time": 6.0}], "validation": {"metrics": {}},
}  # fmt: skip
_WORDS: dict[str, Any] = {
    "task": "classification", "section": {"kind": "text", "path": "a.csv", "text": "text", "target": "label"},
    "columns": ["text"], "inputs": ["text"], "features": ["text"], "vocabulary": ["a", "b"],
    "input_scale": {"mean": [], "std": []}, "targets": ["label"], "labels": ["x", "y"],
    "target_scale": {"mean": [], "std": []}, "season": None, "max_window": None, "step": None, "dates": False,
}  # fmt: skip
_NUMBERS: dict[str, Any] = {
    **{key: value for key, value in _WORDS.items() if key != "vocabulary"},
    "section": {"kind": "timeline", "path": "a.csv", "target": "value", "time": "time", "horizon": 2},
    "task": "forecasting", "columns": ["value"], "inputs": ["value"], "features": ["value"], "missing": "refuse",
    "fills": {"value": 0.0}, "categories": {}, "fixed": [], "input_scale": {"mean": [1.0], "std": [2.0]},
    "targets": ["value"], "labels": [], "target_scale": {"mean": [1.0], "std": [2.0]}, "max_window": 8, "step": 1.0,
}  # fmt: skip
