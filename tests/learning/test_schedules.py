from __future__ import annotations

from typing import Any

import pytest

from gru_tune.knobs import TrainingKnobs
from gru_tune.learning.schedules import halvings, learning_rate, stale


def rates(steps: int = 10, **knobs: Any) -> list[float]:
    settings = TrainingKnobs(learning_rate=0.1, epochs=4, decay_to=0.01, **knobs)
    return [learning_rate(settings, step, steps) for step in range(4 * steps)]


def test_constant() -> None:
    assert set(rates()) == {0.1}


@pytest.mark.parametrize("schedule", ["linear", "cosine", "exponential"])
def test_falls_from_the_rate_to_its_share(schedule: str) -> None:
    values = rates(schedule=schedule)
    assert values[0] == pytest.approx(0.1)
    assert values[-1] == pytest.approx(0.001)
    assert values == sorted(values, reverse=True)


def test_the_middle_of_each() -> None:
    middle = {s: rates(41, schedule=s)[82] / 0.1 for s in ("linear", "cosine", "exponential")}
    assert middle["linear"] == pytest.approx(0.505, abs=0.01)
    assert middle["cosine"] == pytest.approx(0.505, abs=0.01)
    assert middle["exponential"] == pytest.approx(0.1, abs=0.01)


def test_warmup_rises_to_the_rate() -> None:
    values = rates(warmup=1.0, schedule="linear")
    assert values[:10] == pytest.approx([0.01 * k for k in range(1, 11)])
    assert values[10] == pytest.approx(0.1)
    assert values[-1] == pytest.approx(0.001)


def test_warmup_longer_than_the_training() -> None:
    assert rates(warmup=8.0)[-1] == pytest.approx(0.05)


def test_one_step_in_all() -> None:
    assert 0 < learning_rate(TrainingKnobs(epochs=1, schedule="cosine"), 0, 1) <= 1e-3


def test_plateau_halves_after_two_epochs_without_gain() -> None:
    assert halvings([], "min") == 0
    assert halvings([5, 4, 4], "min") == 0
    assert halvings([5, 4, 4, 4], "min") == 1
    assert halvings([5, 4, 4, 4, 4, 4], "min") == 2
    assert halvings([5, 4, 4, 3, 4], "min") == 0
    assert halvings([0.5, 0.6, 0.6, 0.6], "max") == 1
    settings = TrainingKnobs(learning_rate=0.1, schedule="plateau")
    assert learning_rate(settings, 50, 10, halvings=2) == pytest.approx(0.025)


def test_stale_counts_epochs_since_a_gain() -> None:
    assert stale([], "max") == 0
    assert stale([1, 2, 2, 1], "max") == 2
    assert stale([3, 2, 1.95], "min", min_delta=0.1) == 1
    assert stale([3, 2, 1.95, 1.85], "min", min_delta=0.1) == 0, "small gains add up"
