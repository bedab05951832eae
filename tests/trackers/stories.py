"""Logs made by hand, the trackers that follow them, and what the tools then show."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gru_tune.study.log import Event, Finished, Header, Launch, Log, Started
from gru_tune.study.results import StudyFolder
from gru_tune.trackers.base import Tracker
from gru_tune.trackers.follow import Follower
from gru_tune.trial import Epoch, Outcome

BEGAN = 1_700_000_000.0
SPACE: dict[str, Any] = {
    "units": {"int": [1, 64]},
    "cell": {"choice": ["gru", "lstm"]},
    "rate": {"log": [1e-4, 1e-1]},
    "both": {"choice": [True, False]},
    "layers": {"choice": [None, 2]},
}
VALUES = {"units": 8, "cell": "gru", "rate": 0.01, "both": True, "layers": None}


@dataclass
class Story:
    """A study whose log grows line by line."""

    path: Path
    repeats: int = 1
    cost: str | None = None
    began: float = BEGAN
    lasting: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.folder = StudyFolder(self.path)
        self.time = self.began
        objective = {"name": "accuracy", "direction": "max", **({"cost": self.cost} if self.cost else {})}
        facts = {
            "name": "toy", "gru_tune": "1", "task": "classification", "kind": "arrays", "strategy": "random",
            "objective": objective, "hyperparameters": list(SPACE), "space": SPACE, "seed": 1, "data": "x",
            "question": {"search": {"repeats": self.repeats}},
        }  # fmt: skip
        self.add(Header(facts, self.began), Started(1, self.began))

    def add(self, *events: Event) -> None:
        with Log(self.folder.log) as log:
            for event in events:
                log.append(event)

    def launch(self, trial: int, first: int = 0, last: int = 3, repeat: int = 1, more: bool = False) -> None:
        self.time += 1
        if more:
            self.lasting.add(trial)
        else:
            self.lasting.discard(trial)
        values = {**VALUES, "units": trial}
        self.add(Launch(trial, 1, values, trial, first, last, more, self.time, repeat))

    def end(
        self, trial: int, first: int = 0, last: int = 3, repeat: int = 1, error: str | None = None
    ) -> None:
        self.time += 10
        numbers = [] if error else range(first + 1, last + 1)
        epochs = [
            Epoch(n, {"loss": 1 / n}, {"accuracy": score(trial, n, repeat), "loss": float("nan")}, 2.0)
            for n in numbers
        ]
        self.add(Finished(1, Outcome(trial, tuple(epochs), 100, 9.0, "jax", error), self.time, repeat))

    def job(
        self,
        trial: int,
        first: int = 0,
        last: int = 3,
        repeat: int = 1,
        more: bool = False,
        error: str | None = None,
    ) -> None:
        self.launch(trial, first, last, repeat, more)
        self.end(trial, first, last, repeat, error)

    def told_to(self, tracker: Tracker, over: bool = False) -> None:
        """As a run of the program does it from the first line on."""
        follower = Follower(tracker, self.folder, self.lasting, lambda: False)
        try:
            follower.step()
            follower.step(over=over)
        finally:
            tracker.close()


def score(trial: int, epoch: int, repeat: int = 1) -> float:
    return trial / 10 + epoch / 100 + (repeat - 1) / 1000


@dataclass(frozen=True)
class Seen:
    """A trial as a tool shows it."""

    units: float
    curve: dict[int, float]
    status: str  # running, done, failed
    score: float | None


class Tool:
    """One of the tools at a place of its own, empty at first."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def tracker(self) -> Tracker:
        raise NotImplementedError

    def shown(self, study: str = "toy") -> dict[int, Seen]:
        """The trials of a study, by number."""
        raise NotImplementedError

    def everything(self) -> object:
        """All that the tool holds, as far as it can be compared: no ids and no times of its own."""
        raise NotImplementedError


class OfTensorBoard(Tool):
    def tracker(self) -> Tracker:
        pytest.importorskip("tensorboard")
        from gru_tune.trackers.tensorboard import TensorBoard

        return TensorBoard(self.place, shared=True)

    def shown(self, study: str = "toy") -> dict[int, Seen]:
        from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

        found = {}
        for folder in (self.place / study).glob("trial-*"):
            events = self.events(folder)
            scalars: dict[str, dict[int, float]] = {}
            start, end = HParamsPluginData(), HParamsPluginData()
            for event in events:
                for value in event.summary.value:
                    if content := value.metadata.plugin_data.content:
                        (start if value.tag.endswith("start_info") else end).ParseFromString(content)
                    else:
                        scalars.setdefault(value.tag, {})[event.step] = round(value.simple_value, 5)
            ended = end.HasField("session_end_info")
            bad = end.session_end_info.status == STATUS_FAILURE
            best = scalars.get("best/accuracy", {})
            found[int(folder.name.removeprefix("trial-"))] = Seen(
                start.session_start_info.hparams["units"].number_value,
                scalars.get("validation/accuracy", {}),
                ("failed" if bad else "done") if ended else "running",
                best[max(best)] if best else None,
            )
        return found

    def events(self, folder: Path) -> list[Any]:
        from tensorboard.compat.proto.event_pb2 import Event

        return [
            Event.FromString(data) for file in sorted(folder.glob("*tfevents*")) for data in records(file)
        ]

    def everything(self) -> object:
        return {str(file.relative_to(self.place)): file.read_bytes() for file in files(self.place)}


class OfMLflow(Tool):
    @property
    def uri(self) -> str:
        return f"sqlite:///{self.place}/mlflow.db"

    def tracker(self) -> Tracker:
        pytest.importorskip("mlflow")
        from gru_tune.trackers.mlflow import MLflow

        return MLflow(self.uri, self.place / "artifacts")

    def runs(self, study: str) -> dict[str, Any]:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(self.uri)
        experiment = client.get_experiment_by_name(study)
        assert experiment is not None
        found = client.search_runs([experiment.experiment_id], max_results=1000)
        return {run.data.tags["gru_tune.run"]: run for run in found}

    def history(self, run: Any, metric: str) -> list[tuple[int, float, int]]:
        from mlflow.tracking import MlflowClient

        points = MlflowClient(self.uri).get_metric_history(run.info.run_id, metric)
        return sorted((point.step, point.value, point.timestamp) for point in points)

    def shown(self, study: str = "toy") -> dict[int, Seen]:
        words = {"RUNNING": "running", "FINISHED": "done", "FAILED": "failed"}
        return {
            int(label): Seen(
                float(run.data.params["units"]),
                {step: round(value, 5) for step, value, _ in self.history(run, "validation/accuracy")},
                words[run.info.status],
                run.data.metrics.get("best/accuracy"),
            )
            for label, run in self.runs(study).items()
            if "-" not in label
        }

    def everything(self) -> object:
        from mlflow.tracking import MlflowClient

        known = [experiment.name for experiment in MlflowClient(self.uri).search_experiments()]
        return {
            (name, label): (
                run.data.params,
                {key: self.history(run, key) for key in run.data.metrics},
                {key: value for key, value in run.data.tags.items() if key.startswith("gru_tune")},
                run.info.status,
            )
            for name in known
            if name != "Default"
            for label, run in self.runs(name).items()
        }


class OfOptuna(Tool):
    @property
    def url(self) -> str:
        return f"sqlite:///{self.place}/optuna.db"

    def tracker(self) -> Tracker:
        from gru_tune.trackers.optuna import Optuna

        return Optuna(self.url)

    def study(self, name: str = "toy") -> Any:
        import optuna

        return optuna.load_study(study_name=name, storage=self.url)

    def shown(self, study: str = "toy") -> dict[int, Seen]:
        from optuna.trial import TrialState

        words = {TrialState.RUNNING: "running", TrialState.FAIL: "failed"}
        return {
            trial.user_attrs["trial"]: Seen(
                trial.params["units"],
                {step: round(value, 5) for step, value in trial.intermediate_values.items()},
                words.get(trial.state, "done"),
                None if trial.state == TrialState.RUNNING or trial.values is None else trial.values[0],
            )
            for trial in self.study(study).trials
        }

    def everything(self) -> object:
        import optuna

        return {
            name: [
                (t.number, t.state, t.values, t.params, t.user_attrs, t.intermediate_values)
                for t in self.study(name).trials
            ]
            for name in optuna.get_all_study_names(self.url)
        }


class OfOptunaJournal(OfOptuna):
    def tracker(self) -> Tracker:
        from gru_tune.trackers.optuna import Optuna

        return Optuna(str(self.place / "journal.log"))

    @property
    def url(self) -> Any:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        return JournalStorage(JournalFileBackend(str(self.place / "journal.log")))


def records(file: Path) -> Iterable[bytes]:
    """The messages of an event file: length (8 bytes), checksum (4), message, checksum (4)."""
    data = file.read_bytes()
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + size]
        data = data[16 + size :]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def empty_mlflow(place: Path, known: Path) -> None:
    """A database with its tables, copied: they take seconds to make."""
    pytest.importorskip("mlflow")
    if not known.exists():
        from mlflow.tracking import MlflowClient

        MlflowClient(f"sqlite:///{known}").search_experiments()
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(known, place / "mlflow.db")
