"""The search of a study, as its config asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gru_tune import strategies
from gru_tune.learning.sizes import recurrent_products
from gru_tune.space import Values
from gru_tune.trial import Objective

if TYPE_CHECKING:
    from gru_tune.config import Config


def strategy(
    config: Config, objective: Objective, info: Mapping[str, Any], known: strategies.Known
) -> strategies.Strategy:
    """A fresh search; ``info`` as in ``Dataset.info``, the space of ``config`` with its constraints."""

    def work(values: Values) -> float:
        settings = config.settings(values)
        length = settings.data.window if info.get("max_window") else settings.data.max_length
        return recurrent_products(settings, info) * settings.training.epochs * (length or 1)

    return strategies.create(config.search, config.space, objective, config.epochs, work, known)
