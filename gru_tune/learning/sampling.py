"""Some validation samples with what the model says of them: a copy elsewhere must say the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gru_tune.knobs import Settings
from gru_tune.learning.training import open_model


def write_sample(
    model_file: str | Path, data_folder: str | Path, settings: Settings, path: str | Path, rows: int = 100
) -> None:
    """Write at most ``rows`` samples, from all over the validation split, into the NPZ file ``path``.

    x:       as the model is fed them, padded to the longest: (samples, time) int32 words, 0 for
             padding, or (samples, time, features) float32 numbers, -1e9 for padding
    lengths: (samples,) int32, the real steps of each
    out:     float32, what the model says; for labelling (samples, time, outputs), where what it
             says of padding means nothing

    Runs in a worker. Raises ``TrainingError`` when the split gives no samples.
    """
    model, samples = open_model(model_file, data_folder, settings, "validation")
    chosen = np.unique(np.linspace(0, len(samples) - 1, rows).astype(np.int64))
    lengths = samples.lengths[chosen]
    x = samples.gather(chosen, int(lengths.max())).x
    with _full_precision():
        out = np.asarray(model.predict_on_batch(x), np.float32)
    beside = Path(path).with_name(f"beside.{Path(path).name}")
    with beside.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, x=x, lengths=lengths.astype(np.int32), out=out)
    os.replace(beside, path)


@contextmanager
def _full_precision() -> Iterator[None]:
    """A GPU may multiply with 10 of the 23 bits of a float: no measure for copies."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
        return
    from tensorflow import config

    before = config.experimental.tensor_float_32_execution_enabled()
    config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        config.experimental.enable_tensor_float_32_execution(before)
