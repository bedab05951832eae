"""The next steps of one or several columns of a timeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.learning.truth import Truth, valid_rows
from gru_tune.tasks import _examples, _window
from gru_tune.tasks._base import Direction, Metrics, Scorer, Shown, wanted
from gru_tune.tasks._classes import training_targets
from gru_tune.tasks._inputs import stretch_starts
from gru_tune.tasks._numbers import original

CONSTANT = 1e-6  # a naive error below it, in standard deviations: there is nothing to compare with
SPREAD = 3  # windows that are shown besides the best, the median and the worst
SHORT, STRETCH = 3, 150  # steps ahead of a horizon too short to see by itself; forecasts in a row that are
LEAST_BACK = 24  # steps of history that are shown, however short the horizon


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
        return self.scorer(dataset, truth, y_pred, names)(np.ones(len(y_pred)))

    def scorer(
        self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any], names: Collection[str] | None = None
    ) -> Scorer:
        error = _errors(truth, y_pred)
        known = truth.valid.sum(axis=1)
        absolute, squared = np.abs(error).sum(axis=1), np.square(error).sum(axis=1)  # (samples, targets)
        std = np.asarray(dataset.info["target_scale"]["std"])
        naive = naive_error(dataset) if wanted("mase", names) else np.zeros(len(std))
        uneven = naive > CONSTANT

        def score(weights: NDArray[Any]) -> Metrics:
            mae, mse = (weights @ sums / (weights @ known) for sums in (absolute, squared))
            every = {
                "mse": mse.mean(), "mae": mae.mean(), "rmse": mse.mean() ** 0.5,
                "original_mae": (mae * std).mean(), "original_rmse": (mse * std**2).mean() ** 0.5,
            }  # fmt: skip
            if uneven.any():
                every["mase"] = (mae[uneven] / naive[uneven]).mean()
            return {name: float(value) for name, value in every.items() if wanted(name, names)}

        return score

    def guesses(self, dataset: Dataset, truth: Truth) -> dict[str, NDArray[Any]]:
        mean = np.broadcast_to(training_targets(dataset).mean(axis=0), truth.y.shape)
        linear = _window.forecasts(dataset, truth.rows)
        return {**_naive(dataset, truth.rows), "training mean": mean, **linear}

    def details(self, dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """``ahead``: a row for every step ahead with its errors, in original units, over all targets.

        Besides ``mae`` and ``rmse`` of the model those of the naive forecasts: ``mae of last value`` …
        Steps without a known target are left out.
        """
        std = np.asarray(dataset.info["target_scale"]["std"])
        known = truth.valid.sum(axis=0)
        steps = np.flatnonzero(known)
        columns = {"step": steps + 1}
        for name, guess in {"": y_pred, **_naive(dataset, truth.rows)}.items():
            error, of = _errors(truth, guess)[:, steps] * std, f" of {name}" if name else ""
            columns[f"mae{of}"] = np.abs(error).mean(axis=2).sum(axis=0) / known[steps]
            columns[f"rmse{of}"] = np.sqrt(np.square(error).mean(axis=2).sum(axis=0) / known[steps])
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return {"ahead": [dict(zip(columns, row, strict=True)) for row in rows]}

    def examples(self, samples: Shown, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
        """``windows``: the best, the median and the worst one by their mean error, and some evenly spread.

        Each has ``where`` it is forecast from, ``which`` it is, and for the first ``targets`` the
        ``history`` and the ``true``, ``predicted`` and ``naive`` values, at the steps ``back`` and ``ahead``.
        With at most 3 steps ahead, of which a window shows next to nothing, ``stretch`` instead: the
        first step ahead of forecasts in a row, in the middle of the split.
        """
        if int(samples.dataset.info["horizon"]) <= SHORT:
            return {"samples": len(y_pred), "stretch": _stretch(samples.dataset, truth, y_pred)}
        error = np.abs(_errors(truth, y_pred)).mean(axis=2).sum(axis=1) / truth.valid.sum(axis=1)
        ranks = np.argsort(error, kind="stable")
        chosen = {"best": ranks[0], "median": ranks[len(ranks) // 2], "worst": ranks[-1]}
        shown = {int(place): which for which, place in chosen.items()}
        for place in _examples.spread(len(error), SPREAD + 2)[1:-1].tolist():
            shown.setdefault(place, "")
        windows = [_window_of(samples, truth, y_pred, place, which) for place, which in shown.items()]
        return {"samples": len(error), "windows": windows}


def _window_of(samples: Shown, truth: Truth, y_pred: NDArray[Any], place: int, which: str) -> dict[str, Any]:
    dataset, origin = samples.dataset, truth.rows[[place]]
    horizon = int(dataset.info["horizon"])
    back = min(len(samples.rows(place)), max(2 * horizon, LEAST_BACK))
    rows = origin[0] - back + _examples.spread(back, _examples.POINTS)
    ahead = _examples.spread(horizon, _examples.POINTS)
    naive = {kind: guess[0, ahead] for kind, guess in _naive(dataset, origin).items()}
    told = _told(dataset, truth.y[place, ahead], truth.valid[place, ahead], y_pred[place, ahead], naive)
    known, past = valid_rows(dataset)[rows], np.asarray(dataset.y)[rows]
    targets = [{**one, "history": _values(dataset, past, n, known)} for n, one in enumerate(told)]
    where = _examples.where(dataset, int(origin[0]))
    times = {"back": (rows - origin[0] + 1).tolist(), "ahead": (ahead + 1).tolist()}
    return {"where": where, "which": which, **times, "targets": targets}


def _stretch(dataset: Dataset, truth: Truth, y_pred: NDArray[Any]) -> dict[str, Any]:
    """``rows`` that are forecast, counted from 1, and for the first ``targets`` what ``_told`` says of them."""
    starts = stretch_starts(dataset, truth.rows)
    together = np.flatnonzero(starts == starts[len(starts) // 2])  # one series, where there are several
    first = max(len(together) - STRETCH, 0) // 2
    chosen = together[first : first + STRETCH]
    rows = truth.rows[chosen]
    naive = {kind: guess[:, 0] for kind, guess in _naive(dataset, rows).items()}
    told = _told(dataset, truth.y[chosen, 0], truth.valid[chosen, 0], y_pred[chosen, 0], naive)
    return {"rows": (rows + 1).tolist(), "targets": told}


def _told(
    dataset: Dataset,
    true: NDArray[Any],
    known: NDArray[np.bool_],
    predicted: NDArray[Any],
    naive: dict[str, NDArray[Any]],
) -> list[dict[str, Any]]:
    """Of the first targets what was true (n, targets), where it is known (n,), and what was forecast."""
    return [
        {
            "target": _examples.short(name),
            "true": _values(dataset, true, n, known),
            "predicted": _values(dataset, predicted, n),
            "naive": {kind: _values(dataset, guess, n) for kind, guess in naive.items()},
        }
        for n, name in enumerate(dataset.info["targets"][: _examples.TARGETS])
    ]


def _values(
    dataset: Dataset, scaled: NDArray[Any], target: int, known: NDArray[np.bool_] | bool = True
) -> list[float | None]:
    """One target of values (n, targets) in original units; None where it is not known."""
    return _examples.plain(np.where(known, original(dataset, scaled)[:, target], np.nan))


def _errors(truth: Truth, y_pred: NDArray[Any]) -> NDArray[np.float64]:
    """(samples, horizon, targets), 0 where the truth is not known."""
    return np.where(truth.valid[..., None], y_pred.astype(np.float64) - truth.y, 0.0)


def _naive(dataset: Dataset, origins: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The forecasts that repeat what was."""
    guesses = {"last value": repeated(dataset, origins, 1)}
    season = int(dataset.info.get("season") or 1)
    if season > 1:
        guesses[f"same step of the last season ({season})"] = repeated(dataset, origins, season)
    return guesses


def repeated(dataset: Dataset, origins: NDArray[np.int64], season: int) -> NDArray[Any]:
    """(origins, horizon, targets): the last ``season`` rows before each origin, over and over.

    Only rows of the origin's own span are looked at: the last value stands in for those
    that lie before it, and the last known one for those that are missing.
    """
    horizon = np.arange(int(dataset.info["horizon"]))
    starts = stretch_starts(dataset, origins - 1)
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
