from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.tasks.forecasting import naive_error, repeated
from tests.learning import scoring as baselines
from tests.learning.learning_data import sequences, timeline


def test_majority_class() -> None:
    data = sequences()
    y = np.zeros_like(data.y)
    y[data.of("validation")[:3]] = 1
    found = baselines.compute(replace(data, y=y), "validation")
    assert found["majority class"]["accuracy"] == pytest.approx(0.7)


def test_mean_and_median_of_training() -> None:
    data = sequences("regression", count=6)
    y = np.array([[0], [0], [1], [6], [9], [6]], np.float32)  # training 0, 0, 6, 6; validation 1; test 9
    found = baselines.compute(replace(data, y=y), "test")
    assert found["training mean"]["mae"] == pytest.approx(6.0)
    assert found["training median"]["mae"] == pytest.approx(6.0)


def test_most_frequent_class_of_a_word() -> None:
    data = sequences("labelling", words=True, classes=3)
    found = baselines.compute(data, "test")
    assert found["most frequent class of the word"]["accuracy"] == 1.0
    assert found["majority class"]["accuracy"] < 0.7


@pytest.mark.parametrize("classes", [2, 4])
def test_words_without_their_order_tell_the_class(classes: int) -> None:
    found = baselines.compute(sequences(words=True, classes=classes), "test")
    assert found["TF-IDF + linear model"]["accuracy"] == 1.0
    assert found["TF-IDF + linear model"]["auc"] == pytest.approx(1.0)
    assert found["majority class"]["accuracy"] < 0.8


def test_words_without_their_order_tell_the_number() -> None:
    found = baselines.compute(sequences("regression", words=True), "test")
    assert found["TF-IDF + linear model"]["rmse"] < 0.5 * found["training mean"]["rmse"]


def test_runs_of_characters_tell_more_than_characters() -> None:
    """Both classes have the same characters, in another order."""
    data = sequences(words=True, varying=False)
    x = np.tile([2, 3, 4], len(data.x) // 3)
    for (start, length, _), kind in zip(data.spans, data.y, strict=True):
        x[start : start + length] = np.tile([2, 3, 4] if kind else [2, 4, 3], length // 3)
    whole = replace(data, x=x.astype(np.int32))
    assert baselines.compute(whole, "test")["TF-IDF + linear model"]["accuracy"] == 1.0
    many = replace(whole, info={**data.info, "vocabulary": 5000})  # words, then
    assert baselines.compute(many, "test")["TF-IDF + linear model"]["accuracy"] < 0.9


def test_numbers_have_no_words() -> None:
    assert "TF-IDF + linear model" not in baselines.compute(sequences(), "test")


def test_words_of_one_class() -> None:
    data = sequences(words=True)
    found = baselines.compute(replace(data, y=np.zeros_like(data.y)), "test")
    assert found["TF-IDF + linear model"]["accuracy"] == 1.0


def test_forecasts_of_a_wave() -> None:
    found = baselines.compute(timeline(season=12), "test")
    assert found["same step of the last season (12)"]["mae"] == pytest.approx(0.0, abs=1e-6)
    assert found["last value"]["mae"] > 0.1


def ramp(**facts: object) -> Dataset:
    data = timeline(rows=60, horizon=3, max_window=4, **facts)
    return replace(data, y=np.stack([np.arange(60), np.arange(60)], 1).astype(np.float32))


def test_a_season_repeats_its_rows_over_and_over() -> None:
    guess = repeated(ramp(), np.array([52]), 3)  # its span begins at 50: row 49 is another's
    assert guess[0, :, 0].tolist() == [51, 50, 51]
    guess = repeated(ramp(), np.array([56]), 2)
    assert guess[0, :, 0].tolist() == [54, 55, 54]


def test_missing_values_are_bridged() -> None:
    data = ramp()
    valid = data.valid.copy()
    valid[55] = False
    y = np.where(valid[:, None], data.y, np.nan)
    assert repeated(replace(data, y=y, valid=valid), np.array([56]), 1)[0, 0, 0] == 54


def test_naive_error_is_that_of_the_training_split() -> None:
    assert naive_error(ramp()).tolist() == [1, 1]
    assert naive_error(ramp(season=5)).tolist() == [5, 5]


def test_numbers_at_every_step() -> None:
    found = baselines.compute(sequences("labelling"), "test")
    assert {"last_rmse", "rmse"} <= set(found["training mean"])


def test_a_split_without_samples_has_none() -> None:
    data = sequences()
    where = data.spans.copy()
    where[:, 2] = 0
    assert baselines.compute(replace(data, spans=where), "test") == {}
