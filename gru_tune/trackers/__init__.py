"""The tools people have already, told of a study while it runs: TensorBoard, MLflow, Optuna.

Each is a ``Tracker`` that follows the log in a thread of its own (``follow``): what it does, and
whether it works, is nothing to the search.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gru_tune.errors import Problem
from gru_tune.study.results import StudyFolder
from gru_tune.trackers.base import Tracker
from gru_tune.trackers.follow import Tracking
from gru_tune.wording import show

if TYPE_CHECKING:
    from gru_tune.config import Config

NEEDS = {"tensorboard": "TensorBoard", "mlflow": "MLflow"}  # packages that are extras; Optuna is there always
TRACKERS = ("tensorboard", "mlflow", "optuna")
LOCAL = ("sqlite", "file")  # how URLs of places on this machine begin
SQLITE = (".db", ".sqlite", ".sqlite3")  # what such files are usually called


def refuse_unusable(config: Config) -> None:
    """Raise ``ConfigError`` for trackers whose package is not installed, or whose place a config may not name."""
    problems = [*_outside(config), *_not_installed(config)]
    if problems:
        raise config.error(problems)


def _not_installed(config: Config) -> list[Problem]:
    return [
        Problem(
            ("tracking", name),
            f"{title} is not installed; install it with: pip install 'gru-tune[{name}]'",
        )
        for name, title in NEEDS.items()
        if getattr(config.tracking, name) is not False and find_spec(name) is None
    ]


def _outside(config: Config) -> list[Problem]:
    """Places on this machine that a config names outside of its own folder: it may be a stranger's.

    Whoever runs it may name any place, by ``--set``.
    """
    problems = []
    for name in TRACKERS:
        value = getattr(config.tracking, name)
        told = {("tracking", name), ("tracking",)} & config.source.overrides.keys()
        if not isinstance(value, str) or told:
            continue
        inside = (config.folder / value).resolve().is_relative_to(config.folder.resolve())
        if value.lower().startswith(LOCAL) if _is_url(value) else not inside:
            text = f"{show(value)} may lie outside of the folder of the config; name a place inside it, or say --set tracking.{name}={value}"
            problems.append(Problem(("tracking", name), text))
    return problems


def tracking(config: Config, folder: StudyFolder, lasting: Set[int], say: Callable[[str], None]) -> Tracking:
    """What ``tracking`` asks for, to be entered while the log of ``folder`` is written.

    ``lasting`` holds, whenever it is asked, the trials that the search may train further.
    """
    return Tracking(chosen(config, folder), folder, lasting, say)


def chosen(config: Config, folder: StudyFolder) -> list[Tracker]:
    """The trackers that a config asks for; a path in it is relative to its file."""
    own, found = config.tracking, list[Tracker]()
    if own.tensorboard is not False:
        from gru_tune.trackers.tensorboard import TensorBoard

        shared = own.tensorboard is not True
        found.append(TensorBoard(_path(config, own.tensorboard) or folder.tensorboard, shared))
    if own.mlflow is not False:
        from gru_tune.trackers.mlflow import MLflow

        if isinstance(own.mlflow, str) and _is_url(own.mlflow):
            found.append(MLflow(own.mlflow, None))
        else:
            place = (_path(config, own.mlflow) or folder.mlflow).absolute()
            found.append(MLflow(_sqlite(place / "mlflow.db"), place / "artifacts"))
    if own.optuna is not False:
        from gru_tune.trackers.optuna import Optuna

        if isinstance(own.optuna, str) and _is_url(own.optuna):
            found.append(Optuna(own.optuna))
        else:
            file = (_path(config, own.optuna) or folder.optuna).absolute()
            found.append(Optuna(_sqlite(file) if file.suffix in SQLITE else str(file)))
    return found


def _path(config: Config, value: bool | str) -> Path | None:
    return config.folder / value if isinstance(value, str) else None


def _is_url(value: str) -> bool:
    return "://" in value or value == "databricks"


def _sqlite(file: Path) -> str:
    return f"sqlite:///{file}"
