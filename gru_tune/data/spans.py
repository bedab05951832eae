"""Stretches of rows: whole sequences, or unbroken pieces of a timeline that lie in one split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS
from gru_tune.data.raw import Raw
from gru_tune.errors import DataError

Spans = NDArray[np.int64]


def sequences(raw: Raw, codes: NDArray[np.int8]) -> Spans:
    """A span a sequence."""
    return np.column_stack([raw.starts, raw.lengths, codes]).astype(np.int64)


def stretches(raw: Raw, codes: NDArray[np.int8]) -> Spans:
    """A span for every unbroken run of one split within one timeline; rows in no split have none."""
    begins = np.zeros(len(codes), np.bool_)
    begins[raw.starts] = True
    begins[1:] |= codes[1:] != codes[:-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(codes)))
    spans = np.column_stack([starts, lengths, codes[starts]]).astype(np.int64)
    return spans[spans[:, 2] >= 0]


def long_enough(spans: Spans, window: int, horizon: int) -> tuple[Spans, list[str]]:
    """Only the stretches that a window of ``window`` rows and a horizon fit in, and notes on the others.

    Raises ``DataError`` for a split in which none does, with the largest window possible.
    """
    needed = window + horizon
    fits = spans[:, 1] >= needed
    for code in np.unique(spans[:, 2]):
        if not (fits & (spans[:, 2] == code)).any():
            raise DataError(_too_long(spans, int(code), window, horizon))
    notes = []
    if not fits.all():
        notes.append(
            f"{(~fits).sum():,} of {len(fits):,} stretches are shorter than {needed:,} rows and left out"
        )
    return spans[fits], notes


def _too_long(spans: Spans, code: int, window: int, horizon: int) -> str:
    longest = {int(c): int(spans[spans[:, 2] == c, 1].max()) for c in np.unique(spans[:, 2])}
    possible = min(longest.values()) - horizon
    ahead = f" and a horizon of {horizon}" if horizon else ""
    remedy = (
        f"the largest window possible is {possible}"
        if possible >= 1
        else "give more rows, a shorter horizon or larger splits"
    )
    return (
        f"data.window: the {SPLITS[code]} split has {longest[code]:,} rows in a row, too few for a window "
        f"of {window}{ahead}; {remedy}"
    )
