"""Real faults of real processes: each is recorded with its kind and reason, and the search goes on."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import ConfigError, NothingCompleted, StudyError
from gru_tune.study import hanging
from gru_tune.study import log as logs
from gru_tune.study.log import Died, Finished
from gru_tune.study.results import StudyFolder
from gru_tune.trial import Fault
from tests import standins
from tests.study.studies import Ears, rows, run

pytestmark = pytest.mark.slow

KILLED = "its worker was killed (signal {}); see workers.log"


def first(*units: int) -> tuple[str, ...]:
    """One trial for each of these units, and then two good ones."""
    tried = ", ".join(f"{{units: {number}}}" for number in units)
    return (
        f"model.units={{choice: [{', '.join(map(str, (*units, 10, 11)))}]}}", "model.depth=1",
        f"search.try_first=[{tried}]",
    )  # fmt: skip


def deaths(folder: StudyFolder) -> list[tuple[int, Fault]]:
    return [(e.trial, e.fault) for e in logs.read(folder.log).events if isinstance(e, Died)]


def errors(folder: StudyFolder) -> dict[int, str]:
    return {int(row["trial"]): row["error"] for row in rows(folder)}


def test_every_fault_has_its_kind_its_reason_and_its_attempts(tmp_path: Path) -> None:
    """An exception, SIGKILL, NaN, a segmentation fault and an exit, one after the other."""
    folder = run(tmp_path, *first(21, 22, 23, 1027, 1028), workers=1)
    assert deaths(folder) == [(trial, Fault.CRASH) for trial in (2, 2, 4, 4, 5, 5)]
    found = errors(folder)
    assert found == {
        1: "ValueError: twenty-one",
        2: "its worker was killed (signal 9, SIGKILL, often for want of memory), 2 attempts",
        3: "the objective (accuracy of the validation split) was never a finite number",
        4: KILLED.format("11, SIGSEGV") + ", 2 attempts",
        5: "its worker ended by itself (exit code 3); see workers.log, 2 attempts",
        6: "",
    }  # fmt: skip
    printed = folder.workers.read_text(encoding="utf-8")
    assert "Fatal Python error: Segmentation fault" in printed
    assert "in train" in printed  # where it happened
    outcomes = {e.run[0]: e.outcome.fault for e in logs.read(folder.log).events if isinstance(e, Finished)}
    assert [outcomes[trial] for trial in (1, 2, 4, 5, 6)] == [
        Fault.ERROR, Fault.CRASH, Fault.CRASH, Fault.CRASH, None,
    ]  # fmt: skip


def test_a_worker_beyond_its_memory_is_ended_and_the_trial_tried_in_parts(tmp_path: Path) -> None:
    ears = Ears()
    folder = run(tmp_path, *first(1025, 1026), "search.memory_per_worker=400MB", workers=1, watch=ears)
    assert deaths(folder) == [(1, Fault.MEMORY), (2, Fault.MEMORY), (2, Fault.MEMORY)]
    table = {int(row["trial"]): row for row in rows(folder)}
    assert [table[trial]["accumulation"] for trial in (1, 2, 3)] == ["2", "2", "1"]
    assert table[1]["status"] == "completed"
    assert table[2]["error"] == (
        "its worker needed more than 0.4 GB (search.memory_per_worker), also with batches in 2 parts; only a new study, "
        "or --fresh, tries it again: with a smaller batch_size, fewer units, or more --memory-per-worker"
    )
    assert float(table[2]["seconds"]) > 0  # of both attempts
    assert "may hold 0.4 GB" in folder.workers.read_text(encoding="utf-8")


def test_a_limit_that_no_worker_could_keep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, "search.memory_per_worker=50MB", "training.backend=jax", workers=1)
    assert str(caught.value) == (
        "search.memory_per_worker: a worker takes about 0.3 GB on jax for the smallest of models, "
        "and must not take more than 0.05 GB: give it more"
    )


@pytest.fixture
def small() -> Iterator[Path]:
    """A control group whose processes may take 300 MB together; skips where none can be made."""
    second = Path("/sys/fs/cgroup/gru-tune-test")
    group = (
        second
        if (second.parent / "cgroup.controllers").exists()
        else Path("/sys/fs/cgroup/memory") / second.name
    )
    limit = "memory.max" if group == second else "memory.limit_in_bytes"
    try:
        group.mkdir()
        (group / limit).write_text("300000000", encoding="ascii")
    except OSError:
        if group.exists():
            group.rmdir()
        pytest.skip("no control group can be made here")
    yield group
    for _ in range(100):
        try:
            group.rmdir()
        except OSError:  # a process of it has not quite gone
            signal.sigtimedwait([], 0.05)
        else:
            break


def join(group: Path, backend: str, threads: int) -> None:
    """What a worker does before its first job."""
    (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def test_what_the_kernel_kills_for_want_of_memory_is_told_from_other_kills(
    tmp_path: Path, small: Path
) -> None:
    parts = dataclasses.replace(standins.PARTS, configure=partial(join, small))
    # A trial before: the worker is in its group when the kills are counted.
    folder = run(tmp_path, *first(9, 1025, 22), workers=1, parts=parts)
    assert deaths(folder) == [(2, Fault.MEMORY), (3, Fault.CRASH), (3, Fault.CRASH)]
    assert next(event.reason for event in logs.read(folder.log).events if isinstance(event, Died)) == (
        "the kernel killed its worker for want of memory"
    )
    assert errors(folder)[2] == ""


def test_a_worker_that_hangs_is_killed_and_the_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging, "FIRST", 3.0)
    folder = run(tmp_path, *first(9, 1024), "search.retries=0", "search.hung_after=2", workers=1)
    assert deaths(folder) == [(2, Fault.HUNG)]
    assert errors(folder)[2].endswith("so its worker was killed (search.hung_after), 1 attempt")
    assert errors(folder)[3] == ""


def no_start(file: Path | None, backend: str, threads: int) -> None:
    """Fails as long as there is no ``file``; without a name, always."""
    if file is None or not file.exists():
        if file is not None:
            file.touch()
        raise OSError("CUDA_ERROR_NOT_PERMITTED: the GPU is taken")


def test_workers_that_cannot_start_end_the_search_with_their_reason(tmp_path: Path) -> None:
    broken = dataclasses.replace(standins.PARTS, configure=partial(no_start, None))
    with pytest.raises(StudyError) as caught:
        run(tmp_path, workers=2, parts=broken)
    text = str(caught.value)
    assert (
        "its worker could not start (OSError: CUDA_ERROR_NOT_PERMITTED: the GPU is taken), 2 times in a row"
        in text
    )
    folder = run(tmp_path, workers=2)
    assert len(rows(folder)) == 6
    assert set(errors(folder).values()) == {""}


def test_a_worker_that_cannot_start_once_costs_no_attempt(tmp_path: Path) -> None:
    parts = dataclasses.replace(standins.PARTS, configure=partial(no_start, tmp_path / "begun"))
    folder = run(tmp_path, "search.retries=0", workers=1, parts=parts)
    assert deaths(folder) == [(1, Fault.START)]
    assert set(errors(folder).values()) == {""}


def test_a_search_that_always_fails_alike_ends_early_and_says_why_first(tmp_path: Path) -> None:
    with pytest.raises(NothingCompleted) as caught:
        run(tmp_path, "model.units=21", "model.depth={int: [1, 6]}", workers=2)
    assert str(caught.value) == (
        "the first 3 trials all failed alike: ValueError: twenty-one; mend that and start anew with --fresh"
    )


def test_a_worker_that_is_killed_by_somebody_does_not_end_the_others(tmp_path: Path) -> None:
    """Whatever kills one of two workers, the trial of the other is untouched."""
    folder = run(tmp_path, *first(22, 7, 1027, 8), workers=2)
    found: dict[int, Any] = errors(folder)
    assert [bool(found[trial]) for trial in (1, 2, 3, 4)] == [True, False, True, False]
