"""What a study measures: its objective and its metrics, once the data are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gru_tune.tasks import TASKS
from gru_tune.trial import Objective

if TYPE_CHECKING:
    from gru_tune.config import Config


@dataclass(frozen=True)
class Aims:
    """The objective, and every metric the tables show (the objective among them)."""

    objective: Objective
    metrics: tuple[str, ...]


def aims(config: Config, target: str) -> Aims:
    """The aims of a config for data with this ``Dataset.target``; the config must fit the data."""
    task = TASKS[config.task]
    known = task.metrics(target)
    name = config.search.metric[1] or task.default_objective(target)
    cost = config.search.objectives[1] if config.search.objectives else None
    wanted = known if config.metrics is None else config.metrics
    return Aims(Objective(name, known[name], cost), tuple(dict.fromkeys((name, *wanted))))
