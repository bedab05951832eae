"""What an epoch amounts to, told from sizes alone, beside the batches that are really made."""

from __future__ import annotations

from typing import Any

import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import settle
from gru_tune.learning.batches import buckets, evaluation
from gru_tune.learning.fitting import price
from gru_tune.learning.samples import Samples
from gru_tune.learning.volume import Volume, amounts
from tests.learning.learning_data import sequences, timeline


@pytest.mark.parametrize(
    ("data", "knobs"),
    [
        (sequences(), {}),
        (sequences(count=600), {"batch_size": 8}),
        (sequences(count=600), {"max_length": 4, "units": 200, "epochs": 200}),
        (sequences("labelling", words=True), {"max_length": 5, "batch_size": 4}),
        (timeline("forecasting"), {"window": 12, "batch_size": 16}),
        (timeline("labelling"), {"window": 12}),
        (timeline("labelling"), {"window": 7, "batch_size": 4}),
        (timeline("labelling", stride=4), {"window": 7}),
        (timeline("classification"), {"window": 5}),
        (timeline("forecasting", stride=5), {"window": 12, "batch_size": 8}),
    ],
    ids=lambda value: value.info["task"] if isinstance(value, Dataset) else "",
)
def test_batches_are_counted_as_they_are_made(data: Dataset, knobs: dict[str, Any]) -> None:
    settings = settle({"epochs": 10, **knobs})
    train, validation = Samples(data, "train", settings.data), Samples(data, "validation", settings.data)
    price(train, validation, settings)
    volume = Volume.of(data)
    trained = [
        (one.length, one.size, -(-len(one.indices) // one.size))
        for one in buckets(train, settings.training.batch_size)
    ]
    assert list(volume.shapes(settings, data.info)) == trained
    assert volume.training(settings, data.info) == amounts(trained, settings, data.info)
    predicted = [(bucket.length, bucket.size, 1) for _, bucket in evaluation(validation)]
    assert volume.validating(settings, data.info) == amounts(predicted, settings, data.info)
    assert volume.longest(settings, data.info) == (trained[-1][0], trained[-1][1])


def test_more_layers_and_longer_batches_are_more_steps_in_a_row() -> None:
    one = amounts([(10, 32, 3)], settle({"units": 8}), sequences().info)
    assert (one.updates, one.rows, one.ticks, one.values) == (3, 96, 30, 10 * 96 * 8)
    two = amounts([(10, 64, 3)], settle({"units": 8, "depth": 2, "bidirectional": True}), sequences().info)
    assert (two.ticks, two.values) == (30 * 2 * 4, 10 * 192 * 32)  # two parts of 32 a batch
    together = amounts([(10, 64, 3)], settle({"units": 8, "normalization": "batch"}), sequences().info)
    assert together.ticks == 30


def test_parts_are_those_of_the_engine() -> None:
    from gru_tune.learning import compiled, volume

    assert volume.PART == compiled.PART
