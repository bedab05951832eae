"""Batches of few static shapes: samples of like length together, every batch full.

A compiled step is compiled once a shape, so there are at most three lengths and one
batch size; what is missing is filled with rows of weight 0, which count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gru_tune.learning.samples import Batch, Samples
from gru_tune.learning.windows import Ints

BUCKETS = 3
WORTH = (1.0, 0.75, 0.66)  # the share of the work that 1, 2, 3 lengths may at most leave
RUN = 16  # batches of one length that follow each other, to be trained in few executions
EVALUATED = 256  # sequences of one batch that is only predicted, at most
EVALUATION_STEPS = 2**17  # sequences times steps of one batch that is only predicted


@dataclass(frozen=True)
class Bucket:
    """Samples to be padded to ``length`` steps, ``size`` a batch."""

    length: int
    size: int
    indices: Ints


def capped(batch_size: int, samples: int) -> int:
    """``batch_size``, but no more than the next multiple of 8 that holds all samples."""
    return min(batch_size, max(8, -(-samples // 8) * 8))


def plan_lengths(lengths: Ints, batch_size: int, cost: float = 0.0) -> list[int]:
    """At most three lengths, rising, that leave the least padding; one where more save little.

    ``cost`` is what one more length must save beyond that, in steps of one sequence.
    """
    candidates = np.unique(np.quantile(lengths, np.linspace(0, 1, 33), method="higher"))
    upto = {int(c): int(np.count_nonzero(lengths <= c)) for c in candidates}
    *shorter, longest = upto
    alone = least = _work(upto, (longest,), batch_size)
    best = [longest]
    for extra in range(1, min(BUCKETS, len(upto))):
        tries = [(*limits, longest) for limits in combinations(shorter, extra)]
        work, chosen = min((_work(upto, limits, batch_size), limits) for limits in tries)
        if work <= WORTH[extra] * alone and work + cost * (len(chosen) - len(best)) <= least:
            best, least = list(chosen), work
    return best


def batches(samples: Samples, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """One epoch of training batches, shuffled within the lengths; ``RUN`` of one length at a time."""
    order = [
        (bucket, run)
        for bucket in buckets(samples, batch_size)
        for run in _runs(_rows(rng.permutation(bucket.indices), bucket.size))
    ]
    for which in rng.permutation(len(order)):
        bucket, run = order[which]
        for rows in run:
            yield filled(samples, rows, bucket)


def steps_per_epoch(samples: Samples, batch_size: int) -> int:
    """How many batches ``batches`` makes."""
    return sum(-(-len(bucket.indices) // bucket.size) for bucket in buckets(samples, batch_size))


def buckets(samples: Samples, batch_size: int) -> list[Bucket]:
    """The samples of a split by planned length; every bucket has at least one sample."""
    size = capped(batch_size, len(samples))
    return [
        Bucket(length, size, indices)
        for length, indices in _divided(
            samples.lengths, plan_lengths(samples.lengths, size, samples.shape_cost)
        )
    ]


def evaluation(samples: Samples, batch_size: int = EVALUATED) -> Iterator[tuple[Ints, Bucket]]:
    """The indices of every batch to predict, by length, and the shape it is padded to."""
    for length, indices in _divided(
        samples.lengths, plan_lengths(samples.lengths, batch_size, samples.shape_cost)
    ):
        room = min(batch_size, max(16, EVALUATION_STEPS // length))
        bucket = Bucket(length, capped(room, len(indices)), indices)
        ordered = indices[np.argsort(samples.lengths[indices], kind="stable")]
        for rows in _rows(ordered, bucket.size):
            yield rows, bucket


def filled(samples: Samples, rows: Ints, bucket: Bucket) -> Batch:
    """The samples ``rows`` as a batch of the bucket's shape.

    Missing rows repeat real ones with weight 0: an all-padding row would be refused by
    cuDNN, and would shift what batch normalisation sees.
    """
    batch = samples.gather(np.resize(rows, bucket.size), bucket.length)
    batch.w[len(rows) :] = 0.0
    return batch


def evened(batch: Batch, rows: int) -> Batch:
    """``batch``, filled up to a multiple of ``rows`` with rows of weight 0."""
    size = -(-len(batch.w) // rows) * rows
    if size == len(batch.w):
        return batch
    again = np.resize(np.arange(len(batch.w)), size)
    whole = Batch(*(array[again] for array in batch))
    whole.w[len(batch.w) :] = 0.0
    return whole


def _rows(indices: Ints, size: int) -> list[Ints]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def _runs(rows: list[Ints]) -> list[list[Ints]]:
    """In runs of ``RUN``; the batch that is not full is last, in a run that may be anywhere."""
    return [rows[start : start + RUN] for start in range(0, len(rows), RUN)]


def _divided(lengths: Ints, limits: list[int]) -> list[tuple[int, Ints]]:
    home = np.searchsorted(limits, lengths)
    parts = [(limit, np.flatnonzero(home == place)) for place, limit in enumerate(limits)]
    return [(limit, indices) for limit, indices in parts if len(indices)]


def _work(upto: Mapping[int, int], limits: tuple[int, ...], batch_size: int) -> int:
    """Rows times steps of all batches, the filled-up ones included."""
    work, before = 0, 0
    for limit in limits:
        work += -(-(upto[limit] - before) // batch_size) * batch_size * limit
        before = upto[limit]
    return work
