"""How a local worker process begins: what it inherits, where it prints, and when it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from gru_tune.executors.base import Configure


@dataclass(frozen=True)
class Start:
    """What one worker is told before its first job."""

    configure: Configure | None = None  # called with the number of threads
    cores: tuple[int, ...] = ()  # the cores it is pinned to; empty where that cannot be done
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    output: str | None = None  # file that takes what it prints


def begin(start: Start) -> None:
    """The initializer of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start.output is not None:
        _print_into(start.output)
    os.environ.update(start.environment)
    if start.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, start.cores)
    if start.configure is not None:
        start.configure(start.threads)


def _end_with_parent() -> None:
    """Leave when the parent is gone, however it went: nobody would take the result."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _print_into(path: str) -> None:
    # The file descriptors, not sys.stdout: TensorFlow's own messages come from C++.
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
