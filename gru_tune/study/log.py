"""The record of a study: ``trials.jsonl``, append-only, one JSON object a line.

The first line says what the study asks (``study``); then come, in the order they happened,
``run`` (the program was started), ``launch`` (written BEFORE a job starts, so that one
that kills its process leaves a trace), ``outcome`` (a job ended), ``death`` (its worker
died), ``stopped`` (the user stopped the search while it ran) and ``end`` (all is done).
Everything else in a results folder is derived from these lines.

A line counts once its newline is on the disk. What a kill in the middle of a write leaves
behind the last newline is ignored, and cut off at the next append; damage anywhere else
is refused, because nothing after it can be trusted.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.space import Values
from gru_tune.trial import Epoch, Fault, Outcome

FORMAT = 1

Run = tuple[int, int]  # a trial and its repeat: the search's own first, fresh seeds after them


class _OfRun:
    """What happened to one run."""

    trial: int
    repeat: int

    @property
    def run(self) -> Run:
        return self.trial, self.repeat


@dataclass(frozen=True)
class Header:
    """What a study asks; the first line of its log."""

    facts: Mapping[str, Any]
    time: float


@dataclass(frozen=True)
class Started:
    """The program began (or went on) with the study."""

    workers: int
    time: float


@dataclass(frozen=True)
class Launch(_OfRun):
    """A job is about to start; ``attempt`` counts from 1 for each job of a run.

    ``repeat`` counts the seeds a configuration is trained with: from 1 in the search, and
    after that those of the finals.
    """

    trial: int
    attempt: int
    values: Values
    seed: int
    first_epoch: int
    last_epoch: int
    checkpoint: bool
    time: float
    repeat: int = 1
    accumulation: int = 1  # parts that every batch is divided into, after want of memory

    @property
    def proposed(self) -> bool:
        """Whether the strategy asked for it, and not the tool: neither another attempt nor another seed."""
        return self.attempt == 1 and self.repeat == 1


@dataclass(frozen=True)
class Finished:
    """A job ended, well or with an error."""

    attempt: int
    outcome: Outcome
    time: float
    repeat: int = 1

    @property
    def run(self) -> Run:
        return self.outcome.trial, self.repeat


@dataclass(frozen=True)
class Died(_OfRun):
    """The worker of a job died; the job is tried again if attempts are left."""

    trial: int
    attempt: int
    reason: str
    time: float
    repeat: int = 1
    fault: Fault = Fault.CRASH


@dataclass(frozen=True)
class Stopped(_OfRun):
    """The user stopped the search while this job ran; it is not held against the trial."""

    trial: int
    attempt: int
    time: float
    repeat: int = 1


@dataclass(frozen=True)
class Ended:
    """The search and all that follows it are over; ``minutes`` are those given, where their end ended it."""

    reason: str
    minutes: float | None
    time: float


Event = Header | Started | Launch | Finished | Died | Stopped | Ended
NAMES: dict[type, str] = {
    Header: "study", Started: "run", Launch: "launch", Finished: "outcome", Died: "death", Stopped: "stopped",
    Ended: "end",
}  # fmt: skip
TYPES = {name: kind for kind, name in NAMES.items()}


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


def read(path: Path) -> Record:
    """Every event of a log, oldest first.

    Raises ``StudyError`` (with file and line) when a line other than the last is damaged
    or written by a newer version.
    """
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    notes = [f"{path}: the last line was cut short, and is ignored"] if whole < len(data) else []
    lines = data[:whole].split(b"\n")[:-1]
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        try:
            event = decode(line.decode("utf-8"))
        except (ValueError, KeyError, TypeError) as problem:
            if number == len(lines):  # a full disk or a power cut may leave a last line of zeros
                notes.append(f"{path}: the last line was damaged, and is ignored")
                whole -= len(line) + 1
                break
            raise StudyError(
                f"{path}:{number}: this line of the study's record is damaged ({_why(problem)}); "
                "mend it from a backup, or start the study anew with --fresh"
            ) from None
        events.append(event)
    if events and not isinstance(events[0], Header):
        raise StudyError(
            f"{path}:1: this is not the record of a study (its first line must be one of 'study')"
        )
    return Record(tuple(events), whole, tuple(notes))


class Log:
    """An open log; every ``append`` is on the disk when it returns."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open for appending; what lies behind ``size`` bytes (a torn line) is cut off."""
        new = not path.exists()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        if new:
            _sync_folder(path.parent)
        if size is not None and size < os.fstat(self._file).st_size:
            os.ftruncate(self._file, size)

    def append(self, event: Event) -> None:
        line = (encode(event) + "\n").encode("utf-8")
        while line:
            line = line[os.write(self._file, line) :]
        os.fsync(self._file)

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


def encode(event: Event) -> str:
    """One line of JSON; numbers that are not finite become null."""
    name = {"event": NAMES[type(event)]}
    if isinstance(event, Header):
        content = {**name, "format": FORMAT, **event.facts, "time": event.time}
    elif isinstance(event, Finished):
        content = {**name, "attempt": event.attempt, **asdict(event.outcome), "time": event.time}
        content |= {"repeat": event.repeat}
    else:
        content = {**name, **asdict(event)}
    return json.dumps(finite(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode(line: str) -> Event:
    """The inverse of ``encode``; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    content = json.loads(line)
    if not isinstance(content, dict):
        raise ValueError("expected an object")
    kind = TYPES.get(content.pop("event", None))
    if kind is Header:
        version = content.pop("format")
        if version != FORMAT:
            raise ValueError(f"format {version}, but this version of gru-tune reads format {FORMAT}")
        return Header(time=content.pop("time"), facts=content)
    if kind is Finished:
        attempt, time, repeat = content.pop("attempt"), content.pop("time"), content.pop("repeat", 1)
        content["epochs"] = tuple(_epoch(epoch) for epoch in content["epochs"])
        content["fault"] = Fault(content["fault"]) if content.get("fault") else None
        return Finished(attempt, Outcome(**content), time, repeat)
    if kind is None:
        raise ValueError("unknown event")
    if kind is Died:
        content["fault"] = Fault(content.get("fault", Fault.CRASH))
    event: Event = kind(**content)
    return event


def finite(value: Any) -> Any:
    """The same plain data with null in place of NaN and infinities (which JSON lacks)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def _epoch(content: Mapping[str, Any]) -> Epoch:
    train, validation = _known(content["train"]), _known(content["validation"])
    return Epoch(content["number"], train, validation, content["seconds"], content.get("compiling", 0.0))


def _known(metrics: Mapping[str, float | None]) -> Mapping[str, Any]:
    """The inverse of ``finite``; a long log has many epochs, and almost none with a null in it."""
    if None not in metrics.values():
        return metrics
    return {name: math.nan if number is None else number for name, number in metrics.items()}


def _why(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"{problem.args[0]!r} is missing"
    return "not JSON" if isinstance(problem, json.JSONDecodeError | UnicodeDecodeError) else str(problem)
