"""What a worker does when a search is over: judge the winner, and train it once more on more data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from gru_tune.data.dataset import SPLITS, Dataset, Split
from gru_tune.knobs import Settings
from gru_tune.learning import checkpoints, judging, training
from gru_tune.learning.engines import fast_path, make_engine, make_model, make_scorer
from gru_tune.learning.factory import plain_copy
from gru_tune.learning.fitting import Fit, price
from gru_tune.learning.predicting import predict
from gru_tune.learning.samples import Samples
from gru_tune.tasks import TASKS
from gru_tune.trial import Job, Objective


def judge(
    model_file: Path,
    data_folder: Path,
    settings: Settings,
    split: Split,
    metrics: Collection[str],
    objective: Objective,
) -> dict[str, Any]:
    """A saved model and the baselines on a split, as ``judging.judge`` tells it, the model's loss included.

    ``baselines`` has the metrics of each by its name, ``against`` also the ``objective`` it is
    about (the task's usual one where it is the loss) and what both have of it, ``score`` and ``rival``. Raises ``TrainingError`` for a split without samples.
    """
    model, samples = training.open_model(model_file, data_folder, settings, split)
    if objective.name == "loss":  # baselines have none
        objective = usual_objective(samples.dataset)
    y_pred, loss = predict(make_scorer(model, settings, samples.dataset), samples)
    found = judging.judge(samples.dataset, split, settings.data, y_pred, metrics, objective)
    if "loss" in metrics and loss is not None:
        found["metrics"]["loss"] = loss
    if found["against"]:
        rival = found["baselines"][found["against"]["name"]]["metrics"][objective.name]
        score = rival + found["against"]["difference"]
        found["against"] |= {"objective": asdict(objective), "score": score, "rival": rival}
    return {**found, "baselines": {name: one["metrics"] for name, one in found["baselines"].items()}}


def usual_objective(dataset: Dataset) -> Objective:
    """What trials of such data are ranked by unless the user says otherwise."""
    task = TASKS[dataset.info["task"]]
    name = task.default_objective(dataset.target)
    return Objective(name, task.metrics(dataset.target)[name])


def retrain(job: Job, epochs: int, folder: Path) -> None:
    """Train ``job``'s model for ``epochs`` on training and validation split together, into ``folder``.

    Nothing is left to choose an epoch by: there is no early stopping, the last epoch is kept,
    and a schedule that waits for a plateau waits for ever. Vocabulary and scalers stay those of
    the training split. A kill costs all of it: nothing is saved meanwhile. Raises ``TrainingError``.
    """
    import keras

    dataset = joined(training.open_dataset(job.data))
    train = Samples(dataset, "train", job.settings.data)
    price(train, train, job.settings)
    keras.utils.set_random_seed(job.seed % 2**32)
    path = fast_path(job.settings, train)
    model = make_model(job.settings, train, path, job.seed)
    fit = Fit(job, make_engine(model, job.settings, train, path, job.accumulation), train, validation=train)
    for epoch in range(1, epochs + 1):
        fit.learn(epoch)
    fit.engine.restore(fit.engine.weights())
    checkpoints.save_model(plain_copy(model, job.settings, dataset), folder)


def joined(dataset: Dataset) -> Dataset:
    """The dataset with its validation split as part of training; no window goes over the old boundary."""
    spans = np.array(dataset.spans)
    spans[spans[:, 2] == SPLITS.index("validation"), 2] = SPLITS.index("train")
    return replace(dataset, spans=spans)
