"""KerasTuner: ``GridSearch`` over a ``HyperModel``, with the batch size chosen in ``fit``.

KERAS_BACKEND=tensorflow python -m benchmarks.others.kerastuner_grid [etth1.csv]
"""

from __future__ import annotations

import tempfile
from typing import Any

import keras
import keras_tuner

from benchmarks.others import etth1
from benchmarks.others.keras_forecaster import forecaster


class Forecaster(keras_tuner.HyperModel):  # type: ignore[misc]
    """A GRU of one or two layers and 24 outputs."""

    def build(self, hp: Any) -> Any:
        return forecaster(hp.Choice("units", etth1.UNITS), hp.Choice("depth", etth1.DEPTH))

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, batch_size=hp.Choice("batch_size", etth1.BATCH_SIZE), **kwargs)


def main() -> None:
    options = etth1.options(__doc__)
    train, validation = etth1.load(options.csv)
    keras.utils.set_random_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.GridSearch(
            Forecaster(), objective="val_loss", max_trials=None, seed=options.seed, directory=folder
        )
        tuner.search(
            train.x, train.y, epochs=options.epochs, validation_data=(validation.x, validation.y), verbose=0
        )
        etth1.tell([trial.score for trial in tuner.oracle.get_best_trials(100)])


if __name__ == "__main__":
    main()
