"""Ctrl-C and SIGTERM: noticed at once, obeyed where nothing can be lost."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While entered, a signal raises ``KeyboardInterrupt``, or with ``patient`` only sets ``seen``.

    The second signal always raises.
    """

    def __init__(self) -> None:
        self.seen = False
        self.patient = False
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():  # signals reach no other
            self._former = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.seen or not self.patient:
            self.seen = True
            raise KeyboardInterrupt
        self.seen = True
