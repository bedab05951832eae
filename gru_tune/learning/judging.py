"""A model's predictions on a split: its metrics, how sure they are, and whether it beats what costs nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset, Split
from gru_tune.errors import TrainingError
from gru_tune.knobs import DataKnobs
from gru_tune.learning import resampling
from gru_tune.learning.fitting import refuse_empty
from gru_tune.learning.samples import Samples
from gru_tune.tasks import TASKS, Metrics
from gru_tune.trial import Objective

CONFIDENCE = 0.95


def judge(
    dataset: Dataset,
    split: Split,
    settings_data: DataKnobs,
    y_pred: NDArray[Any],
    metrics: Collection[str],
    objective: Objective,
    seed: int = resampling.SEED,
) -> dict[str, Any]:
    """What predictions ``y_pred`` (as ``predicting.predict`` gives them) are worth, as JSON.

    split:      its name
    samples:    how many predictions there are: sequences, windows, or steps of a labelling
    metrics:    name -> value; ``loss`` is the model's, and left to the caller to add
    intervals:  name -> [low, high], 95 % by the bootstrap (percentiles); empty where ``units`` are too few
    resamples:  how many resamples of the split these are made of, 0 without any
    unit:       what was drawn, in words: "sequences", "blocks of 120 neighbouring windows"
    units:      how many of these make up the split
    baselines:  name -> {"metrics": …}, learned from the training split
    against:    the best of them by the objective: its ``name``, the ``difference`` of the objective
                (model less baseline), its ``interval`` (None without any) on the same resamples, and
                ``beaten``, whether all of the interval is on the good side. None when no
                baseline has the objective (none has a loss)
    details:    see ``details`` of the task
    examples:   see ``examples`` of the task
    drawn:      name -> its value on every resample, in their order, None where it is undefined; empty
                without resamples

    Raises ``TrainingError`` for a split without samples and for predictions that are no numbers.
    """
    samples = Samples(dataset, split, settings_data)
    refuse_empty(samples)
    if not np.isfinite(y_pred).all():
        raise TrainingError(
            f"the model's predictions on the {split} split are not all finite numbers; "
            "train it with a smaller training.learning_rate, or with training.clip_norm"
        )
    truth, task = samples.truth(), TASKS[dataset.info["task"]]
    names = [name for name in metrics if name != "loss"]
    found = task.score(dataset, truth, y_pred, {*names, objective.name})
    guesses = task.guesses(dataset, truth)
    baselines = {name: task.score(dataset, truth, guess) for name, guess in guesses.items()}
    best = _best(baselines, objective) if objective.name in found else None

    score = task.scorer(dataset, truth, y_pred, {*names, objective.name})
    rival = task.scorer(dataset, truth, guesses[best], {objective.name}) if best else None
    units = resampling.units(samples, truth)
    drawn: list[tuple[Metrics, Metrics]] = []  # of the model and of the best baseline
    for weights in resampling.resamples(units, len(y_pred), seed):
        drawn.append((score(weights), rival(weights) if rival else {}))
    values = {name: [own.get(name) for own, _ in drawn] for name in names if drawn and name in found}
    intervals = {name: _interval(every) for name, every in values.items()}
    return {
        "split": split,
        "samples": len(y_pred),
        "metrics": {name: found[name] for name in names if name in found},
        "intervals": {name: interval for name, interval in intervals.items() if interval},
        "resamples": len(drawn),
        "unit": units.name,
        "units": units.count,
        "baselines": {name: {"metrics": scores} for name, scores in baselines.items()},
        "against": _against(best, found, baselines[best], drawn, objective) if best else None,
        "details": task.details(dataset, truth, y_pred),
        "examples": task.examples(samples, truth, y_pred),
        "drawn": values,
    }


def _interval(values: Sequence[float | None]) -> list[float] | None:
    """[low, high] of the values of all resamples; None where too many do not define any."""
    defined = [value for value in values if value is not None]
    if not defined or len(defined) < CONFIDENCE * len(values):
        return None
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return [float(low), float(high)]


def _against(
    name: str,
    found: Metrics,
    baseline: Metrics,
    drawn: Sequence[tuple[Metrics, Metrics]],
    objective: Objective,
) -> dict[str, Any]:
    def difference(own: Metrics, other: Metrics) -> float | None:
        both = objective.name in own and objective.name in other
        return own[objective.name] - other[objective.name] if both else None

    interval = _interval([difference(own, other) for own, other in drawn])
    return {
        "name": name,
        "difference": difference(found, baseline),
        "interval": interval,
        "beaten": interval is not None and all(objective.better(end, 0.0) for end in interval),
    }


def _best(baselines: Mapping[str, Metrics], objective: Objective) -> str | None:
    """The name of the best baseline; None when none has the objective."""
    scored = {name: found[objective.name] for name, found in baselines.items() if objective.name in found}
    return min(scored, key=lambda name: objective.sort_key(scored[name]), default=None)
