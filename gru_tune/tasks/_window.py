"""Forecasts that are linear in the values of the window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import valid_rows
from gru_tune.tasks import _models
from gru_tune.tasks._inputs import parts, thinned, windows

Ints = NDArray[np.int64]

ALL = "linear regression on the window"
OWN = "linear regression on each target's own past"
MOST_COLUMNS = 2_000  # of a longer window only the last steps are looked at


def forecasts(dataset: Dataset, origins: Ints) -> dict[str, NDArray[Any]]:
    """(origins, horizon, targets) by ridge regression on the largest window, scaled as prepared, by its name.

    Once on all inputs together, and once for every target on its own values alone, where they
    are among the inputs. Empty when no training window has its whole forecast.
    """
    if not len(_known(dataset, _steps(dataset, 1))):
        return {}
    channels, targets = dataset.x.shape[1], dataset.y.shape[1]
    guesses = {ALL: _linear(dataset, origins, list(range(channels)), list(range(targets)), fits=1)}
    own = dataset.info["target_inputs"]
    if channels > 1 and None not in own:
        each = [_linear(dataset, origins, [column], [target], targets) for target, column in enumerate(own)]
        guesses[OWN] = np.concatenate(each, axis=2)
    return guesses


def _linear(
    dataset: Dataset, origins: Ints, channels: list[int], targets: list[int], fits: int
) -> NDArray[Any]:
    """Forecasts of ``targets`` by ``channels``; one of ``fits`` that share the bound on what is learned from."""
    horizon, steps = int(dataset.info["horizon"]), _steps(dataset, len(channels))
    columns = steps * len(channels)
    known = thinned(_known(dataset, steps), fits * (columns + horizon * len(targets)))
    x, y = np.asarray(dataset.x)[:, channels].astype(np.float64), np.asarray(dataset.y)[:, targets]

    def inputs(origins: Ints) -> NDArray[np.float64]:
        return np.asarray(x[windows(dataset, origins, steps)].reshape(len(origins), columns))

    ahead = y[known[:, None] + np.arange(horizon)].reshape(len(known), -1)
    model = _models.fit(_models.ridge(), inputs(known), ahead)
    guess = np.concatenate([model.predict(inputs(part)) for part in parts(origins, columns)])
    return np.asarray(guess.reshape(len(origins), horizon, len(targets)))


def _steps(dataset: Dataset, channels: int) -> int:
    return min(int(dataset.info["max_window"]), max(1, MOST_COLUMNS // channels))


def _known(dataset: Dataset, steps: int) -> Ints:
    """The training origins with a whole window before them and known targets alone after them."""
    spans, horizon = dataset.spans[dataset.of("train"), :2], int(dataset.info["horizon"])
    origins = [np.arange(start + steps, start + rows - horizon + 1) for start, rows in spans]
    every = np.concatenate([np.empty(0, np.int64), *origins])
    missing = np.concatenate([[0], np.cumsum(~valid_rows(dataset))])
    return np.asarray(every[missing[every + horizon] == missing[every]])
