"""MLflow: an experiment a study, a run a trial, and below it a run for each of its further seeds or folds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from gru_tune.report.read import Study
from gru_tune.study.log import Launch
from gru_tune.trackers.base import Begun, Stretch, Tracker, curves, reached
from gru_tune.trial import Status, Trial

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Metric
    from mlflow.tracking import MlflowClient

MOST = 1_000  # metrics that a server takes at once
PAGE = 1_000  # runs that it gives at once
# Unless the user says otherwise: nothing is sent to anybody but the server that was named, and
# a server that is gone is given up in seconds.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


class MLflow(Tracker):
    """Tells a tracking server, or a database in a file."""

    title: ClassVar[str] = "MLflow"

    def __init__(self, uri: str, artifacts: Path | None) -> None:
        """``artifacts`` is where files go that are logged; None: the server knows."""
        self._uri, self._artifacts = uri, artifacts

    @property
    def opens(self) -> str:
        return self._uri if self._uri.startswith("http") else f"mlflow ui --backend-store-uri {self._uri}"

    def begin(self, study: Begun) -> None:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        for name in ("mlflow", "alembic"):  # they tell of every table they make
            logging.getLogger(name).setLevel(logging.ERROR)
        if self._artifacts:
            self._artifacts.parent.mkdir(parents=True, exist_ok=True)
        self._begun = study
        self._client: MlflowClient = MlflowClient(self._uri)
        self._experiment = self._find(study)
        # Of every run by its label what the server has: its id, its jobs, and those it was settled with.
        self._runs: dict[str, Mapping[str, Any]] = {
            run.data.tags["gru_tune.run"]: {"id": run.info.run_id, **run.data.tags} for run in self._listed()
        }

    def ended(self, stretch: Stretch) -> None:
        launch = stretch.launch
        first = self._made(str(launch.trial), launch)
        own = first if launch.repeat == 1 else self._made(stretch.label, launch, parent=first)
        if self._told(stretch.label, "jobs") >= stretch.number:
            return
        metrics = [
            metric for epoch, time in stretch.epochs for metric in _metrics(curves(epoch), time, epoch.number)
        ]
        # The times are the log's: what is told twice, after a kill, is one and the same to the server.
        for start in range(0, len(metrics), MOST):
            self._client.log_batch(own, metrics=metrics[start : start + MOST])
        ending = self._ended(own, stretch.run, stretch.time) if launch.repeat > 1 else {}
        self._note(stretch.label, [], jobs=stretch.number, **ending)

    def settled(self, trial: Trial, jobs: int, time: float) -> None:
        label = str(trial.number)
        if self._told(label, "settled") >= jobs:
            return
        step = trial.epochs[-1].number if trial.epochs else 0
        ending = self._ended(self._runs[label]["id"], trial, time)
        self._note(label, [*_metrics(reached(trial), time, step)], settled=jobs, **ending)

    def over(self, study: Study) -> None:
        """Mark the winner, and give its run the result of the test, the model and its card."""
        winner, folder = study.winner, study.folder
        for label, known in self._runs.items():
            if "gru_tune.winner" in known and (winner is None or label != str(winner.number)):
                self._client.delete_tag(known["id"], "gru_tune.winner")
        if winner is None:
            return
        label = str(winner.number)
        run = self._runs[label]["id"]
        # The weights and the last look at the test split: when the server has these, all has been told.
        looks = study.facts.get("test") or [{}]
        mark = f"{study.facts.get('best_repeat')}-{study.facts.get('best_epoch')}-{looks[-1].get('time')}"
        if "gru_tune.winner" in self._runs[label] and self._runs[label].get("gru_tune.judged") == mark:
            return
        test = study.test["metrics"] if study.test else {}
        found = {f"test/{name}": value for name, value in test.items()}
        for path in (folder.best, folder.card):
            if path.exists():
                self._client.log_artifact(run, str(path))
        self._note(label, [*_metrics(found, study.updated, 0)], winner="true", judged=mark)

    def _find(self, study: Begun) -> str:
        """The experiment's id, which is made if it is not there; what has its name may be another study's."""
        name = study.name
        known: Experiment | None = self._client.get_experiment_by_name(name)
        if known and (known.tags.get("gru_tune.began"), known.lifecycle_stage) != (study.mark, "active"):
            name = study.second_name
            known = self._client.get_experiment_by_name(name)
        if known:
            return str(known.experiment_id)
        facts = ("gru_tune", "task", "kind", "strategy", "seed")
        tags = {f"gru_tune.{key}": str(study.asked.get(key)) for key in facts}
        tags |= {"gru_tune.began": study.mark, "mlflow.experimentKind": "custom_model_development"}
        tags |= {"gru_tune.objective": f"{study.objective.direction} {study.objective.name}"}
        place = self._artifacts.absolute().as_uri() if self._artifacts else None
        return str(self._client.create_experiment(name, artifact_location=place, tags=tags))

    def _listed(self) -> Iterator[Any]:
        token = None
        while True:
            found = self._client.search_runs([self._experiment], max_results=PAGE, page_token=token)
            yield from (run for run in found if "gru_tune.run" in run.data.tags)
            token = found.token
            if not token:
                return

    def _made(self, label: str, launch: Launch, parent: str | None = None) -> str:
        """The id of a run, which is begun if it is not there."""
        from mlflow.entities import Param

        if label in self._runs:
            return str(self._runs[label]["id"])
        tags = {
            "mlflow.source.name": "gru-tune", "gru_tune.run": label,
            "gru_tune.trial": str(launch.trial), "gru_tune.study": self._begun.name,
        }  # fmt: skip
        tags |= {"mlflow.parentRunId": parent} if parent else {}
        run = self._client.create_run(
            self._experiment, start_time=_ms(launch.time), tags=tags, run_name=f"trial {label}"
        )
        params = [Param(name, str(value)) for name, value in launch.values.items()]
        self._client.log_batch(run.info.run_id, params=params)
        self._runs[label] = {"id": run.info.run_id}
        return str(run.info.run_id)

    def _ended(self, run: str, trial: Trial, time: float) -> dict[str, str]:
        """End a run; returns what is to be noted with it."""
        status = "FAILED" if trial.status is Status.FAILED else "FINISHED"
        self._client.set_terminated(run, status=status, end_time=_ms(time))
        return {"status": trial.status.value, **({"error": trial.error} if trial.error else {})}

    def _told(self, label: str, what: str) -> int:
        return int(self._runs[label].get(f"gru_tune.{what}", 0))

    def _note(self, label: str, metrics: Sequence[Metric], **marks: object) -> None:
        """Log some metrics of a run, and note with it what it has been told."""
        from mlflow.entities import RunTag

        tags = {f"gru_tune.{key}": str(value) for key, value in marks.items()}
        self._client.log_batch(
            self._runs[label]["id"], metrics=metrics, tags=[RunTag(*tag) for tag in tags.items()]
        )
        self._runs[label] = {**self._runs[label], **tags}


def _metrics(values: Mapping[str, float], time: float, step: int) -> Iterator[Metric]:
    from mlflow.entities import Metric

    for name, value in values.items():
        yield Metric(name, value, _ms(time), step)


def _ms(time: float) -> int:
    return int(time * 1000)
