"""Worker processes on this machine: spawned, one pool of one worker a slot.

With one shared pool a killed worker breaks the pool and with it the whole search; with a
pool a slot it costs its own job, and the slot gets a new pool.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from gru_tune.executors.base import Train, WorkerDied, read_progress
from gru_tune.executors.worker import Start, begin
from gru_tune.trial import Fault, Job, Outcome

# Bytes of its own that a worker may gain after its first job before it is replaced: TensorFlow
# keeps every step it has compiled, about 30 MB a trial, and gives nothing back.
GROWTH = 1_000_000_000
PAGES, LARGE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"


class Local:
    """As many worker processes as there are ``starts``; each lives on from job to job."""

    blocking = False

    def __init__(self, train: Train, starts: Sequence[Start]) -> None:
        self._train = train
        self._slots = [_Slot(start) for start in starts]

    @property
    def slots(self) -> int:
        return len(self._slots)

    def warm(self, function: Callable[[], Any]) -> None:
        for slot in self._slots:
            slot.warm(function)

    def submit(self, job: Job) -> Future[Outcome]:
        return self._send(job, self._train, job)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self._send(None, function, *arguments)

    def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
        for slot in self._slots:
            if slot.future is future:
                slot.abandon(reason, fault)

    def progress(self) -> list[dict[str, Any]]:
        return read_progress([slot.job for slot in self._slots if slot.job is not None])

    def close(self, kill: bool = False) -> None:
        for slot in self._slots:
            slot.close(kill)

    def _send(self, job: Job | None, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        for slot in self._slots:
            if not slot.busy:
                return slot.send(job, function, *arguments)
        raise RuntimeError(f"all {self.slots} workers are busy")


class _Slot:
    """One worker process, started when it is first needed and again after its death."""

    def __init__(self, start: Start) -> None:
        self.job: Job | None = None
        self.busy = False
        self.future: Future[Any] | None = None  # of the job or call in flight
        self._verdict: WorkerDied | None = None  # why it was abandoned
        self._start = start
        self._pool: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self._first = 0  # bytes the process had after its first job

    def send(self, job: Job | None, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._first and _own_memory(self._process) > self._first + GROWTH:
            self.close(kill=True)  # it is idle: nothing is lost
        try:
            inner = self._submit(function, *arguments)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.close(kill=True)
            inner = self._submit(function, *arguments)
        self.busy, self.job = True, job
        outer = self.future = Future[Any]()
        inner.add_done_callback(partial(self._done, outer))
        return outer

    def abandon(self, reason: str, fault: Fault) -> None:
        self._verdict = WorkerDied(reason, fault)
        if self._process is not None:
            self._process.kill()

    def warm(self, function: Callable[[], Any]) -> None:
        self._submit(function)  # a worker that cannot start is told of by its first job

    def close(self, kill: bool = False) -> None:
        # What a dying worker calls back (``_done``, in another thread) clears both fields.
        process, pool = self._process, self._pool
        if kill and process is not None:
            process.kill()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=kill)
        self._pool = self._process = None
        self._first = 0

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._pool is not None:
            return self._pool.submit(function, *arguments)
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=begin, initargs=(self._start,))
        before = set(multiprocessing.active_children())
        with _interrupts_wait(), _large_pages():
            future = self._pool.submit(function, *arguments)
        new = set(multiprocessing.active_children()) - before
        self._process = new.pop() if new else None
        return future

    def _done(self, outer: Future[Any], inner: Future[Any]) -> None:
        """Hand on what the pool says; the slot is free before anybody hears of it."""
        error = None if inner.cancelled() else inner.exception()
        if inner.cancelled() or isinstance(error, BrokenProcessPool):
            died = self._verdict or WorkerDied(_reason(self._process))
            self._verdict = None
            self._pool = self._process = None  # the broken pool ends by itself
            self._first = 0
            self.job, self.busy = None, False
            outer.set_exception(died)
            return
        self._first = self._first or _own_memory(self._process)
        self.job, self.busy = None, False
        if error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())


def _own_memory(process: BaseProcess | None) -> int:
    """The bytes a process holds for itself (mapped files are shared); 0 where that cannot be told."""
    if process is None:
        return 0
    try:
        with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:")), 0)
    except OSError:  # no Linux, or the process has gone
        return 0


def _reason(process: BaseProcess | None) -> str:
    if process is not None:
        process.join(5)
    code = process.exitcode if process is not None else None
    if code is None:
        return "its worker is gone"
    if code == 0:
        return "its worker could not start"
    if code > 0:
        return f"its worker ended by itself (exit code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = ", often for want of memory" if -code == signal.SIGKILL else ""
    return f"its worker was killed (signal {-code}, {name}{hint})"


@contextmanager
def _large_pages() -> Iterator[None]:
    """Let a process be born whose C library asks Linux for large pages.

    A training step takes tens of megabytes and gives them back; in pages of 4 KB fetching them
    again can take longer than the step. The C library reads this when a process begins only.
    """
    if PAGES in os.environ:
        yield
        return
    os.environ[PAGES] = LARGE
    try:
        yield
    finally:
        del os.environ[PAGES]


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back while a process is spawned, so that it is born deaf to it."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
