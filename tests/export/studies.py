"""Folders of finished studies with a tiny model on data made by hand."""

from __future__ import annotations

import atexit
import shutil
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.export.convert import Order
from gru_tune.export.formats import FORMATS
from gru_tune.knobs import Settings
from gru_tune.learning import checkpoints
from gru_tune.learning.factory import build
from gru_tune.learning.initial import built
from gru_tune.learning.sampling import write_sample
from gru_tune.learning.training import train
from gru_tune.study.log import Header, encode
from gru_tune.study.results import StudyFolder, replace_json
from gru_tune.tasks import TASKS
from tests.learning.learning_data import job, sequences, timeline

# Between them every task, kind of input and shape of output, and all that the factory can build.
STUDIES: dict[str, tuple[Dataset, dict[str, Any]]] = {
    "text": (sequences(words=True), {"dropout": 0.1, "vocabulary": 8}),
    "classes": (
        sequences(words=True, classes=3),
        {"cell": "lstm", "pooling": "mean", "max_length": 5, "bidirectional": True},
    ),
    "series": (
        sequences(), {"normalization": "batch", "depth": 2, "dropout": 0.1, "dense": 4, "dense_activation": "gelu"}
    ),
    "regression": (sequences("regression"), {"cell": "rnn", "pooling": "max", "bidirectional": True, "scale": "last"}),
    "tags": (sequences("labelling", words=True, classes=3), {"bidirectional": True, "normalization": "layer"}),
    "forecast": (timeline(season=12), {"scale": "window", "recurrent_dropout": 0.1, "window": 6}),
    "tiles": (timeline("labelling", classes=2), {"window": 6}),
}  # fmt: skip

TRAINED = ("text", "regression", "tags", "forecast")  # one a task: compiling the training takes seconds


@cache
def study(name: str) -> StudyFolder:
    """The study of ``STUDIES[name]``; made once, not to be written into."""
    data, knobs = STUDIES[name]
    folder = Path(mkdtemp(prefix="gru-tune-study-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    objective = TASKS[data.info["task"]].default_objective(data.target)
    one = job(
        data, folder, objective, TASKS[data.info["task"]].metrics(data.target)[objective], epochs=1, **knobs
    )
    if name in TRAINED:
        assert train(one).error is None
    else:
        checkpoints.save_model(drawn(one.settings, data), Path(one.folder))
    made = StudyFolder(folder)
    shutil.copy(Path(one.folder) / "model.keras", made.best)
    write_sample(made.best, one.data, one.settings, folder / "sample.npz", rows=12)
    about = {"name": name, "task": data.info["task"], "kind": data.info["kind"]}
    made.log.write_text(
        encode(Header({**about, "objective": {}, "hyperparameters": []}, 0.0)) + "\n", "utf-8"
    )
    replace_json(made.facts, {**about, "best": 1, "settings": asdict(one.settings)})
    replace_json(made.preprocessing, fitted(data))
    return made


def drawn(settings: Settings, data: Dataset) -> Any:
    """A model whose weights, biases and running means are all random."""
    model = built(lambda: build(settings, data), seed=0)
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 0.6, weights.shape) for weights in model.get_weights()])
    return model


def fitted(data: Dataset) -> dict[str, Any]:
    """What ``prepare`` would have written of such data."""
    info = data.info
    known = {"labels": info["labels"], "targets": info["targets"], "features": info["inputs"]}
    if info["vocabulary"]:
        section = {"kind": "text", "level": "word", "lowercase": True}
        known |= {"vocabulary": [f"word{n}" for n in range(2, info["vocabulary"])], "section": section}
    return known


def order(name: str, form: str, folder: Path) -> Order:
    """To convert the model of ``study(name)`` into ``folder``."""
    made = study(name)
    task = STUDIES[name][0].info["task"]
    return Order(
        form, made.best, made.path / "sample.npz", folder / FORMATS[form].file, task == "labelling", None
    )


def sample(made: StudyFolder) -> dict[str, NDArray[Any]]:
    with np.load(made.path / "sample.npz", allow_pickle=False) as arrays:
        return dict(arrays)
