"""The record of a study: ``trials.jsonl``, append-only, one JSON object a line.

The first line says what the study asks (``study``); then come, in the order they happened,
``run`` (the program was started), ``launch`` (written BEFORE a job starts, so that one
that kills its process leaves a trace), ``outcome`` (a job ended), ``death`` (its worker
died), ``stopped`` (the user stopped the search while it ran) and ``end`` (all is done).
Everything else in a results folder is derived from these lines.

A line counts once its newline is on the disk. What a kill or a power cut in the middle of a
write leaves behind is ignored, and cut off at the next append; damage anywhere else is
refused, because nothing after it can be trusted: ``gru-tune repair`` keeps what is whole.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.study.events import Died, Ended, Event, Finished, Header, Launch, Run, Started, Stopped
from gru_tune.study.files import refused
from gru_tune.study.lines import Damaged, Decoder, Newer, decode, encode, finite

__all__ = [
    "Died", "Ended", "Event", "Finished", "Header", "Launch", "Log", "Record", "Run", "Started", "Stopped",
    "decode", "encode", "finite", "read", "read_sound",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """A log as read: its whole events, and how many bytes of the file they take."""

    events: tuple[Event, ...]
    size: int
    notes: tuple[str, ...] = ()

    @property
    def header(self) -> Mapping[str, Any]:
        """What the first line says; {} for an empty log."""
        first = self.events[0] if self.events else None
        return first.facts if isinstance(first, Header) else {}

    @property
    def over(self) -> bool:
        """Whether the study has ever come to its end."""
        return any(isinstance(event, Ended) for event in self.events)


def read(path: Path) -> Record:
    """Every event of a log, oldest first.

    Raises ``StudyError`` (with file and line) when a line other than the last is damaged,
    or any was written by a newer version.
    """
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    notes = [f"{path}: the last line was cut short, and is ignored"] if whole < len(data) else []
    lines = data[:whole].split(b"\n")[:-1]
    decoded = Decoder()
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        try:
            event = decoded(line)
        except Newer as problem:
            raise newer(path, number, problem) from None
        except Damaged as problem:
            if number < len(lines):
                raise _damaged(
                    path, number, f"this line of the study's record is damaged ({problem})"
                ) from None
            # A full disk or a power cut may leave a last line of zeros.
            notes.append(f"{path}: the last line was damaged, and is ignored")
            whole -= len(line) + 1
            break
        if (number == 1) is not isinstance(event, Header):
            what = "this is not the record of a study (its first line must be one of 'study')"
            raise _damaged(path, number, "another record begins here" if number > 1 else what)
        events.append(event)
    return Record(tuple(events), whole, tuple(notes))


def read_sound(path: Path) -> Record:
    """As ``read``; raises ``StudyError`` also for a line that ends a job that never began."""
    record = read(path)
    begun: set[Run] = set()
    for number, event in enumerate(record.events, start=1):
        if isinstance(event, Launch):
            begun.add(event.run)
        elif isinstance(event, Finished | Died) and event.run not in begun:
            what = f"this line ends a job of trial {event.run[0]} that never began, or was over before it"
            raise _damaged(path, number, what)
        if isinstance(event, Finished):
            begun.discard(event.run)
    return record


def newer(path: Path, number: int, problem: Newer) -> StudyError:
    """What is said of a log that a later version has written."""
    return StudyError(
        f"{path}:{number}: this line was written by a newer gru-tune ({problem}): upgrade this one, "
        "or start the study anew with --fresh"
    )


def _damaged(path: Path, number: int, what: str) -> StudyError:
    mend = f"`gru-tune repair {shlex.quote(str(path.parent))}`"
    return StudyError(
        f"{path}:{number}: {what}; {mend} keeps all that is whole, --fresh starts the study anew"
    )


class Log:
    """An open log; every ``append`` is on the disk when it returns."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open for appending; what lies behind ``size`` bytes (a torn line) is cut off."""
        self._path = path
        new = not path.exists()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        if new:
            _sync_folder(path.parent)
        self._size = os.fstat(self._file).st_size
        if size is not None and size < self._size:
            os.ftruncate(self._file, size)
            self._size = size

    def append(self, event: Event) -> None:
        """Raises ``StudyError`` when it cannot be written; what was appended before stays."""
        line = (encode(event) + "\n").encode("utf-8")
        rest = line
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as problem:
            with suppress(OSError):  # part of a line; where it stays, the next run cuts it off
                os.ftruncate(self._file, self._size)
            raise refused(problem, self._path) from problem
        self._size += len(line)
        self._refuse_another()

    def _refuse_another(self) -> None:
        """Raise ``StudyError`` when the file at the path is not the one that is written to: it was removed."""
        try:
            if os.path.samestat(os.stat(self._path), os.fstat(self._file)):
                return
            problem = OSError(errno.ESTALE, "another file has taken its place")
        except OSError as found:
            problem = found
        raise refused(problem, self._path) from problem

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sync_folder(folder: Path) -> None:
    """Without it a power cut may lose a new file whose content is safe; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
