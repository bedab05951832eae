"""Baselines that learn: from the training split, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import DataKnobs
from gru_tune.learning.samples import Samples
from gru_tune.tasks import TASKS, _inputs, _summary, _window
from tests.data.preparing import prepared
from tests.learning import scoring as baselines
from tests.learning.learning_data import info, sequences, spans, timeline

ALL = "linear regression on the window"
OWN = "linear regression on each target's own past"

EVERY = {
    "sequences": sequences(),
    "of one length": sequences(varying=False),
    "words": sequences(words=True),
    "regression": sequences("regression"),
    "numbers at steps": sequences("labelling"),
    "classes at steps": sequences("labelling", classes=3),
    "forecasting": timeline(season=12),
    "windows": timeline("classification", classes=2),
    "numbers of windows": replace(timeline("regression"), y=timeline().y[:, :1]),
    "steps of a timeline": timeline("labelling", classes=2),
}


def guesses(data: Dataset) -> dict[str, np.ndarray]:
    truth = Samples(data, "test", DataKnobs(window=int(data.info.get("max_window", 1)))).truth()
    return TASKS[data.info["task"]].guesses(data, truth)


def one_channel(*series: list[float], empty: bool = False) -> Dataset:
    lengths = [len(s) for s in series]
    x = np.concatenate([np.array(s, np.float32) for s in series])[:, None]
    return Dataset(
        "sequences", "label", x, np.zeros(len(series), np.int32), np.ones(len(series), bool),
        spans(lengths, [0] * len(series)), info(features=1),
    )  # fmt: skip


@pytest.mark.parametrize("case", EVERY)
def test_guesses_are_shaped_like_the_predictions_of_a_model(case: str) -> None:
    data = EVERY[case]
    truth = Samples(data, "test", DataKnobs(window=int(data.info.get("max_window", 1)))).truth()
    classes = len(data.info["labels"])
    found = guesses(data)
    assert len(found) >= 2
    for guess in found.values():
        assert guess.shape == ((*truth.y.shape, classes) if classes else truth.y.shape)
        assert np.isfinite(guess).all()
        assert not classes or np.allclose(guess.sum(axis=1), 1.0)


@pytest.mark.parametrize("case", EVERY)
def test_nothing_is_learned_from_the_targets_of_other_splits(case: str) -> None:
    data = EVERY[case]
    rows = np.ones(len(data.y), bool)
    training = data.of("train")
    if data.target in ("label", "number"):
        rows[training] = False
    else:
        for start, length, _ in data.spans[training]:
            rows[start : start + length] = False
    y = np.array(data.y)
    y[rows] = y[rows][::-1] if data.info["labels"] else 7.0
    before, after = guesses(data), guesses(replace(data, y=y))
    for name in before:
        if name != "last value" and not name.startswith("same step"):  # they know the past of the split
            np.testing.assert_array_equal(before[name], after[name])


def test_the_same_data_give_the_same_numbers() -> None:
    data = sequences(classes=3)
    assert baselines.compute(data, "test") == baselines.compute(data, "test")


def test_summary_features_by_hand() -> None:
    data = one_channel([1, 2, 6], [4], [], [0, 0])
    found = _summary.features(data, np.arange(4))
    # mean, spread, least, greatest, first, last, slope, length
    assert found[0] == pytest.approx([3, np.sqrt(14 / 3), 1, 6, 1, 6, 2.5, 3])
    assert found[1].tolist() == [4, 0, 4, 4, 4, 4, 0, 1]
    assert found[2].tolist() == [0] * 8
    assert found[3].tolist() == [0, 0, 0, 0, 0, 0, 0, 2]


def test_summary_features_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sequences()
    whole = _summary.features(data, np.arange(60))
    monkeypatch.setattr(_inputs, "MOST_VALUES", 100)
    assert len(_inputs.parts(np.arange(60), 18)) > 10
    np.testing.assert_allclose(_summary.features(data, np.arange(60)), whole)


@pytest.mark.parametrize("classes", [2, 4])
def test_summary_features_tell_the_class(classes: int) -> None:
    found = baselines.compute(sequences(classes=classes), "test")
    assert found["summary features + logistic regression"]["accuracy"] == 1.0
    assert found["majority class"]["accuracy"] < 0.9


def test_summary_features_tell_the_number() -> None:
    found = baselines.compute(sequences("regression"), "test")
    assert found["summary features + ridge regression"]["rmse"] < 0.3 * found["training mean"]["rmse"]


def test_the_nearest_neighbour_needs_sequences_of_one_length() -> None:
    assert baselines.compute(sequences(varying=False), "test")["1-nearest neighbour"]["accuracy"] == 1.0
    assert "1-nearest neighbour" not in baselines.compute(sequences(varying=True), "test")


def test_the_nearest_neighbour_is_left_out_where_it_would_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_summary, "MOST_COMPARED", 40 * 6 * 2 - 1)  # 40 training sequences
    assert "1-nearest neighbour" not in baselines.compute(sequences(varying=False), "test")


def test_a_class_of_windows_is_told_by_the_window_that_ends_with_it() -> None:
    found = baselines.compute(timeline("classification", classes=2), "test")
    assert found["1-nearest neighbour"]["accuracy"] == 1.0
    assert found["summary features + logistic regression"]["accuracy"] > 0.9


def test_one_class_alone_in_training() -> None:
    data = sequences(varying=False)
    found = baselines.compute(replace(data, y=np.zeros_like(data.y)), "test")
    assert {name: scores["accuracy"] for name, scores in found.items()} == {
        "majority class": 1.0, "summary features + logistic regression": 1.0, "1-nearest neighbour": 1.0
    }  # fmt: skip


def test_a_wave_is_linear_in_its_window() -> None:
    found = baselines.compute(timeline(), "test")
    assert found[ALL]["mse"] < 1e-3
    assert found["last value"]["mse"] > 0.1
    assert OWN not in found  # the second target is no input


def test_a_forecast_of_each_target_by_its_own_past() -> None:
    """The other input is noise that a few training windows cannot tell from a signal."""
    data = timeline(rows=120)
    x = np.stack([np.random.default_rng(0).normal(size=120), data.x[:, 1]], 1).astype(np.float32)
    data = replace(data, x=x, y=data.x[:, 1:], info={**data.info, "targets": ["b"], "target_inputs": [1]})
    data = replace(data, info={**data.info, "target_scale": {"mean": [0.0], "std": [1.0]}})
    found = baselines.compute(data, "test")
    assert found[OWN]["mse"] < found[ALL]["mse"]
    alone = replace(data, x=x[:, 1:], info={**data.info, "target_inputs": [0]})
    again = baselines.compute(alone, "test")
    assert again[ALL] == pytest.approx(found[OWN])
    assert OWN not in again  # it would be the same


def test_forecasts_are_not_learned_from_missing_targets() -> None:
    data = timeline()
    valid = data.valid.copy()
    valid[40:60] = False
    y = np.where(valid[:, None], data.y, 1e6).astype(np.float32)
    assert baselines.compute(replace(data, y=y, valid=valid), "test")[ALL]["mse"] < 1e-3


def test_no_forecast_is_learned_where_no_window_fits() -> None:
    data = timeline()
    valid = data.valid.copy()
    valid[: 240 * 2 // 3 : 2] = False
    valid[1] = True  # or nothing is known of training at all
    assert ALL not in baselines.compute(replace(data, valid=valid), "test")


def test_of_a_long_window_the_last_steps_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    data = timeline()
    monkeypatch.setattr(_window, "MOST_COLUMNS", 9)  # 4 steps of 2 channels
    x = np.array(data.x)
    before = guesses(data)[ALL][0]
    x[200 : 200 + 8] = 99.0  # the test split begins at 200, its first origin is 212
    np.testing.assert_array_equal(guesses(replace(data, x=x))[ALL][0], before)
    x[208] = 99.0
    assert not np.allclose(guesses(replace(data, x=x))[ALL][0], before)


def test_a_window_stays_in_its_stretch() -> None:
    data = timeline()  # stretches begin at 0, 160 and 200
    assert _inputs.windows(data, np.array([205, 162]), 4).tolist() == [
        [201, 202, 203, 204],
        [160, 160, 160, 161],
    ]
    assert _inputs.known_samples(timeline("classification", classes=2)).min() == 11


def test_many_samples_are_thinned_evenly() -> None:
    rows = np.arange(120_000)
    few = _inputs.thinned(rows, 10)
    assert len(few) == 40_000
    assert set(np.diff(few)) == {3}
    assert len(_inputs.thinned(rows, 20_000)) == 1_000
    assert _inputs.thinned(rows[:10], 10).tolist() == list(range(10))


def test_steps_tell_numbers_and_classes() -> None:
    found = baselines.compute(sequences("labelling"), "test")
    assert found["linear regression on the step"]["rmse"] < 0.5 * found["training mean"]["rmse"]
    found = baselines.compute(sequences("labelling", classes=3), "test")
    assert found["logistic regression on the step"]["accuracy"] > 0.95
    assert "logistic regression on the step" not in baselines.compute(
        sequences("labelling", words=True), "test"
    )


READY = Path(__file__).parents[2] / ".." / "shared" / "data" / "ready"


@pytest.mark.real_data
@pytest.mark.skipif(not READY.exists(), reason=f"the published data sets are not in {READY}")
class TestPublished:
    """Against numbers computed with other code, see the data sets' index."""

    def test_the_nearest_neighbour_of_italy_power_demand(self) -> None:
        keys = {"path": "italy_power_demand.csv", "target": "label", "split": "split"}
        data = prepared(READY, "classification", "wide", **keys).dataset
        assert baselines.compute(data, "test")["1-nearest neighbour"]["accuracy"] == pytest.approx(
            0.9553, abs=1e-4
        )

    def test_the_linear_forecast_of_etth1(self) -> None:
        """The windows there reach back into validation, so its first test steps are others."""
        split = {"train": 8640, "validation": 2880, "test": 2880, "by": "time"}
        data = prepared(
            READY, "forecasting", "timeline", path="etth1.csv", time="date", target="OT", horizon=24,
            season=24, split=split, knobs={"window": 96},
        ).dataset  # fmt: skip
        found = baselines.compute(data, "test")
        assert found["last value"]["mse"] == pytest.approx(0.0343, rel=0.05)
        assert found[OWN]["mse"] == pytest.approx(0.0309, rel=0.1)

    def test_one_step_of_a_turbofan(self) -> None:
        keys = {"series": "series_id", "time": "cycle", "target": "rul", "split": "split"}
        data = prepared(
            READY, "labelling", "series", path="cmapss_fd001.csv", clip_target=[0, 125], **keys
        ).dataset
        found = baselines.compute(data, "test")["linear regression on the step"]
        assert found["last_rmse"] == pytest.approx(20.83, rel=0.01)
        assert found["rmse"] == pytest.approx(20.75, rel=0.01)
