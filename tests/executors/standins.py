"""Jobs that stand in for training; module-level, so that they travel to a worker."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from gru_tune.knobs import Settings
from gru_tune.trial import Epoch, Job, Objective, Outcome

ACCURACY = Objective("accuracy", "max")


def job(folder: Path, number: int = 1, seed: int = 1, last_epoch: int = 2) -> Job:
    return Job(
        trial=number, settings=Settings(), seed=seed, objective=ACCURACY, metrics=("accuracy",), data="",
        folder=str(folder), first_epoch=0, last_epoch=last_epoch, progress=str(folder / f"{number}.json"),
    )  # fmt: skip


def train(job: Job) -> Outcome:
    """Seed 13 raises, seed 66 kills its process, seed 99 takes for ever."""
    Path(job.progress or "").write_text(json.dumps({"trial": job.trial, "epoch": 1}), encoding="utf-8")
    if job.seed == 13:
        raise ValueError("thirteen")
    if job.seed == 66:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.seed == 77:
        os._exit(7)
    if job.seed == 99:
        time.sleep(600)
    epochs = tuple(Epoch(n, {}, {"accuracy": job.seed / 1000}, 0.0) for n in range(1, job.last_epoch + 1))
    return Outcome(job.trial, epochs, os.getpid(), 0.01, "plain")


def leave(folder: Path) -> None:
    """A file named after this process."""
    (folder / str(os.getpid())).touch()


def environment(name: str) -> str | None:
    return os.environ.get(name)


def affinity() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def say(text: str) -> int:
    print(text, flush=True)
    return os.getpid()


def configure(threads: int) -> None:
    os.environ["THREADS_GIVEN"] = str(threads)


def cannot_start(threads: int) -> None:
    raise OSError("no such library")


HELD: list[bytearray] = []


def grow(job: Job) -> Outcome:
    """Keeps 40 MB more after every job; ``parameters`` tells which process it was."""
    HELD.append(bytearray(os.urandom(1)) * 40_000_000)
    return Outcome(job.trial, (), os.getpid(), 0.01, "plain")


def slow(job: Job) -> Outcome:
    """As the training of ``tests.standins``, half a second an epoch at least."""
    from tests import standins

    time.sleep(0.5 * (job.last_epoch - job.first_epoch))
    return standins.train(job)


def leave_files(job: Job) -> Outcome:
    """A state of an earlier job becomes a later one; the model and the progress are told on the way."""
    folder = Path(job.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-00001.state"]
    (folder / "epoch-00001.state").rename(folder / "epoch-00002.state")
    (folder / "model.keras").write_text("model", encoding="utf-8")
    (folder / "beside.7.model.keras").write_text("half a mo", encoding="utf-8")
    Path(job.progress or "").write_text(json.dumps({"trial": job.trial, "epoch": 1}), encoding="utf-8")
    time.sleep(1.5)
    return Outcome(job.trial, (), 0, 0.0, (Path(job.data) / "info.json").read_text(encoding="utf-8"))


def where_data_lie(folder: Path) -> tuple[str, float]:
    """The prepared data as a worker finds them, and when they were written there."""
    return str(folder), (folder / "info.json").stat().st_mtime


def copy(source: Path, data: Path, file: Path, folder: Path) -> str:
    """One file becomes another, and one of a folder that is not there yet."""
    folder.mkdir()
    text = source.read_text(encoding="utf-8") + (data / "info.json").read_text(encoding="utf-8")
    for target in (file, folder / "model.keras"):
        target.write_text(text, encoding="utf-8")
    (source.parent / "stray").touch()
    return text


def hoard(job: Job) -> Outcome:
    HELD.append(bytearray(os.urandom(1)) * 400_000_000)
    time.sleep(600)
    raise AssertionError


def disk_full(job: Job) -> Outcome:
    raise OSError(28, "No space left on device")


def own_gpu() -> tuple[str | None, int]:
    """The GPU that this process sees, and the process; long enough for others to run at the same time."""
    time.sleep(1)
    return os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()
