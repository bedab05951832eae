"""What a worker does to tell how fast it is: train a model for a moment, on some of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from gru_tune.knobs import Settings
from gru_tune.learning.batches import EVALUATED, buckets, evaluation
from gru_tune.learning.engines import fast_path, make_engine, make_model
from gru_tune.learning.fitting import Fit, split_samples
from gru_tune.learning.pace import Measured, expected_compiling, expected_seconds
from gru_tune.learning.samples import Samples
from gru_tune.learning.training import clean, open_dataset
from gru_tune.learning.volume import Volume, amounts
from gru_tune.trial import Job, Objective

MOMENT = 0.5  # seconds that an epoch on some of the data should take, by the law
EPOCHS = 3  # of which the first fetches the memory


def measure(
    data: str | Path, settings: Settings, objective: Objective, metrics: Sequence[str], backend: str
) -> Measured:
    """Train a few epochs of ``settings`` on a part of the prepared data in folder ``data``.

    The part has one length and is chosen such that an epoch takes about ``MOMENT``, one batch at least. Raises
    ``TrainingError`` for data without samples.
    """
    dataset = open_dataset(data)
    # Only the time matters: no rate at which the loss may leave the numbers, and nothing that ends it early.
    slow = replace(settings, training=replace(settings.training, learning_rate=1e-6, patience=None))
    job = Job(
        trial=0, settings=slow, seed=1, objective=objective, metrics=tuple(metrics), data=str(data),
        folder="", first_epoch=0, last_epoch=EPOCHS,
    )  # fmt: skip
    train, validation = split_samples(dataset, job)
    info, volume = dataset.info, Volume.of(dataset)
    whole = expected_seconds(volume.training(slow, info), volume.validating(slow, info), slow, info, backend)
    for samples, size in ((train, settings.training.batch_size), (validation, EVALUATED)):
        _alike(samples, size)
        _thin(samples, MOMENT / whole, size)
    path = fast_path(slow, train)
    with _compiling():
        fit = Fit(job, make_engine(make_model(slow, train, path), slow, train, path), train, validation)
        fit.run()
    trained = amounts(
        [(b.length, b.size, -(-len(b.indices) // b.size)) for b in buckets(train, slow.training.batch_size)],
        slow,
        info,
    )
    predicted = amounts([(b.length, b.size, 1) for _, b in evaluation(validation)], slow, info)
    clean()
    return Measured(
        expected=expected_seconds(trained, predicted, slow, info, backend),
        epoch=median(epoch.seconds - epoch.compiling for epoch in fit.epochs[1:]),
        expected_compiling=expected_compiling(trained, predicted, slow),
        compiling=sum(epoch.compiling for epoch in fit.epochs),
    )


def _compiling() -> AbstractContextManager[None]:
    """In which compiling takes what it takes for a model that is new: on JAX nothing comes from a cache."""
    import keras

    if keras.backend.backend() != "jax":
        return nullcontext()
    from gru_tune.learning.compiled import anew

    return anew()


def _alike(samples: Samples, batch_size: int) -> None:
    """Keep those that are padded to one length, the one with the most work: one shape is enough to compile."""
    largest = max(buckets(samples, batch_size), key=lambda bucket: bucket.length * len(bucket.indices))
    chosen = np.zeros(len(samples), bool)
    chosen[largest.indices] = True
    samples.cuts = samples.cuts.take(chosen)
    samples.shape_cost = math.inf


def _thin(samples: Samples, share: float, least: int) -> None:
    """Keep a random ``share`` of the samples, ``least`` of them at least."""
    count = max(round(share * len(samples)), least)
    if count < len(samples):
        chosen = np.zeros(len(samples), bool)
        chosen[np.random.default_rng(0).choice(len(samples), count, replace=False)] = True
        samples.cuts = samples.cuts.take(chosen)
