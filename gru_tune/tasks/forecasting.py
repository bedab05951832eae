"""The next steps of one or several columns of a timeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth, valid_rows
from gru_tune.tasks._base import Direction, Metrics, wanted
from gru_tune.tasks._classes import training_targets
from gru_tune.tasks._numbers import errors

CONSTANT = 1e-6  # a naive error below it, in standard deviations: there is nothing to compare with


@dataclass(frozen=True)
class Forecasting:
    """Squared error of all steps ahead; scored standardised, in original units, and by MASE.

    ``mase``: the mean absolute error over that of repeating the last season (the last
    value, without one) inside the training split; the mean over columns. Hyndman and
    Koehler, "Another look at measures of forecast accuracy", 2006.
    """

    name: str = "forecasting"

    def metrics(self, target: str | None) -> dict[str, Direction]:
        names = ("mse", "mae", "rmse", "original_mae", "original_rmse", "mase", "loss")
        return dict.fromkeys(names, "min")

    def default_objective(self, target: str | None) -> str:
        return "mse"

    def score(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Metrics:
        error = (y_pred.astype(np.float64) - truth.y)[truth.valid]
        in_units = error * np.asarray(dataset.info["target_scale"]["std"])
        every = {**errors(error, None), **errors(in_units, None, "original_")}
        every.pop("original_mse")
        if wanted("mase", names):
            naive = naive_error(dataset)
            uneven = naive > CONSTANT
            if uneven.any():
                every["mase"] = float((np.abs(error).mean(axis=0)[uneven] / naive[uneven]).mean())
        return {name: value for name, value in every.items() if wanted(name, names)}

    def baselines(self, dataset: Dataset, truth: Truth) -> dict[str, Metrics]:
        guesses = {
            "last value": repeated(dataset, truth.rows, 1),
            "training mean": np.broadcast_to(training_targets(dataset).mean(axis=0), truth.y.shape),
        }
        season = dataset.info.get("season")
        if season and int(season) > 1:
            guesses[f"same step of the last season ({season})"] = repeated(dataset, truth.rows, int(season))
        return {name: self.score(dataset, truth, guess) for name, guess in guesses.items()}


def repeated(dataset: Dataset, origins: NDArray[np.int64], season: int) -> NDArray[Any]:
    """(origins, horizon, targets): the last ``season`` rows before each origin, over and over.

    Only rows of the origin's own span are looked at: the last value stands in for those
    that lie before it, and the last known one for those that are missing.
    """
    horizon = np.arange(int(dataset.info["horizon"]))
    begins = np.sort(dataset.spans[:, 0])
    starts = begins[np.searchsorted(begins, origins - 1, "right") - 1]
    rows = origins[:, None] - season + horizon % season
    rows = np.where(rows < starts[:, None], origins[:, None] - 1, rows)
    return np.asarray(_filled(dataset)[rows])


def naive_error(dataset: Dataset) -> NDArray[np.float64]:
    """(targets,) the mean absolute error, on the training split, of the value one season before."""
    season = int(dataset.info.get("season") or 1)
    y, gaps = _filled(dataset), []
    for start, length in dataset.spans[dataset.of("train"), :2]:
        part = y[start : start + length].astype(np.float64)
        gaps.append(np.abs(part[season:] - part[:-season]))
    every = np.concatenate(gaps) if gaps else np.empty((0, y.shape[1]))
    return every.mean(axis=0) if len(every) else np.zeros(y.shape[1])


def _filled(dataset: Dataset) -> NDArray[Any]:
    """``y`` with missing rows replaced by the last known one before them."""
    known = valid_rows(dataset)
    if known.all():
        return np.asarray(dataset.y)
    last = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
    return np.asarray(np.nan_to_num(np.asarray(dataset.y)[last]))


FORECASTING = Forecasting()
