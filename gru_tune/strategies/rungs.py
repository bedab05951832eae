"""What the stoppers' rungs are, what they cost, and when they cannot help: all that is known beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from gru_tune.errors import Problem
from gru_tune.space import Space
from gru_tune.strategies.base import SearchSection
from gru_tune.wording import listed, plural

MEDIAN_FACTOR = 1.5  # the epochs of a rung of the median rule, in those of the one below
STARTUP = 5  # trials that must have reached the end before the median rule compares with them


def rungs(search: SearchSection, epochs: int) -> list[int]:
    """The epochs of the rungs, ascending: a factor between each two, up to ``epochs``.

    With factor 3 and 27 epochs: 1, 3, 9 and 27. None is below ``min_epochs``.
    """
    if search.stopper == "median":
        factor, count = MEDIAN_FACTOR, math.ceil(math.log(epochs, MEDIAN_FACTOR))
    else:
        factor, count = search.factor, int(math.log(epochs, search.factor) + 1e-9)
    steps = {math.ceil(epochs / factor**below - 1e-9) for below in range(count + 1)}
    return sorted(step for step in steps if step >= min(search.min_epochs, epochs))


def shares(rungs: Sequence[int]) -> list[float]:
    """The share of the trials that begins on each rung, such that all brackets cost about the same."""
    sizes = [1 / (len(rungs) - start) / epochs for start, epochs in enumerate(rungs)]
    return [size / sum(sizes) for size in sizes]


def expected_epochs(search: SearchSection, trials: int, epochs: int) -> float:
    """Epochs that a search of so many trials trains when none fails; at most, with the median rule."""
    if search.stopper is None or search.stopper == "median":
        return float(trials * epochs)
    steps = rungs(search, epochs)
    parts = shares(steps) if search.stopper == "hyperband" else [1.0]
    return sum(_climbing(trials * part, steps[start:], search.factor) for start, part in enumerate(parts))


def describe(search: SearchSection, trials: int | None, epochs: int) -> str:
    """What the stopper does, in words; empty without one."""
    if search.stopper is None:
        return ""
    steps = rungs(search, epochs)
    if search.stopper == "median":
        return f"; median: looks at the trials after {listed(steps[:-1], 'and')} of {epochs} epochs"
    text = f"; {search.stopper}: rungs of {listed(steps, 'and')} epochs"
    if trials is None:
        return text
    return f"{text}, about {expected_epochs(search, trials, epochs):,.0f} epochs in all instead of {trials * epochs:,}"


def doubt(search: SearchSection, trials: int | None, epochs: int) -> str | None:
    """Why the stopper can hardly help, where that is known beforehand."""
    if search.stopper is None or trials is None:
        return None
    needed = 2 * STARTUP if search.stopper == "median" else search.factor**2
    if trials < needed:
        return (
            f"{search.stopper} can hardly help with {plural(trials, 'trial')}: it needs {needed} or more to compare; "
            "raise search.trials, or leave search.stopper out"
        )
    if len(rungs(search, epochs)) == 2:
        return (
            f"{search.stopper} looks at the trials only once, after {plural(rungs(search, epochs)[0], 'epoch')}: "
            "raise training.epochs, or leave search.stopper out"
        )
    return None


def problems(search: SearchSection, space: Space, epochs: int) -> list[Problem]:
    """What keeps the stopper from being used."""
    if search.stopper is None:
        return []
    if search.strategy == "hyperband":
        text = "hyperband ends bad trials itself: leave the stopper out, or take another strategy"
        return [Problem(("search", "stopper"), text)]
    if any(hp.name == "epochs" for hp in space.hyperparameters):
        text = f"{search.stopper} shares out the epochs itself: give one number, the most a trial may have"
        return [Problem(("training", "epochs"), text)]
    if len(rungs(search, epochs)) < 2:
        least = search.min_epochs * (1 if search.stopper == "median" else search.factor)
        text = f"{search.stopper} cannot end a trial early in {plural(epochs, 'epoch')}"
        if len(rungs(search.model_copy(update={"min_epochs": 1}), epochs)) > 1:
            text += f" of which every trial gets {min(search.min_epochs, epochs)}: give less, or raise training.epochs"
            return [Problem(("search", "min_epochs"), text)]
        return [Problem(("training", "epochs"), f"{text}: it needs at least {max(least, 2)}")]
    return []


def _climbing(trials: float, rungs: Sequence[int], factor: int) -> float:
    total = trials * rungs[0]
    for below, above in pairwise(rungs):
        trials = max(trials / factor, min(trials, 1.0))
        total += trials * (above - below)
    return total
