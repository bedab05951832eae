"""What the checks of the data find: a sentence each, by severity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing about the data that is worth a sentence.

    check: what was looked for, a word for programs (``leak``, ``duplicates``, ``shift`` …)
    level: ``warning`` where scores or ranks mislead, ``note`` where something is worth knowing
    text:  the sentence, with its numbers and the remedy
    """

    check: str
    level: Level
    text: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def ranked(found: Iterable[Finding], said: Iterable[str]) -> list[Finding]:
    """Warnings first, each level in the order found; then the notes on how the data were read.

    A note of ``said`` that a finding repeats with its remedy is left out.
    """
    found = sorted(found, key=lambda finding: finding.level != "warning")
    texts = tuple(finding.text for finding in found)
    more = [note for note in dict.fromkeys(said) if not any(text.startswith(note) for text in texts)]
    return [*found, *(Finding("reading", "note", note) for note in more)]


def evenly(indices: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of the indices, evenly spread."""
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).astype(np.int64)]


def several(names: Sequence[str], what: str) -> str:
    """``input 'a' <what>``, or ``each of 3 inputs (a, b, c) <what>``."""
    if len(names) == 1:
        return f"input {names[0]!r} {what}"
    return f"each of {len(names)} inputs ({few(names, 8)}) {what}"


def few(names: Sequence[str], most: int = 5) -> str:
    """The first names, and a sign that there are more."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
