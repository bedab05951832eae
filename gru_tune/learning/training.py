"""One job of training, from prepared arrays to an outcome: all that happens in a worker.

Keras is imported when a job begins; ``configure`` must come before that.
"""

from __future__ import annotations

import gc
import os
import time
import traceback
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset, Split
from gru_tune.errors import TrainingError
from gru_tune.knobs import Settings
from gru_tune.learning import checkpoints
from gru_tune.learning.factory import build, fast_path
from gru_tune.learning.fitting import Fit, refuse_empty, split_samples
from gru_tune.learning.losses import make_loss
from gru_tune.learning.predicting import measure
from gru_tune.learning.predicting import predict as predict_samples
from gru_tune.learning.samples import Samples
from gru_tune.trial import Epoch, Job, Outcome


class Predictions(NamedTuple):
    """Targets and predictions of a split, as ``Truth.y`` and ``predicting.predict`` describe."""

    y_true: NDArray[Any]
    y_pred: NDArray[np.float32]


class _Result(NamedTuple):
    epochs: tuple[Epoch, ...] = ()
    parameters: int = 0
    fast_path: str = ""
    error: str | None = None


def configure(threads: int, backend: str = "tensorflow") -> None:
    """Prepare this process for training: call it once, before Keras is imported.

    ``threads`` is this worker's share of the cores; a GPU gives memory as it is needed.
    """
    os.environ["KERAS_BACKEND"] = backend
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if backend != "tensorflow":
        return
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    for device in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(device, True)


def train(job: Job) -> Outcome:
    """Train the epochs of ``job`` and leave its files in ``job.folder``.

    Never raises for what can go wrong with a trial: the outcome then has an ``error``, and
    the folder the traceback. Outcome.epochs are those that ended well.
    """
    start = time.perf_counter()
    try:
        result = _train(job)
    except Exception as error:
        result = _Result(error=_failed(job, error))
    _clean()
    return Outcome(
        trial=job.trial,
        epochs=result.epochs,
        parameters=result.parameters,
        seconds=time.perf_counter() - start,
        fast_path=result.fast_path,
        error=result.error,
    )


def evaluate(
    model_file: str | Path,
    data_folder: str | Path,
    settings: Settings,
    split: Split,
    metrics: Collection[str],
) -> dict[str, float]:
    """The ``metrics`` of a saved model on a split of the prepared data.

    Raises ``TrainingError`` when the split gives no samples.
    """
    model, samples = _opened_model(model_file, data_folder, settings, split)
    loss = make_loss(settings.training, samples.dataset)
    result = measure(model, samples, samples.truth(), loss, metrics)
    _clean()
    return result


def predict(model_file: str | Path, data_folder: str | Path, settings: Settings, split: Split) -> Predictions:
    """What a saved model says of a split, beside what is true."""
    model, samples = _opened_model(model_file, data_folder, settings, split)
    y_pred, _ = predict_samples(model, samples)
    _clean()
    return Predictions(samples.truth().y, y_pred)


def open_dataset(folder: str | Path) -> Dataset:
    """The prepared data of a study, memory-mapped; the last one opened is kept."""
    path = Path(folder)
    return _open(str(path), (path / "info.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _open(folder: str, written: int) -> Dataset:
    return Dataset.load(Path(folder))


def _train(job: Job) -> _Result:
    import keras

    dataset = open_dataset(job.data)
    keras.utils.set_random_seed(job.seed % 2**32)
    train, validation = split_samples(dataset, job)
    path = fast_path(job.settings, train)
    model = build(job.settings, dataset, path)
    fit = Fit(job, model, train, validation)
    if job.first_epoch:
        fit.scores = checkpoints.restore_state(model, Path(job.folder))
    error = None
    try:
        fit.run()
    except Exception as problem:  # what was trained before is still worth telling
        error = _failed(job, problem)
    if error is None:
        _leave(fit, Path(job.folder))
    return _Result(tuple(fit.epochs), int(model.count_params()), path, error)


def _leave(fit: Fit, folder: Path) -> None:
    """The state comes first: saving the best model puts the weights of its epoch back."""
    if fit.job.checkpoint:
        checkpoints.save_state(fit.model, fit.scores, folder)
    if fit.best_weights is not None:
        fit.model.set_weights(fit.best_weights)
        checkpoints.save_model(fit.model, folder)


def _opened_model(
    model_file: str | Path, data_folder: str | Path, settings: Settings, split: Split
) -> tuple[Any, Samples]:
    import keras

    samples = Samples(open_dataset(data_folder), split, settings.data)
    refuse_empty(samples)
    return keras.models.load_model(model_file, compile=False), samples


def _failed(job: Job, error: Exception) -> str:
    """Leave the traceback in the trial's folder; returns the reason for the table."""
    checkpoints.write_text(Path(job.folder) / checkpoints.ERROR, traceback.format_exc())
    return _sentence(error)


def _sentence(error: Exception) -> str:
    """Type and first line: some messages of TensorFlow are pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return text if isinstance(error, TrainingError) else f"{type(error).__name__}: {text}"[:500]


def _clean() -> None:
    """Forget the graphs of this job; without it memory grows with every trial."""
    import keras

    keras.backend.clear_session(free_memory=False)  # collected below
    gc.collect()
