"""Worker processes: deaths, pinning, and who outlives whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from gru_tune.executors import local, places
from gru_tune.executors.base import WorkerDied
from gru_tune.executors.local import Local
from gru_tune.executors.worker import Start
from gru_tune.trial import Fault
from tests.executors import standins

pytestmark = pytest.mark.slow


def gone(process: int) -> bool:
    """Whether a process has ended (a zombie nobody waits for has)."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state in "ZX"


def wait_until(true: object, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_a_killed_worker_costs_only_its_own_job(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start(), Start()])
    try:
        other = executor.submit(standins.job(tmp_path, 1, seed=99))
        assert wait_until(lambda: any(p.get("epoch") == 1 for p in executor.progress()))
        error = executor.submit(standins.job(tmp_path, 2, seed=66)).exception(60)
        assert isinstance(error, WorkerDied)
        assert "was killed (signal 9, SIGKILL" in str(error)
        assert [p["trial"] for p in executor.progress()] == [1]
        ended = executor.submit(standins.job(tmp_path, 4, seed=77)).exception(60)
        assert "exit code 7" in str(ended)
        assert executor.submit(standins.job(tmp_path, 5)).result(60).trial == 5
        assert not other.done()
        executor.submit(standins.job(tmp_path, 6, seed=99))
        with pytest.raises(RuntimeError, match="all 2 workers are busy"):
            executor.submit(standins.job(tmp_path, 7))
    finally:
        executor.close(kill=True)
    assert isinstance(other.exception(5), WorkerDied)


def test_a_worker_that_dies_while_idle_is_replaced(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start()])
    try:
        process = executor.call(os.getpid).result(60)
        assert executor.call(os.getpid).result(60) == process  # it lives on from job to job
        os.kill(process, signal.SIGKILL)
        assert wait_until(lambda: gone(process))
        assert wait_until(lambda: executor._slots[0]._pool._broken)  # type: ignore[union-attr]
        assert executor.submit(standins.job(tmp_path)).result(60).trial == 1
    finally:
        executor.close()


def test_what_a_worker_is_told(tmp_path: Path) -> None:
    core = places.cores()[0]
    output = tmp_path / "workers.log"
    start = Start(standins.configure, (core,), 3, {"COLOUR": "blue"}, str(output))
    executor = Local(standins.train, [start])
    try:
        assert executor.call(standins.environment, "COLOUR").result(60) == "blue"
        assert executor.call(standins.environment, "THREADS_GIVEN").result(60) == "3"
        if hasattr(os, "sched_getaffinity"):
            assert executor.call(standins.affinity).result(60) == [core]
        executor.call(standins.say, "hello from below").result(60)
        assert "hello from below" in output.read_text(encoding="utf-8")
        worker = executor.call(os.getpid).result(60)
        os.kill(worker, signal.SIGINT)
        assert executor.call(os.getpid).result(60) == worker
    finally:
        executor.close()
    assert wait_until(lambda: gone(worker))


def test_a_worker_that_cannot_start_says_so(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start(standins.cannot_start, output=str(tmp_path / "log"))])
    try:
        error = executor.submit(standins.job(tmp_path)).exception(60)
        assert isinstance(error, WorkerDied)
        assert (error.fault, str(error)) == (
            Fault.START,
            "its worker could not start (OSError: no such library)",
        )
    finally:
        executor.close(kill=True)
    assert "no such library" in (tmp_path / "log").read_text(encoding="utf-8")


PARENT = """
import sys, time
from pathlib import Path
from gru_tune.executors.local import Local
from gru_tune.executors.worker import Start
from tests.executors import standins

if __name__ == "__main__":
    executor = Local(standins.train, [Start()])
    print(executor.call(standins.os.getpid).result(60), flush=True)
    executor.submit(standins.job(Path(sys.argv[1]), seed=99))
    time.sleep(600)
"""


def test_workers_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    """kill -9 leaves the parent no time to tell its workers."""
    (tmp_path / "parent.py").write_text(PARENT, encoding="utf-8")
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(tmp_path)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert not gone(worker)
        parent.kill()
    assert wait_until(lambda: gone(worker))


def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cores", lambda: (0, 1, 2, 3, 4))
    monkeypatch.setattr(places, "gpus", lambda: ())
    shares = [start.cores for start in places.starts(2, None, None)]
    assert shares == [(0, 1), (2, 3, 4)]
    assert [start.threads for start in places.starts(2, None, None)] == [2, 3]
    assert len(places.starts(None, None, None)) == 5
    assert [start.cores for start in places.starts(7, None, None)][-1] != ()


def test_one_worker_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cuda", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    told = places.starts(None, None, None)
    assert [start.environment["CUDA_VISIBLE_DEVICES"] for start in told] == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert places.gpus() == ()


def test_several_workers_share_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cuda", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    told = places.starts(None, None, None, per_gpu=2)
    assert [start.environment["CUDA_VISIBLE_DEVICES"] for start in told] == ["2", "5", "2", "5"]


def test_the_backend_is_chosen_by_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cuda", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert places.backend("auto")[0] == "tensorflow"
    assert places.backend("jax") == ("jax", "as the config asks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert places.backend("auto")[0] == "jax"


def test_workers_begin_before_there_is_a_job(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start(), Start()])
    try:
        executor.warm(partial(standins.leave, tmp_path))
        assert wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        began = {path.name for path in tmp_path.iterdir()}
        jobs = [executor.submit(standins.job(tmp_path, number)) for number in (1, 2)]
        assert {str(job.result(60).parameters) for job in jobs} <= began
    finally:
        executor.close()


def test_a_worker_that_cannot_begin_is_told_of_by_its_job(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start(standins.cannot_start)])
    try:
        executor.warm(os.getpid)
        error = executor.submit(standins.job(tmp_path)).exception(60)
        assert isinstance(error, WorkerDied)
    finally:
        executor.close(kill=True)


def test_workers_get_large_pages_and_the_parent_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for mine, theirs in ((None, "glibc.malloc.hugetlb=1"), ("glibc.malloc.check=0", "glibc.malloc.check=0")):
        monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
        if mine:
            monkeypatch.setenv("GLIBC_TUNABLES", mine)
        executor = Local(standins.train, [Start()])
        try:
            assert executor.call(standins.environment, "GLIBC_TUNABLES").result(60) == theirs
            assert os.environ.get("GLIBC_TUNABLES") == mine
        finally:
            executor.close()


def test_a_worker_that_has_grown_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow keeps every step it compiles; a long search must not fill the memory with them."""
    executor = Local(standins.grow, [Start()])
    try:
        first = executor.submit(standins.job(tmp_path)).result().parameters
        assert executor.submit(standins.job(tmp_path)).result().parameters == first
        monkeypatch.setattr(local, "GROWTH", 10_000_000)
        assert executor.submit(standins.job(tmp_path)).result().parameters != first
    finally:
        executor.close(kill=True)


def test_an_abandoned_job_fails_with_its_reason_and_the_next_one_does_not(tmp_path: Path) -> None:
    executor = Local(standins.train, [Start()])
    try:
        stuck = executor.submit(standins.job(tmp_path, 1, seed=99))
        assert wait_until(lambda: any(p.get("epoch") == 1 for p in executor.progress()))
        executor.abandon(stuck, "no epoch ended", Fault.HUNG)
        error = stuck.exception(20)
        assert isinstance(error, WorkerDied)
        assert (error.fault, str(error)) == (Fault.HUNG, "no epoch ended")
        executor.abandon(stuck, "too late", Fault.HUNG)  # it is known to have ended
        assert executor.submit(standins.job(tmp_path, 2)).result(60).trial == 2
    finally:
        executor.close(kill=True)


def test_a_verdict_that_comes_as_its_job_ends_falls_on_no_later_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is done, its slot has not heard of it, and is told to kill it."""
    done = local._Slot._done
    late = [WorkerDied("no epoch ended", Fault.HUNG)]

    def hear(slot: local._Slot, outer: object, inner: object) -> None:
        if late:
            slot.abandon(outer, late.pop())  # type: ignore[arg-type]
        done(slot, outer, inner)  # type: ignore[arg-type]

    monkeypatch.setattr(local._Slot, "_done", hear)
    executor = Local(standins.train, [Start()])
    try:
        first = executor.submit(standins.job(tmp_path, 1)).result(60)
        assert not late
        second = executor.submit(standins.job(tmp_path, 2)).result(60)  # in a process of its own
        assert (first.trial, second.trial) == (1, 2)
        assert first.parameters != second.parameters
    finally:
        executor.close(kill=True)


def test_a_process_that_cannot_be_started_is_no_fault_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    executor = Local(standins.train, [Start()])
    monkeypatch.setattr(local, "ProcessPoolExecutor", refuse)
    executor.warm(os.getpid)
    error = executor.submit(standins.job(tmp_path)).exception(1)
    assert isinstance(error, WorkerDied)
    assert error.fault is Fault.START
    assert "Resource temporarily unavailable" in str(error)
    monkeypatch.undo()
    assert executor.submit(standins.job(tmp_path)).result(60).trial == 1
    executor.close()


def test_a_worker_that_has_grown_within_a_limit_is_replaced_sooner(tmp_path: Path) -> None:
    """What earlier trials have left behind must not be what makes a later one too large."""
    executor = Local(standins.grow, [Start(memory=300_000_000)])
    try:
        ran = [executor.submit(standins.job(tmp_path)).result(60).parameters for _ in range(8)]
        assert 1 < len(set(ran)) < 8
    finally:
        executor.close(kill=True)
