"""Optuna and Keras: ``GridSampler``, one trial at a time, ``model.fit``.

KERAS_BACKEND=tensorflow python -m benchmarks.others.optuna_keras [etth1.csv]
"""

from __future__ import annotations

import keras
import optuna  # type: ignore[import-not-found,unused-ignore]

from benchmarks.others import etth1
from benchmarks.others.keras_forecaster import forecaster
from benchmarks.others.optuna_grid import search


def main() -> None:
    options = etth1.options(__doc__)
    train, validation = etth1.load(options.csv)
    keras.utils.set_random_seed(options.seed)

    def objective(trial: optuna.Trial) -> float:
        units = trial.suggest_categorical("units", etth1.UNITS)
        depth = trial.suggest_categorical("depth", etth1.DEPTH)
        keras.backend.clear_session()
        model = forecaster(units, depth)
        history = model.fit(
            train.x,
            train.y,
            batch_size=trial.suggest_categorical("batch_size", etth1.BATCH_SIZE),
            epochs=options.epochs,
            validation_data=(validation.x, validation.y),
            verbose=0,
        )
        return float(min(history.history["val_loss"]))

    search(objective, options.seed)


if __name__ == "__main__":
    main()
