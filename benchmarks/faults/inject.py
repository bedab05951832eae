"""The faults: each is injected into a study of its own, which must then end as if nothing had been."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults import standins
from benchmarks.faults.subject import Broken, Subject
from benchmarks.faults.training import training_killed
from gru_tune import config as configs
from gru_tune.errors import StudyError
from gru_tune.study import study as studies
from tests.executors.clusters import nodes

MOST = 3.0  # seconds of a run that a fault may wait for


@dataclass(frozen=True)
class Fault:
    """One kind of fault: ``inject`` harms a new study in ``folder`` and returns how often it did."""

    name: str
    promise: str
    inject: Callable[[Path, random.Random], int]


def parent_killed(folder: Path, chance: random.Random) -> int:
    """kill -9 of the program, four times: from its start on, at any moment."""
    subject, injected = Subject(folder, pause=0.2), 0
    for _ in range(4):
        with subject.running() as process:
            time.sleep(chance.random() * MOST)
            injected += process.poll() is None
            subject.kill(process)
    return _ends(subject, injected)


def worker_killed(folder: Path, chance: random.Random) -> int:
    """kill -9 of a worker, at any moment of its work; each trial survives one."""
    subject, injected = Subject(folder, ("search.retries=9",)), 0
    with subject.running() as process:
        for outcomes in (1, 4, 7, 10):
            subject.wait_for(process, outcomes)
            time.sleep(chance.random() * 0.2)
            workers = subject.children(process)
            if workers and process.poll() is None:
                os.kill(chance.choice(workers), signal.SIGKILL)
                injected += 1
        if process.wait(120):
            raise Broken(f"it ended with a failure: {subject.said()[-300:]}")
    return _ends(subject, injected)


def signalled(number: signal.Signals) -> Callable[[Path, random.Random], int]:
    """A signal to the program, twice: it saves, says so and ends within ten seconds."""

    def inject(folder: Path, chance: random.Random) -> int:
        subject, injected = Subject(folder, pause=0.3), 0
        for outcomes in (1, 5):
            with subject.running() as process:
                subject.wait_for(process, outcomes)
                time.sleep(chance.random() * 0.5)
                if process.poll() is not None:
                    continue
                injected += 1
                began = time.monotonic()
                code = subject.kill(process, number)
                if time.monotonic() - began > 10:
                    raise Broken("it took longer than ten seconds to end")
                if code != 128 + number:
                    raise Broken(f"it ended with code {code}")
        subject.pause = 0.01
        return _ends(subject, injected)

    return inject


def torn(folder: Path, chance: random.Random) -> int:
    """The log of a half done study, cut at every byte of its last record."""
    subject = Subject(folder / "whole")
    subject.folder.mkdir()
    with subject.running() as process:
        subject.wait_for(process, 3)
        subject.kill(process)
    log = subject.study.log.read_bytes()
    begin = log.rstrip(b"\n").rfind(b"\n") + 1
    for size in range(begin, len(log)):
        other = Subject(folder / "torn")
        shutil.copytree(subject.folder, other.folder)
        other.study.log.write_bytes(log[:begin])
        other.look()  # what is whole must stay
        other.study.log.write_bytes(log[:size])
        _in_process(other)
        _whole(other)
        shutil.rmtree(other.folder)
    return len(log) - begin


def flipped(folder: Path, chance: random.Random) -> int:
    """A byte of the log flipped, anywhere but in its last line: refused, repaired, ended."""
    subject, injected = Subject(folder / "whole"), 0
    subject.folder.mkdir()
    with subject.running() as process:
        subject.wait_for(process, 5)
        subject.kill(process)
    log = subject.study.log.read_bytes()
    first = log.find(b"\n") + 1
    last = log.rstrip(b"\n").rfind(b"\n")
    for _ in range(10):
        other = Subject(folder / "flipped")
        shutil.copytree(subject.folder, other.folder)
        place = chance.randrange(first, last)
        damaged = bytearray(log)
        damaged[place] ^= 1 << chance.randrange(8)
        other.study.log.write_bytes(damaged)
        try:
            _in_process(other)
        except StudyError as error:
            if "gru-tune repair" not in str(error):
                raise Broken(f"it does not say how to repair: {error}") from None
        else:
            raise Broken(f"the flipped byte {place} was not noticed")
        subprocess.run(
            [sys.executable, "-m", "gru_tune", "repair", str(other.study.path)],
            check=True,
            capture_output=True,
        )
        other.look()
        _in_process(other)
        _whole(other)
        injected += 1
        shutil.rmtree(other.folder)
    return injected


def of_trials(folder: Path, chance: random.Random) -> int:
    """Trials that raise, become NaN, crash, need too much memory or hang, among good ones."""
    bad = [standins.RAISES, standins.NAN, standins.SEGFAULT, standins.MEMORY, standins.HANGS]
    units = [*standins.GOOD, *bad]
    chance.shuffle(units)
    subject = Subject(
        folder,
        (f"model.units={{choice: {units}}}", f"search.memory_per_worker={standins.LIMIT // 10**6}MB"),
    )
    subject.go_on()
    table = {int(row["units"]): row for row in subject.table().values()}
    if sorted(table) != sorted(units):
        raise Broken(f"the table has {sorted(table)}")
    for number, row in table.items():
        expected = "failed" if number in set(bad) - {standins.MEMORY} else "completed"
        if row["status"] != expected:
            raise Broken(f"units {number}: {row['status']} {row['error']}")
    return len(bad)


def disk_full(folder: Path, chance: random.Random) -> int:
    """A disk that is full at any moment of the study; then there is room again."""
    with _disk(folder / "disk", "2m") as disk:
        subject = Subject(disk, heard=folder / "said")
        with subject.running() as process:
            subject.wait_for(process, chance.randrange(1, 8))
            filling = folder / "disk" / "filling"
            with filling.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"0" * 4096)
            code = process.wait(60)
        filling.unlink(missing_ok=True)
        if code != 1 or "space" not in subject.said():
            raise Broken(f"code {code}: {subject.said()[-300:]}")
        return _ends(subject, 1)


def read_only(folder: Path, chance: random.Random) -> int:
    """A disk that is read-only when the study goes on."""
    with _disk(folder / "disk", "20m") as disk:
        subject = Subject(disk, heard=folder / "said")
        with subject.running() as process:
            subject.wait_for(process, chance.randrange(1, 6))
            subject.kill(process)
        time.sleep(1)  # for the workers: an open file keeps a disk from being sealed
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with subject.running() as process:
            if process.wait(60) != 1 or "read-only" not in subject.said():
                raise Broken(f"it ended with code {process.returncode}: {subject.said()[-300:]}")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        return _ends(subject, 1)


def removed(folder: Path, chance: random.Random) -> int:
    """The folder of the study is removed under the run: it ends, and says so."""
    subject = Subject(folder)
    with subject.running() as process:
        subject.wait_for(process, chance.randrange(1, 8))
        shutil.rmtree(subject.study.path, ignore_errors=True)
        subject._finished = {}
        code = process.wait(60)
    if code != 1 or "study" not in subject.said():
        raise Broken(f"it ended with code {code}: {subject.said()[-300:]}")
    shutil.rmtree(subject.study.path, ignore_errors=True)
    return _ends(subject, 1)


def node_lost(folder: Path, chance: random.Random) -> int:
    """Two machines of a cluster lose their power in the middle of trials, and others join."""
    with nodes(2) as cluster:
        subject, injected = Subject(folder, ray=cluster.address, pause=0.2), 0
        with subject.running() as process:
            for outcomes in (2, 6):
                subject.wait_for(process, outcomes)
                time.sleep(chance.random() * 0.5)
                if process.poll() is None:
                    injected += 1
                cluster.kill(chance.choice(cluster.nodes))
                cluster.nodes.append(cluster.add())
            if process.wait(120):
                raise Broken(f"it ended with a failure: {subject.said()[-300:]}")
        return _ends(subject, injected)


def driver_killed(folder: Path, chance: random.Random) -> int:
    """kill -9 of the program that trains on a cluster, twice."""
    with nodes(2) as cluster:
        subject, injected = Subject(folder, ray=cluster.address, pause=0.2), 0
        for outcomes in (1, 6):
            with subject.running() as process:
                subject.wait_for(process, outcomes)
                time.sleep(chance.random() * 0.5)
                injected += process.poll() is None
                subject.kill(process)
        return _ends(subject, injected)


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own in memory; needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _in_process(subject: Subject) -> None:
    """Run a study to its end in this process."""
    loaded = configs.load(subject.folder / "study.yaml", subject.settings)
    studies.run(loaded, out=subject.folder, workers=0, parts=standins.PARTS)
    subject.look()


def _ends(subject: Subject, injected: int) -> int:
    """The study is run to its end and is whole."""
    subject.go_on()
    _whole(subject)
    return injected


def _whole(subject: Subject) -> None:
    """Every configuration has one row, with the score it always has."""
    table = subject.table()
    units = sorted(int(row["units"]) for row in table.values())
    if units != sorted(standins.GOOD):
        raise Broken(f"the table has units {units}")
    for number, row in table.items():
        reached = standins.score(int(row["units"]), standins.EPOCHS)
        if row["status"] != "completed" or abs(float(row["accuracy"]) - reached) > 1e-9:
            raise Broken(f"trial {number}: {row['status']}, {row['accuracy']} {row['error']}")


FAULTS = (
    Fault("kill -9 of the program", "what is finished stays; the next run ends the study", parent_killed),
    Fault("kill -9 of a worker", "its trial is tried again", worker_killed),
    Fault("SIGINT", "saved and gone within ten seconds; the next run ends the study", signalled(signal.SIGINT)),
    Fault("SIGTERM", "the same", signalled(signal.SIGTERM)),
    Fault("SIGHUP", "the same", signalled(signal.SIGHUP)),
    Fault("torn record", "cut off; every record before it stays", torn),
    Fault("flipped bit in the record", "refused with the line; `gru-tune repair` keeps what is whole", flipped),
    Fault("faults of trials", "recorded with their reasons; the others are trained", of_trials),
    Fault("full disk", "the run ends with a sentence; with room again the next run ends the study", disk_full),
    Fault("read-only disk", "the same", read_only),
    Fault("removed folder", "the run ends with a sentence", removed),
    Fault("lost node of a cluster", "its trials are asked again, on other nodes", node_lost),
    Fault("kill -9 of a cluster's driver", "what is finished stays; the next run ends the study", driver_killed),
    Fault("kill -9 in a real training", "it goes on from its checkpoint, to the same numbers", training_killed),
)  # fmt: skip
