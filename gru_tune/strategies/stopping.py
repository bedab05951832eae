"""The rules by which trials climb from rung to rung of their epochs, or stay behind.

A trial that stays behind is never told to end: it is only not trained further.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from gru_tune.strategies.rungs import STARTUP, shares


class Rule(Protocol):
    """Which trials go on. Scores come as costs: lower is better, infinite for a failure."""

    def enter(self, trial: int) -> None:
        """A new trial has begun its first rung."""

    def rung(self, trial: int) -> tuple[int, int, bool]:
        """Epochs that the trial's next stretch begins after and reaches, and whether more may follow."""

    def reached(self, trial: int, cost: float) -> None:
        """The trial in training has reached the end of its stretch."""

    def next(self, last: bool) -> int | None:
        """A trial to go on with now; ``last``: nothing is in training and no new trial will come."""

    def climb(self, trial: int) -> None:
        """The trial begins its next stretch; raises ``ValueError`` for one that has none."""

    def finished(self, trial: int) -> bool:
        """Whether a trial that is not in training will not go on."""


@dataclass
class Bracket:
    """Asynchronous successive halving: of every rung, one in ``factor`` goes on, at any time.

    Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar, "A System for
    Massively Parallel Hyperparameter Tuning", MLSys 2020. As published, whatever is among the
    best one in ``factor`` goes on: more than one in so many, since those that went on too early count
    for nothing, and nearly all where a strategy gets better and better. ``strict`` lets no
    more go on, the best first. When no more trials come, the best of a rung goes on even where
    there are fewer, so that one trial is trained in full.
    """

    rungs: Sequence[int]
    factor: int
    cap: int | None  # trials there will be, at most
    strict: bool = False
    costs: list[list[tuple[float, int]]] = field(init=False)  # of every rung: sorted, with the trial
    climbed: list[set[int]] = field(init=False)  # of every rung: the trials that went on
    places: dict[int, int] = field(default_factory=dict)  # the rung of every trial, in training or reached
    latest: dict[int, float] = field(
        default_factory=dict
    )  # the cost of every trial at the rung it reached last

    def __post_init__(self) -> None:
        self.costs = [[] for _ in self.rungs]
        self.climbed = [set() for _ in self.rungs]

    def enter(self, trial: int) -> None:
        self.places[trial] = 0

    def rung(self, trial: int) -> tuple[int, int, bool]:
        return _stretch(self.rungs, self.places[trial])

    def reached(self, trial: int, cost: float) -> None:
        insort(self.costs[self.places[trial]], (cost, trial))
        self.latest[trial] = cost

    def next(self, last: bool) -> int | None:
        for place in range(len(self.rungs) - 2, -1, -1):
            climbed, most = self.climbed[place], max(len(self.costs[place]) // self.factor, int(last))
            # One that has failed since leaves its place to another.
            alive = [trial for _, trial in self.costs[place] if math.isfinite(self.latest[trial])]
            if self.strict and sum(trial in climbed for trial in alive) >= most:
                continue
            for trial in alive[:most]:
                if trial not in climbed:
                    return trial
        return None

    def climb(self, trial: int) -> None:
        if self.places[trial] + 1 == len(self.rungs):
            raise ValueError(f"trial {trial} is on the last rung")
        self.climbed[self.places[trial]].add(trial)
        self.places[trial] += 1

    def finished(self, trial: int) -> bool:
        place, cost = self.places[trial], self.latest[trial]
        # Those before it in its rung will not become fewer.
        before = bisect_left(self.costs[place], (cost, trial))
        most = None if self.cap is None else max(self.cap, len(self.places))
        left_behind = most is not None and before >= max(most // self.factor, 1)
        return left_behind or not math.isfinite(cost) or place + 1 == len(self.rungs)


class Halving:
    """One bracket, or several that begin on different rungs: then it is asynchronous Hyperband.

    New trials are shared out so that all brackets cost about the same: Li, Jamieson, DeSalvo,
    Rostamizadeh and Talwalkar, "Hyperband", JMLR 18 (2018), section 3.
    """

    def __init__(self, rungs: Sequence[int], factor: int, cap: int | None, all_brackets: bool) -> None:
        self._shares = shares(rungs) if all_brackets else [1.0]
        # With few trials a bracket, a strict count starves the upper rungs (benchmarks/RESULTS.md).
        strict = not all_brackets
        self._brackets = [Bracket(rungs[start:], factor, cap, strict) for start in range(len(self._shares))]
        self._of: dict[int, Bracket] = {}

    def enter(self, trial: int) -> None:
        # The one that is furthest behind its share.
        lags = [
            share * (len(self._of) + 1) - len(bracket.places)
            for share, bracket in zip(self._shares, self._brackets, strict=True)
        ]
        self._of[trial] = self._brackets[lags.index(max(lags))]
        self._of[trial].enter(trial)

    def rung(self, trial: int) -> tuple[int, int, bool]:
        return self._of[trial].rung(trial)

    def reached(self, trial: int, cost: float) -> None:
        self._of[trial].reached(trial, cost)

    def next(self, last: bool) -> int | None:
        return next((t for b in self._brackets if (t := b.next(last)) is not None), None)

    def climb(self, trial: int) -> None:
        self._of[trial].climb(trial)

    def finished(self, trial: int) -> bool:
        return self._of[trial].finished(trial)


class Median:
    """A trial ends where it is worse than the median of the trials that went to the end, at the same epoch.

    Golovin, Solnik, Moitra, Kochanski, Karro and Sculley, "Google Vizier", KDD 2017, section
    3.2.2. Scores are the best so far on either side.
    """

    def __init__(self, rungs: Sequence[int]) -> None:
        self._rungs = rungs
        self._costs: dict[int, list[float]] = {}  # of every trial: at the rungs it reached
        self._complete: list[list[float]] = []  # the same, of the trials that reached the last
        self._going: deque[int] = deque()

    def enter(self, trial: int) -> None:
        self._costs[trial] = []

    def rung(self, trial: int) -> tuple[int, int, bool]:
        return _stretch(self._rungs, len(self._costs[trial]))

    def reached(self, trial: int, cost: float) -> None:
        costs = self._costs[trial]
        costs.append(cost)
        if len(costs) == len(self._rungs):
            self._complete.append(costs)
        elif math.isfinite(cost) and not self._behind(costs):
            self._going.append(trial)

    def _behind(self, costs: list[float]) -> bool:
        others = [other[len(costs) - 1] for other in self._complete]
        return len(others) >= STARTUP and costs[-1] > median(others)

    def next(self, last: bool) -> int | None:
        return self._going[0] if self._going else None

    def climb(self, trial: int) -> None:
        self._going.remove(trial)

    def finished(self, trial: int) -> bool:
        return trial not in self._going


def _stretch(rungs: Sequence[int], place: int) -> tuple[int, int, bool]:
    return rungs[place - 1] if place else 0, rungs[place], place + 1 < len(rungs)
