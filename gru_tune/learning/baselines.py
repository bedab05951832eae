"""How good predictions are that cost nothing, on the same samples as the models."""

from __future__ import annotations

from dataclasses import replace

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import DataKnobs
from gru_tune.learning.samples import Samples
from gru_tune.tasks import TASKS, Metrics


def compute(dataset: Dataset, split: Split) -> dict[str, Metrics]:
    """The metrics of every baseline of the task by its name; empty for a split without samples."""
    # No window is longer than max_window, and none moves the targets of this split.
    knobs = replace(DataKnobs(), window=int(dataset.info.get("max_window") or 1))
    samples = Samples(dataset, split, knobs)
    if not len(samples):
        return {}
    task, truth = TASKS[dataset.info["task"]], samples.truth()
    guesses = task.guesses(dataset, truth)
    return {name: task.score(dataset, truth, guess) for name, guess in guesses.items()}
