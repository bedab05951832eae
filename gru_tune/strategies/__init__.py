"""The searches: a file for each, chosen by ``search.strategy``.

Light to import: keras-tuner, scikit-learn and Optuna are loaded by ``create`` alone.
"""

from __future__ import annotations

from gru_tune.errors import ConfigError
from gru_tune.space import Space
from gru_tune.strategies.base import WAIT, Proposal, SearchSection, Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.strategies.cmaes import CMAESSearch
from gru_tune.strategies.genetic import GeneticSearch
from gru_tune.strategies.gp import GPSearch
from gru_tune.strategies.grid import GridSearch
from gru_tune.strategies.hyperband import HyperbandSearch
from gru_tune.strategies.quasirandom import QuasirandomSearch
from gru_tune.strategies.random import RandomSearch
from gru_tune.strategies.tpe import TPESearch
from gru_tune.trial import Objective

__all__ = ["STRATEGIES", "WAIT", "Proposal", "SearchSection", "Strategy", "create", "describe"]

STRATEGIES: dict[str, type[SearchSection]] = {
    "random": RandomSearch,
    "grid": GridSearch,
    "bayesian": BayesianSearch,
    "hyperband": HyperbandSearch,
    "tpe": TPESearch,
    "gp": GPSearch,
    "cmaes": CMAESSearch,
    "genetic": GeneticSearch,
    "quasirandom": QuasirandomSearch,
}


def create(
    search: SearchSection, space: Space, objective: Objective, epochs: int, work: Work | None = None
) -> Strategy:
    """A fresh search over ``space``.

    ``epochs`` are those of every trial (hyperband: the most one may get); where the space
    holds ``epochs`` itself, a trial's own value counts. ``work`` says how long a
    configuration takes, so that the longest may come first. Raises ``ConfigError`` when the
    search cannot be run over this space.
    """
    problems = search.problems(space)
    if problems:
        raise ConfigError(problems)
    return search.create(space, objective, epochs, work)


def describe(search: SearchSection, space: Space, epochs: int) -> str:
    """One sentence for the user before the start: how many configurations, in which way."""
    return search.describe(space, epochs)
