"""What the best trials share, and where they differ, and in what they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gru_tune.report.numbers import value
from gru_tune.report.read import Study
from gru_tune.trial import Trial
from gru_tune.values import Scalar

MOST = 10
LEAST = 10  # trials with a score, below which what the best share is chance
FEW = 5  # different values of a number that are counted one by one
SHOWN = 3  # of them in words
UNUSED = "–"  # where a hyperparameter is not in force


@dataclass(frozen=True)
class Difference:
    """The values of one hyperparameter among the best trials, and among all.

    Each is ``{"range": [low, high]}`` for a number with more than a few values, else
    ``{"counts": {value: trials}}``, the most frequent first.
    """

    hyperparameter: str
    top: dict[str, Any]
    all: dict[str, Any]

    @property
    def shared(self) -> bool:
        """Whether all of the best trials have the same value."""
        return len(self.top.get("counts", ())) == 1


def best(study: Study) -> Sequence[Trial]:
    """The trials that count as the best: ten, or half of fewer than twenty; none of fewer than ten."""
    scored = [trial for trial in study.ranked if trial.score is not None]
    return scored[: min(MOST, len(scored) // 2)] if len(scored) >= LEAST else []


def differences(study: Study) -> list[Difference]:
    """Of every hyperparameter that differs between the trials; those the best share come first."""
    top = best(study)
    if not top:
        return []
    found = []
    for name in study.varied:
        every = [trial.values.get(name) for trial in study.ranked]
        ranged = _numbers(every) and len(set(every)) > FEW
        describe = _range if ranged else _counts
        found.append(Difference(name, describe(top, name), describe(study.ranked, name)))
    return sorted(found, key=lambda one: not one.shared)


def cells(study: Study) -> list[dict[str, str]]:
    """A row a hyperparameter, in words; empty for too few trials."""
    top, every = len(best(study)), len(study.ranked)
    return [
        {
            "": study.table.column(one.hyperparameter),
            f"best {top}": _said(one.top, top),
            f"all {every:,}": _said(one.all, every),
        }
        for one in differences(study)
    ]


def _said(seen: dict[str, Any], trials: int) -> str:
    if "range" in seen:
        return " to ".join(value(edge) for edge in seen["range"])
    counts: dict[str, int] = seen["counts"]
    if len(counts) == 1:
        return f"all {next(iter(counts))}"
    shown = [f"{text} ({100 * count / trials:.0f} %)" for text, count in list(counts.items())[:SHOWN]]
    return ", ".join([*shown, *(["…"] if len(counts) > SHOWN else [])])


def _counts(trials: Sequence[Trial], name: str) -> dict[str, Any]:
    texts = (value(trial.values[name]) if name in trial.values else UNUSED for trial in trials)
    return {"counts": dict(Counter(texts).most_common())}


def _range(trials: Sequence[Trial], name: str) -> dict[str, Any]:
    known = [trial.values[name] for trial in trials if name in trial.values]
    if len(set(known)) < 2:
        return _counts(trials, name)
    return {"range": [min(known), max(known)]}  # type: ignore[type-var]


def _numbers(values: Sequence[Scalar]) -> bool:
    """Whether all are numbers; None is where the hyperparameter is not in force."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None)
