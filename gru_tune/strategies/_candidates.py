"""Configurations as vectors a Gaussian process understands, and vectors as configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gru_tune.space import Hyperparameter, Space, Values
from gru_tune.values import Choice, Scalar

NEUTRAL = 0.5
TRIES = 5  # times as many draws as configurations wanted, at most


class Axis:
    """One hyperparameter: numbers on the unit interval in their own scale, words without an order.

    A choice between numbers counts as numbers, in the order of their size.
    """

    def __init__(self, hp: Hyperparameter) -> None:
        self.hp, self.domain = hp, hp.domain
        self.words = False
        if isinstance(hp.domain, Choice):
            self.words = not all(_is_number(option) for option in hp.domain.options)
            if not self.words:
                self.domain = Choice(tuple(sorted(hp.domain.options, key=_size)))
        self.size = self.domain.size
        words = self.words and self.size > 2
        self.columns = 0 if self.size == 1 else int(self.size) if words else 1

    def unit(self, value: Scalar) -> float:
        if isinstance(self.domain, Choice):
            places = [type(o) is type(value) and o == value for o in self.domain.options]
            return (places.index(True) + 0.5) / len(places)
        return self.domain.to_unit(value)

    def features(self, value: Scalar) -> list[float]:
        if self.columns == 0:
            return []
        unit = self.unit(value)
        if self.columns == 1:
            return [unit if not isinstance(self.domain, Choice) else _rank(unit, int(self.size))]
        return [float(column == int(unit * self.columns)) for column in range(self.columns)]

    @property
    def absent(self) -> list[float]:
        """The features of a configuration in which the hyperparameter is not in force."""
        return [NEUTRAL] if self.columns == 1 else [0.0] * self.columns


class Encoder:
    """The features of a space; ``groups`` gives the hyperparameter each column belongs to."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.axes = [Axis(hp) for hp in space.hyperparameters]
        searched = [axis for axis in self.axes if axis.columns]
        self.groups = np.repeat(np.arange(len(searched)), [axis.columns for axis in searched])

    def features(self, values: Values) -> list[float]:
        row: list[float] = []
        for axis in self.axes:
            row += axis.features(values[axis.hp.name]) if axis.hp.name in values else axis.absent
        return row

    def decode(self, units: Sequence[float]) -> Values:
        """The configuration at a point of the unit cube, snapped to values of the space."""
        active: Values = {}
        for axis, unit in zip(self.axes, units, strict=True):
            if axis.hp.in_force(active):
                active[axis.hp.name] = axis.domain.from_unit(unit)
        return active

    def anywhere(self, count: int, rng: np.random.Generator) -> list[Values]:
        """So many configurations drawn at random, or fewer where few are accepted."""
        found: list[Values] = []
        for _ in range(TRIES):
            found += self._accepted(rng.random((count, len(self.axes))))
            if len(found) >= count:
                break
        return found[:count]

    def around(self, values: Values, count: int, width: float, rng: np.random.Generator) -> list[Values]:
        """Configurations near one: some of its hyperparameters moved, numbers by about ``width``."""
        axes = self.axes
        centre = np.array(
            [axis.unit(values[axis.hp.name]) if axis.hp.name in values else -1 for axis in axes]
        )
        anew = rng.random((count, len(axes)))
        spread = np.array([max(width, 0.75 / axis.size) for axis in axes])  # at least to the neighbour
        moved = np.abs(centre + spread * rng.standard_normal(anew.shape))
        moved = np.where(moved > 1, np.clip(2 - moved, 0, 1), moved)
        moved = np.where([axis.words or c < 0 for axis, c in zip(axes, centre, strict=True)], anew, moved)
        share = min(1.0, max(0.35, 1.5 / max(len(axes), 1)))
        stay = (rng.random(anew.shape) > share) & (centre >= 0)
        return self._accepted(np.where(stay, centre, moved))

    def _accepted(self, units: np.ndarray[Any, np.dtype[np.float64]]) -> list[Values]:
        """The configurations at points of the unit cube, without those that the space does not accept."""
        return list(filter(self.space.allows, map(self.decode, units.tolist())))


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(value: Scalar) -> float:
    assert isinstance(value, int | float)
    return value


def _rank(unit: float, count: int) -> float:
    """0 for the first of ``count`` bins, 1 for the last."""
    return int(unit * count) / (count - 1)
