"""The loop alone, with a strategy and an executor that do as the test says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from gru_tune.executors.base import WorkerDied
from gru_tune.knobs import Settings
from gru_tune.strategies import Proposal
from gru_tune.study import log as logs
from gru_tune.study.faults import LOST
from gru_tune.study.finals import Finals
from gru_tune.study.history import History
from gru_tune.study.interrupt import Interrupt
from gru_tune.study.log import Header, Launch, Log, Run
from gru_tune.study.loop import Limits, Search, catch_up, trial_seed
from gru_tune.study.watch import Watcher
from gru_tune.trial import Epoch, Fault, Job, Objective, Outcome, Status, Trial

ACCURACY = Objective("accuracy", "max")
LIMITS = Limits()


class Listed:
    """Proposes trials 1 to ``count``, one after the other."""

    def __init__(self, count: int) -> None:
        self.ended: str | None = None
        self.told: list[tuple[int, float | None]] = []
        self.replayed: list[int] = []
        self._left = list(range(1, count + 1))

    def ask(self, new: bool = True) -> Any:
        if not new:
            return None
        if not self._left:
            self.ended = "all done"
            return None
        return Proposal(self._left.pop(0), {"units": 1}, 0, 1, False)

    def tell(self, trial: int, score: float | None, cost: float | None = None) -> None:
        self.told.append((trial, score))

    def replay(self, proposal: Proposal) -> None:
        self.replayed.append(proposal.trial)
        self._left.remove(proposal.trial)


class Scripted:
    """Answers every job by a function of its trial and the number of times it was submitted."""

    blocking = False

    def __init__(self, answer: Callable[[int, int], Outcome | Exception], slots: int = 1) -> None:
        self.slots = slots
        self.submitted: list[int] = []
        self.parts: list[int] = []  # of their batches
        self.closed = False
        self._answer = answer

    def submit(self, job: Job) -> Future[Outcome]:
        self.submitted.append(job.trial)
        self.parts.append(job.accumulation)
        future: Future[Outcome] = Future()
        answer = self._answer(job.trial, self.submitted.count(job.trial))
        if isinstance(answer, Outcome):
            future.set_result(answer)
        elif answer is not None:
            future.set_exception(answer)
        return future

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        raise NotImplementedError

    def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
        future.set_exception(WorkerDied(reason, fault))

    def progress(self) -> list[dict[str, Any]]:
        return [{"trial": trial, "repeat": 1} for trial in self.submitted]

    def close(self, kill: bool = False) -> None:
        self.closed = True


def good(trial: int, attempt: int = 1) -> Outcome:
    return Outcome(trial, (Epoch(1, {}, {"accuracy": trial / 10}, 0.1),), 5, 0.1, "plain")


def job(launch: Launch, deadline: float | None) -> Job:
    return Job(
        trial=launch.trial, settings=Settings(), seed=launch.seed, objective=ACCURACY, metrics=(), data="", folder="",
        first_epoch=0, last_epoch=1, accumulation=launch.accumulation,
    )  # fmt: skip


class Bench:
    """A search on a log in a folder; ``search`` makes a new one, as after a kill."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trials.jsonl"
        with Log(self.path) as log:
            log.append(Header({"name": "bench"}, 0.0))
        self.ended: list[tuple[int, Status]] = []
        self.interrupt = Interrupt()

    def search(self, executor: Any, strategy: Listed, limits: Limits = LIMITS) -> Search:
        record = logs.read(self.path)
        history = History(ACCURACY)
        catch_up(record.events, history, strategy)  # type: ignore[arg-type]

        def ended(trial: Trial, outcome: Outcome) -> None:
            self.ended.append((trial.number, trial.status))

        return Search(
            log=Log(self.path, record.size), history=history, strategy=strategy, executor=executor, seed=1,  # type: ignore[arg-type]
            limits=limits, finals=Finals(), make_job=job, ended=ended, watch=Watcher(), interrupt=self.interrupt,
        )  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_every_proposal_is_run_and_told(bench: Bench) -> None:
    strategy = Listed(5)
    search = bench.search(Scripted(good, slots=2), strategy)
    assert search.run() == "all done"
    assert sorted(strategy.told) == [(n, n / 10) for n in range(1, 6)]
    assert search.history.best is search.history.trials[5]


def test_a_launch_is_on_the_disk_before_the_job_starts(bench: Bench) -> None:
    def answer(trial: int, attempt: int) -> Outcome:
        last = logs.read(bench.path).events[-1]
        assert isinstance(last, Launch)
        assert last.trial == trial
        return good(trial)

    bench.search(Scripted(answer), Listed(3)).run()


def test_a_dead_worker_is_given_its_retries(bench: Bench) -> None:
    executor = Scripted(
        lambda n, k: WorkerDied("its worker was killed (signal 9)") if n == 2 and k < 3 else good(n)
    )
    search = bench.search(executor, Listed(3), Limits(retries=2))
    search.run()
    assert executor.submitted == [1, 2, 2, 2, 3]
    assert search.history.trials[2].status is Status.COMPLETED
    assert search.history.trials[2].attempts == 3


def test_a_trial_that_kills_every_worker_fails_and_the_search_goes_on(bench: Bench) -> None:
    executor = Scripted(lambda n, k: WorkerDied("its worker was killed (signal 9)") if n == 2 else good(n))
    strategy = Listed(3)
    search = bench.search(executor, strategy)
    search.run()
    assert executor.submitted == [1, 2, 2, 3]
    assert search.history.trials[2].error == "its worker was killed (signal 9), 2 attempts"
    assert (2, None) in strategy.told
    assert (2, Status.FAILED) in bench.ended


def test_an_exception_is_a_failed_trial_without_retry(bench: Bench) -> None:
    executor = Scripted(lambda n, k: MemoryError("no room") if n == 1 else good(n))
    search = bench.search(executor, Listed(2))
    search.run()
    assert executor.submitted == [1, 2]
    assert search.history.trials[1].error == "MemoryError: no room"


def test_failures_in_a_row_end_the_search(bench: Bench) -> None:
    executor = Scripted(lambda n, k: good(n) if n == 2 else ValueError("bad"))
    search = bench.search(executor, Listed(20), Limits(max_failures=3))
    assert search.run() == "3 trials in a row failed (search.max_failures)"
    assert executor.submitted == [1, 2, 3, 4, 5]
    assert bench.search(Scripted(good), Listed(20), Limits(max_failures=3)).run().startswith("3 trials")
    assert bench.search(Scripted(good), Listed(20), Limits(max_failures=None)).run() == "all done"


def test_after_the_deadline_nothing_starts_but_the_first_trial(bench: Bench) -> None:
    """A study without a single trial would be of no use to anybody."""
    executor = Scripted(good, slots=2)
    assert "minutes" in bench.search(executor, Listed(3), Limits(deadline=1.0)).run()
    assert executor.submitted == [1]


def scored(*scores: float | None) -> Scripted:
    """Trials that get these scores; None fails."""

    def answer(trial: int, attempt: int) -> Outcome | Exception:
        score = scores[trial - 1]
        if score is None:
            return ValueError("no")
        return Outcome(trial, (Epoch(1, {}, {"accuracy": score}, 0.1),), 5, 0.1, "plain")

    return Scripted(answer)


def test_the_search_ends_when_nothing_gets_better(bench: Bench) -> None:
    """What is as good as the best is no gain, and neither is a failure; it holds after a kill as well."""
    executor = scored(0.5, 0.7, 0.7, None, 0.6, 0.9)
    reason = "3 trials since the best one brought no gain (search.stop_when)"
    assert bench.search(executor, Listed(6), Limits(no_gain_for=3)).run() == reason
    assert executor.submitted == [1, 2, 3, 4, 5]
    again = scored(0.5, 0.7, 0.7, None, 0.6, 0.9)
    assert bench.search(again, Listed(6), Limits(no_gain_for=3)).run() == reason
    assert again.submitted == []
    assert bench.search(again, Listed(6), Limits(no_gain_for=4)).run() == "all done"
    assert again.submitted == [6]


def test_the_search_ends_when_a_score_is_good_enough(bench: Bench) -> None:
    executor = scored(0.5, 0.75, 0.7)
    reason = "trial 2 reached accuracy 0.75, and 0.75 is good enough (search.stop_when)"
    assert bench.search(executor, Listed(3), Limits(score=0.75)).run() == reason
    assert executor.submitted == [1, 2]
    assert bench.search(executor, Listed(3), Limits(score=0.8)).run() == "all done"


def test_ctrl_c_kills_what_runs_and_keeps_what_ended(bench: Bench) -> None:
    def answer(trial: int, attempt: int) -> Any:
        if trial != 3:
            return good(trial)
        bench.interrupt.seen = True
        return None  # it never ends

    executor = Scripted(answer, slots=2)
    search = bench.search(executor, Listed(5))
    with pytest.raises(KeyboardInterrupt):
        search.run()
    assert executor.closed
    before = set(search.history.trials)
    assert before >= {1, 2}
    bench.interrupt.seen = False
    strategy = Listed(5)
    search = bench.search(Scripted(good), strategy)
    assert search.run() == "all done"
    assert set(strategy.replayed) >= before | {3}
    assert search.history.trials[3].attempts == 2
    assert set(search.history.trials) == {1, 2, 3, 4, 5}


def test_a_job_during_which_the_program_dies_again_and_again_is_given_up(bench: Bench) -> None:
    class Killed(BaseException):
        pass

    def answer(trial: int, attempt: int) -> Outcome:
        if trial == 2:
            raise Killed
        return good(trial)

    for _ in range(LOST):
        with pytest.raises(Killed):
            bench.search(Scripted(answer), Listed(3)).run()
    search = bench.search(Scripted(answer), Listed(3))
    search.run()
    assert search.history.trials[2].error == (
        f"the whole search was killed, or its machine lost, {LOST} times while it ran"
    )
    assert search.history.trials[3].status is Status.COMPLETED


def test_a_run_with_nothing_to_do_leaves_the_log_alone(bench: Bench) -> None:
    bench.search(Scripted(good), Listed(2)).run()
    before = bench.path.read_bytes()
    search = bench.search(Scripted(good), Listed(2))
    search.run()
    assert search.launches == 0
    assert bench.path.read_bytes() == before


def test_seeds_differ_and_come_from_study_and_trial_alone() -> None:
    seeds = {trial_seed(study, trial) for study in range(20) for trial in range(1, 50)}
    assert len(seeds) == 20 * 49
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert trial_seed(7, 3) == trial_seed(7, 3)


def test_a_search_that_an_earlier_run_has_ended_stays_so(bench: Bench) -> None:
    search = bench.search(Scripted(good), Listed(3), Limits(over="the minutes given are over"))
    assert search.run() == "the minutes given are over"
    assert search.launches == 0


def test_a_trial_whose_first_epoch_does_not_fit_is_not_begun(bench: Bench) -> None:
    search = bench.search(Scripted(good), Listed(5), Limits(deadline=time.time() + 60))
    search.first_epoch = lambda launch: 10.0 if launch.trial < 3 else 100.0
    assert search.run() == "the minutes given are over"
    assert list(search.history.trials) == [1, 2]


def test_the_first_trial_is_always_begun(bench: Bench) -> None:
    search = bench.search(Scripted(good), Listed(5), Limits(deadline=time.time() + 60))
    search.first_epoch = lambda launch: 100.0
    search.run()
    assert list(search.history.trials) == [1]


def test_finals_that_no_time_is_left_for_are_not_announced(bench: Bench) -> None:
    class Ears(Watcher):
        def finals(self, due: Sequence[Run]) -> None:
            heard.append(len(due))

    heard: list[int] = []
    bench.search(Scripted(good), Listed(1)).run()
    for deadline in (time.time() - 1, None):
        search = bench.search(Scripted(good), Listed(1), Limits(deadline=deadline))
        search.finals, search.watch = Finals(finalists=1, seeds=2), Ears()
        search.run()
    assert heard == [0, 2]
