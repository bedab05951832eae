"""The samples of one split as one trial sees them: arrays of static shape, made on demand.

Everything the data knobs decide happens here (vocabulary, length, window), so that the
prepared arrays serve every trial.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import DataKnobs
from gru_tune.learning.truth import FORMS, Truth, valid_rows
from gru_tune.learning.windows import Ints, cut, ranges

PAD = -1.0e9  # of numbers; words are padded with 0
UNKNOWN = 1


class Batch(NamedTuple):
    """What a model is fed: ``x`` (batch, time, features) or (batch, time); ``y``; weights ``w``.

    By the form of the task ``y`` is (batch,), (batch, targets), (batch, time),
    (batch, time, targets) or (batch, horizon, targets), and ``w`` (batch,), (batch, time)
    or (batch, horizon).
    """

    x: NDArray[Any]
    y: NDArray[Any]
    w: NDArray[np.float32]


class Samples:
    """The samples of ``split`` under ``knobs``, in the order of the data.

    ``lengths`` (samples,) are their steps. ``class_weights``, one a class, multiply the
    weights of ``gather`` when set. ``shape_cost`` is what another shape of batches costs, in
    steps of one sequence: it has to be compiled.
    """

    def __init__(self, dataset: Dataset, split: Split, knobs: DataKnobs) -> None:
        self.dataset, self.split, self.knobs = dataset, split, knobs
        self.form = FORMS[dataset.info["task"]]
        self.cuts = cut(dataset, split, knobs)
        self.class_weights: NDArray[np.float32] | None = None
        self.shape_cost = 0.0
        # Plain arrays over the same memory: indexing the memmap class itself is slower.
        self._x, self._y = np.asarray(dataset.x), np.asarray(dataset.y)
        self.valid = valid_rows(dataset)
        self.classes = len(dataset.info["labels"]) if dataset.target in ("label", "labels") else 0

    def __len__(self) -> int:
        return len(self.cuts.starts)

    @property
    def lengths(self) -> Ints:
        return self.cuts.lengths

    def gather(self, indices: Ints, length: int) -> Batch:
        """The samples at ``indices``, padded on the right to ``length`` steps."""
        rows, inside = self._rows(indices, length)
        x = self._inputs(rows, inside, self.cuts.empty[indices])
        if self.form == "steps":
            return Batch(x, *self._targets(rows, self._scored(indices, rows, inside)))
        rows = self.cuts.targets[indices]
        if self.form == "horizon":
            rows = rows[:, None] + np.arange(int(self.dataset.info["horizon"]))
        return Batch(x, *self._targets(rows, self.valid[rows]))

    def rows(self, index: int) -> Ints:
        """The rows of ``x`` that make up a sample; none of an empty sequence."""
        start = self.cuts.starts[index]
        return np.arange(start, start + (0 if self.cuts.empty[index] else self.cuts.lengths[index]))

    def scored(self, indices: Ints, length: int) -> NDArray[np.bool_]:
        """(batch, time): the steps that ``truth`` has, for a task with targets at every step."""
        return self._scored(indices, *self._rows(indices, length))

    def truth(self) -> Truth:
        """The targets of all samples, in order."""
        if self.form == "steps":
            cuts = self.cuts
            counts = np.where(cuts.empty, 0, cuts.lengths - cuts.skip)
            rows = ranges(cuts.starts + cuts.skip, counts)
            owner = np.repeat(cuts.spans, counts)[self.valid[rows]]
            rows = rows[self.valid[rows]]
            lengths = np.unique(owner, return_counts=True)[1].astype(np.int64)
            return Truth(self.form, self._y[rows], np.ones(len(rows), bool), rows, lengths)
        rows = self.cuts.targets
        none = np.empty(0, np.int64)
        if self.form == "sequence":
            return Truth(self.form, self._y[rows], np.ones(len(rows), bool), rows, none)
        ahead = rows[:, None] + np.arange(int(self.dataset.info["horizon"]))
        return Truth(self.form, self._y[ahead], self.valid[ahead], rows, none)

    def balance(self) -> None:
        """Set ``class_weights`` so that every class has the same weight in all."""
        truth = self.truth()
        counts = np.bincount(truth.y[truth.y < self.classes], minlength=self.classes)
        present = max(int((counts > 0).sum()), 1)
        self.class_weights = (counts.sum() / (present * np.maximum(counts, 1))).astype(np.float32)

    def _rows(self, indices: Ints, length: int) -> tuple[Ints, NDArray[np.bool_]]:
        """(batch, time) rows of ``x``, any row where there is padding, and where there is none."""
        steps = np.arange(length)
        inside = steps < self.cuts.lengths[indices, None]
        rows = np.where(inside, self.cuts.starts[indices, None] + steps, 0)
        return np.minimum(rows, max(len(self._x) - 1, 0)), inside

    def _inputs(self, rows: Ints, inside: NDArray[np.bool_], empty: NDArray[np.bool_]) -> NDArray[Any]:
        x = self._x[rows]
        if x.ndim == 2:
            x = np.where(x < self.knobs.vocabulary, x, UNKNOWN)
            x[empty] = UNKNOWN
            return np.where(inside, x, 0).astype(np.int32, copy=False)
        x = x.astype(np.float32, copy=False)
        x[empty] = 0.0
        x[~inside] = PAD
        return x

    def _scored(self, indices: Ints, rows: Ints, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        late = np.arange(rows.shape[1]) >= self.cuts.skip[indices, None]
        return inside & late & self.valid[rows] & ~self.cuts.empty[indices, None]

    def _targets(self, rows: Ints, known: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.float32]]:
        y = self._y[rows]
        if self.classes:
            known = known & (y < self.classes)  # a class never trained has no place in the loss
            y = np.where(known, y, 0).astype(np.int32, copy=False)
        else:
            y = np.where(known[..., None], y, 0.0).astype(np.float32, copy=False)
        w = known.astype(np.float32)
        if self.class_weights is not None:
            w *= self.class_weights[y]
        return y, w
