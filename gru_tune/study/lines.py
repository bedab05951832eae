"""The lines of a study's log: each is one JSON object that ends with the checksum of what stands before it.

    {"event":"run","workers":2,"time":1700000000.0,"crc":"7d9d0c2f"}

The checksum is the CRC-32 of all bytes before ``,"crc"``, as eight hex digits: any change of a
single byte is noticed, and so is nearly every other damage. Lines of format 1 had none.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from gru_tune.study.events import Died, Ended, Event, Finished, Header, Launch, Started, Stopped
from gru_tune.trial import Epoch, Fault, Outcome
from gru_tune.wording import LONGEST, cut

FORMAT = 2
MARK = b',"crc":"'
SEAL = len(MARK) + 8 + 2  # bytes at the end of a line: the mark, the digits, a quote and a brace
NAMES: dict[type, str] = {
    Header: "study", Started: "run", Launch: "launch", Finished: "outcome", Died: "death", Stopped: "stopped",
    Ended: "end",
}  # fmt: skip
TYPES = {name: kind for kind, name in NAMES.items()}
# What the plain fields of each kind hold, by the annotations of its class.
_PLAIN: dict[Any, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str, "Values": dict}
_FIELDS = {
    kind: [(field.name, _PLAIN[field.type]) for field in fields(kind) if field.type in _PLAIN]
    for kind in (*NAMES, Outcome)
}
Plain = TypeVar("Plain", bound=Event | Outcome)


class Damaged(ValueError):
    """A line that is not as it was written; the message says why."""


class Newer(ValueError):
    """A line that is as it was written, by a version of this program that knows more than this one."""


def encode(event: Event) -> str:
    """The line of an event, without its newline; numbers that are not finite become null."""
    name = {"event": NAMES[type(event)]}
    if isinstance(event, Header):
        content = {**name, "format": FORMAT, **event.facts, "time": event.time}
    elif isinstance(event, Finished):
        content = {**name, "attempt": event.attempt, **asdict(event.outcome), "time": event.time}
        content |= {"repeat": event.repeat}
    else:
        content = {**name, **asdict(event)}
    text = json.dumps(finite(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))[:-1]
    return f'{text}{MARK.decode()}{zlib.crc32(text.encode()):08x}"}}'


def decode(line: str | bytes) -> Event:
    """The inverse of ``encode``; raises ``Damaged`` or ``Newer``."""
    return Decoder()(line)


class Decoder:
    """Decodes the lines of one log, in their order: once a line has a checksum, all after it must have one."""

    def __init__(self) -> None:
        self._all_sealed = False

    def __call__(self, line: str | bytes) -> Event:
        """The event of the next line. Raises ``Damaged`` or ``Newer``."""
        data = line.encode() if isinstance(line, str) else line
        sealed = data[-SEAL : len(MARK) - SEAL] == MARK
        if sealed and data[-SEAL:] != b'%b%08x"}' % (MARK, zlib.crc32(data[:-SEAL])):
            raise Damaged("its checksum is wrong")
        try:
            event = _event(data[:-SEAL] + b"}" if sealed else data, sealed)
        except Newer:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
            if sealed:  # it is what somebody wrote
                raise Newer(_why(problem)) from None
            raise Damaged(_why(problem)) from None
        if self._all_sealed and not sealed:
            raise Damaged("it has no checksum")
        self._all_sealed = sealed
        return event


def _event(data: bytes, sealed: bool) -> Event:
    content = json.loads(data.decode())
    if not isinstance(content, dict):
        raise ValueError("expected an object")
    kind = TYPES.get(content.pop("event", None))
    if kind is Header:
        version = content.pop("format")
        if version > FORMAT:
            raise Newer(f"format {version}")
        if version > 1 and not sealed:
            raise ValueError("it has no checksum")
        return _checked(Header(time=content.pop("time"), facts=content))
    if kind is Finished:
        attempt, time, repeat = content.pop("attempt"), content.pop("time"), content.pop("repeat", 1)
        content["epochs"] = tuple(_epoch(epoch) for epoch in content["epochs"])
        content["fault"] = Fault(content["fault"]) if content.get("fault") else None
        return _checked(Finished(attempt, _checked(Outcome(**content)), time, repeat))
    if kind is None:
        raise ValueError("unknown event")
    if kind is Died:
        content["fault"] = Fault(content.get("fault", Fault.CRASH))
    event: Event = kind(**content)
    return _checked(event)


def _checked(made: Plain) -> Plain:
    """``made``, whose plain fields hold what they should. Raises ``ValueError``."""
    for name, kind in _FIELDS[type(made)]:
        if not isinstance(getattr(made, name), kind):
            raise ValueError(f"{name} cannot be {cut(repr(getattr(made, name)), LONGEST)}")
    return made


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
