"""What is left out of a picture of many trials, so that it stays small and legible."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from gru_tune.trial import Objective, Trial

POINTS = 1500  # of one picture
FENCE = 6.0  # interquartile ranges beyond the quartiles, twice Tukey's "far out"
FENCED = 15  # values, of which some may be called far from the rest

T = TypeVar("T")


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most < 2:
        return list(items[:most])
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def ranked(trials: Sequence[Trial], most: int = POINTS) -> list[Trial]:
    """At most so many of the trials, given best first: the best half, and the others evenly."""
    if len(trials) <= most:
        return list(trials)
    best = most // 2
    return [*trials[:best], *spread(trials[best:], most - best)]


def said(
    shown: int, known: int, what: str = "trials", which: str = "the best ones and some of the others"
) -> str:
    """``1,500 of 10,000 trials are shown: …``; empty where all are."""
    return "" if shown >= known else f"{shown:,} of {known:,} {what} are shown: {which}."


def limits(values: Collection[float], objective: Objective) -> tuple[float, float]:
    """The range of an axis for scores, all but those far worse than the rest, with some air.

    One exploded trial, with an error of a million, would otherwise press all others into a line.
    """
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    first, third = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
    far = FENCE * (third - first) if len(ordered) >= FENCED else 0.0
    if far > 0 and objective.direction == "max":
        low = max(low, first - far)
    elif far > 0:
        high = min(high, third + far)
    air = 0.06 * (high - low) or 0.06 * abs(high) or 0.5
    return low - air, high + air


def beyond(values: Collection[float], shown: tuple[float, float], what: str = "trial") -> str:
    """How many of the values lie outside an axis, as a sentence; empty where none do."""
    count = sum(not shown[0] <= value <= shown[1] for value in values)
    if not count:
        return ""
    return f"{count:,} {what}{'s' if count > 1 else ''} far worse than the rest {'are' if count > 1 else 'is'} outside the picture."


def short(value: float) -> float:
    """Five digits, which is more than a picture can show."""
    return float(f"{value:.5g}")
