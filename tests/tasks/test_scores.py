"""The metrics of every task on predictions made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gru_tune.knobs import DataKnobs
from gru_tune.learning.samples import Samples
from gru_tune.learning.truth import Truth
from gru_tune.tasks import TASKS
from tests.learning.learning_data import sequences, timeline

NONE = np.empty(0, np.int64)


def of_sequences(y: np.ndarray) -> Truth:
    return Truth("sequence", y, np.ones(len(y), bool), np.arange(len(y)), NONE)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_an_objective_among_its_metrics(name: str) -> None:
    task = TASKS[name]
    assert task.name == name
    targets = {"forecasting": ["numbers"], "labelling": ["labels", "numbers"]}.get(name, ["label", "number"])
    for target in targets:
        assert task.default_objective(target) in task.metrics(target)
        assert "loss" in task.metrics(target)
        assert set(task.metrics(target)) <= set(task.metrics(None))
        assert set(task.metrics(target).values()) <= {"min", "max"}


def test_classification() -> None:
    truth = of_sequences(np.array([0, 0, 1, 1]))
    second = np.array([0.1, 0.6, 0.4, 0.9], np.float32)
    scores = TASKS["classification"].score(sequences(), truth, np.stack([1 - second, second], 1))
    assert scores == {"accuracy": 0.5, "macro_f1": 0.5, "auc": 0.75}


def test_a_class_never_trained_counts_as_missed() -> None:
    truth = of_sequences(np.array([0, 1, 2, 2]))
    chances = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    scores = TASKS["classification"].score(sequences(), truth, chances)
    assert scores["accuracy"] == 0.5
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


def test_auc_of_many_classes_leaves_out_those_that_are_missing() -> None:
    truth = of_sequences(np.array([0, 0, 1, 1]))
    chances = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.4, 0.2, 0.4]], np.float32)
    scores = TASKS["classification"].score(sequences(classes=3), truth, chances)
    assert scores["auc"] == pytest.approx((1.0 + 0.75) / 2)


def test_auc_of_one_class_alone_is_left_out() -> None:
    truth = of_sequences(np.array([1, 1]))
    scores = TASKS["classification"].score(sequences(), truth, np.full((2, 2), 0.5, np.float32))
    assert set(scores) == {"accuracy", "macro_f1"}


def test_regression_is_scored_in_the_units_given() -> None:
    data = sequences("regression")
    data = replace(data, info={**data.info, "target_scale": {"mean": [10.0], "std": [2.0]}})
    truth = of_sequences(np.array([[0.0], [1.0], [2.0]], np.float32))
    scores = TASKS["regression"].score(data, truth, np.array([[0.0], [1.0], [1.0]], np.float32))
    wanted = {"mae": 2 / 3, "mse": 4 / 3, "rmse": (4 / 3) ** 0.5, "r2": 1 - 4 / 8}
    assert scores == pytest.approx(wanted)


def test_r2_of_a_constant_is_left_out() -> None:
    truth = of_sequences(np.ones((3, 1), np.float32))
    assert "r2" not in TASKS["regression"].score(sequences("regression"), truth, np.zeros((3, 1), np.float32))


def test_forecasting_in_both_units_and_against_the_naive_error() -> None:
    data = timeline(horizon=2, rows=60, target_scale={"mean": [0.0, 0.0], "std": [2.0, 2.0]})
    ramp = np.stack([np.arange(60.0), np.arange(60.0) * 2], 1).astype(np.float32)
    data = replace(data, y=ramp)  # the last value is wrong by 1 and 2 inside the training split
    y = np.zeros((1, 2, 2), np.float32)
    valid = np.array([[True, False]])
    guess = np.array([[[1.0, 3.0], [50.0, 50.0]]], np.float32)
    scores = TASKS["forecasting"].score(data, Truth("horizon", y, valid, NONE, NONE), guess)
    assert scores["mae"] == 2.0
    assert scores["mse"] == 5.0
    assert scores["original_mae"] == 4.0
    assert scores["original_rmse"] == pytest.approx(20**0.5)
    assert scores["mase"] == pytest.approx((1 / 1 + 3 / 2) / 2)


def test_labelling_of_numbers_looks_at_last_steps_too() -> None:
    truth = Truth("steps", np.zeros((5, 1), np.float32), np.ones(5, bool), NONE, np.array([2, 3]))
    guess = np.array([[0], [1], [0], [0], [3]], np.float32)
    scores = TASKS["labelling"].score(sequences("labelling"), truth, guess)
    assert scores["mae"] == pytest.approx(4 / 5)
    assert scores["last_mae"] == 2.0
    assert scores["last_rmse"] == pytest.approx(5**0.5)
    assert "last_mse" not in scores


def test_only_what_was_asked_for_is_computed() -> None:
    data = sequences()
    truth = of_sequences(np.array([0, 1]))
    chances = np.eye(2, dtype=np.float32)
    assert TASKS["classification"].score(data, truth, chances, ["auc"]) == {"auc": 1.0}
    numbers = Samples(timeline(), "test", DataKnobs(window=3)).truth()
    scores = TASKS["forecasting"].score(timeline(), numbers, np.zeros_like(numbers.y), ["rmse", "loss"])
    assert set(scores) == {"rmse"}
