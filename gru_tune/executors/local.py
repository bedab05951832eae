"""Worker processes on this machine: spawned, one pool of one worker a slot.

With one shared pool a killed worker breaks the pool and with it the whole search; with a
pool a slot it costs its own job, and the slot gets a new pool.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from gru_tune.executors.base import Train, WorkerDied, read_progress
from gru_tune.executors.births import large_pages, quiet_tracker, signals_wait
from gru_tune.executors.deaths import Kills, died
from gru_tune.executors.worker import Start, begin, own_memory
from gru_tune.trial import Fault, Job, Outcome

# Bytes of its own that a worker may gain after its first job before it is replaced: TensorFlow
# keeps every step it has compiled, about 30 MB a trial, and gives nothing back.
GROWTH = 1_000_000_000
SPARE = 4  # of what a limited worker may take after its first job, one in so many parts may be gained


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
            slot.abandon(future, WorkerDied(reason, fault))

    def progress(self) -> list[dict[str, Any]]:
        jobs = [slot.job for slot in self._slots]  # once: another thread takes them away
        return read_progress(job for job in jobs if job is not None)

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
        self._start = start
        self._pool: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self._words: Connection | None = None  # what the process says when it has begun, or cannot
        self._kills: Kills | None = None  # of the kernel, when the job in flight began
        self._first = 0  # bytes the process had after its first job
        # ``_done`` runs in another thread; a verdict must not meet a later job than its own.
        self._lock = threading.Lock()
        self._future: Future[Any] | None = None  # of the job or call in flight
        self._verdict: WorkerDied | None = None  # why that is abandoned

    def send(self, job: Job | None, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._first and own_memory(self._pid) > self._first + self._growth():
            self.close(kill=True)  # it is idle: nothing is lost
        outer = Future[Any]()
        try:
            inner = self._start_with(function, *arguments)
        except OSError as error:  # no process to be had
            self.close(kill=True)
            outer.set_exception(WorkerDied(f"its worker could not start ({error})", Fault.START))
            return outer
        self._kills = Kills.now(self._pid)
        self.busy, self.job, self._future = True, job, outer
        inner.add_done_callback(partial(self._done, outer))
        return outer

    def abandon(self, future: Future[Any], verdict: WorkerDied) -> None:
        with self._lock:
            if self._future is future and self._process is not None:
                self._verdict = verdict
                self._process.kill()

    def warm(self, function: Callable[[], Any]) -> None:
        try:
            self._submit(function)
        except OSError:  # a worker that cannot start is told of by its first job
            self.close(kill=True)

    def close(self, kill: bool = False) -> None:
        # What a dying worker calls back (``_done``, in another thread) clears these fields.
        process, pool = self._process, self._pool
        if kill and process is not None:
            process.kill()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=kill)
        self._forget()

    @property
    def _pid(self) -> int:
        return (self._process.pid if self._process is not None else None) or 0

    def _growth(self) -> int:
        limit = self._start.memory
        return GROWTH if limit is None else max(min(GROWTH, (limit - self._first) // SPARE), 0)

    def _forget(self) -> None:
        """The process is gone, or going; a pool that is broken ends by itself."""
        self._pool = self._process = self._words = None
        self._first = 0

    def _start_with(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        try:
            return self._submit(function, *arguments)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.close(kill=True)
            return self._submit(function, *arguments)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._pool is not None:
            return self._pool.submit(function, *arguments)
        spawn = multiprocessing.get_context("spawn")
        self._words, words = spawn.Pipe(duplex=False)
        told = (self._start, words)
        with signals_wait(), quiet_tracker():
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=begin, initargs=told)
        before = set(multiprocessing.active_children())
        try:
            with words, signals_wait(), large_pages():
                return self._pool.submit(function, *arguments)
        finally:  # also when a signal ends this in the middle
            new = set(multiprocessing.active_children()) - before
            self._process = new.pop() if new else None

    def _done(self, outer: Future[Any], inner: Future[Any]) -> None:
        """Hand on what the pool says; the slot is free before anybody hears of it."""
        error = None if inner.cancelled() else inner.exception()
        with self._lock:
            self._future, verdict, self._verdict = None, self._verdict, None
        if inner.cancelled() or isinstance(error, BrokenProcessPool):
            error = verdict or self._death()
            self._forget()
        elif verdict is not None:  # its job had just ended when it was killed
            self._forget()
        else:
            self._first = self._first or own_memory(self._pid)
        self.job, self.busy = None, False
        if error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())

    def _death(self) -> WorkerDied:
        process, words = self._process, self._words
        if process is not None:
            process.join(5)
        code = process.exitcode if process is not None else None
        starved = self._kills is not None and self._kills.more()
        return died(code, _said(words), self._start.memory, starved)


def _said(words: Connection | None) -> str | None:
    """The last words of a process; None when it said nothing."""
    try:
        return str(words.recv()) if words is not None and words.poll() else None
    except (EOFError, OSError):
        return None
