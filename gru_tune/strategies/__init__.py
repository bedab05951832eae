"""The searches: a file for each, chosen by ``search.strategy``.

Light to import: keras-tuner, scikit-learn and Optuna are loaded by ``create`` alone.
"""

from __future__ import annotations

from gru_tune.errors import ConfigError
from gru_tune.space import Space
from gru_tune.strategies import rungs
from gru_tune.strategies.base import WAIT, Known, Proposal, SearchSection, Strategy, Work
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.strategies.cmaes import CMAESSearch
from gru_tune.strategies.early import stop_early
from gru_tune.strategies.genetic import GeneticSearch
from gru_tune.strategies.gp import GPSearch
from gru_tune.strategies.grid import GridSearch
from gru_tune.strategies.hyperband import HyperbandSearch
from gru_tune.strategies.quasirandom import QuasirandomSearch
from gru_tune.strategies.random import RandomSearch
from gru_tune.strategies.tpe import TPESearch
from gru_tune.trial import Objective
from gru_tune.wording import plural

__all__ = ["STRATEGIES", "WAIT", "Known", "Proposal", "SearchSection", "Strategy", "create", "describe"]

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
    search: SearchSection,
    space: Space,
    objective: Objective,
    epochs: int,
    work: Work | None = None,
    known: Known = (),
) -> Strategy:
    """A fresh search over ``space``.

    ``epochs`` are those of every trial (hyperband: the most one may get); where the space
    holds ``epochs`` itself, a trial's own value counts. ``work`` says how long a
    configuration takes, so that the longest may come first, ``known`` what an earlier study has
    found out. Raises ``ConfigError`` when the search cannot be run over this space.
    """
    problems = search.problems(space) or rungs.problems(search, space, epochs)
    if problems:
        raise ConfigError(problems)
    return stop_early(search.create(space, objective, epochs, work, known), search, objective, epochs)


def describe(search: SearchSection, space: Space, epochs: int) -> str:
    """One sentence for the user before the start: how many configurations, in which way."""
    text = search.describe(space, epochs) + rungs.describe(search, search.limit(space), epochs)
    given = len(search.try_first)
    return text + (f"; it begins with {plural(given, 'configuration')} of yours" if given else "")
