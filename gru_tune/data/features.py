"""The inputs of a study as arrays: fitted on the training split, applied to any rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.encoding import (
    Categories,
    Floats,
    Mask,
    Method,
    Scaler,
    Vocabulary,
    fill_forward,
    forward_words,
    refuse_missing,
)
from gru_tune.data.raw import Numbers, Words
from gru_tune.errors import DataError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WordInputs:
    """Words as ids by falling frequency in training."""

    vocabulary: Vocabulary
    name: str

    @classmethod
    def fit(cls, x: Words, training: Mask) -> WordInputs:
        return cls(Vocabulary.fit(x, training), x.name)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def scale(self) -> dict[str, list[float]]:
        return {"mean": [], "std": []}

    def apply(self, x: Words | Numbers, starts: Ints) -> NDArray[np.int32]:
        """Ids (rows,), 1 for words that training lacks."""
        assert isinstance(x, Words)
        return self.vocabulary.apply(x)

    def to_json(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary.words)}


@dataclass(frozen=True)
class NumberInputs:
    """Scaled columns, then a one-hot column for every category.

    ``fills`` stand in for missing values, one a column: the means of training.
    """

    columns: tuple[str, ...]
    missing: str
    fills: Floats
    scaler: Scaler
    categories: Categories
    fixed: frozenset[str]

    @classmethod
    def fit(cls, x: Numbers, training: Mask, missing: str, method: Method, timeline: bool) -> NumberInputs:
        """Raises ``DataError`` for missing values that ``missing`` refuses, and for a column
        without a single value in training.
        """
        if missing in ("refuse", "drop"):
            refuse_missing(x, timeline)
        scaler = _scaler(x, training, method)
        fills = np.nanmean(x.values[training], axis=0) if len(x.names) else np.empty(0)
        return cls(x.names, missing, fills, scaler, Categories.fit(x, training), x.fixed)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.columns, *self.categories.names)

    @property
    def scale(self) -> dict[str, list[float]]:
        """Mean and spread of every column of the array: 0 and 1 for those of categories."""
        ones = len(self.categories.names)
        mean = np.concatenate([self.scaler.mean, np.zeros(ones)])
        return Scaler(mean, np.concatenate([self.scaler.std, np.ones(ones)])).to_json()

    def apply(self, x: Words | Numbers, starts: Ints) -> NDArray[np.float32]:
        """(rows, columns) without a missing value; ``starts`` are the first rows of the sequences."""
        assert isinstance(x, Numbers)
        values, texts = x.values, dict(x.texts)
        if self.missing == "forward":
            values = fill_forward(values, starts)
            texts = {name: forward_words(column, starts) for name, column in texts.items()}
        values = np.where(np.isnan(values), self.fills, values)
        ones = self.categories.apply(Numbers(values, x.names, texts))
        return np.concatenate([self.scaler.apply(values), ones], axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        return {
            "missing": self.missing,
            "fills": dict(zip(self.columns, self.fills.tolist(), strict=True)),
            "categories": {name: list(words) for name, words in self.categories.words.items()},
            "fixed": sorted(self.fixed),
        }


Inputs = WordInputs | NumberInputs


def from_json(fitted: Mapping[str, Any]) -> Inputs:
    """What ``to_json`` gave, beside ``features`` (the names) and ``input_scale``.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what it never gave.
    """
    if "vocabulary" in fitted:
        return WordInputs(Vocabulary(texts(fitted["vocabulary"])), texts(fitted["features"])[0])
    columns = texts(list(fitted["fills"]))
    categories = Categories({name: texts(words) for name, words in fitted["categories"].items()})
    scale = scaler(fitted["input_scale"], len(columns) + len(categories.names))
    return NumberInputs(
        columns,
        fitted["missing"],
        _finite(list(fitted["fills"].values())),
        Scaler(scale.mean[: len(columns)], scale.std[: len(columns)]),
        categories,
        frozenset(texts(fitted["fixed"])),
    )


def texts(found: Any) -> tuple[str, ...]:
    """A list of texts from JSON; raises ``TypeError`` for anything else."""
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise TypeError("expected a list of texts")
    return tuple(found)


def is_number(found: Any) -> bool:
    """Whether a value from JSON is one."""
    return isinstance(found, int | float) and not isinstance(found, bool)


def scaler(found: Any, columns: int) -> Scaler:
    """A scale of so many columns from JSON; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
    scale = Scaler(_finite(found["mean"]), _finite(found["std"]))
    if not len(scale.mean) == len(scale.std) == columns or not (scale.std > 0).all():
        raise ValueError(f"expected a mean and a spread above 0 of {columns} columns")
    return scale


def _finite(found: Any) -> Floats:
    if not isinstance(found, list) or not all(map(is_number, found)):
        raise TypeError("expected a list of numbers")
    numbers = np.array([float(number) for number in found], np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("expected finite numbers")
    return numbers


def _scaler(x: Numbers, training: Mask, method: Method) -> Scaler:
    values: Floats = x.values[training]
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        name = x.names[int(np.argmax(empty))]
        raise DataError(f"data.inputs: column {name!r} has no value in the training split; leave it out")
    scaler = Scaler.fit(values, method)
    fixed = np.array([name in x.fixed for name in x.names], np.bool_)
    return Scaler(np.where(fixed, 0.0, scaler.mean), np.where(fixed, 1.0, scaler.std))
