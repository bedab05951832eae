"""Hyperparameters whose best values crowd at an end of what was searched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gru_tune.errors import dotted
from gru_tune.knobs import Knob, knob_of
from gru_tune.report.numbers import value
from gru_tune.report.read import Study
from gru_tune.trial import Trial
from gru_tune.values import Scalar

FEW = 10  # trials with a score, below which nothing is said of the search as a whole
TOP, LEAST = 0.1, 5  # share of the trials that are called the best ones, and how many at least
MOSTLY = 0.6  # share of the best ones that makes a rule
EDGE = 0.1  # of a range, that counts as its end
CROWD = (
    1.5  # how much more frequent the best ones are at an end than the trials before the strategy had learned
)


def edges(study: Study) -> dict[str, str]:
    """Of every hyperparameter whose best values crowd at an end of its range, which could be moved, a sentence."""
    trials = scored(study)
    if len(trials) < FEW or study.winner is None:
        return {}
    space: Mapping[str, Mapping[str, Any]] = study.asked.get("space") or {}
    found = {name: _edge(study, trials, name, domain) for name, domain in space.items()}
    return {name: text for name, text in found.items() if text}


def place(name: str) -> str:
    """Where a hyperparameter stands in a config: ``training.learning_rate``, ``model.units (layer 2)`` for ``units_2``."""
    knob = _knob(name)
    if knob is None:
        return name
    layer = name.removeprefix("units_") if name != knob.name else ""
    return dotted(knob.path) + (f" (layer {layer})" if layer else "")


def scored(study: Study) -> list[Trial]:
    """The trials with a score, best first by the search."""
    found = [trial for trial in study.ranked if trial.score is not None]
    return sorted(found, key=lambda trial: study.objective.sort_key(trial.score or 0.0))


def top(trials: Sequence[Trial], least: int = LEAST) -> Sequence[Trial]:
    """The first of trials that are sorted, so many that they stand for the best ones."""
    return trials[: max(least, math.ceil(TOP * len(trials)))]


def _edge(study: Study, trials: Sequence[Trial], name: str, domain: Mapping[str, Any]) -> str:
    assert study.winner is not None
    first = [trial for trial in top(trials) if name in trial.values]
    knob = _knob(name)
    ends = _ends(domain)
    if not knob or not ends or len(first) < LEAST or name not in study.winner.values:
        return ""
    low, high = ends
    log = bool(domain.get("log"))
    # A strategy that learns crowds where the best ones are: only the first half says what is usual.
    begun = sorted(trials, key=lambda trial: trial.number)[: len(trials) // 2]
    known = [trial for trial in begun if name in trial.values]
    for upper in (False, True):

        def near(trial: Trial, upper: bool = upper) -> bool:
            share = _share(trial.values[name], low, high, log)
            return share >= 1 - EDGE if upper else share <= EDGE

        crowd, usual = sum(map(near, first)), sum(map(near, known))
        rare = crowd * len(known) < CROWD * usual * len(first)
        if not near(study.winner) or crowd < MOSTLY * len(first) or rare:
            continue
        if wider := _wider(domain, knob, upper):
            end = "upper" if upper else "lower"
            return (
                f"{name}: the winner ({value(study.winner.values[name])}) and {crowd} of the best "
                f"{len(first)} trials are at the {end} end of what was searched; widen it: {place(name)}: {wider}."
            )
    return ""


def _wider(domain: Mapping[str, Any], knob: Knob, upper: bool) -> str:
    """The domain beyond one end as the config writes it; empty where the knob allows no more."""
    ends = _ends(domain)
    assert ends is not None
    low, high = ends
    whole = knob.type is int
    if domain.get("log") or "choice" in domain or (whole and low > 0):
        factor = 3.0 if domain.get("log") and not whole else 2.0
        far = high * factor if upper else low / factor
    else:
        far = high + (high - low) / 2 if upper else low - (high - low) / 2
    if step := domain.get("step"):  # the others keep their places
        end = high if upper else low
        far = end + step * (max(round(abs(far - end) / step), 1) if upper else -1)
    far = int(far) if whole else float(f"{far:.2g}")
    if step and far != _allowed(far, knob):
        return ""
    far = _allowed(far, knob)
    if not (far > high if upper else far < low):
        return ""
    if "choice" in domain:
        options = [*domain["choice"], far] if upper else [far, *domain["choice"]]
        return f"{{choice: [{', '.join(map(value, options))}]}}"
    kind = "int" if "int" in domain else "log" if "log" in domain else "float"
    span = f"{kind}: [{value(low)}, {value(far)}]" if upper else f"{kind}: [{value(far)}, {value(high)}]"
    step = f", step: {value(domain['step'])}" if "step" in domain else ""
    return f"{{{span}{step}{', log: true' if whole and domain.get('log') else ''}}}"


def _allowed(far: float, knob: Knob) -> float:
    """The nearest number that the knob can take; NaN where there is none nearest, since its bound is excluded."""
    if knob.low is not None:
        far = max(far, knob.low)
    if knob.high is not None:
        far = min(far, knob.high)
    outside = (knob.above is not None and far <= knob.above) or (knob.below is not None and far >= knob.below)
    return math.nan if outside else far


def _ends(domain: Mapping[str, Any]) -> tuple[float, float] | None:
    """The least and the most of a range or of a choice of numbers; None for others."""
    if "choice" in domain:
        options = domain["choice"]
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in options)
        return (min(options), max(options)) if numbers and len(options) > 1 else None
    ends = domain.get("int") or domain.get("float") or domain["log"]
    return (ends[0], ends[1]) if ends[0] < ends[1] else None


def _share(given: Scalar, low: float, high: float, log: bool) -> float:
    """How far along a range a value is, from 0 to 1."""
    assert isinstance(given, int | float)
    if log:
        return (math.log(given) - math.log(low)) / (math.log(high) - math.log(low))
    return (given - low) / (high - low)


def _knob(name: str) -> Knob | None:
    try:
        return knob_of(name)
    except KeyError:
        return None
