"""Ctrl-C, SIGTERM and SIGHUP: noticed at once, obeyed where nothing can be lost."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

# Ctrl-C, the end of a batch job or a container, and a closed terminal (Windows has no SIGHUP).
SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
AGAIN = 0.05  # seconds until an interrupt that was swallowed is raised again


class Interrupt:
    """While entered, a signal raises ``KeyboardInterrupt``, or with ``patient`` only sets ``seen``.

    After the first signal only Ctrl-C raises: a person is in a hurry, while batch systems and shells
    send theirs twice. What was ignored when the program started, as ``nohup`` does, stays ignored.
    """

    def __init__(self) -> None:
        self.seen = False
        self.patient = False
        self._first: int | None = None
        self._former: dict[signal.Signals, Any] = {}

    @property
    def number(self) -> int:
        """The first signal."""
        return self._first or signal.SIGINT

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():  # signals reach no other
            heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._former = {number: signal.signal(number, self._take) for number in heard}
        self._hook, sys.unraisablehook = sys.unraisablehook, self._swallowed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.unraisablehook = self._hook
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        first, self.seen = not self.seen, True
        self._first = self._first or number
        if (first and not self.patient) or (number == signal.SIGINT and not first):
            raise KeyboardInterrupt

    def _swallowed(self, found: sys.UnraisableHookArgs) -> None:
        """Callbacks of the garbage collector (JAX has one) swallow what is raised while they run."""
        if isinstance(found.exc_value, KeyboardInterrupt):
            threading.Timer(AGAIN, self._again).start()
        else:
            self._hook(found)

    def _again(self) -> None:
        self.seen = False
        if hasattr(signal, "pthread_kill"):  # which also ends a wait of the main thread
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        else:
            _thread.interrupt_main()
