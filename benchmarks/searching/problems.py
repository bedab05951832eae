"""What is searched: a recorded table of trainings, or a function with a known optimum."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gru_tune import config
from gru_tune.space import Hyperparameter, Space, Values, key
from gru_tune.trial import Objective
from gru_tune.values import Scalar

TABLES = Path(__file__).resolve().parent.parent / "recorded"


@dataclass(frozen=True)
class Curve:
    """The training of one configuration: score and seconds of every epoch, each (epochs,)."""

    scores: NDArray[np.float64]
    seconds: NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A space whose every configuration has a known training; ``optimum`` is the best score of all."""

    name: str
    space: Space
    objective: Objective
    epochs: int
    train: Callable[[Values], Curve]
    optimum: float

    def best(self, values: Values, epochs: int) -> float:
        """The best finite score of the first ``epochs`` epochs; infinitely bad where there is none."""
        scores = self.train(values).scores[:epochs]
        return best(scores[np.isfinite(scores)], self.objective)


def best(scores: NDArray[np.float64], objective: Objective) -> float:
    """The best of the scores; infinitely bad where there are none."""
    return float(
        scores.max(initial=-math.inf) if objective.direction == "max" else scores.min(initial=math.inf)
    )


def recorded(name: str, metric: str | None = None, folder: Path = TABLES) -> Problem:
    """The table that ``record`` has written for the config of this name.

    ``metric`` is one of the table's columns, by default the config's own objective.
    """
    given = config.load(folder / f"{name}.yaml")
    metric = metric or given.search.objective
    assert metric is not None, f"{name}.yaml names no objective"
    objective = Objective(metric, "max" if metric == "accuracy" else "min")
    curves = _curves(folder / f"{name}.csv.gz", given.space, metric)
    everything = np.concatenate([curve.scores for curve in curves.values()])
    return Problem(
        f"{name}, {metric}",
        given.space,
        objective,
        len(next(iter(curves.values())).scores),
        lambda values: curves[key(values)],
        best(everything[np.isfinite(everything)], objective),
    )


@lru_cache
def _curves(path: Path, space: Space, metric: str) -> dict[str, Curve]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    for row in rows:
        values = {hp.name: _parse(hp, row[hp.name]) for hp in space.hyperparameters if row[hp.name]}
        scores.setdefault(key(values), []).append(float(row[metric] or math.nan))
        seconds.setdefault(key(values), []).append(float(row["seconds"]))
    return {name: Curve(np.array(scores[name]), np.array(seconds[name])) for name in scores}


def _parse(hp: Hyperparameter, text: str) -> Scalar:
    return next(value for value in hp.domain.values() if str(value) == text)
