"""The results folder of a study: its paths, its lock, and files that are replaced whole."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_tune import bounds
from gru_tune.errors import StudyError
from gru_tune.study.files import OF_DISK, beside_of, in_part, refused, replacing
from gru_tune.trial import Trial

LOCK_TRIES = 5


@dataclass(frozen=True)
class StudyFolder:
    """The paths of one study; nothing here reads or writes before it is asked to."""

    path: Path

    @property
    def log(self) -> Path:
        """The record everything else is derived from."""
        return self.path / "trials.jsonl"

    @property
    def damaged(self) -> list[Path]:
        """What was damaged, and is kept beside what was made of it: records, and ``study.json``."""
        return sorted(
            path for name in (self.log, self.facts) for path in self.path.glob(f"{name.name}.damaged*")
        )

    @property
    def table(self) -> Path:
        return self.path / "trials.csv"

    @property
    def curves(self) -> Path:
        return self.path / "curves.csv"

    @property
    def facts(self) -> Path:
        """Versions, devices, times, baselines and the test result."""
        return self.path / "study.json"

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def resolved(self) -> Path:
        return self.path / "config.resolved.yaml"

    @property
    def preprocessing(self) -> Path:
        return self.path / "preprocessing.json"

    @property
    def prepared(self) -> Path:
        """The arrays the workers map into their memory; gone when the search is over."""
        return self.path / "prepared"

    @property
    def trials(self) -> Path:
        return self.path / "trials"

    def trial(self, number: int, repeat: int = 1) -> Path:
        """The files of one run: ``trials/7``, and ``trials/7-2`` for its second seed."""
        return self.trials / run_name(number, repeat)

    @property
    def best(self) -> Path:
        return self.path / "best.keras"

    @property
    def sample(self) -> Path:
        """Some inputs, and what ``best.keras`` says of them."""
        return self.path / "sample.npz"

    @property
    def examples(self) -> Path:
        """What the winner says of some samples of every split it was judged on, for the report's pictures."""
        return self.path / "examples.json"

    @property
    def judged(self) -> Path:
        return self.path / "judged"

    def resampled(self, split: str) -> Path:
        """Every metric of the winner on all resamples of a split: float64 (resamples,), NaN where undefined."""
        return self.judged / f"{split}.npz"

    @property
    def card(self) -> Path:
        return self.path / "MODEL.md"

    @property
    def retrained(self) -> Path:
        """Where the winner is trained again; gone when it is done."""
        return self.path / "retrained"

    @property
    def exports(self) -> Path:
        """What ``gru-tune export`` writes unless it is told another place."""
        return self.path / "exports"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        """What TensorBoard shows, where ``tracking`` asks for it."""
        return self.path / "tensorboard"

    @property
    def mlflow(self) -> Path:
        """A database and the files that MLflow shows."""
        return self.path / "mlflow"

    @property
    def optuna(self) -> Path:
        """A storage of Optuna, in SQLite."""
        return self.path / "optuna.db"

    @property
    def workers(self) -> Path:
        """What the workers print."""
        return self.path / "workers.log"

    @property
    def _own(self) -> list[Path]:
        """Everything a study writes."""
        return [
            self.table, self.curves, self.facts, self.config, self.resolved, self.preprocessing,
            self.best, self.sample, self.examples, self.judged, self.card, self.report, self.workers, self.exports, self.retrained, self.prepared, self.trials,
            self.tensorboard, self.mlflow, self.optuna, *self.damaged, self.log,
        ]  # fmt: skip

    def sweep(self) -> None:
        """Delete what a kill has left half done: files beside those whose place they were to take, a last training."""
        shutil.rmtree(self.retrained, ignore_errors=True)
        for path in (*self._own, *(self.resampled(split) for split in ("train", "validation", "test"))):
            beside_of(path).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete everything a study writes, and nothing else that lies in the folder."""
        self.sweep()
        for path in self._own:  # the log last: until then a study that is half deleted is still known as one
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def refuse_strange(self) -> None:
        """Raise ``StudyError`` for what no study holds: a link that leads out of the folder, a pipe, a device."""
        base = os.path.realpath(self.path)
        for folder, inner, files in os.walk(self.path):
            for path in (Path(folder, name) for name in (*inner, *files)):
                if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(base):
                    raise StudyError(
                        f"{path} is a link that leads out of the study: replace it by what it leads to, or delete it"
                    )
                if path.exists() and not path.is_file() and not path.is_dir():
                    raise StudyError(f"{path} is a pipe or a device, which no study holds: delete it")

    def failed(self, error: OSError) -> StudyError | None:
        """What is said of an error when something of this folder could not be written; None for other places."""
        if error.filename is None and (error.errno in OF_DISK or in_part(error)):
            return refused(error, self.path)
        known = isinstance(error.filename, str) and Path(error.filename).is_relative_to(self.path)
        return refused(error, Path(error.filename)) if known else None

    def in_use(self) -> bool:
        """Whether some process holds the folder, with ``locked``; it is not kept from doing so."""
        try:
            import fcntl
        except ImportError:  # Windows: all that is known is what the last run wrote
            return read_json(self.facts).get("state") == "running"
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except OSError:  # there is no such folder
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process alone; a kill releases it.

        Raises ``StudyError`` when another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # Windows: no lock of this kind, and no folder handles to hold it
            yield
            return
        self.refuse_strange()
        handle = os.open(self.path, os.O_RDONLY)
        for _ in range(LOCK_TRIES):  # it may be ``in_use`` that holds it, for a moment
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.02)
        else:
            os.close(handle)
            raise StudyError(
                f"another run is using {self.path}: wait for it, stop it, or give this one another name or --out"
            )
        try:
            yield
        finally:
            os.close(handle)


def run_name(number: int, repeat: int) -> str:
    """``7``, and ``7-2`` for its second seed or fold."""
    return str(number) if repeat == 1 else f"{number}-{repeat}"


def replace_text(path: Path, text: str, durable: bool = True) -> None:
    """Write ``text`` beside ``path`` and put it in its place in one step."""
    with replacing(path, durable) as beside:
        beside.write_text(text, encoding="utf-8", newline="")


def replace_copy(source: Path, path: Path) -> None:
    """Copy a file beside ``path`` and put it in its place in one step."""
    with replacing(path) as beside:
        shutil.copyfile(source, beside)


def replace_json(path: Path, value: Any) -> None:
    """``value`` as indented JSON, replaced in one step; it must hold no NaN."""
    replace_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def replace_arrays(path: Path, arrays: Mapping[str, Sequence[float | None]]) -> None:
    """``arrays`` as float64 (NaN for None) into an NPZ, replaced in one step."""
    import numpy as np

    path.parent.mkdir(exist_ok=True)
    with replacing(path) as beside:
        np.savez(beside, **{name: np.array(values, np.float64) for name, values in arrays.items()})  # type: ignore[arg-type]


def test_result(facts: Mapping[str, Any], winner: Trial) -> Mapping[str, Any] | None:
    """What ``study.json`` knows of the winner on the test split, with the weights it has now."""
    epoch = winner.best.number if winner.best else None
    found = [
        look
        for look in facts.get("test", ())
        if look["trial"] == winner.number
        and look.get("repeat", 1) == winner.repeat
        and bool(look.get("retrained")) == bool(facts.get("retrained"))
        and look.get("epoch", epoch) == epoch
    ]
    return found[-1] if found else None


def read_json(path: Path) -> dict[str, Any]:
    """What ``replace_json`` wrote; empty when there is no such file or it is damaged."""
    try:
        return bounds.json_object(path)
    except (OSError, ValueError):
        return {}
