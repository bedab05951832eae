"""Workers end with their parent, also when that is killed with -9 while they are in a step that nothing interrupts."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gru_tune.executors.local import Local
from gru_tune.executors.worker import Start
from gru_tune.study.interrupt import SIGNALS
from tests.executors import standins
from tests.executors.test_local import gone, wait_until

pytestmark = pytest.mark.slow

PROGRAM = """
import sys, time
from gru_tune.executors.local import Local
from tests.executors.test_orphans import MOMENTS

if __name__ == "__main__":
    start, job = MOMENTS[sys.argv[1]]
    Local(None, [start]).call(job, sys.argv[2])
    time.sleep(600)
"""


def sleep(file: str) -> None:
    Path(file).touch()
    time.sleep(600)


def hold(file: str) -> None:
    """As a long step in C may: no thread of Python runs meanwhile."""
    Path(file).touch()
    ctypes.PyDLL(None).sleep(600)


def slow(threads: int) -> None:
    Path("starting").touch()
    time.sleep(600)


MOMENTS = {
    "its birth": (Start(), sleep),
    "its start": (Start(slow), sleep),
    "a job": (Start(), sleep),
    "a job that holds the interpreter": (Start(), hold),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_worker_outlives_a_parent_that_is_killed(moment: str, tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "parent.py"), moment, str(tmp_path / "working")]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
    ) as parent:
        there = {
            "its birth": lambda: (
                len(psutil.Process(parent.pid).children()) == 2
            ),  # with multiprocessing's tracker
            "its start": (tmp_path / "starting").exists,
        }.get(moment, (tmp_path / "working").exists)
        assert wait_until(there)
        family = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        assert len(family) == 2
        parent.kill()
        assert wait_until(lambda: all(gone(child) for child in family))
        assert parent.stderr is not None
        assert parent.stderr.read() == b""  # nothing of semaphores, nor tracebacks


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_the_whole_group_leaves_the_worker_to_its_parent(number: signal.Signals) -> None:
    executor = Local(standins.train, [Start()])
    try:
        worker = executor.call(os.getpid).result(60)
        os.kill(worker, number)
        assert executor.call(os.getpid).result(60) == worker
    finally:
        executor.close()
