"""How a worker process begins: what it inherits, where it prints, what it may take, and when it ends."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from gru_tune.executors.base import Configure
from gru_tune.quantities import gigabytes
from gru_tune.study.interrupt import SIGNALS

NO_MEMORY = 86  # exit code of a worker that needed more memory than it was allowed
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
LOOK = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True)
class Start:
    """What one worker is told before its first job."""

    configure: Configure | None = None  # called with the number of threads
    cores: tuple[int, ...] = ()  # the cores it is pinned to; empty where that cannot be done
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    output: str | None = None  # file that takes what it prints
    memory: int | None = None  # bytes of its own that it may take; None: as many as there are


def begin(start: Start, words: Connection) -> None:
    """The initializer of a local worker process: says "" when it has begun, else why it cannot."""
    try:
        _begin(start)
    except Exception as error:
        words.send(f"{type(error).__name__}: {error}".splitlines()[0][:500])
        raise
    words.send("")


def _begin(start: Start) -> None:
    for number in SIGNALS:  # they may reach the whole group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent()
    if start.output is not None:
        _print_into(start.output)
    faulthandler.enable()  # a crash in C leaves the Python stack where the worker prints
    os.environ.update(start.environment)
    if start.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, start.cores)
    if start.configure is not None:
        start.configure(start.threads)
    if start.memory is not None:
        limit_memory(start.memory)


def limit_memory(limit: int) -> None:
    """From now on end this process with the code ``NO_MEMORY`` once it holds more than ``limit`` bytes of its own.

    It is looked at ten times a second: what grows faster may hold more for a moment.
    """
    threading.Thread(target=_watch_memory, args=(limit,), daemon=True).start()


def own_memory(process: int) -> int:
    """The bytes a process holds for itself; mapped files, which are shared, do not count. 0 for one that is gone."""
    import psutil

    try:
        found = psutil.Process(process).memory_info()
    except psutil.Error:
        return 0
    return int(found.rss - getattr(found, "shared", 0))


def _watch_memory(limit: int) -> None:
    while (taken := own_memory(os.getpid())) <= limit:
        time.sleep(LOOK)
    os.write(2, f"this worker holds {gigabytes(taken)}, and may hold {gigabytes(limit)}\n".encode())
    os._exit(NO_MEMORY)


def _end_with_parent() -> None:
    """Leave when the parent is gone, however it went: nobody would take the result."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is None:
        return
    threading.Thread(target=_leave_after, args=(parent,), daemon=True).start()
    if sys.platform == "linux":
        # That thread cannot run during a step in C that holds the interpreter; the kernel can. It goes
        # by the thread of the parent that began this process, which is the one that closes the executor.
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it was gone before the kernel was asked
            os._exit(1)


def _leave_after(parent: BaseProcess) -> None:
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
