"""The learning rate at every step, and when to stop: functions of the past alone.

Nothing here has a state, so a training that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from gru_tune.knobs import TrainingKnobs

Direction = Literal["max", "min"]
PLATEAU = 2  # epochs without improvement before the rate is halved


def learning_rate(knobs: TrainingKnobs, step: int, steps_per_epoch: int, halvings: int = 0) -> float:
    """The rate of the training step ``step`` (from 0, over all epochs of the trial).

    It rises evenly through ``knobs.warmup`` epochs, then falls as ``knobs.schedule`` says,
    reaching ``decay_to`` of its height at the last of ``knobs.epochs``.
    """
    warm = knobs.warmup * steps_per_epoch
    if step < warm:
        return knobs.learning_rate * min(1.0, (step + 1) / warm)
    rest = knobs.epochs * steps_per_epoch - 1 - warm
    progress = min(1.0, (step - warm) / rest) if rest > 0 else 1.0
    return knobs.learning_rate * _share(knobs, progress, halvings)


def halvings(scores: Sequence[float], direction: Direction, min_delta: float = 0.0) -> int:
    """How often the rate has been halved after epochs with these objectives (plateau)."""
    return sum(waited > 0 and waited % PLATEAU == 0 for waited in _waits(scores, direction, min_delta))


def stale(scores: Sequence[float], direction: Direction, min_delta: float = 0.0) -> int:
    """Epochs since the objective last improved by more than ``min_delta``."""
    waits = _waits(scores, direction, min_delta)
    return waits[-1] if waits else 0


def _waits(scores: Sequence[float], direction: Direction, min_delta: float) -> list[int]:
    """At every epoch, how many have passed since one improved by more than ``min_delta``."""
    waits: list[int] = []
    best: float | None = None
    for score in scores:
        if best is None or _gain(score, best, direction) > min_delta:
            best = score
            waits.append(0)
        else:
            waits.append(waits[-1] + 1)
    return waits


def _share(knobs: TrainingKnobs, progress: float, halvings: int) -> float:
    if knobs.schedule == "linear":
        return 1 - (1 - knobs.decay_to) * progress
    if knobs.schedule == "cosine":
        return knobs.decay_to + (1 - knobs.decay_to) * (1 + math.cos(math.pi * progress)) / 2
    if knobs.schedule == "exponential":
        return float(knobs.decay_to**progress)
    return 0.5**halvings if knobs.schedule == "plateau" else 1.0


def _gain(score: float, best: float, direction: Direction) -> float:
    return score - best if direction == "max" else best - score
