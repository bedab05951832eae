"""Which rows of a dataset make a sample: whole sequences, cut ones, or windows of a timeline.

``cut`` is all there is to know about a split for one trial; ``samples`` then gathers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import DataKnobs
from gru_tune.learning.truth import FORMS, valid_rows

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cuts:
    """The samples of a split, each ``length`` rows of ``x`` from ``start``.

    ``targets`` is the row of ``y`` a sample is about (its first forecast row, where it is
    a forecast); ``skip`` the number of leading steps that are scored elsewhere; ``spans``
    the span it comes from. ``empty`` marks sequences without rows: they have length 1,
    and that one step is no row of theirs.
    """

    starts: Ints
    lengths: Ints
    targets: Ints
    skip: Ints
    spans: Ints
    empty: NDArray[np.bool_]

    def take(self, which: NDArray[np.bool_]) -> Cuts:
        """Only the samples marked in ``which``."""
        fields = (self.starts, self.lengths, self.targets, self.skip, self.spans, self.empty)
        return Cuts(*(field[which] for field in fields))  # type: ignore[arg-type]


def cut(dataset: Dataset, split: Split, knobs: DataKnobs) -> Cuts:
    """The samples of ``split`` that have a target, in the order of the data."""
    if dataset.layout == "timeline":
        cuts = _timeline(dataset, split, knobs)
    else:
        cuts = _sequences(dataset, split, knobs)
    return cuts.take(_known(dataset, split, cuts))


def common_length(dataset: Dataset, knobs: DataKnobs) -> int | None:
    """The one length of all samples of all splits; None when they vary."""
    splits: tuple[Split, ...] = ("train", "validation", "test")
    lengths = [np.unique(cut(dataset, split, knobs).lengths) for split in splits]
    every = np.unique(np.concatenate(lengths))
    return int(every[0]) if len(every) == 1 else None


def ranges(starts: Ints, counts: Ints) -> Ints:
    """The numbers ``start … start + count - 1`` of every pair, end to end."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - ends + counts, counts) + np.arange(total, dtype=np.int64)


def _sequences(dataset: Dataset, split: Split, knobs: DataKnobs) -> Cuts:
    spans = dataset.of(split)
    starts, lengths = dataset.spans[spans, 0], dataset.spans[spans, 1]
    # Steps that are labelled are scored whatever the length a trial learns from: a trial
    # with short sequences would otherwise be measured on fewer, easier steps.
    whole = FORMS[dataset.info["task"]] == "steps" and split != "train"
    if knobs.max_length is not None and not whole:
        kept = np.minimum(lengths, knobs.max_length)
        starts = starts + (lengths - kept if knobs.keep == "end" else 0)
        lengths = kept
    per_row = dataset.target in ("labels", "numbers")
    return Cuts(
        starts=np.array(starts),
        lengths=np.maximum(lengths, 1),
        targets=np.array(starts) if per_row else spans.astype(np.int64),
        skip=np.zeros(len(spans), np.int64),
        spans=spans.astype(np.int64),
        empty=np.asarray(lengths == 0),
    )


def _timeline(dataset: Dataset, split: Split, knobs: DataKnobs) -> Cuts:
    form = FORMS[dataset.info["task"]]
    make = _tiles if form == "steps" else _slides
    parts = [
        (*make(dataset, split, knobs, int(dataset.spans[span, 0]), int(dataset.spans[span, 1])), span)
        for span in dataset.of(split)
    ]
    starts = _joined([part[0] for part in parts])
    lengths = _joined([part[1] for part in parts])
    ends = starts + lengths
    return Cuts(
        starts=starts,
        lengths=lengths,
        targets=ends if form == "horizon" else ends - 1,
        skip=_joined([part[2] for part in parts]),
        spans=_joined([np.full(len(part[0]), part[3], np.int64) for part in parts]),
        empty=np.zeros(len(starts), bool),
    )


def _slides(dataset: Dataset, split: Split, knobs: DataKnobs, start: int, rows: int) -> Iterator[Ints]:
    """Starts, lengths and skips of the windows before every origin of one span.

    Outside of training, the first origin stands ``max_window`` rows after the start of
    the span, however short this trial's window is: all trials meet the same targets.
    """
    training = split == "train"
    stride = int(dataset.info.get("stride") or 1) if training else 1
    first = knobs.window if training else max(knobs.window, int(dataset.info.get("max_window") or 0))
    ahead = int(dataset.info.get("horizon") or 1) if dataset.info["task"] == "forecasting" else 0
    origins = start + np.arange(first, rows - ahead + 1, stride, dtype=np.int64)
    yield origins - knobs.window
    yield np.full(len(origins), knobs.window, np.int64)
    yield np.zeros(len(origins), np.int64)


def _tiles(dataset: Dataset, split: Split, knobs: DataKnobs, start: int, rows: int) -> Iterator[Ints]:
    """Starts, lengths and skips of the windows that cover one span, the last one shifted back."""
    window = min(knobs.window, rows)
    stride = window
    if split == "train":
        stride = int(dataset.info.get("stride") or max(1, window // 2))
    offsets: Ints = np.arange(0, rows - window + 1, stride, dtype=np.int64)
    if rows > 0 and offsets[-1] + window < rows:
        offsets = np.append(offsets, rows - window)
    seen = np.concatenate([[0], offsets[:-1] + window])[: len(offsets)]
    yield start + offsets
    yield np.full(len(offsets), window, np.int64)
    yield np.zeros(len(offsets), np.int64) if split == "train" else np.maximum(seen - offsets, 0)


def _known(dataset: Dataset, split: Split, cuts: Cuts) -> NDArray[np.bool_]:
    """Which samples have anything to learn from or to be scored by."""
    valid = valid_rows(dataset)
    form = FORMS[dataset.info["task"]]
    if form == "sequence":
        known = valid[cuts.targets]
        if split == "train" and dataset.target in ("label", "labels"):
            known = known & (np.asarray(dataset.y)[cuts.targets] < len(dataset.info["labels"]))
        return np.asarray(known)
    before = np.concatenate([[0], np.cumsum(valid)])
    if form == "horizon":
        first, last = cuts.targets, cuts.targets + int(dataset.info["horizon"])
    else:
        first, last = cuts.starts + cuts.skip, cuts.starts + np.where(cuts.empty, 0, cuts.lengths)
    return np.asarray(before[np.maximum(last, first)] > before[first])


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
