"""What can be read of a damaged log: its whole lines, and where lines were lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gru_tune.study.events import Died, Event, Finished, Launch, Stopped
from gru_tune.study.lines import NAMES, TYPES, Damaged, Decoder, Newer
from gru_tune.study.log import newer

BEGIN = re.compile(rb'\{"event":"')
END = re.compile(rb',"crc":"[0-9a-f]{8}"\}')
KIND = re.compile(rb'"event":"([a-z]+)"')
OF_A_TRIAL = (b"launch", b"outcome", b"death", b"stopped")
TRIAL = re.compile(rb'"trial":(\d{1,9})\b')


@dataclass(frozen=True)
class Line:
    """A line of a log, or a part of one; ``event`` is None where it cannot be read, and ``why`` says so.

    ``kind``: what a damaged line seems to be, by the words of the log.
    """

    number: int
    event: Event | None
    why: str = ""
    kind: str = ""

    def named(self) -> str:
        """``line 7, the outcome of trial 3``."""
        if self.event is None:
            return f"line {self.number}"
        told = (
            f" of trial {self.event.run[0]}"
            if isinstance(self.event, Launch | Finished | Died | Stopped)
            else ""
        )
        return f"line {self.number}, the {NAMES[type(self.event)]}{told},"


def salvage(path: Path) -> list[Line]:
    """The lines of a log in order. Raises ``StudyError`` for one that a newer version has written."""
    decoder = Decoder()
    parts = path.read_bytes().split(b"\n")
    torn = len(parts) if parts[-1] else 0
    found: list[Line] = []
    seen: dict[bytes, int] = {}
    for number, data in enumerate(parts if torn else parts[:-1], start=1):
        if data in seen and BEGIN.match(data):
            found.append(Line(number, None, f"it repeats line {seen[data]}"))
            continue
        seen[data] = number
        try:
            found += _lines(number, data, decoder, "it was cut short" if number == torn else "")
        except Newer as problem:
            raise newer(path, number, problem) from None
    return found


def _lines(number: int, data: bytes, decoder: Decoder, torn: str) -> list[Line]:
    """The whole records in ``data``, which may be one, several without newlines between them, or none."""
    try:
        return [Line(number, decoder(data))]
    except Damaged as problem:
        why = torn or str(problem)
    begins = [match.start() for match in BEGIN.finditer(data)]
    if not begins:
        return [_damaged(number, data, why)]
    found = [_damaged(number, data[: begins[0]], "a part of it is no record")] if begins[0] else []
    for begin, end in pairwise([*begins, len(data)]):
        piece = data[begin:end]
        seal = END.search(piece)
        last = seal.end() if seal else piece.rfind(b"}") + 1
        try:
            found.append(Line(number, decoder(piece[:last])))
        except Damaged as problem:
            found.append(_damaged(number, piece, torn or str(problem)))
            continue
        if last < len(piece):
            found.append(_damaged(number, piece[last:], torn or "a part of it is no record"))
    return found


def _damaged(number: int, data: bytes, why: str) -> Line:
    kind, trial = KIND.search(data), TRIAL.search(data)
    if kind is None or kind[1].decode() not in TYPES:
        return Line(number, None, why)
    of = f"of trial {int(trial[1])}" if trial else "of a trial whose number is lost"
    seems = (
        f"it seems to be the {kind[1].decode()} {of}"
        if kind[1] in OF_A_TRIAL
        else f"it seems to be the {kind[1].decode()}"
    )
    return Line(number, None, f"{why}; {seems}", kind[1].decode())
