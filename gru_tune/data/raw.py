"""Sequences and targets as a kind of data gives them: gathered, cut and ordered, nothing fitted yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Objects = NDArray[np.object_]
HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Words:
    """Words end to end: ``words[ids[row]]``, ids in the order of first appearance."""

    ids: NDArray[np.int32]
    words: tuple[str, ...]
    name: str = "words"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def rows(self, keep: NDArray[np.bool_]) -> Words:
        return Words(self.ids[keep], self.words, self.name)


@dataclass(frozen=True)
class Numbers:
    """Input columns side by side.

    values: (rows, columns) float64, NaN where missing; names one a column
    texts:  columns of words by name, None where missing; become one-hot columns
    fixed:  names of numeric columns that are never scaled (a sine of the hour)
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    texts: Mapping[str, Objects] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    def rows(self, keep: NDArray[np.bool_]) -> Numbers:
        texts = {name: column[keep] for name, column in self.texts.items()}
        return Numbers(self.values[keep], self.names, texts, self.fixed)

    def beside(self, values: NDArray[np.float64], names: tuple[str, ...]) -> Numbers:
        """With more columns to the right, which are not to be scaled."""
        joined = np.concatenate([self.values, values], axis=1)
        return Numbers(joined, (*self.names, *names), self.texts, self.fixed | set(names))


@dataclass(frozen=True)
class Classes:
    """A class name each, None where missing."""

    values: Objects
    name: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def known(self) -> NDArray[np.bool_]:
        return np.asarray(self.values != None)  # noqa: E711  element by element

    def rows(self, keep: NDArray[np.bool_]) -> Classes:
        return Classes(self.values[keep], self.name)


@dataclass(frozen=True)
class Quantities:
    """Numbers each: (n, targets) float64, NaN where missing."""

    values: NDArray[np.float64]
    names: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        missing: NDArray[np.bool_] = np.isnan(self.values)
        return np.logical_not(missing.any(axis=1))

    def rows(self, keep: NDArray[np.bool_]) -> Quantities:
        return Quantities(self.values[keep], self.names)


@dataclass(frozen=True)
class Stamps:
    """The time of every row: seconds where ``dates`` is there, else plain numbers.

    ``form`` is how the file writes a date, as ``strftime`` has it; None where that is not known.
    """

    name: str
    values: NDArray[np.float64]
    dates: pd.DatetimeIndex | None = None
    form: str | None = None

    def rows(self, keep: NDArray[Any]) -> Stamps:
        """Those that a mask or indices choose."""
        return replace(self, values=self.values[keep], dates=None if self.dates is None else self.dates[keep])

    def steps(self, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """From every row to the next one of its sequence."""
        steps = np.diff(self.values)
        within = np.ones(len(steps), np.bool_)
        within[np.cumsum(lengths)[:-1] - 1] = False
        return steps[within]

    def words(self, step: float) -> str:
        """A step in words: ``15 minutes``, ``1 hour``, or a number without dates."""
        if self.dates is None:
            return f"{step:g}"
        for size, unit in ((DAY, "days"), (HOUR, "hours"), (60.0, "minutes")):
            if step >= size:
                return f"{step / size:.3g} {unit if step != size else unit[:-1]}"
        return f"{step:g} seconds"


@dataclass(frozen=True)
class Origin:
    """Where the rows come from.

    rows:    int64, the row of the file, from 0, of every step; of every sequence where the
             file has one a row
    columns: the columns of the file that hold the inputs
    ids:     the name of every sequence, where a column tells them apart
    stamps:  the time of every step, where a column tells it
    """

    rows: NDArray[np.int64]
    columns: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    stamps: Stamps | None = None

    def select(self, sequences: NDArray[np.bool_], steps: NDArray[np.bool_]) -> Origin:
        """Only some sequences; the same ones by sequence and by step."""
        rows = self.rows[sequences if len(self.rows) == len(sequences) else steps]
        ids = tuple(name for name, keep in zip(self.ids, sequences, strict=True) if keep) if self.ids else ()
        return Origin(rows, self.columns, ids, None if self.stamps is None else self.stamps.rows(steps))


@dataclass(frozen=True)
class Raw:
    """All sequences of a file, end to end.

    lengths: rows of every sequence; of every timeline in a timeline layout
    split, groups: by sequence, in a timeline by row; None where the file has none
    order:   rank of every sequence in time, for splits by time (None: as they come)
    per_row: whether ``y`` has an entry a row (else one a sequence)
    origin:  where it comes from in the file
    """

    layout: Literal["sequences", "timeline"]
    x: Words | Numbers
    y: Classes | Quantities
    per_row: bool
    lengths: NDArray[np.int64]
    split: Objects | None = None
    groups: Objects | None = None
    order: NDArray[np.int64] | None = None
    season: int | None = None
    notes: tuple[str, ...] = ()
    origin: Origin = field(default_factory=lambda: Origin(np.empty(0, np.int64)))

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first row of every sequence."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)

    def select(self, keep: NDArray[np.bool_]) -> Raw:
        """Only the sequences where ``keep`` is true; split and groups have done their work and go."""
        rows = np.repeat(keep, self.lengths)
        return Raw(
            self.layout, self.x.rows(rows), self.y.rows(rows if self.per_row else keep), self.per_row,
            self.lengths[keep], season=self.season, notes=self.notes, origin=self.origin.select(keep, rows),
        )  # fmt: skip

    def fingerprint(self) -> str:
        """sha256 of everything that training sees."""
        digest = hashlib.sha256()
        if isinstance(self.x, Words):
            digest.update(self.x.ids.tobytes())
            digest.update("\0".join(self.x.words).encode("utf-8", "surrogatepass"))
        else:
            digest.update(np.ascontiguousarray(self.x.values).tobytes())
            for name, column in self.x.texts.items():
                digest.update(repr((name, column.tolist())).encode("utf-8", "surrogatepass"))
        digest.update(repr((self.layout, self.x.names, self.y.names)).encode())
        if isinstance(self.y, Quantities):
            digest.update(np.ascontiguousarray(self.y.values).tobytes())
        else:
            digest.update(repr(self.y.values.tolist()).encode("utf-8", "surrogatepass"))
        digest.update(self.lengths.tobytes())
        for names in (self.split, self.groups):
            digest.update(repr(None if names is None else names.tolist()).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
