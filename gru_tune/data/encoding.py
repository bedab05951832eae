"""Everything that is fitted to the data, on the training split alone, and applied to all of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.raw import Classes, Numbers, Objects, Words
from gru_tune.errors import DataError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Method = Literal["standard", "minmax", "none"]

UNKNOWN = 1  # 0 is padding and never occurs
FIRST_WORD = 2
MOST_CATEGORIES = 1000


@dataclass(frozen=True)
class Vocabulary:
    """The words of the training split, most frequent first (equals in alphabetical order)."""

    words: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of ids, padding and unknown included."""
        return len(self.words) + FIRST_WORD

    @classmethod
    def fit(cls, x: Words, training: Mask) -> Vocabulary:
        counts = np.bincount(x.ids[training], minlength=len(x.words))
        seen = [n for n in np.flatnonzero(counts).tolist() if x.words[n]]
        seen.sort(key=lambda n: (-counts[n], x.words[n]))
        return cls(tuple(x.words[n] for n in seen))

    def apply(self, x: Words) -> NDArray[np.int32]:
        """Ids from 2 by rank; 1 for words that training lacks, and for an empty sequence."""
        rank = {word: n for n, word in enumerate(self.words, start=FIRST_WORD)}
        lookup = np.array([rank.get(word, UNKNOWN) for word in x.words], np.int32)
        return lookup[x.ids]


@dataclass(frozen=True)
class Labels:
    """The class names of the training split in natural order."""

    names: tuple[str, ...]

    @classmethod
    def fit(cls, y: Classes, training: Mask) -> Labels:
        """Raises ``DataError`` when training has fewer than two classes."""
        found = natural(set(y.values[training].tolist()) - {None})
        if len(found) < 2:
            only = f"only one class, {found[0]!r}" if found else "no known class"
            raise DataError(
                f"data.target: the training split has {only} in {y.name!r}; there is nothing to tell apart"
            )
        return cls(tuple(found))

    def apply(self, y: Classes) -> tuple[NDArray[np.int32], list[str]]:
        """Ids, 0 where missing; classes that training lacks get ids from ``len(names)`` up."""
        unseen = natural(set(y.values.tolist()) - {None} - set(self.names))
        ids: dict[object, int] = {name: n for n, name in enumerate((*self.names, *unseen))}
        ids[None] = 0
        return np.fromiter(map(ids.__getitem__, y.values.tolist()), np.int32, len(y.values)), unseen


@dataclass(frozen=True)
class Scaler:
    """A mean and a spread for every column: original = scaled · std + mean."""

    mean: Floats
    std: Floats

    @classmethod
    def fit(cls, values: Floats, method: Method) -> Scaler:
        """Fit the columns of ``values`` (rows, columns), NaN left out; constant ones get std 1."""
        columns = values.shape[1]
        if method == "none" or not len(values):
            return cls(np.zeros(columns), np.ones(columns))
        if method == "minmax":
            mean, std = np.nanmin(values, axis=0), np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
        else:
            mean, std = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        # A column of equal numbers has a spread of some rounding errors, not of 0.
        constant = std <= 1e-12 * np.maximum(1e-30, np.abs(mean))
        return cls(mean, np.where(constant | (std == 0), 1.0, std))

    def apply(self, values: Floats) -> Floats:
        return (values - self.mean) / self.std

    def restore(self, scaled: NDArray[np.float32]) -> Floats:
        """Scaled columns in the units of the data."""
        return np.asarray(scaled.astype(np.float64) * self.std + self.mean)

    def to_json(self) -> dict[str, list[float]]:
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}


@dataclass(frozen=True)
class Categories:
    """The words of every text column in training, in natural order: one column each."""

    words: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{column}={word}" for column, words in self.words.items() for word in words)

    @classmethod
    def fit(cls, x: Numbers, training: Mask) -> Categories:
        """Raises ``DataError`` for a column with more words than can be told apart."""
        found = {name: natural(set(column[training].tolist()) - {None}) for name, column in x.texts.items()}
        for name, words in found.items():
            if len(words) > MOST_CATEGORIES:
                raise DataError(
                    f"data.inputs: column {name!r} holds {len(words):,} different words; leave it out, "
                    "or read it with kind: text"
                )
        return cls({name: tuple(words) for name, words in found.items()})

    def apply(self, x: Numbers) -> Floats:
        """Ones and zeros (rows, words of all columns); all zeros for a word that training lacks."""
        parts = [np.empty((len(x.values), 0))]
        for name, words in self.words.items():
            parts.append((x.texts[name][:, None] == np.array(words, dtype=object)).astype(np.float64))
        return np.concatenate(parts, axis=1)


def missing_counts(x: Numbers) -> dict[str, int]:
    """How many values every column misses; only columns that miss some."""
    counts = dict(zip(x.names, np.isnan(x.values).sum(axis=0).tolist(), strict=True))
    counts |= {name: sum(value is None for value in column.tolist()) for name, column in x.texts.items()}
    return {name: count for name, count in counts.items() if count}


def refuse_missing(x: Numbers, timeline: bool) -> None:
    """Raises ``DataError`` with the count, the column and the remedies when a value is missing."""
    counts = missing_counts(x)
    if not counts:
        return
    worst = max(counts, key=lambda name: counts[name])
    others = f" (and {len(counts) - 1} more columns miss some)" if len(counts) > 1 else ""
    remedies = "mean or forward" if timeline else "mean, forward or drop"
    raise DataError(
        f"data.inputs: column {worst!r} misses {counts[worst]:,} of {len(x.values):,} values{others}; "
        f"set data.missing to {remedies}, or leave it out"
    )


def fill_forward(values: Floats, starts: NDArray[np.int64]) -> Floats:
    """Every missing value becomes the last known one of the same sequence; NaN where there is none."""
    known = ~np.isnan(values)
    rows = np.arange(len(values))[:, None]
    begins = np.zeros(len(values), np.int64)
    begins[starts] = starts
    first = np.maximum.accumulate(begins)[:, None]
    last = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last >= first, filled, np.nan)


def forward_words(column: Objects, starts: NDArray[np.int64]) -> Objects:
    """The same for a column of words."""
    position = np.where(column == None, np.nan, np.arange(len(column), dtype=np.float64))  # noqa: E711
    source = fill_forward(position[:, None], starts)[:, 0]
    there = ~np.isnan(source)
    filled = np.full(len(column), None, dtype=object)
    filled[there] = column[source[there].astype(np.int64)]
    return filled


def natural(names: set[str]) -> list[str]:
    """Sorted by number where all are numbers, else as words."""
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return sorted(names)
    if not all(map(math.isfinite, numbers.values())):  # "nan" and "inf" are words here
        return sorted(names)
    return sorted(names, key=lambda name: (numbers[name], name))
