"""Two objectives: what is wrong with those of a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gru_tune.errors import Problem
from gru_tune.trial import COSTS
from gru_tune.wording import listed, show, suggest

if TYPE_CHECKING:
    from gru_tune.strategies.base import SearchSection


def problems(search: SearchSection) -> list[Problem]:
    """What keeps ``search.objectives`` from being followed; whether the task has the metric is not asked here."""
    if search.objectives is None:
        return []
    place = ("search", "objectives")
    if search.objective is not None:
        return [Problem(place, "stands in place of search.objective: give one of them")]
    if not search.WEIGHS:
        text = (
            f"{search.strategy} looks at one objective only: take random, grid, quasirandom, tpe, gp or genetic, "
            "or give search.objective"
        )
        return [Problem(place, text)]
    if len(search.objectives) != 2:
        text = f"expected two, a metric and a cost ({listed(COSTS)}), got {len(search.objectives)}"
        return [Problem(place, text)]
    cost = search.objectives[1]
    if cost not in COSTS:
        text = f"the second objective is a cost, one of {', '.join(COSTS)}, got {show(cost)}{suggest(cost, COSTS)}"
        return [Problem((*place, 1), text)]
    return []
