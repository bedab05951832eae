"""The model of both Keras scripts."""

from __future__ import annotations

from typing import Any

import keras

from benchmarks.others import etth1


def forecaster(units: int, depth: int) -> Any:
    """A compiled GRU of one or two layers and 24 outputs."""
    model = keras.Sequential([keras.Input((etth1.WINDOW, len(etth1.COLUMNS)))])
    for layer in range(1, depth + 1):
        model.add(keras.layers.GRU(units, return_sequences=layer < depth))
    model.add(keras.layers.Dense(etth1.HORIZON))
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse")
    return model
