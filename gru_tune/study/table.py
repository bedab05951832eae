"""The ranked table of a study and its learning curves, as rows and as CSV.

A hyperparameter has the column of its name; one whose name is taken by another column
(``epochs``) has ``hp_`` before it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice, takewhile
from typing import Any

from gru_tune.trial import Epoch, Objective, Status, Trial
from gru_tune.values import Scalar

Row = dict[str, Scalar]

BEFORE = ("rank", "trial", "status")
AFTER = ("best_epoch", "epochs")
SPREAD = "spread"
BASELINE = "baseline"
PARETO = "pareto"
LATENCY = "latency_ms"
ACCUMULATION = "accumulation"
COSTS = {"parameters": "parameters", "seconds": "seconds_per_epoch", "latency": LATENCY}  # their columns
CONFIRMED = (
    "confirmed",
    "confirmed_spread",
    "confirmed_low",
    "confirmed_high",
    "confirmed_runs",
    "optimism",
    "tied",
)
LAST = (
    "parameters",
    "seconds",
    "seconds_compiling",
    "seconds_per_epoch",
    "seed",
    "fast_path",
    "attempts",
    "error",
)


@dataclass(frozen=True)
class Table:
    """What a study's columns are made of."""

    objective: Objective
    hyperparameters: tuple[str, ...]
    finalists: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # as ``study.json`` has them
    pareto: Container[int] = frozenset()  # with two objectives, the trials that no other beats in both

    def columns(self, trials: Iterable[Trial]) -> list[str]:
        """The columns in order; the other metrics are those the trials have."""
        trials = list(trials)
        knobs = [self.column(name) for name in self.hyperparameters]
        metrics = [f"validation_{name}" for name in _metrics(trials) if name != self.objective.name]
        several = [SPREAD] if any(trial.spread is not None for trial in trials) else []
        confirmed = CONFIRMED if self.finalists else ()
        two = [PARETO] if self.objective.cost else []
        measured = [LATENCY] if self.objective.cost == "latency" else []
        divided = [ACCUMULATION] if any(trial.accumulation > 1 for trial in trials) else []
        head = [*BEFORE, self.objective.name, *two, *several, *confirmed, *knobs, *AFTER]
        return [*head, f"last_{self.objective.name}", *metrics, *measured, *divided, *LAST]

    def column(self, hyperparameter: str) -> str:
        """The column of a hyperparameter."""
        return f"hp_{hyperparameter}" if hyperparameter in self._taken else hyperparameter

    @cached_property
    def _taken(self) -> frozenset[str]:
        """The columns that are no hyperparameter's."""
        own = (self.objective.name, f"last_{self.objective.name}")
        return frozenset((*BEFORE, SPREAD, PARETO, LATENCY, ACCUMULATION, *CONFIRMED, *AFTER, *LAST, *own))

    def row(self, trial: Trial, rank: int) -> Row:
        """The cells of one trial; those that do not apply are None or absent."""
        best, last = trial.best, trial.epochs[-1] if trial.epochs else None
        epochs = last.number if last else 0
        row: Row = {"rank": rank, "trial": trial.number, "status": trial.status.value}
        row[self.objective.name] = trial.score
        row[SPREAD] = trial.spread
        if self.objective.cost:
            row |= {PARETO: trial.number in self.pareto, LATENCY: trial.latency}
        if (finalist := self.finalists.get(trial.number)) is not None:
            row |= _confirmed(finalist, self.objective)
        row |= {self.column(name): value for name, value in trial.values.items()}
        row |= {"best_epoch": best.number if best else None, "epochs": epochs}
        row[f"last_{self.objective.name}"] = _metric(last, self.objective.name)
        for name in best.validation if best else ():
            if name != self.objective.name:
                row[f"validation_{name}"] = _metric(best, name)
        row |= {"parameters": trial.parameters, "seconds": round(trial.seconds, 3)}
        row["seconds_compiling"] = round(trial.compiling, 3)
        per_epoch = trial.epoch_seconds
        row["seconds_per_epoch"] = None if per_epoch is None else round(per_epoch, 4)
        row |= {"seed": trial.seed, "fast_path": trial.fast_path, "attempts": trial.attempts}
        row |= {ACCUMULATION: trial.accumulation, "error": trial.error}
        return row

    def csv(self, ranked: Sequence[Trial], baselines: Mapping[str, Mapping[str, float]] | None = None) -> str:
        """The text of ``trials.csv``; the baselines, by name with their validation metrics, have rows of their own."""
        columns = self.columns(ranked)
        rows = [self.row(trial, rank) for rank, trial in enumerate(ranked, start=1)]
        for name, metrics in (baselines or {}).items():
            known = {f"validation_{metric}": value for metric, value in metrics.items()}
            score = metrics.get(self.objective.name)
            rows.append({"status": BASELINE, "baseline": name, **known, self.objective.name: score})
        return to_csv([*columns, "baseline"] if baselines else columns, rows)


def _confirmed(finalist: Mapping[str, Any], objective: Objective) -> Row:
    low, high = finalist["interval"] or (None, None)
    search, mean = finalist["search"], finalist["mean"]
    # How much better the search saw it: positive, whichever way is better.
    optimism = None if search is None else objective.sort_key(mean) - objective.sort_key(search)
    return {
        "confirmed": finalist["mean"], "confirmed_spread": finalist["spread"], "confirmed_low": low,
        "confirmed_high": high, "confirmed_runs": len(finalist["scores"]), "optimism": optimism, "tied": finalist["tied"],
    }  # fmt: skip


def rank(trials: Iterable[Trial], objective: Objective) -> list[Trial]:
    """Best first: completed trials by score, the earlier of equals first; failed ones last."""
    return sorted(trials, key=partial(place, objective))


def best(ranked: Iterable[Trial], count: int) -> list[Trial]:
    """The first ``count`` of ``rank``, without those that failed."""
    return list(islice(takewhile(lambda trial: trial.score is not None, ranked), count))


def place(objective: Objective, trial: Trial) -> tuple[bool, float, int, int]:
    """Ascending order of this is the order of ``rank``."""
    score = trial.score
    return score is None, 0.0 if score is None else objective.sort_key(score), trial.number, trial.repeat


def curve_columns(trials: Iterable[Trial]) -> list[str]:
    """The columns of ``curves.csv``: every metric that any of these trials has."""
    train: dict[str, None] = {}
    validation: dict[str, None] = {}
    for trial in trials:
        for epoch in trial.epochs[:1]:
            train |= dict.fromkeys(f"train_{name}" for name in epoch.train)
            validation |= dict.fromkeys(f"validation_{name}" for name in epoch.validation)
    return ["trial", "repeat", "epoch", *train, *validation, "seconds", "seconds_compiling"]


def curve_rows(trial: int, repeat: int, epochs: Iterable[Epoch]) -> list[Row]:
    """The rows of ``curves.csv`` for some epochs of one run."""
    return [
        {
            "trial": trial,
            "repeat": repeat,
            "epoch": epoch.number,
            **{f"train_{name}": _finite(value) for name, value in epoch.train.items()},
            **{f"validation_{name}": _finite(value) for name, value in epoch.validation.items()},
            "seconds": round(epoch.seconds, 4),
            "seconds_compiling": round(epoch.compiling, 4),
        }
        for epoch in epochs
    ]


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Scalar]], header: bool = True) -> str:
    """CSV text with ``\\n`` line ends; None is an empty cell, booleans are ``true`` and ``false``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def failed(trials: Iterable[Trial]) -> int:
    """How many of the trials failed."""
    return sum(trial.status is Status.FAILED for trial in trials)


def _metrics(trials: Iterable[Trial]) -> list[str]:
    names: dict[str, None] = {}
    for trial in trials:
        best = trial.best
        if best:
            names |= dict.fromkeys(best.validation)
    return list(names)


def _metric(epoch: Epoch | None, name: str) -> float | None:
    return None if epoch is None else _finite(epoch.validation.get(name))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _cell(value: Scalar) -> str | int | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
