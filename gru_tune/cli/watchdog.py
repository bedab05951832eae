"""The end in time: some seconds after a signal the program is gone, whatever it is doing.

A handler written in Python waits for the step that the main thread is in, and reading a large
file or compiling a model is one step. The thread here needs no such patience. Being killed
loses nothing that the log has; workers end with their parent.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import time

from gru_tune.study.interrupt import SIGNALS

GRACE = 8.0  # seconds; batch systems and containers kill after ten or more
HURRY = 1.0  # the same after Ctrl-C that was not the first signal
CURSOR = "\x1b[?25h"  # shows it again on a terminal, where the display of a run hides it


class Watchdog:
    """While entered, and from the first signal until the process has ended, sees to it that it does."""

    def __init__(self) -> None:
        self._seen = False
        self._writing: socket.socket | None = None
        self._former = -1

    def __enter__(self) -> Watchdog:
        if threading.current_thread() is threading.main_thread():
            reading, self._writing = socket.socketpair()
            self._writing.setblocking(False)
            # Written to by the interpreter's own handler, at once, for every signal that Python handles.
            self._former = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(reading,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._writing is not None and not self._seen:
            signal.set_wakeup_fd(self._former)
            self._writing.close()  # which ends the thread

    def _watch(self, reading: socket.socket) -> None:
        number, deadline = 0, float("inf")
        with reading:
            while time.monotonic() < deadline:
                left = None if not number else max(deadline - time.monotonic(), 0.0)
                if not select.select([reading], [], [], left)[0]:
                    continue
                if not (told := reading.recv(1)):
                    return
                if told[0] in SIGNALS:
                    hurry = number and told[0] == signal.SIGINT
                    number, self._seen = number or told[0], True
                    deadline = min(deadline, time.monotonic() + (HURRY if hurry else GRACE))
        _leave(number)


def _leave(number: int) -> None:
    text = "stopped in the middle of a step that would not end; run the same command again\n"
    with contextlib.suppress(OSError):  # nobody may be there to read it, or have read what is there
        if select.select([], [2], [], 0)[1]:
            os.write(2, (CURSOR if os.isatty(2) else "").encode() + text.encode())
    os._exit(128 + number)
