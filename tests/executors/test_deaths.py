"""What is made of the way a worker ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gru_tune.executors import deaths
from gru_tune.executors.deaths import Kills, died
from gru_tune.executors.worker import NO_MEMORY
from gru_tune.trial import Fault

LIMIT = 4_000_000_000


@pytest.mark.parametrize(
    ("code", "said", "starved", "fault", "text"),
    [
        (0, "OSError: no such library", False, Fault.START, "its worker could not start (OSError: no such library)"),
        (1, None, False, Fault.START, "its worker could not start (exit code 1); see workers.log"),
        (-4, None, False, Fault.START, "its worker could not start (signal 4, SIGILL); see workers.log"),
        (-9, None, False, Fault.CRASH, "its worker was killed (signal 9, SIGKILL, often for want of memory)"),
        (-9, "", False, Fault.CRASH, "its worker was killed (signal 9, SIGKILL, often for want of memory)"),
        (-9, "", True, Fault.MEMORY, "the kernel killed its worker for want of memory"),
        (-11, "", True, Fault.CRASH, "its worker was killed (signal 11, SIGSEGV); see workers.log"),
        (-15, "", False, Fault.CRASH, "its worker was killed (signal 15, SIGTERM)"),
        (3, "", False, Fault.CRASH, "its worker ended by itself (exit code 3); see workers.log"),
        (NO_MEMORY, "", False, Fault.MEMORY, "its worker needed more than 4 GB (search.memory_per_worker)"),
        (None, "", False, Fault.CRASH, "its worker is gone"),
    ],
)  # fmt: skip
def test_every_end_has_a_kind_and_a_reason(
    code: int | None, said: str | None, starved: bool, fault: Fault, text: str
) -> None:
    found = died(code, said, LIMIT, starved)
    assert (found.fault, str(found)) == (fault, text)


def test_the_exit_code_of_a_limit_means_nothing_without_one() -> None:
    assert died(NO_MEMORY, "", None, False).fault is Fault.CRASH


@pytest.mark.parametrize(
    ("groups", "place"),
    [
        ("0::/user.slice/a.scope\n", "user.slice/a.scope/memory.events"),
        ("9:name=systemd:/\n4:cpu,memory:/box\n0::/\n", "memory/box/memory.oom_control"),
        ("3:cpuset:/\n0::/\n", None),
    ],
)
def test_where_the_kernel_counts_its_kills(
    groups: str, place: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a control group of version 2 or 1; without any, of the machine."""
    monkeypatch.setattr(deaths, "CGROUPS", tmp_path)
    monkeypatch.setattr(Path, "read_text", lambda path, **_: groups)
    if place:
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    assert deaths._counter(os.getpid()) == (tmp_path / place if place else Path("/proc/vmstat"))


def test_a_kill_since_the_job_began_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "memory.events"
    monkeypatch.setattr(deaths, "_counter", lambda process: file)
    assert not Kills.now(os.getpid()).more()  # no such file: no Linux
    file.write_text("low 0\noom 7\noom_kill 3\noom_group_kill 0\n", encoding="ascii")
    kills = Kills.now(os.getpid())
    assert not kills.more()
    file.write_text("low 0\noom 8\noom_kill 4\noom_group_kill 0\n", encoding="ascii")
    assert kills.more()


def test_signals_have_their_names() -> None:
    assert "SIGKILL" in str(died(-signal.SIGKILL, "", None, False))
    assert str(died(-99, "", None, False)) == "its worker was killed (signal 99, unknown); see workers.log"
