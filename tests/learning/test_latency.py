"""How long a model takes for one sequence."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.knobs import settle
from gru_tune.learning.latency import LEAST, latency
from gru_tune.learning.samples import Batch, Samples
from gru_tune.learning.training import train
from gru_tune.trial import Objective
from tests.learning.learning_data import job, sequences, timeline


class Slow:
    """A scorer that takes so many seconds, the first time ten times as long."""

    compiling = 0.0

    def __init__(self, *seconds: float) -> None:
        self.seconds = seconds
        self.batches: list[Batch] = []

    def predict(self, batch: Batch) -> Any:
        self.batches.append(batch)
        first = len(self.batches) == 1
        time.sleep(self.seconds[len(self.batches) % len(self.seconds)] * (10 if first else 1))

    def score(self, batch: Batch) -> Any:
        raise NotImplementedError


def test_one_sequence_of_the_usual_length() -> None:
    samples = Samples(sequences(), "validation", settle({}).data)
    scorer = Slow(0.001)
    latency(scorer, samples)
    (shape,) = {batch.x.shape for batch in scorer.batches}
    assert shape == (1, int(np.sort(samples.lengths)[len(samples) // 2]), 2)
    assert len(set(samples.lengths)) > 1


def test_of_a_timeline_one_window() -> None:
    scorer = Slow(0.001)
    latency(scorer, Samples(timeline(), "validation", settle({"window": 7}).data))
    assert scorer.batches[0].x.shape[:2] == (1, 7)


def test_the_median_of_several_calls_without_the_first() -> None:
    scorer = Slow(0.004, 0.004, 0.05)  # one in three is disturbed
    samples = Samples(sequences(), "validation", settle({}).data)
    assert 4 <= latency(scorer, samples) < 20
    assert len(scorer.batches) > LEAST + 1


def test_slow_models_are_called_a_few_times() -> None:
    scorer = Slow(0.06)
    assert latency(scorer, Samples(sequences(), "validation", settle({}).data)) >= 60
    assert len(scorer.batches) == LEAST + 1


@pytest.mark.parametrize("cost", ["latency", "parameters", None])
def test_it_is_measured_where_the_objective_asks_for_it(cost: str | None, tmp_path: Path) -> None:
    one = job(sequences(), tmp_path, "accuracy", "max", epochs=1)
    outcome = train(replace(one, objective=Objective("accuracy", "max", cost)))
    assert outcome.error is None
    if cost == "latency":
        assert outcome.latency is not None
        assert 0 < outcome.latency < 1000
    else:
        assert outcome.latency is None
