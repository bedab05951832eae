"""F1 of labelled spans (names, slots): what counts is the whole span with its type.

As the CoNLL-2000 and CoNLL-2003 shared tasks scored them: a span begins at ``B-``, but
also at an ``I-`` that follows ``O``, another type, or the start of the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.tasks._by_class import by_class

Ids = NDArray[np.int64]
Span = tuple[int, int, int]  # first step, step after the last, type


def is_span_tags(tags: Sequence[str]) -> bool:
    """Whether ``tags`` are BIO tags: ``O``, ``B-type`` and ``I-type``, at least one of the latter two."""
    marked = [tag for tag in tags if tag != "O"]
    return bool(marked) and all(tag[:2] in ("B-", "I-") and len(tag) > 2 for tag in marked)


def span_scorer(
    true: Ids, guess: Ids, starts: NDArray[np.bool_], tags: Sequence[str]
) -> Callable[[NDArray[Any]], float]:
    """F1 over the spans of all sequences, end to end, by weights (steps,); 0 when there is nothing to find.

    ``true`` and ``guess`` (steps,) are ids of ``tags``; a run of an id beyond it (a tag the
    training split lacks) is a span nobody finds. ``starts`` marks the first step of every
    sequence. A span has the weight of its first step.
    """
    wanted, found = find_spans(true, starts, tags), find_spans(guess, starts, tags)
    firsts = [np.array([span[0] for span in spans], np.int64) for spans in (wanted & found, wanted, found)]

    def f1(weights: NDArray[Any]) -> float:
        hits, wants, finds = (float(weights[first].sum()) for first in firsts)
        return 2 * hits / (wants + finds) if hits else 0.0

    return f1


def by_type(true: Ids, guess: Ids, starts: NDArray[np.bool_], tags: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and number of the spans of every type; see ``by_class``."""
    names = span_types(tags)
    wanted, found = find_spans(true, starts, tags), find_spans(guess, starts, tags)
    every = wanted | found
    if not every:
        return []
    # A span that one of the two lacks has no type there.
    there = np.array([span[2] if span in wanted else -1 for span in every])
    told = np.array([span[2] if span in found else -1 for span in every])
    return by_class(names, there, told)


def find_spans(ids: Ids, starts: NDArray[np.bool_], tags: Sequence[str]) -> set[Span]:
    """All spans of the tag ``ids`` (steps,); types are numbered as in ``span_types``, unseen ones beyond."""
    names = span_types(tags)
    kinds = np.array([-1 if tag == "O" else names.index(tag[2:]) for tag in tags])
    begins = np.array([tag.startswith("B-") for tag in tags])
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


def span_types(tags: Sequence[str]) -> list[str]:
    """The types of BIO tags, in alphabetical order."""
    return sorted({tag[2:] for tag in tags if tag != "O"})
