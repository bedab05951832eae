"""Which jobs hang, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gru_tune.errors import StudyError
from gru_tune.executors.base import WorkerDied
from gru_tune.executors.in_process import InProcess
from gru_tune.study.hanging import FIRST, LATER, Vigil, result
from gru_tune.study.log import Launch
from gru_tune.trial import Fault

JOB = Launch(1, 1, {}, 1, 0, 9, False, 0.0)


class Clock:
    """Looks once a second, as the loop does more often, at one job with a report of the test's."""

    def __init__(self, vigil: Vigil) -> None:
        self.vigil, self.now = vigil, 1000.0
        self.report: dict[str, Any] = {"trial": 1, "repeat": 1, "epoch": 0}
        vigil.begin(JOB)
        self.look()

    def look(self, running: bool = True) -> list[str]:
        return [reason for _, reason in self.vigil.look([self.report] if running else [], self.now)]

    def hangs_after(self, most: int = 20_000) -> int | None:
        """Seconds without progress until the job is told of."""
        for seconds in range(1, most):
            self.now += 1.0
            if self.look():
                return seconds - 1
        return None

    def epoch(self, seconds: float) -> None:
        self.report = {**self.report, "epoch": self.report["epoch"] + 1, "seconds": seconds}
        self.look()


def expect(seconds: float) -> Callable[[Launch], float]:
    return lambda launch: seconds


@pytest.mark.parametrize(
    ("vigil", "seconds"),
    [
        (Vigil(10.0), 10 * FIRST),  # nothing is known
        (Vigil(10.0, expect(5.0)), 10 * FIRST),  # nor how fast this machine is
        (Vigil(10.0, expect(5.0), slowness=1.0), FIRST),
        (Vigil(10.0, expect(100.0), slowness=1.0), 1000),
        (Vigil(4.0, expect(100.0), slowness=2.0), 800),
        (Vigil(10.0, expect(400.0)), 4000),
        (Vigil(None, expect(5.0), slowness=1.0), None),
    ],
)
def test_how_long_the_first_epoch_may_take(vigil: Vigil, seconds: float | None) -> None:
    assert Clock(vigil).hangs_after() == seconds


@pytest.mark.parametrize(("took", "seconds"), [(0.5, LATER), (6.0, LATER), (30.0, 300)])
def test_later_epochs_are_measured_by_the_slowest_of_the_job(took: float, seconds: float) -> None:
    clock = Clock(Vigil(10.0))
    clock.epoch(took)
    clock.epoch(0.1)
    assert clock.hangs_after() == seconds


def test_progress_is_life() -> None:
    clock = Clock(Vigil(10.0, slowness=1.0))
    for _ in range(20):
        assert clock.hangs_after(int(LATER) - 1) is None
        clock.epoch(1.0)


def test_a_report_of_the_attempt_before_is_no_progress() -> None:
    vigil = Vigil(10.0, expect(1.0), slowness=1.0)
    clock = Clock(vigil)
    clock.epoch(1.0)
    vigil.end(JOB)
    vigil.begin(JOB)
    assert clock.hangs_after() == FIRST


def test_a_machine_that_slept_blames_nobody() -> None:
    """A closed lid, Ctrl-Z, or a parent that was busy: the jobs may have stood still as well."""
    clock = Clock(Vigil(10.0, slowness=1.0))
    for _ in range(10):
        clock.now += 86_400.0
        assert clock.look() == []
    assert clock.hangs_after() == FIRST - 10  # a second for every look


def test_a_job_that_waits_for_a_place_is_not_timed() -> None:
    clock = Clock(Vigil(10.0, slowness=1.0))
    for _ in range(2 * int(FIRST)):
        clock.now += 1.0
        assert clock.look(running=False) == []
    assert clock.hangs_after() == FIRST


def test_other_jobs_tell_how_slow_the_machine_is() -> None:
    vigil = Vigil(10.0, expect(20.0))
    clock = Clock(vigil)
    clock.epoch(60.0)
    vigil.begin(Launch(2, 1, {}, 1, 0, 9, False, 0.0))
    clock.report = {"trial": 2, "epoch": 0}
    assert clock.hangs_after() == 600  # ten times 20 s, on a machine that is three times as slow


def test_what_is_said_and_that_it_is_said_again() -> None:
    clock = Clock(Vigil(10.0, slowness=1.0))
    clock.hangs_after()
    assert clock.hangs_after() == FIRST  # should the process have outlived the first time
    assert clock.hangs_after(int(FIRST)) is None
    said = []
    while not said:
        clock.now += 1
        said = clock.look()
    assert said == ["no epoch ended for 5 min 0 s, so its worker was killed (search.hung_after)"]


def test_a_call_that_takes_too_long_is_abandoned() -> None:
    from concurrent.futures import Future

    class Stuck(InProcess):
        def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
            future.set_exception(WorkerDied(reason, fault))

    error = result(Stuck(len), Future(), 0.05)  # type: ignore[arg-type]
    assert isinstance(error, WorkerDied)
    assert error.fault is Fault.HUNG

    class Gone(InProcess):
        def progress(self) -> list[dict[str, Any]]:
            raise StudyError("the cluster is gone")

    with pytest.raises(StudyError, match="the cluster is gone"):
        result(Gone(len), Future(), 0.05)  # type: ignore[arg-type]
    done: Future[int] = InProcess(len).call(len, "four")  # type: ignore[arg-type]
    assert result(InProcess(len), done, 0.05) is None  # type: ignore[arg-type]
