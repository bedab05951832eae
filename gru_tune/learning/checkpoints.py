"""The files a trial leaves behind: its model, the states to go on from, its progress, its error.

All are written beside and put in place at once: whoever reads them sees a whole file. The name
beside has the writer's process in it, so that one whose parent was killed harms no other.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.format import read_array
from numpy.typing import NDArray

from gru_tune.trial import Epoch

MODEL = "model.keras"
ERROR = "error.txt"
RUNNING = "running.state"  # of the job that runs: its next attempt goes on from it
STATES = "epoch-*.state"  # of jobs that have ended, by ``state_name``
DIGEST = 32  # bytes of SHA-256 that a state begins with, of all that follows
CHUNK = 1 << 20


class Damaged(Exception):
    """A state that cannot be used; the text says why."""


@dataclass(frozen=True)
class State:
    """What training goes on from."""

    scores: tuple[float, ...]  # the objective of every epoch so far
    variables: list[NDArray[Any]]  # weights and optimizer
    job: str = ""  # a digest of the job that has not ended yet
    epochs: tuple[Epoch, ...] = ()  # what this job has trained of them
    best: float | None = None  # of all epochs
    best_weights: list[NDArray[Any]] | None = None  # None while a former job's are better


def state_name(epoch: int) -> str:
    """The file that a job with this ``first_epoch`` begins from."""
    return f"epoch-{epoch:05d}.state"


def save_model(model: Any, folder: Path) -> None:
    """The architecture and weights alone: nothing that needs this package to be loaded."""
    import keras

    # The tensors, not lists of one: a model of lists warns whoever calls it with an array.
    plain = keras.Model(model.inputs[0], model.outputs[0], name="gru_tune")
    with _replaced(folder / MODEL) as beside:
        plain.save(beside)


def write_state(path: Path, state: State) -> None:
    """Put ``state`` into the file ``path``; it is on the disk when this returns."""
    arrays = [*state.variables, *(state.best_weights or ())]
    facts = {
        "job": state.job, "scores": state.scores, "epochs": [asdict(epoch) for epoch in state.epochs],
        "best": state.best, "variables": len(state.variables), "arrays": len(arrays),
    }  # fmt: skip
    with _replaced(path) as beside, beside.open("w+b") as file:
        file.write(bytes(DIGEST))
        np.save(file, np.frombuffer(json.dumps(facts).encode(), np.uint8), allow_pickle=False)
        for array in arrays:
            np.save(file, array, allow_pickle=False)
        digest = _digest(file)
        file.seek(0)
        file.write(digest)
        file.flush()
        os.fsync(file.fileno())


def read_state(path: Path) -> State:
    """The inverse of ``write_state``; raises ``Damaged``, and ``FileNotFoundError`` where there is none."""
    with path.open("rb") as file:
        digest = file.read(DIGEST)
        if digest != _digest(file):
            raise Damaged("its checksum is wrong")
        file.seek(DIGEST)
        try:
            facts = json.loads(_array(file).tobytes())
            arrays = [_array(file) for _ in range(facts["arrays"])]
            count = facts["variables"]
            return State(
                scores=tuple(facts["scores"]),
                variables=arrays[:count],
                job=facts["job"],
                epochs=tuple(Epoch(**epoch) for epoch in facts["epochs"]),
                best=facts["best"],
                best_weights=arrays[count:] or None,
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise Damaged(f"another version has written it ({problem})") from None


def reached(path: Path) -> int:
    """How many epochs a state has seen, as its first bytes say; 0 where there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            file.seek(DIGEST)
            return len(json.loads(_array(file).tobytes())["scores"])
    except (OSError, ValueError, KeyError, TypeError, MemoryError, RecursionError):
        return 0


def write_text(path: Path, text: str) -> None:
    """Replace the file ``path`` at once; a trial's folder is made where need be, that of its study is not."""
    with _replaced(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file to write beside ``path``, which is put in its place when all went well."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f"beside.{os.getpid()}.{path.name}")
    beside.unlink(missing_ok=True)  # were it a link, what is written would land elsewhere
    try:
        yield beside
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    os.replace(beside, path)


def _array(file: IO[bytes]) -> NDArray[Any]:
    """The next one. Not by ``np.load``, which opens other formats as well."""
    found: NDArray[Any] = read_array(file, allow_pickle=False)
    return found


def _digest(file: IO[bytes]) -> bytes:
    """Of all that follows the place of the digest itself."""
    file.seek(DIGEST)
    found = hashlib.sha256()
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.digest()
