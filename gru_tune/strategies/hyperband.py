"""Hyperband: many trials for a few epochs, the best of them for more.

Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A Novel Bandit-Based
Approach to Hyperparameter Optimization", JMLR 18 (2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from gru_tune.errors import Problem
from gru_tune.space import Space
from gru_tune.strategies.base import Known, SearchSection, Strategy, Work, amount
from gru_tune.trial import Objective


class HyperbandSearch(SearchSection):
    """Trains many trials for few epochs and goes on with the best; training.epochs is the most one gets."""

    YOUNGER: ClassVar[frozenset[str]] = SearchSection.YOUNGER - {"factor"}
    WEIGHS: ClassVar[bool] = False

    strategy: Literal["hyperband"] = "hyperband"

    def problems(self, space: Space) -> list[Problem]:
        found = super().problems(space)
        if any(hp.name == "epochs" for hp in space.hyperparameters):
            text = "hyperband shares out the epochs itself: give one number, the most a trial may have"
            found.append(Problem(("training", "epochs"), text))
        return found

    def describe(self, space: Space, epochs: int) -> str:
        limit = self.limit(space)
        rungs = _words([last for _, last in next(brackets(epochs, self.factor))])
        text = f"{self.strategy}: {amount(self, space)} in rungs of {rungs} epochs"
        if limit is None:
            return text
        return f"{text}, about {total_epochs(limit, epochs, self.factor):,} epochs in all"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        from gru_tune.strategies._halving import HyperbandOracle
        from gru_tune.strategies._search import OracleSearch

        oracle = HyperbandOracle(space, objective, self.seed, self.trials, epochs, self.factor)
        return OracleSearch(oracle, self.try_first)


Rungs = list[tuple[int, int]]


def brackets(epochs: int, factor: int) -> Iterator[Rungs]:
    """The brackets in order, again and again: rungs of (trials, epochs reached), widest bracket first."""
    deepest = 0
    while factor ** (deepest + 1) <= epochs:
        deepest += 1
    while True:
        for number in range(deepest, -1, -1):
            yield [
                (size(epochs, factor, deepest, number, rung), -(-epochs // factor ** (number - rung)))
                for rung in range(number + 1)
            ]


def size(epochs: int, factor: int, deepest: int, bracket: int, rung: int) -> int:
    """Trials in a rung, such that every bracket costs about the same."""
    ends = deepest + (
        1 if factor**deepest == epochs else 2
    )  # of bracket 0: 1 + log(epochs) to the base of factor, rounded up
    return int(-(-ends * factor ** (bracket - rung) // (bracket + 1)))


def shrunk(planned: list[int], first: int) -> list[int]:
    """The sizes of a bracket's rungs when only ``first`` trials begin it."""
    return [-(-first * count // planned[0]) for count in planned]


def total_epochs(trials: int, epochs: int, factor: int) -> int:
    """Epochs that a search of so many trials trains when none of them fails or stops early."""
    total = 0
    for rungs in brackets(epochs, factor):
        first = min(trials, rungs[0][0])
        sizes, before = shrunk([count for count, _ in rungs], first), 0
        for count, (_, last) in zip(sizes, rungs, strict=True):
            total += count * (last - before)
            before = last
        trials -= first
        if not trials:
            break
    return total


def _words(numbers: list[int]) -> str:
    parts = [str(number) for number in numbers]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
