"""What a model says of a split, in the order and shape of the split's ``Truth``."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from gru_tune.learning.batches import EVALUATED, evaluation, filled
from gru_tune.learning.engines import Scorer
from gru_tune.learning.samples import Samples
from gru_tune.learning.truth import Truth
from gru_tune.tasks import TASKS, Metrics


def predict(
    scorer: Scorer, samples: Samples, together: int = EVALUATED
) -> tuple[NDArray[np.float32], float | None]:
    """The predictions for all samples, and the loss without penalties (None where no target is known).

    ``together``: how many samples go through the model at once, at most.

    Classes are probabilities with a last axis of all classes: (samples, classes) or
    (steps, classes); numbers are standardised: (samples, targets), (steps, targets) or
    (samples, horizon, targets).
    """
    places = _places(samples)
    result: NDArray[np.float32] | None = None
    total, weight = 0.0, 0.0
    for rows, bucket in evaluation(samples, together):
        batch = filled(samples, rows, bucket)
        out, loss = scorer.score(batch)
        if here := float(batch.w.sum()):
            total, weight = total + here * loss, weight + here
        out = out[: len(rows)]
        if result is None:
            result = np.empty((places[-1], *out.shape[2 if samples.form == "steps" else 1 :]), np.float32)
        if samples.form == "steps":
            scored = samples.scored(rows, bucket.length)
            where = places[rows, None] + np.cumsum(scored, axis=1) - 1
            result[where[scored]] = out[scored]
        else:
            result[rows] = out
    assert result is not None, "callers refuse a split without samples"
    return _chances(result, samples), (total / weight if weight else None)


def measure(
    scorer: Scorer, samples: Samples, truth: Truth, names: Collection[str], together: int = EVALUATED
) -> Metrics:
    """The metrics ``names`` of a model on a split; NaN predictions give ``{"loss": nan}``."""
    task = TASKS[samples.dataset.info["task"]]
    y_pred, loss = predict(scorer, samples, together)
    if not np.isfinite(y_pred).all():
        return {"loss": float("nan")}
    result = task.score(samples.dataset, truth, y_pred, names)
    return {**result, "loss": loss} if "loss" in names and loss is not None else result


def _places(samples: Samples) -> NDArray[np.int64]:
    """Where the predictions of every sample begin, and their number last."""
    if samples.form != "steps":
        return np.arange(len(samples) + 1)
    cuts = samples.cuts
    before = np.concatenate([[0], np.cumsum(samples.valid)])
    first, last = cuts.starts + cuts.skip, cuts.starts + np.where(cuts.empty, 0, cuts.lengths)
    counts = before[np.maximum(first, last)] - before[first]
    return np.concatenate([[0], np.cumsum(counts)])


def _chances(result: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
    """The single probability of two classes as a pair."""
    if samples.classes == 2:
        return np.concatenate([1.0 - result, result], axis=-1)
    return result
