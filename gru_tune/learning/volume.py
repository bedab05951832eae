"""What one epoch of a configuration amounts to, from sizes alone: steps, products, numbers.

``Volume`` keeps of the data what that takes, and nothing else of them is needed afterwards.
Imports no framework.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import Settings
from gru_tune.learning.batches import EVALUATED, EVALUATION_STEPS, capped, plan_lengths
from gru_tune.learning.fitting import shape_costs
from gru_tune.learning.sizes import outputs, recurrent_products
from gru_tune.learning.truth import FORMS
from gru_tune.learning.windows import Ints

LENGTHS = 65  # different lengths that are told apart at most
PART = 32  # rows that go through a model together on a CPU (learning/compiled.py)

Counted = tuple[tuple[int, int], ...]  # lengths, and how many there are of each
Shape = tuple[int, int, int]  # length, sequences a batch, how many batches
Shapes = tuple[Shape, ...]


@dataclass(frozen=True)
class Amounts:
    """What training on a split once, or predicting it, takes."""

    updates: int  # batches
    rows: float  # sequences, those that fill up batches included
    ticks: float  # steps that follow each other, of every layer and direction
    values: float  # numbers in the states of all those steps
    products: float  # multiplications, forward
    shapes: int  # of batches, that are compiled


@dataclass(frozen=True)
class Volume:
    """The lengths of the spans of training and validation split: sequences, or stretches of a timeline."""

    layout: str
    train: Counted
    validation: Counted

    @classmethod
    def of(cls, dataset: Dataset) -> Volume:
        """What there is to know of ``dataset``."""
        return cls(dataset.layout, _counted(dataset, "train"), _counted(dataset, "validation"))

    def shapes(self, settings: Settings, info: Mapping[str, Any]) -> Shapes:
        """The batches of training; ``info`` as in ``Dataset.info``."""
        cost, _ = shape_costs(settings, info)
        lengths = _samples(self, "train", _cut(self.layout, settings, info))
        return _batched(lengths, settings.training.batch_size, cost)

    def longest(self, settings: Settings, info: Mapping[str, Any]) -> tuple[int, int]:
        """The length and the number of sequences of the largest batch of training."""
        samples = _samples(self, "train", _cut(self.layout, settings, info))
        whole = sum(count for _, count in samples)
        return max((length for length, _ in samples), default=0), capped(settings.training.batch_size, whole)

    def training(self, settings: Settings, info: Mapping[str, Any]) -> Amounts:
        """What the training part of an epoch takes."""
        return amounts(self.shapes(settings, info), settings, info)

    def validating(self, settings: Settings, info: Mapping[str, Any]) -> Amounts:
        """What the validation part of an epoch takes."""
        _, cost = shape_costs(settings, info)
        lengths = _samples(self, "validation", _cut(self.layout, settings, info))
        return amounts(_evaluated(lengths, cost), settings, info)


def _counted(dataset: Dataset, split: Split) -> Counted:
    lengths = dataset.spans[dataset.of(split), 1]
    if not len(lengths):
        return ()
    limits = np.unique(lengths)
    if len(limits) > LENGTHS:
        limits = np.unique(np.quantile(lengths, np.linspace(0, 1, LENGTHS), method="higher"))
    counts = np.bincount(np.searchsorted(limits, lengths), minlength=len(limits))
    return tuple((int(length), int(count)) for length, count in zip(limits, counts, strict=True))


class _Cut(NamedTuple):
    """What decides how samples are cut from the spans; ``windows`` has the rules."""

    length: int | None  # the window, or the length that sequences are cut to
    steps: bool  # whether every step has a target
    ahead: int  # steps that are forecast
    stride: int | None
    first: int  # rows before the first origin that is not trained on


def _cut(layout: str, settings: Settings, info: Mapping[str, Any]) -> _Cut:
    return _Cut(
        length=settings.data.window if layout == "timeline" else settings.data.max_length,
        steps=FORMS[info["task"]] == "steps",
        ahead=int(info["horizon"]) if info["task"] == "forecasting" else 0,
        stride=int(info.get("stride") or 0) or None,
        first=int(info.get("max_window") or 0),
    )


@lru_cache(maxsize=256)
def _samples(volume: Volume, split: Split, cut: _Cut) -> Counted:
    """The lengths of the samples of a split, counted; those without a target count too."""
    found: dict[int, int] = {}
    for rows, count in volume.train if split == "train" else volume.validation:
        if volume.layout == "timeline":
            size, number = _windows(rows, split, cut)
        else:
            whole = cut.length is None or (cut.steps and split != "train")
            size, number = rows if whole else min(rows, cut.length or rows), 1
        found[max(size, 1)] = found.get(max(size, 1), 0) + number * count
    return tuple(sorted(found.items()))


def _windows(rows: int, split: Split, cut: _Cut) -> tuple[int, int]:
    """The length and the number of the windows of one stretch of a timeline."""
    window = cut.length or rows
    if cut.steps:
        size = max(min(window, rows), 1)
        stride = (cut.stride or max(1, size // 2)) if split == "train" else size
        return size, -(-(rows - size) // stride) + 1
    if split == "train":
        return window, -(-max(rows - cut.ahead - window + 1, 0) // (cut.stride or 1))
    return window, max(rows - cut.ahead - max(window, cut.first) + 1, 0)


def _batched(samples: Counted, batch_size: int, cost: float) -> Shapes:
    size = capped(batch_size, sum(count for _, count in samples))
    return tuple((length, size, -(-count // size)) for length, count in _planned(samples, size, round(cost)))


def _evaluated(samples: Counted, cost: float) -> Shapes:
    shapes = []
    for length, count in _planned(samples, EVALUATED, round(cost)):
        size = capped(min(EVALUATED, max(16, EVALUATION_STEPS // length)), count)
        shapes.append((length, size, -(-count // size)))
    return tuple(shapes)


@lru_cache(maxsize=1024)
def _planned(samples: Counted, size: int, cost: float) -> Counted:
    """The lengths that samples are padded to, and how many there are of each."""
    lengths: Ints = np.repeat([length for length, _ in samples], [count for _, count in samples])
    if not len(lengths):
        return ()
    limits = plan_lengths(lengths, size, cost)
    counts = np.bincount(np.searchsorted(limits, lengths), minlength=len(limits))
    return tuple((limit, int(count)) for limit, count in zip(limits, counts, strict=True))


def amounts(shapes: Sequence[Shape], settings: Settings, info: Mapping[str, Any]) -> Amounts:
    """What batches of these shapes take."""
    model = settings.model
    directions = 2 if model.bidirectional else 1
    layers = directions * len(model.units)
    width = directions * sum(model.units) + (outputs(info) if FORMS[info["task"]] == "steps" else 0)
    together = model.normalization == "batch"
    steps = sum(length * size * batches for length, size, batches in shapes)
    return Amounts(
        updates=sum(batches for _, _, batches in shapes),
        rows=sum(size * batches for _, size, batches in shapes),
        ticks=sum(
            layers * length * batches * (1 if together else -(-size // PART))
            for length, size, batches in shapes
        ),
        values=float(steps * width),
        products=float(steps * recurrent_products(settings, info)),
        shapes=len({shape[:2] for shape in shapes}),
    )
