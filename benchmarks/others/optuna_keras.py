"""Optuna and Keras: ``GridSampler``, one trial at a time, ``model.fit``.

KERAS_BACKEND=tensorflow python -m benchmarks.others.optuna_keras [etth1.csv]
"""

from __future__ import annotations

import keras
import optuna  # type: ignore[import-not-found,unused-ignore]

from benchmarks.others import etth1


def main() -> None:
    options = etth1.options(__doc__)
    train, validation = etth1.load(options.csv)
    keras.utils.set_random_seed(options.seed)

    def objective(trial: optuna.Trial) -> float:
        units = trial.suggest_categorical("units", etth1.UNITS)
        depth = trial.suggest_categorical("depth", etth1.DEPTH)
        keras.backend.clear_session()
        model = keras.Sequential([keras.Input((etth1.WINDOW, len(etth1.COLUMNS)))])
        for layer in range(1, depth + 1):
            model.add(keras.layers.GRU(units, return_sequences=layer < depth))
        model.add(keras.layers.Dense(etth1.HORIZON))
        model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse")
        history = model.fit(
            train.x,
            train.y,
            batch_size=trial.suggest_categorical("batch_size", etth1.BATCH_SIZE),
            epochs=options.epochs,
            validation_data=(validation.x, validation.y),
            verbose=0,
        )
        return float(min(history.history["val_loss"]))

    grid = {"units": etth1.UNITS, "depth": etth1.DEPTH, "batch_size": etth1.BATCH_SIZE}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(grid, seed=options.seed))
    study.optimize(objective, n_jobs=1)
    etth1.tell([trial.value for trial in study.trials if trial.value is not None])


if __name__ == "__main__":
    main()
