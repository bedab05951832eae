"""Jobs that hang: no epoch has ended for far longer than one can take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from gru_tune.executors.base import Executor
from gru_tune.report.numbers import duration
from gru_tune.study.log import Launch, Run
from gru_tune.trial import Fault

FIRST = 300.0  # seconds that the first epoch of a job has at least: a worker starts, a model is compiled
LATER = 60.0  # and each after it
TELLING = 1.0  # seconds from which on an epoch tells how slow a machine is
STEP = 1.0  # seconds that two looks are apart at most: the machine, or this process, was asleep in between


@dataclass
class _Job:
    launch: Launch
    since: float  # when it last made progress
    report: Mapping[str, Any] | None = None  # the latest
    begun: bool = False  # an epoch of this job has ended
    slowest: float = 0.0  # seconds of its epochs so far


@dataclass
class Vigil:
    """Watches the progress of the jobs by a clock that stands still while nobody looks."""

    times: float | None  # as long as expected, after which a job hangs; None: never
    expected: Callable[[Launch], float] = lambda launch: 0.0  # seconds of a first epoch; 0: not known
    slowness: float | None = None  # times as long as expected that epochs took; None: none was seen
    _now: float = 0.0
    _looked: float | None = None
    _jobs: dict[Run, _Job] = field(default_factory=dict)

    def begin(self, launch: Launch) -> None:
        """A job was submitted."""
        self._jobs[launch.run] = _Job(launch, self._now)

    def end(self, launch: Launch) -> None:
        """It is over."""
        self._jobs.pop(launch.run, None)

    def look(self, reports: Iterable[Mapping[str, Any]], time: float) -> Iterator[tuple[Run, str]]:
        """The jobs that hang, and why that is known.

        ``reports`` are those of ``Executor.progress``: a job that is not among them does not run
        yet. ``time`` is in seconds, from anywhere.
        """
        if self.times is None:
            return
        elapsed = 0.0 if self._looked is None else min(max(time - self._looked, 0.0), STEP)
        self._looked, self._now = time, self._now + elapsed
        reported = {(report["trial"], report.get("repeat", 1)): report for report in reports}
        for run, job in self._jobs.items():
            if run not in reported:
                job.since = self._now
                continue
            self._note(job, reported[run])
            waited = self._now - job.since
            if waited > min(FIRST, LATER) and waited > (limit := self._limit(job)):
                job.since = self._now  # should it outlive this, it is told of again
                yield (
                    run,
                    f"no epoch ended for {duration(limit)}, so its worker was killed (search.hung_after)",
                )

    def _note(self, job: _Job, report: Mapping[str, Any]) -> None:
        """Take note of progress; the first report may be of the attempt before."""
        if job.report is not None and report != job.report:
            seconds = float(report.get("seconds") or self._now - job.since)
            job.begun, job.since, job.slowest = True, self._now, max(job.slowest, seconds)
            expected = self.expected(job.launch) if seconds > TELLING else 0.0
            self.slowness = max(self.slowness or 1.0, seconds / expected if expected else 1.0)
        job.report = report

    def _limit(self, job: _Job) -> float:
        """Seconds that a job may be without progress."""
        assert self.times is not None
        if job.begun:
            return max(LATER, self.times * job.slowest)
        expected = self.expected(job.launch)
        if self.slowness is None:  # how fast this machine is, nobody knows
            return self.times * max(FIRST, expected)
        return max(FIRST, self.times * expected * self.slowness)


def result(executor: Executor, future: Future[Any], seconds: float) -> BaseException | None:
    """Wait for a call; what it raised, if anything. One that takes longer than ``seconds`` is killed.

    Raises what ``Executor.progress`` does when the place itself is gone.
    """
    end = monotonic() + seconds
    while not wait([future], min(STEP, seconds)).done:
        executor.progress()
        if monotonic() >= end:
            reason = f"no answer for {duration(seconds)}, so its worker was killed"
            executor.abandon(future, reason, Fault.HUNG)
            break
    return future.exception()
