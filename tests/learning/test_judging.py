from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.errors import TrainingError
from gru_tune.knobs import DataKnobs
from gru_tune.learning import judging, resampling
from gru_tune.learning.predicting import measure, predict
from gru_tune.learning.resampling import resamples
from gru_tune.learning.samples import Batch, Samples
from gru_tune.tasks import TASKS
from gru_tune.trial import Objective
from tests.learning.learning_data import sequences, spans, timeline

ACCURACY = Objective("accuracy", "max")
WINDOW = DataKnobs(window=4)

CASES = {
    "classes": sequences(classes=3, count=120),
    "regression": sequences("regression", count=120),
    "numbers at steps": sequences("labelling", count=120),
    "tags": sequences("labelling", classes=3, tags=["O", "B-x", "I-x"], count=120),
    "forecasting": timeline(rows=1200, season=5),
    "windows": timeline("classification", rows=600, classes=2),
    "steps of a timeline": timeline("labelling", rows=600, classes=2),
}


def objective(data: Dataset) -> Objective:
    task = TASKS[data.info["task"]]
    name = task.default_objective(data.target)
    return Objective(name, task.metrics(data.target)[name])


def judge(
    data: Dataset, y_pred: np.ndarray, aim: Objective | None = None, seed: int = 1, **more: Any
) -> dict[str, Any]:
    aim = aim or objective(data)
    return judging.judge(data, "test", WINDOW, y_pred, more.get("metrics", [aim.name]), aim, seed)


def truth_of(data: Dataset) -> np.ndarray:
    return Samples(data, "test", WINDOW).truth().y


def perfect(data: Dataset) -> np.ndarray:
    y = truth_of(data)
    return np.eye(len(data.info["labels"]))[y] if data.info["labels"] else y


def noisy(data: Dataset, seed: int = 0) -> np.ndarray:
    """Predictions that are right more often than not."""
    rng = np.random.default_rng(seed)
    guess = perfect(data) + rng.random(perfect(data).shape)
    return guess / guess.sum(axis=1, keepdims=True) if data.info["labels"] else guess


def hard(data: Dataset, seed: int = 0) -> Dataset:
    """The same with inputs and targets that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    return replace(data, x=rng.normal(size=data.x.shape).astype(np.float32))


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what does not depend on their number: a macro F1 takes milliseconds."""
    monkeypatch.setattr(resampling, "RESAMPLES", 40)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("few_resamples")
def test_a_judgement_is_plain_data_and_complete(case: str) -> None:
    data = CASES[case]
    every = TASKS[data.info["task"]].metrics(data.target)
    found = judge(data, noisy(data), metrics=list(every))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    undefined = {"loss"} if case == "tags" else {"loss", "span_f1"}
    assert set(found["metrics"]) == set(every) - undefined
    assert set(found["intervals"]) == set(found["metrics"])
    for name, (low, high) in found["intervals"].items():
        assert low <= found["metrics"][name] <= high
    assert set(found["against"]) == {"name", "difference", "interval", "beaten"}
    assert found["against"]["name"] in found["baselines"]
    for baseline in found["baselines"].values():
        assert set(baseline["metrics"]) == set(found["metrics"])
    assert found["resamples"] == 40
    assert found["details"]


class StandIn:
    """Scores batches by the first feature alone, as a model's scorer would."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def score(self, batch: Batch) -> tuple[np.ndarray, float]:
        first = np.where(batch.x[..., 0] > -1e8, batch.x[..., 0], 0.0)
        if self.samples.form == "steps":
            return first[..., None] * 0.9, 0.25
        level = first.mean(axis=1)
        if self.samples.form == "horizon":
            return np.broadcast_to(level[:, None, None], batch.y.shape), 0.25
        return 1 / (1 + np.exp(-level[:, None])), 0.25


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize(
    "data",
    [sequences(count=90), sequences("labelling"), timeline(season=12)],
    ids=["classes", "steps", "forecasts"],
)
def test_the_metrics_are_those_that_are_measured(data: Dataset) -> None:
    samples = Samples(data, "test", WINDOW)
    every = list(TASKS[data.info["task"]].metrics(data.target))
    measured = measure(StandIn(samples), samples, samples.truth(), every)
    y_pred, loss = predict(StandIn(samples), samples)
    found = judge(data, y_pred, metrics=every)
    assert {**found["metrics"], "loss": loss} == measured


def test_the_best_baseline_itself_is_not_beaten() -> None:
    data = hard(sequences(count=120))
    samples = Samples(data, "test", WINDOW)
    for name, guess in TASKS["classification"].guesses(data, samples.truth()).items():
        found = judge(data, guess)
        if found["against"]["name"] == name:
            assert found["against"] == {
                "name": name,
                "difference": 0.0,
                "interval": [0.0, 0.0],
                "beaten": False,
            }
            break
    else:
        pytest.fail("no baseline is the best")


@pytest.mark.parametrize("case", CASES)
def test_a_perfect_model_beats_the_baselines(case: str) -> None:
    data = hard(CASES[case])
    found = judge(data, perfect(data))["against"]
    assert found["beaten"]
    low, high = found["interval"]
    assert low <= found["difference"] <= high
    assert (found["difference"] > 0) == (objective(data).direction == "max")


@pytest.mark.parametrize("direction", ["max", "min"])
def test_a_model_that_knows_nothing_rarely_beats_a_baseline(direction: str) -> None:
    task = "classification" if direction == "max" else "regression"
    beaten = 0
    for seed in range(8):
        data = hard(sequences(task, count=240), seed)
        shuffled = np.random.default_rng(seed).permutation(perfect(data))
        beaten += judge(data, shuffled, seed=seed)["against"]["beaten"]
    assert beaten <= 1


def test_the_interval_of_an_accuracy_is_as_wide_as_theory_says() -> None:
    data = sequences(count=1800)  # 300 of them for testing
    guess, rng = perfect(data), np.random.default_rng(0)
    wrong = rng.random(len(guess)) < 0.3
    guess[wrong] = 1 - guess[wrong]
    found = judge(data, guess)
    accuracy = found["metrics"]["accuracy"]
    low, high = found["intervals"]["accuracy"]
    assert high - low == pytest.approx(2 * 1.96 * (accuracy * (1 - accuracy) / 300) ** 0.5, rel=0.12)
    assert found["unit"] == "sequences"
    assert found["units"] == found["samples"] == 300


def test_steps_of_a_sequence_are_drawn_together() -> None:
    """Whole sequences are right or wrong here: the steps tell no more than the sequences."""
    data = sequences("labelling", classes=2, tags=["O", "P"], count=1200, varying=False)
    y, rng = truth_of(data), np.random.default_rng(0)
    wrong = np.repeat(rng.random(len(y) // 6) < 0.3, 6)
    found = judge(data, np.eye(2)[np.where(wrong, 1 - y, y)])
    low, high = found["intervals"]["accuracy"]
    assert found["units"] == len(y) // 6 == 200
    assert high - low == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 200) ** 0.5, rel=0.15)


def test_the_seed_decides_the_resamples() -> None:
    data = sequences("regression", count=120)
    guess = noisy(data)
    one, other = judge(data, guess, seed=5), judge(data, guess, seed=6)
    assert judge(data, guess, seed=5) == one
    assert other["metrics"] == one["metrics"]
    assert other["intervals"] != one["intervals"]


def test_every_model_is_measured_on_the_same_resamples() -> None:
    data = sequences(count=120)
    samples = Samples(data, "test", WINDOW)
    truth = samples.truth()
    every = list(resamples(resampling.units(samples, truth), len(truth.y)))
    for guess in (noisy(data), noisy(data, seed=1)):
        found = judging.judge(data, "test", WINDOW, guess, ["accuracy", "auc"], ACCURACY)
        hit = guess.argmax(axis=1) == truth.y
        assert found["drawn"]["accuracy"] == pytest.approx([np.average(hit, weights=w) for w in every])


def test_a_resample_that_does_not_define_a_metric_has_no_value() -> None:
    data = sequences(count=120)
    lonely = np.where(data.of("test")[:, None] == data.of("test")[:1], 1, 0)[:, 0]
    y = np.array(data.y)
    y[data.of("test")] = lonely  # one of the class: a third of the resamples miss it
    data = replace(data, y=y)
    drawn = judge(data, noisy(data), metrics=["auc", "accuracy"])["drawn"]
    assert 0.2 < np.mean([value is None for value in drawn["auc"]]) < 0.5
    assert None not in drawn["accuracy"]


def test_few_sequences_have_no_interval() -> None:
    data = sequences(count=54)
    found = judge(data, perfect(data))
    assert found["units"] == 9
    assert (found["resamples"], found["intervals"], found["drawn"]) == (0, {}, {})
    assert found["against"]["interval"] is None
    assert found["against"]["beaten"] is False


def test_the_last_step_of_a_timeline_is_one_number_without_an_interval() -> None:
    data = replace(
        timeline("labelling", rows=600), info={**timeline("labelling").info, "targets": ["b", "c"]}
    )
    found = judge(data, noisy(data), metrics=["mae", "last_mae"])
    assert set(found["metrics"]) == {"mae", "last_mae"}
    assert set(found["intervals"]) == {"mae"}


def test_no_baseline_has_a_loss() -> None:
    data = sequences(count=120)
    found = judge(data, perfect(data), Objective("loss", "min"), metrics=["loss", "accuracy"])
    assert found["against"] is None
    assert found["metrics"] == {"accuracy": 1.0}


def test_an_objective_that_the_split_does_not_define() -> None:
    data = sequences(count=120)
    data = replace(data, y=np.where(data.spans[:, 2] == 2, 0, data.y).astype(np.int32))
    found = judge(data, perfect(data), Objective("auc", "max"), metrics=["auc", "accuracy"])
    assert found["against"] is None
    assert set(found["intervals"]) == {"accuracy"}


def test_classes_never_trained_are_wrong() -> None:
    data = sequences(count=120)
    y = np.array(data.y)
    y[data.of("test")[:5]] = 2
    data = replace(data, y=y)
    found = judge(data, np.eye(2)[np.minimum(truth_of(data), 1)])
    assert found["metrics"]["accuracy"] == 15 / 20
    assert found["details"]["classes"][-1]["class"] == "(not in training)"


def test_predictions_that_are_no_numbers_are_refused() -> None:
    data = sequences(count=120)
    guess = perfect(data)
    guess[3, 0] = np.nan
    with pytest.raises(TrainingError) as error:
        judge(data, guess)
    assert str(error.value) == (
        "the model's predictions on the test split are not all finite numbers; "
        "train it with a smaller training.learning_rate, or with training.clip_norm"
    )


def test_a_split_without_samples_is_refused() -> None:
    data = sequences()
    where = data.spans.copy()
    where[:, 2] = 0
    with pytest.raises(
        TrainingError, match="the test split gives no samples: it has no sequence with a target"
    ):
        judge(replace(data, spans=where), np.empty((0, 2)))


def drawn(data: Dataset, knobs: DataKnobs = WINDOW) -> tuple[resampling.Units, np.ndarray]:
    samples = Samples(data, "test", knobs)
    truth = samples.truth()
    units = resampling.units(samples, truth)
    return units, np.stack(list(resamples(units, len(truth.y), seed=2)))


def test_windows_are_drawn_in_blocks_of_a_window_and_a_horizon() -> None:
    units, weights = drawn(timeline(rows=1200))  # 200 rows for testing, 186 origins, windows of 4 and 3 ahead
    assert units.name == "blocks of 7 neighbouring windows"
    assert units.count == round(weights.shape[1] / 7)
    assert set(weights.sum(axis=1)) == {units.count * 7}
    changes = np.abs(np.diff(np.concatenate([weights, weights[:, :1]], axis=1))).sum(axis=1)
    assert (changes <= 2 * units.count).all()  # a block begins once and ends once
    assert np.abs(weights.mean(axis=0) - 1).max() < 0.15  # all are drawn equally often, the ends too


def test_blocks_stay_within_their_stretch() -> None:
    """Of several stretches in a split, short ones are drawn whole."""
    data = timeline("labelling", rows=600, classes=2)
    lengths = [300, 100, 3, 3, 50, 144]
    data = replace(data, spans=spans(lengths, [0, 1, 2, 2, 2, 2]))
    units, weights = drawn(data, DataKnobs(window=8))
    assert units.name == "blocks of 8 neighbouring steps"
    for start in (0, 3):
        assert (weights[:, start : start + 3] == weights[:, start, None]).all()
    assert (weights[:, 0] != weights[:, 3]).any()
    assert (weights[:, 6:56].sum(axis=1) % 8 == 0).all()


def test_fewer_resamples_of_very_many_predictions() -> None:
    units = resampling.Units("sequences", 20, lambda rng: rng.integers(0, 2, 20))
    assert [len(list(resamples(units, n, 0))) for n in (10, 10**6, 2 * 10**6, 10**9)] == [
        1000,
        1000,
        500,
        200,
    ]
