"""Two objectives: the trials that no other beats in score and cost, and which of them wins.

Deb, "Multi-Objective Optimization Using Evolutionary Algorithms", Wiley 2001, chapter 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gru_tune.study.table import best
from gru_tune.trial import Objective, Trial

WITHIN = 0.01  # of the best score, that a cheap rival may be away from it
ROUNDING = 1e-9  # 0.99 is within 1 % of 1

Point = tuple[float, float]  # cost and score, less is better in both


def point(trial: Trial) -> Point | None:
    """Where a trial stands; the cost is 0 with one objective. None for a failed trial."""
    cost = trial.cost if trial.objective.cost else 0.0
    if trial.score is None or cost is None:
        return None
    return cost, trial.objective.sort_key(trial.score)


def as_good(a: Point, b: Point) -> bool:
    """Whether ``a`` is at least as good as ``b`` in both."""
    return a[0] <= b[0] and a[1] <= b[1]


def front(trials: Iterable[Trial]) -> list[Trial]:
    """The Pareto set: what no other trial beats in one objective without losing in the other; cheapest first."""
    pairs = [(place, trial) for trial in trials if (place := point(trial)) is not None]
    found: list[tuple[Point, Trial]] = []
    for place, trial in sorted(pairs, key=lambda pair: (pair[0], pair[1].number)):
        # Whatever beats it comes before it, and the last one found has the best score of those.
        if not found or not as_good(found[-1][0], place) or found[-1][0] == place:
            found.append((place, trial))
    return [trial for _, trial in found]


def members(trials: Iterable[Trial], objective: Objective) -> frozenset[int]:
    """The numbers of the trials in the Pareto set; none with one objective."""
    return frozenset(trial.number for trial in front(trials)) if objective.cost else frozenset()


def rivals(ranked: Iterable[Trial], within: float) -> list[Trial]:
    """Those of the Pareto set whose score is ``close`` to the best; cheapest first, the best one last.

    The trials come best first, and those after the close ones are not looked at.
    """
    return front(_near(ranked, within))


def shortlist(ranked: Iterable[Trial], within: float, most: int) -> list[Trial]:
    """The cheapest of the ``rivals``, at most so many; of two and more the last is the best one."""
    near = rivals(ranked, within)
    kept = near[:most]
    if most > 1 and near:
        kept[-1] = near[-1]
    return kept


def leader(ranked: Iterable[Trial], objective: Objective, within: float) -> Trial | None:
    """Who wins by the scores of the search: the best, with two objectives the cheapest of its ``rivals``."""
    found = rivals(ranked, within) if objective.cost else best(ranked, 1)
    return found[0] if found else None


def close(score: float, best: float, within: float) -> bool:
    """Whether ``score`` is within that share of the best one."""
    return abs(score - best) <= (within + ROUNDING) * abs(best)


def rule(metric: str, cost: str, within: float) -> str:
    """``the cheapest (parameters) of the trials within 1 % of the best accuracy``."""
    return f"the cheapest ({cost}) of the trials within {100 * within:g} % of the best {metric}"


def _near(ranked: Iterable[Trial], within: float) -> Iterator[Trial]:
    """The trials whose score is close to that of the best that has a cost."""
    top: float | None = None
    for trial in ranked:
        place = point(trial)
        if place is None:
            continue
        top = place[1] if top is None else top
        if not close(place[1], top, within):
            return
        yield trial
