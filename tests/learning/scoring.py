"""What models and baselines reach on a split, for tests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import DataKnobs, Settings
from gru_tune.learning import predicting
from gru_tune.learning.engines import make_scorer
from gru_tune.learning.samples import Samples
from gru_tune.learning.training import open_model
from gru_tune.tasks import TASKS, Metrics


class Predictions(NamedTuple):
    """Targets and predictions of a split."""

    y_true: NDArray[Any]
    y_pred: NDArray[np.float32]


def evaluate(
    file: str | Path, data: str | Path, settings: Settings, split: Split, metrics: Collection[str]
) -> Metrics:
    """The metrics of a saved model on a split of the prepared data."""
    model, samples = open_model(file, data, settings, split)
    return predicting.measure(
        make_scorer(model, settings, samples.dataset), samples, samples.truth(), metrics
    )


def predict(file: str | Path, data: str | Path, settings: Settings, split: Split) -> Predictions:
    """What a saved model says of a split, beside what is true."""
    model, samples = open_model(file, data, settings, split)
    y_pred, _ = predicting.predict(make_scorer(model, settings, samples.dataset), samples)
    return Predictions(samples.truth().y, y_pred)


def compute(dataset: Dataset, split: Split) -> dict[str, Metrics]:
    """The metrics of every baseline of the task by its name; empty for a split without samples."""
    knobs = replace(DataKnobs(), window=int(dataset.info.get("max_window") or 1))
    samples = Samples(dataset, split, knobs)
    if not len(samples):
        return {}
    task, truth = TASKS[dataset.info["task"]], samples.truth()
    return {name: task.score(dataset, truth, guess) for name, guess in task.guesses(dataset, truth).items()}
