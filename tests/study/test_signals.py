"""What signals do to the program in every phase of a run: real processes, with stand-ins for the work."""

from __future__ import annotations

import atexit
import hashlib
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from gru_tune.study import log as logs
from gru_tune.study.log import Died, Finished, Stopped
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.study import Parts
from tests import standins
from tests.executors.test_local import gone, wait_until
from tests.study.studies import environment

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from gru_tune.cli import main
from tests.study import test_signals

if __name__ == "__main__":
    test_signals.patch(sys.argv.pop(1))
    main()
"""
OPTIONS = ("--set", "search.strategy=quasirandom", "--workers", "2")
HERE = Path("here")  # touched when the phase has come


def stay(*_: object) -> Any:
    HERE.touch()
    time.sleep(600)


def stay_in_c(*_: object) -> Any:
    """A step in which no handler written in Python can run."""
    HERE.touch()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)


def train_once(job: Any) -> Any:
    """One trial, and none after it is in the log."""
    if job.trial == 1:
        return standins.train(job)
    log = Path(job.folder).parents[1] / "trials.jsonl"
    assert wait_until(lambda: "outcome" in log.read_text(encoding="utf-8"))
    return stay()


def train_slowly(job: Any) -> Any:
    HERE.touch()
    time.sleep(0.5)
    return standins.train(job)


def patch(phase: str) -> None:
    """Make the program stay in a phase of its run, or be slow in it."""
    from gru_tune.cli import watchdog
    from gru_tune.study import hanging, study, winner

    parts = {
        "reading": replace(standins.PARTS, prepare=stay),
        "a step in C": replace(standins.PARTS, prepare=stay_in_c),
        "starting workers": replace(standins.PARTS, warm=stay, prepare=stay),
        "training": replace(standins.PARTS, train=train_once),
        "saving": replace(standins.PARTS, train=train_once),
        "slow training": replace(standins.PARTS, train=train_slowly),
        "judging": replace(standins.PARTS, winner=replace(standins.PARTS.winner, judge=stay)),
    }.get(phase, standins.PARTS)
    assert isinstance(parts, Parts)
    study.real_parts = lambda: parts
    watchdog.GRACE = 1.0 if phase == "a step in C" else 60.0
    hanging.FIRST = hanging.LATER = 3.0
    if phase == "training":
        atexit.register(stay)  # taking down what was imported can take long
    if phase == "saving":
        winner.Finish.keep = stay  # type: ignore[method-assign]
    if phase == "writing the page":
        from gru_tune import page

        page.write = stay


def begin(
    folder: Path, phase: str, *options: str, prefix: tuple[str, ...] = (), **streams: Any
) -> subprocess.Popen[str]:
    """The program in a group of its own, on its way to a phase."""
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "toy.yaml").write_text(standins.CONFIG, encoding="utf-8")
    command = [*prefix, sys.executable, "program.py", phase, "run", "toy.yaml", *OPTIONS, *options]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, **streams}
    return subprocess.Popen(command, cwd=folder, env=environment(), text=True, **streams)


@contextmanager
def running(folder: Path, phase: str, *options: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """The program once it has come to a phase; killed with all of its group if it outlives the test."""
    process = begin(folder, phase, *options, **more)
    try:
        assert wait_until((folder / HERE).exists, 60)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def ended(process: subprocess.Popen[str], seconds: float = 30.0) -> tuple[int, str]:
    """The exit code, and what was said on stderr; none of the workers may be left."""
    _, said = process.communicate(timeout=seconds)
    return process.returncode, said


def workers(process: subprocess.Popen[str]) -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


GOES_ON = f"`gru-tune run toy.yaml {' '.join(OPTIONS)}` goes on\n"
NOTHING = f"stopped before the first trial was done; nothing to save yet; {GOES_ON}"
SAVED = f"stopped; everything finished is saved in results/toy; {GOES_ON}"
FORCED = "stopped in the middle of a step that would not end; run the same command again\n"


@pytest.mark.parametrize(
    ("phase", "number", "group", "said"),
    [
        pytest.param("reading", signal.SIGHUP, False, NOTHING, id="reading, SIGHUP"),
        pytest.param("a step in C", signal.SIGTERM, False, FORCED, id="a step in C, SIGTERM"),
        pytest.param("starting workers", signal.SIGINT, True, NOTHING, id="starting workers, SIGINT, group"),
        pytest.param("training", signal.SIGINT, True, SAVED, id="training, SIGINT, group"),
        pytest.param("training", signal.SIGTERM, False, SAVED, id="training, SIGTERM"),
        pytest.param("training", signal.SIGTERM, True, SAVED, id="training, SIGTERM, group"),
        pytest.param("training", signal.SIGHUP, True, SAVED, id="training, SIGHUP, group"),
        pytest.param("judging", signal.SIGTERM, True, SAVED, id="judging, SIGTERM, group"),
        pytest.param(
            "writing the page", signal.SIGINT, True, "stopped\n", id="writing the page, SIGINT, group"
        ),
    ],
)
def test_a_signal_ends_every_phase(
    phase: str, number: signal.Signals, group: bool, said: str, tmp_path: Path
) -> None:
    """Alone, as ``kill`` sends it, or to the whole group, as terminals, Slurm and ``docker stop`` do."""
    with running(tmp_path, phase) as process:
        family = workers(process)
        (os.killpg if group else os.kill)(process.pid, number)
        assert ended(process) == (128 + number, said)
        assert wait_until(lambda: all(gone(worker) for worker in family))
    log = tmp_path / "results" / "toy" / "trials.jsonl"
    events = logs.read(log).events if log.exists() else ()
    assert not [event for event in events if isinstance(event, Died)]
    if phase == "training":
        assert [e.outcome.trial for e in events if isinstance(e, Finished)] == [1]
        assert isinstance(events[-1], Stopped)


DEAF = """
import os, sys, time
from gru_tune.cli import watchdog
from gru_tune.study.interrupt import Interrupt

watchdog.GRACE = 0.2
os.set_blocking(2, False)
try:
    while True:
        os.write(2, bytes(4096))
except BlockingIOError:
    os.set_blocking(2, True)
with watchdog.Watchdog(), Interrupt() as interrupt:
    interrupt.patient = True
    print("here", flush=True)
    time.sleep(600)
    time.sleep(600)
"""


def test_a_program_whose_errors_nobody_reads_ends_all_the_same() -> None:
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143


def test_the_second_ctrl_c_ends_also_the_saving(tmp_path: Path) -> None:
    with running(tmp_path, "saving") as process:
        (tmp_path / HERE).unlink()
        process.send_signal(signal.SIGINT)
        assert wait_until((tmp_path / HERE).exists)
        process.send_signal(signal.SIGTERM)  # of somebody who is patient
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, SAVED)
    record = logs.read(tmp_path / "results" / "toy" / "trials.jsonl")
    assert record.notes == ()
    assert isinstance(record.events[-1], Stopped)


def test_a_stopped_run_goes_on_and_trains_nothing_twice(tmp_path: Path) -> None:
    with running(tmp_path, "training") as process:
        process.send_signal(signal.SIGTERM)
        ended(process)
    folder = StudyFolder(tmp_path / "results" / "toy")
    assert read_json(folder.facts)["state"] == "stopped"
    with begin(tmp_path, "nowhere") as process:
        assert process.wait(60) == 0
    outcomes = [e for e in logs.read(folder.log).events if isinstance(e, Finished)]
    assert sorted(e.outcome.trial for e in outcomes) == [1, 2, 3, 4, 5, 6]


def test_nohup_is_respected(tmp_path: Path) -> None:
    with running(tmp_path, "slow training", prefix=("nohup",)) as process:
        os.killpg(process.pid, signal.SIGHUP)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (0, "")


def test_a_closed_terminal_is_one_more_signal(tmp_path: Path) -> None:
    """The hangup comes with it, and whatever is said after that has nowhere to go."""
    ours, theirs = pty.openpty()
    with running(
        tmp_path, "training", prefix=("setsid", "--ctty"), start_new_session=False,
        stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.close(ours)
        assert process.wait(30) == 129
    events = logs.read(tmp_path / "results" / "toy" / "trials.jsonl").events
    assert isinstance(events[-1], Stopped)


def test_a_search_goes_on_when_nobody_reads_any_more(tmp_path: Path) -> None:
    """``gru-tune run toy.yaml | head``."""
    with running(tmp_path, "slow training") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        assert ended(process, 30) == (0, "")
    folder = StudyFolder(tmp_path / "results" / "toy")
    assert read_json(folder.facts)["state"] == "finished"
    assert folder.report.exists()


def test_a_run_that_was_suspended_blames_nobody(tmp_path: Path) -> None:
    """Ctrl-Z for much longer than a job may take without a sign of life, and ``fg``."""
    with running(tmp_path, "slow training", "--set", "search.hung_after=2", "--workers", "1") as process:
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(8)
        os.killpg(process.pid, signal.SIGCONT)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (0, "")
    events = logs.read(tmp_path / "results" / "toy" / "trials.jsonl").events
    assert not [event for event in events if isinstance(event, Died)]
