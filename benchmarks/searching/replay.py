"""A search on a problem, replayed in seconds: what it had found after how many epochs, and at what time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.searching import rivals
from benchmarks.searching.functions import functions
from benchmarks.searching.problems import Problem, recorded
from gru_tune import strategies
from gru_tune.strategies import Proposal

Numbers = NDArray[np.float64]
Axis = Literal["epochs", "seconds"]
STOPPERS = (None, "asha", "hyperband", "median")
FOREVER = 1e9  # minutes: the replay ends a search, not the search itself


class Search(Protocol):
    """Of a strategy, what a replay needs; rivals have no more."""

    def ask(self) -> Proposal | Literal["wait"] | None: ...

    def tell(self, trial: int, score: float | None, /) -> None: ...


@dataclass(frozen=True)
class Contender:
    """A way to search: of gru-tune (``tool`` is empty) a strategy and its stopper."""

    tool: str
    name: str
    stopper: str | None = None

    @property
    def label(self) -> str:
        """Such as ``tpe+asha`` or ``Optuna median``."""
        return f"{self.tool} {self.name}".strip() + (f"+{self.stopper}" if self.stopper else "")

    def create(self, problem: Problem, seed: int) -> Search:
        if self.tool == "KerasTuner":
            return rivals.KerasTunerSearch(
                self.name, problem, 1000 * seed
            )  # neighbouring seeds overlap there
        if self.tool == "Optuna":
            return rivals.OptunaSearch(self.name, problem, seed)
        section = strategies.STRATEGIES[self.name].model_validate(
            {"strategy": self.name, "trials": None, "minutes": FOREVER, "seed": seed, "stopper": self.stopper}
        )
        return strategies.create(section, problem.space, problem.objective, problem.epochs)


def contenders(problem: Problem) -> list[Contender]:
    """All that make sense on a problem: no early stopping where there is one epoch, no grid of an endless space."""
    early = problem.epochs > 1
    names = [name for name in strategies.STRATEGIES if name not in ("grid", "hyperband")]
    own = [Contender("", name, stopper) for name in names for stopper in (STOPPERS if early else (None,))]
    own += [Contender("", "hyperband")] * early
    own += [Contender("", "grid")] * math.isfinite(problem.space.size)
    stock = [Contender("KerasTuner", name) for name in rivals.KERASTUNER if early or name != "Hyperband"]
    pruned = [Contender("Optuna", name) for name in rivals.OPTUNA if early or name == "no pruner"]
    return own + stock + pruned


@dataclass(frozen=True)
class Trace:
    """What a search had in hand whenever a proposal was done: each (proposals,).

    ``cost`` is the best score told so far, as a cost: lower is better.
    """

    epochs: Numbers
    seconds: Numbers
    cost: Numbers


def replay(search: Search, problem: Problem, epochs: int, workers: int = 1) -> Trace:
    """Ask and tell until so many epochs are trained, or the optimum is in hand.

    Every worker trains one proposal at a time, for its recorded seconds.
    """
    clock, spent, best = 0.0, 0, math.inf
    lowest = problem.objective.sort_key(problem.optimum)
    flying: list[tuple[float, int, Proposal]] = []  # when it will be done, in which order it was asked
    asked = 0
    seen: list[tuple[float, float, float]] = []
    while spent < epochs and best > lowest:
        while len(flying) < workers and isinstance(proposal := search.ask(), Proposal):
            asked += 1
            seconds = problem.train(proposal.values).seconds[proposal.first_epoch : proposal.last_epoch]
            heapq.heappush(flying, (clock + float(np.nansum(seconds)), asked, proposal))
        if not flying:
            break
        clock, _, done = heapq.heappop(flying)
        score = problem.best(done.values, done.last_epoch)
        search.tell(done.trial, score if math.isfinite(score) else None)
        spent += done.last_epoch - done.first_epoch
        if math.isfinite(score):
            best = min(best, problem.objective.sort_key(score))
        seen.append((spent, clock, best))
    columns = np.array(seen, dtype=float).T
    return Trace(columns[0], columns[1], columns[2])


def run(problem: str, contender: Contender, seed: int, epochs: int, workers: int) -> Trace:
    """One replay, by the names of things, so that it can be sent to another process."""
    known = named(problem)
    return replay(contender.create(known, seed), known, epochs, workers)


@cache
def named(problem: str) -> Problem:
    """A problem by its name: a function's, that of a table, or ``TABLE, METRIC``."""
    for function in functions():
        if function.name == problem:
            return function
    table, _, metric = problem.partition(", ")
    return recorded(table, metric or None)


def at(traces: Sequence[Trace], axis: Axis, budget: float) -> Numbers:
    """The cost that each search had in hand when so much was spent; infinite before its first score."""
    places = [int(np.searchsorted(getattr(t, axis), budget, side="right")) for t in traces]
    return np.array(
        [t.cost[place - 1] if place else math.inf for t, place in zip(traces, places, strict=True)]
    )


def needed(traces: Sequence[Trace], axis: Axis, target: float) -> float:
    """What had been spent when the median of the searches first reached a cost; infinite if it never did."""
    moments = np.unique(np.concatenate([getattr(trace, axis) for trace in traces]))
    low, high = 0, len(moments)
    while low < high:  # medians of costs that only fall
        middle = (low + high) // 2
        if np.median(at(traces, axis, moments[middle])) <= target:
            high = middle
        else:
            low = middle + 1
    return float(moments[low]) if low < len(moments) else math.inf
