"""Documents to tokens, and tokens to numbers in the order of first appearance."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame
from gru_tune.data.raw import Classes, Words
from gru_tune.errors import DataError

# Only names of HTML: "<unk>" and "a < b" are text.
_TAG = re.compile(
    r"</?(?:a|b|big|blockquote|br|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|sub|sup|table|td|th|tr|u|ul)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

CUTTERS: dict[str, Callable[[str], Sequence[str]]] = {"word": _WORD.findall, "character": str}
NOTHING = ""  # stands for an empty sequence; no token is empty


def clean(document: str, lowercase: bool) -> str:
    """Without HTML tags and outer blanks, in lower case if asked."""
    if "<" in document:
        document = _TAG.sub(" ", document)
    return (document.lower() if lowercase else document).strip()


def index(documents: Iterable[Sequence[str]]) -> tuple[Words, NDArray[np.int64], int]:
    """Number the tokens of all documents, end to end; also their lengths and how many were empty."""
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__
    flat, lengths, empty = array("i"), array("q"), 0
    for tokens in documents:
        if not tokens:
            tokens = (NOTHING,)
            empty += 1
        flat.extend(map(ids.__getitem__, tokens))
        lengths.append(len(tokens))
    words = Words(np.array(flat, np.int32), tuple(ids))
    return words, np.array(lengths, np.int64), empty


def lists(frame: Frame, name: str, key: str) -> list[list[str]]:
    """A column of token lists; text is cut at blanks. Raises ``DataError`` for anything else."""
    return [_as_list(value, name, row) for row, value in enumerate(frame.column(name, key).tolist(), start=1)]


def tags(frame: Frame, name: str, tokens: list[list[str]]) -> Classes:
    """The tags of all tokens end to end; raises ``DataError`` where the numbers differ."""
    rows = lists(frame, name, "data.tags")
    for number, (row, own) in enumerate(zip(tokens, rows, strict=True), start=1):
        if len(row) != len(own):
            raise DataError(
                f"data.tags: row {number} of {frame.name} has {len(row)} tokens and {len(own)} tags"
            )
    flat: list[str | None] = []
    for row in rows:
        flat.extend(row or [None])
    return Classes(np.array(flat, dtype=object), name)


def _as_list(value: Any, name: str, row: int) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list | tuple | np.ndarray):
        return [token if isinstance(token, str) else str(token) for token in value]
    if value is None or value != value:
        return []
    raise DataError(f"data.tokens: row {row} of column {name!r} is {value!r}, not a list of tokens")
