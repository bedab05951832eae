from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import settle
from gru_tune.learning.checkpoints import RUNNING
from gru_tune.learning.training import train
from gru_tune.tasks import TASKS
from gru_tune.trial import Fault, Outcome
from tests.learning.learning_data import job, sequences, timeline
from tests.learning.scoring import evaluate, predict

# Between them every task, kind of input and target, and every knob that changes a path in the code.
CONTRACT: list[Any] = [
    pytest.param(sequences(words=True), {"dropout": 0.1, "clip_norm": 1.0}, id="text"),
    pytest.param(
        sequences(words=True, classes=3),
        {"cell": "lstm", "label_smoothing": 0.1, "class_weights": "balanced", "pooling": "mean", "max_length": 5},
        id="classes",
    ),
    pytest.param(
        sequences(), {"cell": "rnn", "activation": "relu", "normalization": "layer", "loss": "focal"}, id="series"
    ),
    pytest.param(
        sequences("regression"),
        {"pooling": "max", "bidirectional": True, "dense": 4, "schedule": "cosine", "warmup": 0.5, "loss": "huber"},
        id="regression",
    ),
    pytest.param(
        sequences("labelling", words=True, classes=3, tags=["O", "B-x", "I-x"]),
        {"bidirectional": True, "depth": 2, "dropout": 0.1, "optimizer": "rmsprop", "momentum": 0.5},
        id="tags",
    ),
    pytest.param(
        sequences("labelling"), {"cell": "lstm", "normalization": "batch", "schedule": "plateau"}, id="numbers"
    ),
    pytest.param(timeline(season=12), {"scale": "window", "recurrent_dropout": 0.1, "l2": 1e-5}, id="forecast"),
    pytest.param(timeline(), {"cell": "lstm", "depth": 2, "scale": "last", "clip_value": 0.5}, id="last"),
    pytest.param(timeline("classification", classes=2), {"optimizer": "adamw", "weight_decay": 1e-3}, id="states"),
    pytest.param(timeline("labelling", classes=2), {"optimizer": "nadam", "loss": "focal"}, id="tiles"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "knobs"), CONTRACT)
def test_every_task_learns_and_leaves_a_model(data: Dataset, knobs: dict[str, Any], tmp_path: Path) -> None:
    task = TASKS[data.info["task"]]
    directions = task.metrics(data.target)
    name = task.default_objective(data.target)
    one = job(data, tmp_path, name, directions[name], window=6, epochs=3, **knobs)
    one = replace(one, metrics=tuple(directions))
    outcome = train(one)
    assert outcome.error is None
    assert [epoch.number for epoch in outcome.epochs] == [1, 2, 3]
    first, last = outcome.epochs[0], outcome.epochs[-1]
    assert last.train["loss"] < first.train["loss"]
    assert set(last.validation) <= set(directions)
    assert {"loss", name} <= set(last.validation)
    assert outcome.parameters > 0
    assert outcome.fast_path in ("jax", "jax-scan", "plain", "cudnn", "xla")
    # the model left behind is that of the best epoch, and says the same in a plain loader
    scores = [epoch.validation[name] for epoch in outcome.epochs]
    best = outcome.epochs[scores.index(min(scores, key=one.objective.sort_key))]
    again = evaluate(f"{one.folder}/model.keras", one.data, one.settings, "validation", directions)
    assert again == pytest.approx(best.validation, rel=1e-4, abs=1e-5)
    assert set(os.listdir(one.folder)) - {RUNNING} == {"model.keras"}  # of a slow machine a state, too


def of_regression(tmp_path: Path, **knobs: Any) -> Any:
    return job(sequences("regression"), tmp_path, "mse", **knobs)


def without_seconds(outcome: Outcome) -> list[Any]:
    return [(epoch.number, epoch.train, epoch.validation) for epoch in outcome.epochs]


@pytest.mark.parametrize(
    "knobs",
    [
        {"schedule": "cosine", "dropout": 0.3, "recurrent_dropout": 0.2, "depth": 2},
        {"schedule": "plateau", "optimizer": "sgd", "normalization": "batch", "min_delta": 0.5},
    ],
)
def test_training_in_stretches_is_training_at_once(knobs: dict[str, Any], tmp_path: Path) -> None:
    """To the digit: random numbers, optimizer, rate and patience go on as if nothing had been."""
    knobs = {"epochs": 5, **knobs}
    whole = of_regression(tmp_path, **knobs)
    at_once = train(whole)
    first = replace(whole, folder=str(tmp_path / "parts"), last_epoch=3, checkpoint=True)
    before = train(first)
    best = min(epoch.validation["mse"] for epoch in before.epochs)
    after = train(replace(first, first_epoch=3, last_epoch=5, best_before=best))
    assert before.error is None
    assert after.error is None
    assert without_seconds(before) + without_seconds(after) == without_seconds(at_once)
    models = [
        predict(f"{f}/model.keras", whole.data, whole.settings, "test") for f in (whole.folder, first.folder)
    ]
    np.testing.assert_array_equal(models[0].y_pred, models[1].y_pred)


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    one = of_regression(tmp_path, dropout=0.3)
    first, again, other = train(one), train(one), train(replace(one, seed=12))
    assert without_seconds(first) == without_seconds(again)
    assert without_seconds(first) != without_seconds(other)


def test_a_worse_stretch_leaves_the_better_model(tmp_path: Path) -> None:
    one = replace(of_regression(tmp_path, epochs=2), last_epoch=1, checkpoint=True)
    train(one)
    model = Path(one.folder) / "model.keras"
    written = model.read_bytes()
    outcome = train(replace(one, first_epoch=1, last_epoch=2, best_before=-1.0))
    assert [epoch.number for epoch in outcome.epochs] == [2]
    assert model.read_bytes() == written


def test_loss_that_becomes_nan_is_told_with_its_epoch(tmp_path: Path) -> None:
    one = of_regression(
        tmp_path, optimizer="sgd", learning_rate=10.0, cell="rnn", activation="relu", epochs=9
    )
    outcome = train(one)
    assert outcome.error is not None
    assert outcome.error.split(" in epoch ")[0] in (
        "loss became nan", "loss became inf", "validation loss became nan", "validation mse became inf",
    )  # fmt: skip
    assert outcome.fault is Fault.NUMBER
    assert len(outcome.epochs) < 9
    assert (Path(one.folder) / "error.txt").exists()
    assert not (Path(one.folder) / "model.keras").exists()


def test_settings_that_contradict_themselves(tmp_path: Path) -> None:
    outcome = train(of_regression(tmp_path, loss="focal"))
    assert outcome.error == "loss focal is for classes, and the targets are numbers: use mse"
    assert (outcome.epochs, outcome.fault) == ((), Fault.ERROR)


def test_a_window_longer_than_the_data(tmp_path: Path) -> None:
    outcome = train(job(timeline(rows=60), tmp_path, "mse", window=50))
    assert outcome.error is not None
    assert "too few for a window of 50" in outcome.error


def test_an_objective_the_data_do_not_have(tmp_path: Path) -> None:
    outcome = train(job(sequences("labelling", words=True, classes=3), tmp_path, "span_f1", "max"))
    assert outcome.error == "the objective span_f1 is not defined on the validation split of these data"


def test_patience_ends_a_trial(tmp_path: Path) -> None:
    one = of_regression(tmp_path, epochs=20, patience=2, min_delta=100.0)
    assert len(train(one).epochs) == 3


def test_the_deadline_ends_a_trial_after_one_epoch(tmp_path: Path) -> None:
    outcome = train(replace(of_regression(tmp_path, epochs=5), deadline=time.time() - 1))
    assert outcome.cut
    assert outcome.error is None
    assert len(outcome.epochs) == 1


def test_a_stretch_goes_on_where_the_deadline_ended_the_one_before(tmp_path: Path) -> None:
    whole = of_regression(tmp_path, epochs=4)
    at_once = train(whole)
    first = replace(whole, folder=str(tmp_path / "parts"), last_epoch=3, checkpoint=True)
    before = train(replace(first, deadline=time.time() - 1))
    after = train(replace(first, first_epoch=3, last_epoch=4))
    assert without_seconds(before) + without_seconds(after) == without_seconds(at_once)


def test_a_stretch_does_not_give_new_patience(tmp_path: Path) -> None:
    one = replace(
        of_regression(tmp_path, epochs=9, patience=2, min_delta=100.0), last_epoch=6, checkpoint=True
    )
    assert len(train(one).epochs) == 3
    outcome = train(replace(one, first_epoch=6, last_epoch=9))
    assert (outcome.epochs, outcome.error) == ((), None)


def test_progress_is_a_whole_file_after_every_epoch(tmp_path: Path) -> None:
    progress = tmp_path / "progress.json"
    outcome = train(replace(of_regression(tmp_path), progress=str(progress)))
    told = json.loads(progress.read_text())
    last = outcome.epochs[-1]
    assert told == {
        "trial": 1, "epoch": 2, "last_epoch": 2, "score": last.validation["mse"], "seconds": last.seconds,
    }  # fmt: skip


def test_the_objective_is_measured_without_being_asked_for(tmp_path: Path) -> None:
    outcome = train(replace(of_regression(tmp_path), metrics=("mae",)))
    assert set(outcome.epochs[0].validation) == {"mae", "mse"}


def test_the_loss_of_validation_has_no_penalties(tmp_path: Path) -> None:
    outcome = train(replace(of_regression(tmp_path, l2=1.0), metrics=("loss", "mse")))
    last = outcome.epochs[-1]
    assert last.validation["loss"] == pytest.approx(last.validation["mse"], rel=1e-5)
    assert last.train["loss"] > 2 * last.validation["loss"]


def test_the_loss_of_training_is_the_mean_over_its_samples(tmp_path: Path) -> None:
    """Guards against numbers of the last batch alone, and against filled-up rows that count."""
    one = of_regression(tmp_path, learning_rate=1e-9, epochs=1, batch_size=15)
    trained = train(one).epochs[0].train
    scores = evaluate(f"{one.folder}/model.keras", one.data, one.settings, "train", ["loss", "mae"])
    assert trained == pytest.approx(scores, rel=1e-4)


def test_predictions_stand_beside_the_truth(tmp_path: Path) -> None:
    data = sequences("labelling", words=True, classes=3)
    one = job(data, tmp_path, "accuracy", "max", epochs=3)
    assert train(one).error is None
    found = predict(f"{one.folder}/model.keras", one.data, one.settings, "test")
    assert found.y_pred.shape == (len(found.y_true), 3)
    scores = evaluate(f"{one.folder}/model.keras", one.data, one.settings, "test", ["accuracy"])
    assert scores == {"accuracy": float((found.y_pred.argmax(1) == found.y_true).mean())}


COMPILED = """
import sys
from pathlib import Path
from gru_tune.learning.training import configure, train
configure(sys.argv[1], 1)
from tests.learning.learning_data import job, sequences
from gru_tune.learning import engines
engines.SAVED = 1.0
one = job(sequences(words=True), Path(sys.argv[2]), "accuracy", "max", epochs=3, dropout=0.2)
outcome = train(one)
assert outcome.error is None, outcome.error
assert outcome.fast_path in {"tensorflow": ("xla", "cudnn"), "jax": ("jax",)}[sys.argv[1]], outcome.fast_path
assert sys.argv[1] == "tensorflow" or not sys.modules["tensorflow"], "a worker starts only what it uses"
assert outcome.epochs[-1].train["loss"] < outcome.epochs[0].train["loss"]
import keras
assert keras.backend.backend() == sys.argv[1]
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_compiled_training_in_a_fresh_process(backend: str, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", COMPILED, backend, str(tmp_path)], check=True, cwd=root, timeout=120
    )


def test_settings_of_a_job_travel() -> None:
    import pickle

    settings = settle({"depth": 2})
    assert pickle.loads(pickle.dumps(settings)) == settings
