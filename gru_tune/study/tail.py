"""The end of a log that another process writes."""

from __future__ import annotations

from pathlib import Path

from gru_tune.study import log as logs
from gru_tune.study.lines import Damaged, Decoder, Newer
from gru_tune.study.log import Event


class Tail:
    """What is added to a log from now on; one that is begun anew tells its ``Header`` again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin_anew()
        self._seen: tuple[int, ...] = ()

    def _begin_anew(self) -> None:
        self._size = 0  # bytes that were read
        self._last = b""  # the line they end with: it still stands there, or this is another log
        self._decoder = Decoder()

    def read(self) -> list[Event]:
        """The events that have been added. Raises ``StudyError`` when the log is damaged."""
        try:
            facts = self._path.stat()
            seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if seen == self._seen:
                return []
            lines = self._new()
        except FileNotFoundError:
            self._begin_anew()
            self._seen = ()
            return []
        self._seen = seen
        events = []
        for number, line in enumerate(lines, start=1):
            try:
                events.append(self._decoder(line))
            except (Damaged, Newer) as problem:
                if number < len(lines) or isinstance(problem, Newer):
                    logs.read(self._path)  # which says where the damage is
                break  # a torn line, that the next run will cut off
            self._size, self._last = self._size + len(line) + 1, line + b"\n"
        return events

    def _new(self) -> list[bytes]:
        """The whole lines behind what was read, without their newlines; all lines of another log."""
        with self._path.open("rb") as file:
            file.seek(self._size - len(self._last))
            if file.read(len(self._last)) != self._last:
                self._begin_anew()
                file.seek(0)
            data = file.read()
        return data.split(b"\n")[:-1]
