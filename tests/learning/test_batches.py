from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gru_tune.knobs import DataKnobs
from gru_tune.learning.batches import batches, capped, evaluation, plan_lengths, steps_per_epoch
from gru_tune.learning.samples import Samples
from tests.learning.learning_data import sequences


def test_one_length_where_more_would_save_little() -> None:
    assert plan_lengths(np.full(500, 20), 32) == [20]
    assert plan_lengths(np.arange(95, 101).repeat(50), 32) == [100]


def test_three_lengths_where_they_save_much() -> None:
    lengths = np.concatenate([np.full(600, 10), np.full(300, 60), np.full(100, 500)])
    assert plan_lengths(lengths, 10) == [10, 60, 500]


def test_a_small_split_keeps_one_length() -> None:
    """More lengths would mean more half-empty batches than padding saved."""
    assert plan_lengths(np.array([3, 4, 5, 20]), 32) == [20]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=200), st.integers(1, 64))
def test_every_sequence_fits_a_planned_length(lengths: list[int], size: int) -> None:
    planned = plan_lengths(np.array(lengths), size)
    assert 1 <= len(planned) <= 3
    assert planned == sorted(set(planned))
    assert planned[-1] == max(lengths)


def test_a_batch_is_not_much_larger_than_the_split() -> None:
    assert capped(512, 270) == 272
    assert capped(32, 270) == 32
    assert capped(32, 3) == 8


@pytest.fixture(scope="module")
def samples() -> Samples:
    """70 sequences of 3 to 9 steps and one feature that tells them apart."""
    data = sequences("regression", count=105)
    return Samples(data, "train", DataKnobs())


def test_an_epoch_has_every_sample_once(samples: Samples) -> None:
    made = list(batches(samples, 16, np.random.default_rng(1)))
    assert len(made) == steps_per_epoch(samples, 16)
    assert {len(batch.x) for batch in made} == {16}
    assert len({batch.x.shape[1] for batch in made}) <= 3
    first = np.concatenate([batch.x[batch.w > 0, 0, 1] for batch in made])
    assert sorted(first) == sorted(samples.dataset.x[samples.cuts.starts, 1])


def test_epochs_differ_and_seeds_repeat(samples: Samples) -> None:
    one, again, other = (
        np.concatenate([batch.x[:, 0, 1] for batch in batches(samples, 16, np.random.default_rng(seed))])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_filled_rows_are_real_ones(samples: Samples) -> None:
    """A row of nothing but padding would be refused by cuDNN."""
    for batch in batches(samples, 64, np.random.default_rng(0)):
        assert (batch.x[:, 0, 0] > -1e8).all()


def test_evaluation_meets_every_sample_once_by_length(samples: Samples) -> None:
    seen = [rows for rows, _ in evaluation(samples, 16)]
    assert sorted(np.concatenate(seen)) == list(range(len(samples)))
    lengths = samples.lengths[np.concatenate(seen)]
    assert (np.diff(lengths) >= 0).all()


def test_another_length_must_save_what_compiling_it_costs() -> None:
    lengths = np.concatenate([np.full(600, 10), np.full(300, 60), np.full(100, 500)])
    saved = [len(plan_lengths(lengths, 10, cost)) for cost in (0, 10_000, 100_000, 1_000_000)]
    assert saved == [3, 3, 2, 1]
