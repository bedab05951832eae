"""What a study measures: its objective and its metrics, once the data are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gru_tune.errors import ConfigError, Problem
from gru_tune.tasks import TASKS
from gru_tune.trial import Objective
from gru_tune.wording import listed, show, suggest

if TYPE_CHECKING:
    from gru_tune.config import Config


@dataclass(frozen=True)
class Aims:
    """The objective, and every metric the tables show (the objective among them)."""

    objective: Objective
    metrics: tuple[str, ...]


def aims(config: Config, target: str) -> Aims:
    """The aims of a config for data with this ``Dataset.target``.

    Raises ``ConfigError`` for a metric the task does not have for such data.
    """
    task = TASKS[config.task]
    known = task.metrics(target)
    name = config.search.objective or task.default_objective(target)
    wanted = config.metrics if config.metrics is not None else tuple(known)
    problems = [] if name in known else [_unknown(("search", "objective"), name, known)]
    problems += [_unknown(("metrics", i), m, known) for i, m in enumerate(wanted) if m not in known]
    if problems:
        raise ConfigError(problems)
    return Aims(Objective(name, known[name]), tuple(dict.fromkeys((name, *wanted))))


def _unknown(path: tuple[str | int, ...], name: str, known: Mapping[str, object]) -> Problem:
    text = f"there is no metric {show(name)} for these data{suggest(name, known)} (there are {listed(known, 'and')})"
    return Problem(path, text)
