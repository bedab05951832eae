"""Output that outlasts its reader: a closed terminal, or the ``head`` of a pipe, ends no search."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

TERMINAL = errno.EIO  # what writing to a terminal that was closed gives
READER = errno.EPIPE  # … and to a pipe whose reader has gone


class _Lasting:
    """A stream which, once writing fails with one of ``errors``, leads nowhere and fails no more."""

    def __init__(self, stream: TextIO, errors: tuple[int, ...]) -> None:
        self._stream, self._errors = stream, errors

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._leave(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._leave(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _leave(self, error: OSError) -> None:
        if error.errno not in self._errors:
            raise error
        # Below the stream, for what it still holds in its buffer and for what others print.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def lasting(*errors: int) -> Iterator[None]:
    """Print to nowhere from the moment that printing fails with one of ``errors``."""
    former = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, _Lasting(stream, errors)) for stream in former)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = former
