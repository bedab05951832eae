"""How long configurations take to train on this machine, from a few measurements.

A law says how the seconds of an epoch follow from sizes; three models that are trained for a
moment say how much faster or slower this machine is. ``Pace`` is a handful of numbers: it is
written into a study's log when the study begins. Imports no framework.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from gru_tune.knobs import Settings
from gru_tune.learning.sizes import parameters
from gru_tune.learning.volume import Amounts, Volume

# Seconds for one of each, by least squares over 32 configurations of four data sets on one core
# (docs/search.md). What is measured scales them: only how they compare with each other matters.
LAWS = {
    "jax": {
        "epoch": 3e-3, "updates": 0.0, "rows": 1.6e-6, "ticks": 1.9e-6, "values": 4.7e-9, "products": 3.1e-11,
        "parameters": 1.2e-9,
    },
    "tensorflow": {  # rough: steps that are started one by one
        "epoch": 3e-3, "updates": 3e-3, "rows": 1.6e-6, "ticks": 2e-5, "values": 4.7e-9, "products": 3.1e-11,
        "parameters": 1.2e-9,
    },
}  # fmt: skip
FORWARD = 1 / 3  # of what an update takes, to predict as much
COMPILING = (0.96, 0.32), (0.29, 0.07)  # a shape, and more for every layer: to train, to predict
BEGINNING = 0.15  # seconds to make a model and to save it


@dataclass(frozen=True)
class Measured:
    """One model that was trained for a moment: what the law says, and what it took (seconds)."""

    expected: float
    epoch: float
    expected_compiling: float
    compiling: float


@dataclass(frozen=True)
class Pace:
    """What this machine takes for ``volume``: ``points`` are (seconds by the law, times as long as that)."""

    volume: Volume
    backend: str
    points: tuple[tuple[float, float], ...]  # by rising seconds
    compiles: float  # times as long as by the law

    @classmethod
    def fit(cls, volume: Volume, backend: str, measured: Sequence[Measured]) -> Pace:
        """The pace that gives every measured model its own seconds."""
        points = sorted((one.expected, one.epoch / one.expected) for one in measured)
        whole = sum(one.expected_compiling for one in measured)
        return cls(volume, backend, tuple(points), sum(one.compiling for one in measured) / whole)

    @classmethod
    def by_law(cls, volume: Volume, backend: str) -> Pace:
        """What the law says, of a machine that was not measured."""
        return cls(volume, backend, ((1.0, 1.0),), 1.0)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Pace:
        """The inverse of ``facts``, from JSON."""
        volume = facts["volume"]
        train, validation = (tuple((a, b) for a, b in volume[split]) for split in ("train", "validation"))
        points = tuple((a, b) for a, b in facts["points"])
        return cls(Volume(volume["layout"], train, validation), facts["backend"], points, facts["compiles"])

    @property
    def slowness(self) -> float:
        """How many times as long as the law says things take here, at least 1."""
        return max(1.0, median(times for _, times in self.points))

    def facts(self) -> dict[str, Any]:
        """For the head of a study's log."""
        return asdict(self)

    def epoch(self, settings: Settings, info: Mapping[str, Any]) -> float:
        """Seconds of one epoch, validation included and compiling not; ``info`` as in ``Dataset.info``."""
        train, validation = self._amounts(settings, info)
        expected = expected_seconds(train, validation, settings, info, self.backend)
        return expected * self._times(expected)

    def compiling(self, settings: Settings, info: Mapping[str, Any]) -> float:
        """Seconds until a model has been compiled that no other trial has compiled before."""
        train, validation = self._amounts(settings, info)
        return self.compiles * expected_compiling(train, validation, settings)

    def trial(
        self, settings: Settings, info: Mapping[str, Any], epochs: float | None = None, compiled: bool = False
    ) -> float:
        """Seconds of one training of ``epochs`` (all of the settings'); ``compiled``: by another before."""
        count = settings.training.epochs if epochs is None else epochs
        compiling = 0.0 if compiled else self.compiling(settings, info)
        return BEGINNING + compiling + count * self.epoch(settings, info)

    def _amounts(self, settings: Settings, info: Mapping[str, Any]) -> tuple[Amounts, Amounts]:
        return self.volume.training(settings, info), self.volume.validating(settings, info)

    def _times(self, expected: float) -> float:
        """How many times as long as the law says, between the measured ones on a logarithmic scale."""
        import numpy as np

        places = [math.log(seconds) for seconds, _ in self.points]
        return float(np.interp(math.log(expected), places, [times for _, times in self.points]))


def expected_seconds(
    train: Amounts, validation: Amounts, settings: Settings, info: Mapping[str, Any], backend: str
) -> float:
    """Seconds by the law alone for so much training and so much predicting."""
    law = LAWS[backend]

    def seconds(amounts: Amounts) -> float:
        return sum(
            law[name] * float(getattr(amounts, name)) for name in ("updates", "ticks", "values", "products")
        )

    weights = law["parameters"] * parameters(settings, info) * train.updates
    rows = law["rows"] * (train.rows + validation.rows)
    return law["epoch"] + rows + seconds(train) + FORWARD * seconds(validation) + weights


def expected_compiling(train: Amounts, validation: Amounts, settings: Settings) -> float:
    """Seconds of compiling by the law alone."""
    layers = len(settings.model.units) * (2 if settings.model.bidirectional else 1)
    shapes = (train.shapes, validation.shapes)
    return sum(
        count * (shape + layer * layers) for count, (shape, layer) in zip(shapes, COMPILING, strict=True)
    )
