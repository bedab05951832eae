"""The rows of ``x`` that a baseline looks at, and which training samples it learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks._classes import training_rows

Ints = NDArray[np.int64]

MOST_SAMPLES = 50_000  # to learn from; more would cost more than a baseline may
MOST_VALUES = 20_000_000  # inputs and targets of all of them


def is_numeric(dataset: Dataset) -> bool:
    """Whether the inputs are numbers."""
    return np.asarray(dataset.x).ndim == 2


def thinned(rows: Ints, values: int) -> Ints:
    """``rows``, evenly picked so that they are few enough, with ``values`` numbers each."""
    most = max(1, min(MOST_SAMPLES, MOST_VALUES // max(values, 1)))
    return rows[:: max(1, -(-len(rows) // most))]


def known_samples(dataset: Dataset) -> Ints:
    """The training samples of a task with one target for all of a sequence or window, as in ``Truth.rows``."""
    rows = training_rows(dataset)
    if dataset.layout == "timeline":
        rows = rows[rows + 1 - int(dataset.info["max_window"]) >= stretch_starts(dataset, rows)]
    return rows


def input_rows(dataset: Dataset, samples: Ints) -> tuple[Ints, Ints]:
    """The rows of ``x`` of every sample (as in ``Truth.rows``), end to end, and how many each has.

    On a timeline that is the largest window of the study.
    """
    if dataset.layout == "timeline":
        window = int(dataset.info["max_window"])
        return windows(dataset, samples + 1, window).ravel(), np.full(len(samples), window, np.int64)
    starts, lengths = dataset.spans[samples, 0], dataset.spans[samples, 1]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.asarray(np.repeat(starts, lengths) + within), np.asarray(lengths)


def windows(dataset: Dataset, ends: Ints, steps: int) -> Ints:
    """(ends, steps): the rows just before each end; the first of their stretch stands in for those before it."""
    rows = ends[:, None] + np.arange(-steps, 0)
    return np.asarray(np.maximum(rows, stretch_starts(dataset, ends - 1)[:, None]))


def stretch_starts(dataset: Dataset, rows: Ints) -> Ints:
    """The first row of the stretch that each of ``rows`` lies in."""
    begins = np.sort(dataset.spans[:, 0])
    return np.asarray(begins[np.searchsorted(begins, rows, "right") - 1])


def parts(samples: Ints, values: int) -> list[Ints]:
    """``samples`` in parts that fit into memory, with ``values`` numbers each."""
    size = max(1, MOST_VALUES // 4 // max(values, 1))
    return [samples[start : start + size] for start in range(0, len(samples), size)]
