"""The metrics of every task on predictions made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
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


def resampled(dataset: Dataset, truth: Truth, guess: np.ndarray, weights: np.ndarray) -> Truth:
    """Every target as often as its weight says."""
    rows = np.repeat(np.arange(len(guess)), weights)
    lengths = truth.lengths
    if truth.form == "steps":  # whole sequences, one after the other
        bounds = np.cumsum(lengths)[:-1]
        parts = zip(np.split(np.arange(len(guess)), bounds), np.split(weights, bounds), strict=True)
        chosen = [part for part, times in parts for _ in range(times[0])]
        rows, lengths = np.concatenate(chosen), np.array([len(part) for part in chosen])
    return Truth(truth.form, truth.y[rows], truth.valid[rows], rows, lengths)


CASES = {
    "two classes": sequences(count=120),
    "classes": sequences(classes=4, count=120),
    "regression": sequences("regression", count=120),
    "numbers at steps": sequences("labelling", count=120),
    "tags": sequences("labelling", classes=5, tags=["O", "B-x", "I-x", "B-y", "I-y"], count=120),
    "forecasting": timeline(target_scale={"mean": [1.0, 5.0], "std": [2.0, 0.5]}),
    "windows": timeline("classification", classes=2),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_count_like_repetitions(case: str) -> None:
    data, rng = CASES[case], np.random.default_rng(1)
    truth = Samples(data, "train", DataKnobs(window=4)).truth()
    guess = rng.normal(size=truth.y.shape).astype(np.float32)
    if data.info["labels"]:
        chances = (
            rng.random((len(truth.y), len(data.info["labels"]))).round(1) + 0.01
        )  # with some that are equal
        guess = (chances / chances.sum(axis=1, keepdims=True)).astype(np.float32)
    weights = rng.integers(0, 4, len(truth.lengths) if truth.form == "steps" else len(guess))
    if truth.form == "steps":
        weights = np.repeat(weights, truth.lengths)
    again = resampled(data, truth, guess, weights)
    task = TASKS[data.info["task"]]
    repeated = task.score(data, again, guess[again.rows])
    assert len(repeated) >= 2
    if truth.form == "steps" and data.target == "numbers":
        assert "last_rmse" in repeated
    assert task.scorer(data, truth, guess)(weights) == pytest.approx(repeated)


@pytest.mark.parametrize("classes", [2, 3])
def test_auc_is_that_of_scikit_learn(classes: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(classes)
    y = rng.integers(0, classes, 200)
    chances = rng.dirichlet(np.ones(classes), 200).round(1)
    weights = rng.integers(0, 3, 200)
    scored = TASKS["classification"].scorer(sequences(classes=classes), of_sequences(y), chances, ["auc"])
    each = [
        roc_auc_score(y == one, chances[:, one], sample_weight=weights)
        for one in (range(classes) if classes > 2 else [1])
    ]
    assert scored(weights) == pytest.approx({"auc": np.mean(each)})


def test_classes_in_detail() -> None:
    truth = of_sequences(np.array([0, 0, 1, 2]))  # 2 is not in training
    chances = np.array([[0.95, 0.05], [0.35, 0.65], [0.25, 0.75], [0.55, 0.45]])
    details = TASKS["classification"].details(sequences(), truth, chances)
    assert details["confusion"] == {
        "labels": ["class 0", "class 1", "(not in training)"],
        "counts": [[1, 1, 0], [0, 1, 0], [1, 0, 0]],
    }
    first, second, unseen = details["classes"]
    assert first == {"class": "class 0", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert (second["precision"], second["recall"]) == (0.5, 1.0)
    assert unseen["recall"] == 0.0
    bins = details["calibration"]["bins"]
    assert [b["count"] for b in bins] == [1, 1, 1, 1]
    assert [b["accuracy"] for b in bins] == [0.0, 0.0, 1.0, 1.0]
    assert details["calibration"]["expected_error"] == pytest.approx((0.55 + 0.65 + 0.25 + 0.05) / 4)


def test_a_confusion_matrix_that_nobody_can_look_at_is_left_out() -> None:
    data = sequences()
    many = replace(data, info={**data.info, "labels": [str(n) for n in range(201)]})
    details = TASKS["classification"].details(many, of_sequences(np.array([0, 1])), np.eye(2, 201))
    assert set(details) == {"classes", "calibration"}


def test_labelling_with_spans_in_detail() -> None:
    data = sequences("labelling", classes=3, tags=["O", "B-x", "I-x"])
    truth = Truth("steps", np.array([1, 2, 0, 2]), np.ones(4, bool), NONE, np.array([3, 1]))
    details = TASKS["labelling"].details(data, truth, np.eye(3)[[1, 2, 0, 0]])
    assert [row["support"] for row in details["classes"]] == [1, 1, 2]
    assert details["spans"] == [
        {"class": "x", "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    ]


@pytest.mark.parametrize("name", ["regression", "labelling"])
def test_numbers_by_quartile_of_the_truth(name: str) -> None:
    data = sequences(name)
    data = replace(data, info={**data.info, "target_scale": {"mean": [10.0], "std": [2.0]}})
    y = np.arange(8.0)[:, None]
    truth = Truth("steps" if name == "labelling" else "sequence", y, np.ones(8, bool), NONE, np.array([8]))
    guess = y + np.array([1, 1, 0, 0, 0, 0, -2, -2])[:, None]
    rows = TASKS[name].details(data, truth, guess)["quartiles"]
    assert rows[0] == {"target": "y", "low": 10.0, "high": 12.0, "count": 2, "mae": 2.0}
    assert [row["mae"] for row in rows] == [2.0, 0.0, 0.0, 4.0]


def test_forecasting_by_step_ahead_in_original_units() -> None:
    data = timeline(season=12, target_scale={"mean": [1.0, 5.0], "std": [2.0, 0.5]})
    valid = data.valid.copy()
    valid[[215, 230]] = False
    data = replace(data, valid=valid)
    truth = Samples(data, "test", DataKnobs(window=4)).truth()
    guess = truth.y + np.array([[[1.0, 2.0]], [[0.0, 0.0]]])[np.arange(len(truth.y)) % 2]
    rows = TASKS["forecasting"].details(data, truth, guess)["ahead"]
    assert [row["step"] for row in rows] == [1, 2, 3]
    scores = TASKS["forecasting"].score(data, truth, guess)
    known = truth.valid.sum(axis=0)
    assert np.average([row["mae"] for row in rows], weights=known) == pytest.approx(scores["original_mae"])
    squared = np.average(np.square([row["rmse"] for row in rows]), weights=known)
    assert squared**0.5 == pytest.approx(scores["original_rmse"])
    # Across the missing rows a season is not repeated exactly.
    assert all(row["mae of same step of the last season (12)"] < row["mae of last value"] for row in rows)
