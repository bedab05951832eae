from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import DataKnobs
from gru_tune.learning.samples import PAD, Samples
from gru_tune.learning.windows import common_length
from tests.learning.learning_data import info, sequences, spans, timeline


def words() -> Dataset:
    """Four sentences of 3, 0, 5 and 2 words; the third is for validation, of a class never trained."""
    x = np.array([2, 3, 4, 5, 6, 7, 8, 9, 2, 3], np.int32)
    y = np.array([0, 1, 2, 1], np.int32)
    where = spans([3, 0, 5, 2], [0, 0, 1, 0])
    facts = info(features=0, vocabulary=10, labels=["a", "b"])
    return Dataset("sequences", "label", x, y, np.ones(4, bool), where, facts)


def test_words_are_cut_clipped_and_padded_on_the_right() -> None:
    samples = Samples(words(), "train", DataKnobs(vocabulary=4, max_length=2))
    batch = samples.gather(np.array([0, 1, 2]), 3)
    assert batch.x.dtype == np.int32
    # the empty sentence is one unknown word: a row of nothing but padding has no last state
    assert batch.x.tolist() == [[2, 3, 0], [1, 0, 0], [2, 3, 0]]
    assert batch.y.tolist() == [0, 1, 1]
    assert batch.w.tolist() == [1, 1, 1]


def test_keep_end_keeps_the_end() -> None:
    batch = Samples(words(), "validation", DataKnobs(max_length=2, keep="end")).gather(np.array([0]), 2)
    assert batch.x.tolist() == [[8, 9]]


def test_a_class_never_trained_is_scored_but_weighs_nothing() -> None:
    samples = Samples(words(), "validation", DataKnobs())
    assert samples.gather(np.array([0]), 5).w.tolist() == [0]
    assert samples.truth().y.tolist() == [2]


def test_numbers_are_padded_with_the_sentinel() -> None:
    data = sequences("labelling", count=6)
    samples = Samples(data, "train", DataKnobs())
    batch = samples.gather(np.arange(len(samples)), 12)
    for row, length in enumerate(samples.lengths):
        assert (batch.x[row, length:] == PAD).all()
        assert (batch.x[row, :length] > PAD).all()
        assert batch.w[row].tolist() == [1.0] * int(length) + [0.0] * int(12 - length)


def test_targets_that_are_missing_are_left_out() -> None:
    data = sequences("regression", count=12)
    valid = data.valid.copy()
    valid[0] = False
    assert len(Samples(replace(data, valid=valid), "train", DataKnobs())) == len(data.of("train")) - 1


def test_steps_that_are_missing_weigh_nothing() -> None:
    data = sequences("labelling", count=6)
    valid = data.valid.copy()
    valid[1] = False
    y = np.where(valid[:, None], data.y, np.nan).astype(np.float32)
    samples = Samples(replace(data, valid=valid, y=y), "train", DataKnobs())
    batch = samples.gather(np.array([0]), 10)
    assert batch.w[0, :3].tolist() == [1, 0, 1]
    assert np.isfinite(batch.y).all()


def test_balanced_weights_give_every_class_the_same_sum() -> None:
    data = sequences(count=60)
    y = np.where(np.arange(60) % 5 == 0, 1, 0).astype(np.int32)
    samples = Samples(replace(data, y=y), "train", DataKnobs())
    samples.balance()
    batch = samples.gather(np.arange(len(samples)), 9)
    sums = [batch.w[batch.y == one].sum() for one in (0, 1)]
    assert sums[0] == pytest.approx(sums[1])
    assert batch.w.sum() == pytest.approx(len(samples))


def test_forecasting_windows_end_where_their_horizon_begins() -> None:
    data = timeline(rows=120, horizon=3, max_window=12)
    samples = Samples(data, "train", DataKnobs(window=5))
    assert len(samples) == 80 - 5 - 3 + 1
    batch = samples.gather(np.array([0, 1, len(samples) - 1]), 5)
    np.testing.assert_array_equal(batch.x[1], data.x[1:6])
    np.testing.assert_array_equal(batch.y[1], data.y[6:9])
    np.testing.assert_array_equal(batch.y[2], data.y[77:80])  # the last of the 80 training rows


@pytest.mark.parametrize("task", ["forecasting", "regression", "classification"])
def test_all_windows_are_scored_on_the_same_targets(task: str) -> None:
    """Guards the comparison of trials: a shorter window must not see easier or more targets."""
    data = timeline(task, rows=150, max_window=12, classes=2 * (task == "classification"))
    short, long = (Samples(data, "validation", DataKnobs(window=w)).truth() for w in (3, 12))
    np.testing.assert_array_equal(short.rows, long.rows)
    np.testing.assert_array_equal(short.y, long.y)
    first = int(data.spans[1, 0]) + 12
    assert short.rows[0] == (first if task == "forecasting" else first - 1)


def test_no_window_crosses_a_boundary() -> None:
    data = timeline(rows=120)
    for split in ("train", "validation", "test"):
        cuts = Samples(data, split, DataKnobs(window=4)).cuts
        start, length, _ = data.spans[data.of(split)[0]]
        assert cuts.starts.min() >= start
        assert (cuts.targets + 3).max() <= start + length


def test_the_stride_thins_out_training_windows_alone() -> None:
    data = timeline(rows=120, stride=5)
    assert np.diff(Samples(data, "train", DataKnobs(window=4)).cuts.starts).tolist() == [5] * 14
    assert set(np.diff(Samples(data, "test", DataKnobs(window=4)).cuts.starts).tolist()) == {1}


def test_every_row_of_a_labelled_timeline_is_scored_once() -> None:
    data = timeline("labelling", rows=100, classes=2)
    samples = Samples(data, "validation", DataKnobs(window=5))
    start, length, _ = data.spans[1]
    assert length % 5, "the last window has to be shifted back for this test to say anything"
    assert samples.truth().rows.tolist() == list(range(start, start + length))
    assert samples.truth().lengths.tolist() == [length]
    scored = samples.scored(np.arange(len(samples)), 5)
    assert scored.sum() == length
    weights = samples.gather(np.arange(len(samples)), 5).w
    np.testing.assert_array_equal(weights, scored)


def test_labelled_training_windows_overlap_by_half() -> None:
    samples = Samples(timeline("labelling", rows=120, classes=2), "train", DataKnobs(window=10))
    assert np.diff(samples.cuts.starts).tolist() == [5] * 14
    assert samples.gather(np.array([1]), 10).w.tolist() == [[1.0] * 10]


def test_a_short_stretch_is_labelled_whole() -> None:
    samples = Samples(timeline("labelling", rows=60, classes=2), "test", DataKnobs(window=48))
    assert samples.lengths.tolist() == [10]


def test_labelled_steps_are_all_scored_whatever_the_length_learnt_from() -> None:
    data = sequences("labelling")
    short, whole = (Samples(data, "validation", DataKnobs(max_length=m)).truth() for m in (3, None))
    np.testing.assert_array_equal(short.rows, whole.rows)
    assert Samples(data, "train", DataKnobs(max_length=3)).lengths.max() == 3


@pytest.mark.parametrize(
    "data",
    [
        sequences(),
        sequences(words=True),
        sequences("labelling"),
        timeline(),
        timeline("labelling", classes=2),
    ],
    ids=["numbers", "words", "steps", "forecasts", "windows"],
)
def test_truth_is_what_gather_gives(data: Dataset) -> None:
    samples = Samples(data, "test", DataKnobs(window=5))
    batch = samples.gather(np.arange(len(samples)), int(samples.lengths.max()))
    known = batch.w > 0
    np.testing.assert_array_equal(batch.y[known], samples.truth().y.reshape(batch.y[known].shape))


def test_common_length() -> None:
    assert common_length(sequences(varying=False), DataKnobs()) == 6
    assert common_length(sequences(), DataKnobs()) is None
    assert common_length(sequences(), DataKnobs(max_length=3)) == 3
    assert common_length(timeline(), DataKnobs(window=7)) == 7
