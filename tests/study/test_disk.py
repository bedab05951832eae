"""A disk that is full or fails, a folder that is sealed or removed: one sentence, and nothing finished is lost."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import GruTuneError, StudyError
from gru_tune.study import log as logs
from gru_tune.study.files import beside_of
from gru_tune.study.log import Finished, Header, Log, Started
from gru_tune.study.results import (
    StudyFolder,
    read_json,
    replace_arrays,
    replace_copy,
    replace_json,
    replace_text,
)
from tests import standins
from tests.study.studies import rows, run, start, wait_for_outcomes

SMALL = ("model.units={int: [30, 80]}", "search.trials=3")
AGAIN = "and run the same command again: it goes on, and what was finished is not trained again"


def outcomes(folder: StudyFolder) -> list[int]:
    if not folder.log.exists():
        return []
    return [e.outcome.trial for e in logs.read(folder.log).events if isinstance(e, Finished)]


class Failing:
    """A call of the operating system that works so many times, and then raises."""

    def __init__(self, call: Callable[..., Any], times: int, number: int, partly: bool = False) -> None:
        self.call, self.left, self.number, self.partly = call, times, number, partly

    def __call__(self, *arguments: Any) -> Any:
        if self.left == 0:
            if self.partly:
                self.call(arguments[0], arguments[1][:9])
            raise OSError(self.number, os.strerror(self.number))
        self.left -= 1
        return self.call(*arguments)


@pytest.mark.parametrize(
    ("call", "partly"),
    [
        pytest.param("write", False, id="write"),
        pytest.param("write", True, id="a part"),
        pytest.param("fsync", False, id="fsync", marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_is_full_at_any_write_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, partly: bool
) -> None:
    """Whichever write is the last one for which there is room: the run ends in a sentence, and the next goes on."""
    real = getattr(os, call)
    failed = 0
    for times in range(200):
        place = tmp_path / str(times)
        place.mkdir()
        folder = StudyFolder(place / "out" / "toy")
        monkeypatch.setattr(os, call, Failing(real, times, errno.ENOSPC, partly))
        try:
            run(place, *SMALL)
        except StudyError as error:
            said = str(error)
            assert said.startswith(str(folder.path))
            assert said.endswith(f" cannot be written: no space left on device; free some space {AGAIN}")
        else:
            break
        finally:
            monkeypatch.setattr(os, call, real)
        failed += 1
        before = outcomes(folder)
        if folder.log.exists():
            assert logs.read(folder.log).notes == ()  # the part of a line that was written is gone
        run(place, *SMALL)
        assert outcomes(folder)[: len(before)] == before
        assert sorted(outcomes(folder)) == [1, 2, 3]
        assert sorted(row["trial"] for row in rows(folder)) == ["1", "2", "3"]
        assert not list(folder.path.glob("beside.*"))
    assert failed >= (9 if call == "write" else 15)  # at least every line of the log


def test_a_file_that_was_to_take_the_place_of_another_is_told_by_the_name_of_that(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    sealed = OSError(errno.EROFS, "Read-only file system", str(beside_of(folder.table)))
    assert str(folder.failed(sealed)) == (
        f"{folder.table} cannot be written: read-only file system; make it writable {AGAIN}"
    )


def test_the_last_line_stays_out_of_a_full_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trials.jsonl"
    with Log(path) as log:
        log.append(Header({"name": "toy"}, 1.0))
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", Failing(os.write, 0, errno.EDQUOT, partly=True))
        with pytest.raises(StudyError) as caught:
            log.append(Started(1, 2.0))
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert str(caught.value) == f"{path} cannot be written: disk quota exceeded; free some space {AGAIN}"
        log.append(Started(1, 3.0))  # there is room again
    assert logs.read(path).events[1:] == (Started(1, 3.0),)


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EIO, "input/output error; see to the disk"),
        (errno.EROFS, "read-only file system; make it writable"),
        (errno.ESTALE, "it was moved or removed while it was in use (stale file handle); bring it back"),
    ],
)
def test_every_failure_of_a_disk_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, way_out: str
) -> None:
    with Log(tmp_path / "trials.jsonl") as log:
        monkeypatch.setattr(os, "fsync", Failing(os.fsync, 0, number))
        with pytest.raises(StudyError) as caught:
            log.append(Started(1, 2.0))
    assert str(caught.value) == f"{tmp_path / 'trials.jsonl'} cannot be written: {way_out} {AGAIN}"


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


def move(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def replace(folder: Path) -> None:
    """As an editor saves a file."""
    (folder / "copy").write_bytes((folder / "trials.jsonl").read_bytes())
    (folder / "copy").replace(folder / "trials.jsonl")


@pytest.mark.parametrize("happens", [remove, move, replace])
def test_a_record_that_is_taken_away_ends_the_run(tmp_path: Path, happens: Callable[[Path], None]) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")

    def train(job: Any) -> Any:
        outcome = standins.train(job)
        if job.trial == 2:
            happens(folder.path)
        return outcome

    with pytest.raises(StudyError) as caught:
        run(tmp_path, *SMALL, parts=standins_with(train))
    said = str(caught.value)
    assert said.startswith(f"{folder.log} cannot be written: it was moved or removed while it was in use (")
    assert said.endswith(f"; bring it back {AGAIN}")
    if happens is remove:
        assert not folder.path.exists()  # nothing is begun anew behind the user's back
        return
    if happens is move:
        assert not folder.path.exists()
        (tmp_path / "out" / "elsewhere").rename(folder.path)
    run(tmp_path, *SMALL)
    assert sorted(outcomes(folder)) == [1, 2, 3]


def standins_with(train: Callable[[Any], Any]) -> Any:
    from dataclasses import replace as changed

    return changed(standins.PARTS, train=train)


@pytest.mark.parametrize("write", ["text", "copy", "json", "arrays"])
def test_a_file_that_cannot_be_replaced_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    path, source = tmp_path / "file.npz", tmp_path / "source"
    source.write_text("new", encoding="utf-8")
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", Failing(os.fsync, 0, errno.ENOSPC))
    writes: dict[str, Callable[[], None]] = {
        "text": lambda: replace_text(path, "new"),
        "copy": lambda: replace_copy(source, path),
        "json": lambda: replace_json(path, {"new": 1}),
        "arrays": lambda: replace_arrays(path, {"new": [1.0]}),
    }
    with pytest.raises(OSError, match="No space left") as caught:
        writes[write]()
    assert caught.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file.npz", "source"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Take all of the disk but so many bytes."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(shutil.disk_usage(disk).free - leave, 0)))
    return ballast


@pytest.mark.parametrize("leave", [0, 4096, 8192, 16384, 32768, 65536])
def test_a_real_disk_that_is_full(disk: Path, leave: int) -> None:
    ballast = fill(disk, leave)
    with pytest.raises(GruTuneError, match=r"free some space|cannot be made") as caught:
        run_on(disk)
    assert str(disk) in str(caught.value) or str(caught.value).startswith("trial ")
    folder = StudyFolder(disk / "out" / "toy")
    before = outcomes(folder)
    ballast.unlink()
    run_on(disk)
    assert outcomes(folder)[: len(before)] == before
    assert sorted(outcomes(folder)) == [1, 2, 3]


def run_on(disk: Path) -> None:
    """The config lies on another disk, whose models take a few blocks each."""
    from gru_tune.study import study
    from tests.study.studies import config

    def train(job: Any) -> Any:
        outcome = standins.train(job)
        (Path(job.folder) / "model.keras").write_bytes(bytes(20_000))
        return outcome

    study.run(config(disk.parent, *SMALL), out=disk / "out", workers=0, parts=standins_with(train))


def test_a_real_disk_that_becomes_read_only(disk: Path) -> None:
    def seal(job: Any) -> Any:
        outcome = standins.train(job)
        if job.trial == 2:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False)
        return outcome

    from gru_tune.study import study
    from tests.study.studies import config

    def once(train: Callable[[Any], Any]) -> None:
        study.run(config(disk.parent, *SMALL), out=disk / "out", workers=0, parts=standins_with(train))

    # An open file keeps a disk from being sealed by hand; a disk that fails is sealed by the kernel.
    folder = StudyFolder(disk / "out" / "toy")
    once(standins.train)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(
        StudyError, match="read-only file system; make it writable and run the same command again"
    ):
        once(seal)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    once(standins.train)
    assert sorted(outcomes(folder)) == [1, 2, 3]


@pytest.mark.slow
def test_the_lock_is_released_by_a_kill_while_a_worker_still_lives(tmp_path: Path) -> None:
    with start(tmp_path, 2, *SMALL, seconds=3.0) as process:
        folder = StudyFolder(tmp_path / "out" / "toy")
        wait_for_outcomes(folder.log, 1)
        with pytest.raises(StudyError, match="another run is using"), folder.locked():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with folder.locked():  # at once: the workers, of which some still train, do not hold it
            pass
    assert read_json(folder.facts)["state"] == "running"
