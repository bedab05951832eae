"""What the loop makes of faults, with an executor that does as the test says."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from gru_tune.errors import NothingCompleted, StudyError
from gru_tune.executors.base import WorkerDied
from gru_tune.study import hanging
from gru_tune.study import log as logs
from gru_tune.study.faults import LOST, refuse_hopeless
from gru_tune.study.finals import Finals
from gru_tune.study.hanging import Vigil
from gru_tune.study.history import History
from gru_tune.study.log import Died, Finished, Launch
from gru_tune.study.loop import Limits
from gru_tune.trial import Fault, Outcome, Status
from tests.study.test_loop import ACCURACY, Bench, Listed, Scripted, bench, good

__all__ = ["bench"]  # the fixture

HUNGRY = WorkerDied("the kernel killed its worker for want of memory", Fault.MEMORY)
STARVED = Outcome(1, (), 5, 0.1, "plain", error="ResourceExhaustedError: OOM", fault=Fault.MEMORY)
NO_START = WorkerDied("its worker could not start (OSError: no such library)", Fault.START)


@pytest.mark.parametrize("first", [HUNGRY, STARVED], ids=["a worker that died", "an error of the framework"])
def test_want_of_memory_is_met_with_batches_in_parts(bench: Bench, first: Any) -> None:
    executor = Scripted(lambda n, k: first if (n, k) == (1, 1) else good(n))
    search = bench.search(executor, Listed(2), Limits(retries=0))
    search.run()
    assert list(zip(executor.submitted, executor.parts, strict=True)) == [(1, 1), (1, 2), (2, 1)]
    trials = search.history.trials
    assert (trials[1].status, trials[1].accumulation, trials[1].attempts) == (Status.COMPLETED, 2, 2)
    assert trials[2].accumulation == 1
    died = [event for event in logs.read(bench.path).events if isinstance(event, Died)]
    assert [(one.trial, one.fault) for one in died] == [(1, Fault.MEMORY)]


def test_a_trial_that_does_not_fit_in_parts_either_fails_with_a_remedy(bench: Bench) -> None:
    executor = Scripted(lambda n, k: HUNGRY if n == 1 else good(n))
    search = bench.search(executor, Listed(2), Limits(retries=9))
    search.run()
    assert list(zip(executor.submitted, executor.parts, strict=True)) == [(1, 1), (1, 2), (2, 1)]
    assert search.history.trials[1].error == (
        "the kernel killed its worker for want of memory, also with batches in 2 parts; only a new study, "
        "or --fresh, tries it again: with a smaller batch_size, fewer units, or fewer --workers"
    )
    outcome = next(e.outcome for e in logs.read(bench.path).events if isinstance(e, Finished))
    assert outcome.fault is Fault.MEMORY


def test_batches_stay_in_parts_after_a_crash_a_kill_and_in_the_finals(bench: Bench) -> None:
    class Killed(BaseException):
        pass

    def answer(trial: int, attempt: int) -> Any:
        if attempt == 3:
            raise Killed
        return {1: HUNGRY, 2: WorkerDied("its worker is gone")}[attempt]

    before = Scripted(answer)
    with pytest.raises(Killed):
        bench.search(before, Listed(1)).run()
    after = Scripted(lambda n, k: good(n))
    search = bench.search(after, Listed(1))
    search.finals = Finals(finalists=1, seeds=2)
    search.run()
    assert (before.parts, after.parts) == ([1, 2, 2], [2, 2, 2])
    assert all(run.accumulation == 2 for run in search.history.runs.values())


def test_a_kill_between_want_of_memory_and_the_next_attempt(bench: Bench) -> None:
    """The log alone says that the next attempt is the one with batches in parts."""
    search = bench.search(Scripted(lambda n, k: HUNGRY), Listed(1))
    search._launch = lambda launch: (
        (_ for _ in ()).throw(SystemExit) if launch.attempt > 1 else launch_(launch)
    )  # type: ignore[method-assign]
    launch_ = type(search)._launch.__get__(search)
    with pytest.raises(SystemExit):
        search.run()
    executor = Scripted(lambda n, k: good(n))
    bench.search(executor, Listed(1)).run()
    assert executor.parts == [2]


def test_a_worker_that_cannot_start_once_costs_the_trial_nothing(bench: Bench) -> None:
    executor = Scripted(lambda n, k: NO_START if (n, k) == (1, 1) else good(n))
    search = bench.search(executor, Listed(2), Limits(retries=0))
    search.run()
    assert executor.submitted == [1, 1, 2]
    assert search.history.trials[1].status is Status.COMPLETED


def test_a_search_without_workers_ends_with_the_reason_and_goes_on_when_that_is_mended(bench: Bench) -> None:
    executor = Scripted(lambda n, k: NO_START)
    with pytest.raises(StudyError) as caught:
        bench.search(executor, Listed(2)).run()
    assert str(caught.value) == (
        "trial 1: its worker could not start (OSError: no such library), 2 times in a row; "
        "mend that (`gru-tune doctor` shows what there is) and run the same command again: it goes on"
    )
    assert executor.submitted == [1, 1]
    assert executor.closed
    search = bench.search(Scripted(lambda n, k: NO_START if k == 1 else good(n)), Listed(2))
    assert search.run() == "all done"  # what an earlier run could not start does not count
    assert [trial.status for trial in search.history.trials.values()] == 2 * [Status.COMPLETED]


def test_a_lost_machine_is_not_the_trials_fault_but_not_for_ever(bench: Bench) -> None:
    gone = WorkerDied("the machine it ran on is gone", Fault.LOST)
    executor = Scripted(lambda n, k: gone if n == 2 or k < LOST else good(n))
    search = bench.search(executor, Listed(2), Limits(retries=0))
    search.run()
    assert (executor.submitted.count(1), executor.submitted.count(2)) == (LOST, LOST)
    assert search.history.trials[1].status is Status.COMPLETED
    assert search.history.trials[2].error == (
        f"the whole search was killed, or its machine lost, {LOST} times while it ran"
    )


def test_a_job_that_hangs_is_killed_and_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanging, "FIRST", 0.3)
    monkeypatch.setattr(hanging, "LATER", 0.3)
    executor: Any = Scripted(lambda n, k: None if n == 1 else good(n))  # type: ignore[arg-type, return-value]
    search = bench.search(executor, Listed(2))
    search.vigil = Vigil(2.0, slowness=1.0)
    search.run()
    assert executor.submitted == [1, 1, 2]
    died = [event for event in logs.read(bench.path).events if isinstance(event, Died)]
    assert [one.fault for one in died] == [Fault.HUNG, Fault.HUNG]
    assert search.history.trials[1].error == (
        "no epoch ended for 0.3 s, so its worker was killed (search.hung_after), 2 attempts"
    )


def test_a_disk_that_is_full_ends_the_search_and_not_its_trials(bench: Bench) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "model.keras")
    executor = Scripted(lambda n, k: full if n == 2 else good(n))
    with pytest.raises(StudyError) as caught:
        bench.search(executor, Listed(4)).run()
    assert str(caught.value) == (
        "trial 2: model.keras cannot be written: no space left on device; "
        "free some space and run the same command again: it goes on, and what was finished is not trained again"
    )
    search = bench.search(Scripted(good), Listed(4))
    assert search.run() == "all done"
    assert [trial.status for trial in search.history.trials.values()] == 4 * [Status.COMPLETED]


def fails(reason: Callable[[int], str | None]) -> Scripted:
    """Trials that fail with a reason, or do not."""

    def answer(trial: int, attempt: int) -> Outcome | Exception:
        text = reason(trial)
        return good(trial) if text is None else ValueError(text)

    return Scripted(answer)


def test_three_trials_that_fail_alike_end_the_search_and_the_reason_comes_first(bench: Bench) -> None:
    executor = fails(lambda n: f"column {n} of 7 is no number")
    search = bench.search(executor, Listed(9))
    reason = "the first 3 trials all failed alike: ValueError: column 1 of 7 is no number"
    assert search.run() == reason
    assert executor.submitted == [1, 2, 3]
    with pytest.raises(NothingCompleted) as caught:
        refuse_hopeless(search.history, reason)
    assert str(caught.value) == f"{reason}; mend that and start anew with --fresh"


@pytest.mark.parametrize(
    "reason",
    [
        lambda n: None if n == 2 else "bad",
        lambda n: "bad" if n < 3 else "worse",
    ],
    ids=["one was completed", "one failed for another reason"],
)
def test_other_failures_are_no_reason_to_end(bench: Bench, reason: Callable[[int], str | None]) -> None:
    assert bench.search(fails(reason), Listed(5)).run() == "all done"


def test_failing_alike_is_allowed_where_failing_is(bench: Bench) -> None:
    limits = Limits(max_failures=None)
    assert bench.search(fails(lambda n: "bad" if n < 4 else None), Listed(5), limits).run() == "all done"
    # And never looked at again once a trial was completed.
    assert bench.search(Scripted(good), Listed(7)).run() == "all done"


def test_nothing_completed_for_several_reasons() -> None:
    history = History(ACCURACY)
    for number, error in ((1, "bad"), (2, "worse")):
        history.apply(Launch(number, 1, {}, 1, 0, 1, False, 0.0))
        history.apply(Finished(1, Outcome(number, (), 0, 0.0, "", error=error), 0.0))
    with pytest.raises(
        NothingCompleted, match="none of the 2 trials was completed; the last one: worse; all"
    ):
        refuse_hopeless(history, "all done")
