"""What a worker process has from its birth on, when it can still be given to it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gru_tune.study.interrupt import SIGNALS

PAGES, LARGE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"


@contextmanager
def large_pages() -> Iterator[None]:
    """Let a process be born whose C library asks Linux for large pages.

    A training step takes tens of megabytes and gives them back; in pages of 4 KB fetching them
    again can take longer than the step. The C library reads this when a process begins only.
    """
    with _variable(PAGES, LARGE):
        yield


@contextmanager
def quiet_tracker() -> Iterator[None]:
    """Let multiprocessing's resource tracker be born that frees what a killed parent has left, and is silent about it."""
    with _variable("PYTHONWARNINGS", "ignore:resource_tracker"):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """Hold Ctrl-C and its like back while a process is spawned, so that it is born deaf to them."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """An environment variable, unless the user has set it."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
