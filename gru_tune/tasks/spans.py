"""F1 of labelled spans (names, slots): what counts is the whole span with its type.

As the CoNLL-2000 and CoNLL-2003 shared tasks scored them: a span begins at ``B-``, but
also at an ``I-`` that follows ``O``, another type, or the start of the sequence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int, int]  # first step, step after the last, type


def is_span_tags(tags: Sequence[str]) -> bool:
    """Whether ``tags`` are BIO tags: ``O``, ``B-type`` and ``I-type``, at least one of the latter two."""
    marked = [tag for tag in tags if tag != "O"]
    return bool(marked) and all(tag[:2] in ("B-", "I-") and len(tag) > 2 for tag in marked)


def span_f1(
    true: NDArray[np.int64], guess: NDArray[np.int64], starts: NDArray[np.bool_], tags: Sequence[str]
) -> float:
    """F1 over the spans of all sequences, end to end; 0 when there is nothing to find.

    ``true`` and ``guess`` (steps,) are ids of ``tags``; a run of an id beyond it (a tag the
    training split lacks) is a span nobody finds. ``starts`` marks the first step of every
    sequence.
    """
    wanted, found = find_spans(true, starts, tags), find_spans(guess, starts, tags)
    hits = len(wanted & found)
    return 2 * hits / (len(wanted) + len(found)) if hits else 0.0


def find_spans(ids: NDArray[np.int64], starts: NDArray[np.bool_], tags: Sequence[str]) -> set[Span]:
    """All spans of the tag ``ids`` (steps,)."""
    begins, kinds = _parsed(tags)
    unseen = ids >= len(tags)
    known = np.where(unseen, 0, ids)
    kind = np.where(unseen, len(tags) + ids, kinds[known])
    begin = begins[known] & ~unseen
    before = np.concatenate([[-1], kind[:-1]])
    first = (kind >= 0) & (begin | starts | (before != kind))
    runs = np.cumsum(first)
    inside = np.flatnonzero(kind >= 0)
    open_at = np.flatnonzero(first)
    last = np.zeros(len(open_at), np.int64)
    np.maximum.at(last, runs[inside] - 1, inside)
    return set(zip(open_at.tolist(), (last + 1).tolist(), kind[open_at].tolist(), strict=True))


def _parsed(tags: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """For every tag whether it is a ``B-``, and the number of its type (-1 for none)."""
    names = sorted({tag[2:] for tag in tags if tag != "O"})
    kinds = [-1 if tag == "O" else names.index(tag[2:]) for tag in tags]
    return np.array([tag.startswith("B-") for tag in tags]), np.array(kinds)
