"""TensorBoard: the curves of every training, and a table of the trials (the HParams plugin).

A folder a training; in it a file a job, named by its number and never written twice, so that
what is there is known by its name. Written without TensorFlow, which TensorBoard does not need.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from gru_tune.study.log import Launch
from gru_tune.trackers.base import Begun, Stretch, Tracker, curves, reached
from gru_tune.trial import Trial
from gru_tune.values import Scalar

Record = tuple[float, int, list[Any]]  # Unix time, step, values of a summary


class TensorBoard(Tracker):
    """Writes event files below ``folder``, whose name it is told in its first call."""

    title: ClassVar[str] = "TensorBoard"

    def __init__(self, folder: Path, shared: bool) -> None:
        """With ``shared``, ``folder`` is that of many studies, and each has one below it."""
        self._folder, self._shared = folder, shared
        self._own = folder

    @property
    def opens(self) -> str:
        return f"tensorboard --logdir {self._folder}"

    def begin(self, study: Begun) -> None:
        if self._shared:
            self._own = self._folder / study.name
            if any(self._own.glob("events.*")) and not (self._own / _name(study.mark)).exists():
                self._own = self._folder / study.second_name
        values = [_experiment(study)]
        _write(self._own / _name(study.mark), [(study.began, 0, values)])

    def ended(self, stretch: Stretch) -> None:
        launch = stretch.launch
        folder = self._own / _run(launch.trial)
        records: list[Record] = []
        if launch.repeat > 1:
            folder /= f"repeat-{launch.repeat}"
        elif stretch.number == 1:
            records.append((launch.time, 0, [_start(launch)]))
        for epoch, time in stretch.epochs:
            records.append((time, epoch.number, _scalars(curves(epoch))))
        _write(folder / _name(f"{stretch.number:06d}.job"), records)

    def settled(self, trial: Trial, jobs: int, time: float) -> None:
        step = trial.epochs[-1].number if trial.epochs else 0
        values = [*_scalars(reached(trial)), _end(trial, time)]
        _write(self._own / _run(trial.number) / _name(f"{jobs:06d}.settled"), [(time, step, values)])


def _run(trial: int) -> str:
    """Sorted by name, as TensorBoard does, the trials are in their order."""
    return f"trial-{trial:04d}"


def _name(what: str) -> str:
    """TensorBoard looks for ``tfevents``, and reads the files of a folder in the order of their names."""
    return f"events.out.tfevents.{what}"


def _write(path: Path, records: Iterable[Record]) -> None:
    """An event file, unless it is there; seen by TensorBoard when it is whole."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name("unfinished")
    with beside.open("wb") as file:
        writer = RecordWriter(file)
        for number, (time, step, values) in enumerate(records):
            if number == 0:
                writer.write(Event(wall_time=time, file_version="brain.Event:2").SerializeToString())
            event = Event(wall_time=time, step=step, summary=Summary(value=values))
            writer.write(event.SerializeToString())
    os.replace(beside, path)


def _scalars(values: Mapping[str, float]) -> list[Any]:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]


def _experiment(study: Begun) -> Any:
    """The columns of the table."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    names = [f"best/{study.objective.name}", "trial/seconds", "trial/parameters"]
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=name), display_name=name) for name in names]
    columns = [_column(name, domain) for name, domain in study.asked.get("space", {}).items()]
    experiment = api_pb2.Experiment(
        name=study.name, time_created_secs=study.began, hparam_infos=columns, metric_infos=metrics
    )
    content = plugin_data_pb2.HParamsPluginData(experiment=experiment)
    return _plugin(metadata.EXPERIMENT_TAG, content)


def _column(name: str, domain: Mapping[str, Any]) -> Any:
    """A hyperparameter, with the domain as the config has it."""
    from google.protobuf.struct_pb2 import ListValue
    from tensorboard.plugins.hparams import api_pb2

    if "choice" not in domain:
        low, high = next(domain[key] for key in ("int", "float", "log") if isinstance(domain.get(key), list))
        interval = api_pb2.Interval(min_value=low, max_value=high)
        return api_pb2.HParamInfo(name=name, type=api_pb2.DATA_TYPE_FLOAT64, domain_interval=interval)
    options = [_value(option) for option in domain["choice"]]
    kind = api_pb2.DATA_TYPE_STRING
    if all(isinstance(option, bool) for option in options):
        kind = api_pb2.DATA_TYPE_BOOL
    elif all(isinstance(option, int | float) and not isinstance(option, bool) for option in options):
        kind = api_pb2.DATA_TYPE_FLOAT64
    known = ListValue()
    known.extend(options if kind != api_pb2.DATA_TYPE_STRING else [str(option) for option in options])
    return api_pb2.HParamInfo(name=name, type=kind, domain_discrete=known)


def _start(launch: Launch) -> Any:
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    start = plugin_data_pb2.SessionStartInfo(start_time_secs=launch.time)
    for name, given in launch.values.items():
        value = _value(given)
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, str):
            start.hparams[name].string_value = value
        else:
            start.hparams[name].number_value = value
    return _plugin(
        metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start)
    )


def _value(value: Scalar) -> bool | float | str:
    return "none" if value is None else value


def _end(trial: Trial, time: float) -> Any:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if trial.score is None else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time)
    return _plugin(metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end))


def _plugin(tag: str, content: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata

    described = metadata.create_summary_metadata(content)
    return Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR)
