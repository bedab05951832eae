"""Finished studies without a search: real preprocessing and a model that has learned next to nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from gru_tune import config as configs
from gru_tune.data.dataset import Dataset
from gru_tune.data.prepare import prepare
from gru_tune.knobs import Settings
from gru_tune.study.results import replace_json
from gru_tune.tasks import TASKS

MODEL = {"units": 4, "embedding": 3}
NUMERIC = {"units": 4}


def write(folder: Path, task: str, data: dict[str, Any], model: dict[str, Any] | None = None) -> Path:
    """The config of a study whose data lie in ``folder``."""
    path = folder / "config.yaml"
    words = data["kind"] in ("text", "tokens")
    asked = {"task": task, "data": data, "model": model or (MODEL if words else NUMERIC)}
    path.write_text(yaml.safe_dump({**asked, "training": {"epochs": 1}}), encoding="utf-8")
    return path


def finished(folder: Path, task: str, data: dict[str, Any], model: dict[str, Any] | None = None) -> Path:
    """A study in ``folder/study`` on the data beside it, as ``gru-tune run`` leaves one."""
    config = configs.load(write(folder, task, data, model))
    prepared, settings = prepare(config), config.settings({})
    study = folder / "study"
    save_model(study / "best.keras", settings, prepared.dataset, seed=1)
    replace_json(study / "preprocessing.json", prepared.preprocessing)
    facts = {
        "name": "study",
        "task": task,
        "state": "finished",
        "backend": "jax",
        "best": 1,
        "settings": asdict(settings),
        "metrics": list(TASKS[task].metrics(prepared.dataset.target)),
    }
    replace_json(study / "study.json", facts)
    prepared.dataset.save(study / "prepared")
    return study


def change(study: Path, **facts: Any) -> None:
    """Set some keys of ``study.json``."""
    path = study / "study.json"
    replace_json(path, {**json.loads(path.read_text(encoding="utf-8")), **facts})


def save_model(file: Path, settings: Settings, dataset: Dataset, seed: int) -> None:
    """A model of these settings with its first weights."""
    from gru_tune.learning.checkpoints import save_model as saved
    from gru_tune.learning.factory import build
    from gru_tune.learning.initial import built

    saved(built(lambda: build(settings, dataset), seed), file.parent)
    (file.parent / "model.keras").rename(file)
