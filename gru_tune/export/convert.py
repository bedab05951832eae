"""Convert a model and compare it with Keras: what the worker of an export does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune import bounds
from gru_tune.errors import ExportError
from gru_tune.export.formats import FORMATS, Predict, others
from gru_tune.export.readme import Shape
from gru_tune.export.texts import Texts, add_texts
from gru_tune.learning.safety import refuse_architecture, refuse_weights


@dataclass(frozen=True)
class Order:
    """What to convert (``form`` is a key of ``FORMATS``), by what to check it, where to write it."""

    form: str
    model: Path
    sample: Path
    file: Path
    every_step: bool  # whether outputs have a time axis, where padding is not compared
    texts: Texts | None


@dataclass(frozen=True)
class Checked:
    """The largest absolute difference from Keras on so many rows, and what else there is to tell.

    ``given`` and ``taken`` are the shapes of the model's input and output, None for any size.
    """

    rows: int
    difference: float
    note: str
    given: Shape
    taken: Shape


def convert(order: Order) -> Checked:
    """Write ``order.file``. Raises ``ExportError`` where it says something else than Keras."""
    import keras

    form = FORMATS[order.form]
    _look(order)
    with np.load(order.sample, allow_pickle=False) as sample:
        x, lengths, out = sample["x"], sample["lengths"], sample["out"]
    model = keras.models.load_model(order.model)
    form.write(model, order.model, order.file)
    note = add_texts(model, order.texts, order.file) if order.form == "saved_model" and order.texts else ""
    found = difference(form.open(order.file), x, lengths, out, form.single, order.every_step)
    if not found <= form.limit * max(1.0, float(np.abs(out).max())):  # also where it is NaN
        raise ExportError(
            f"{form.title}: on {len(x)} rows of the validation split it differs from Keras by {found:.1e}, more than "
            f"the {form.limit:.0e} that is let through, and nothing was written; "
            f"try another --format: {others(order.form)}"
        )
    return Checked(len(x), found, note, model.input_shape, model.output_shape)


def _look(order: Order) -> None:
    """Raise ``ExportError`` for files that are not as a study leaves them, before they are opened."""
    checks = (
        (bounds.archive, order.sample),
        (refuse_weights, order.model),
        (refuse_architecture, order.model),
    )
    for look, file in checks:
        try:
            look(file)
        except bounds.Refused as refused:
            raise ExportError(f"{file} {refused}") from None


def difference(
    predict: Predict,
    x: NDArray[Any],
    lengths: NDArray[np.int32],
    out: NDArray[np.float32],
    single: bool,
    every_step: bool,
) -> float:
    """The largest absolute difference between ``predict(x)`` and ``out``, the arrays of a sample.

    All rows go in at once, and the shortest also alone and without padding; with ``single``
    every row does. Raises ``ValueError`` for outputs of another shape.
    """
    alone = range(len(x)) if single else [int(lengths.argmin())]
    parts = [np.array([row]) for row in alone] + ([] if single else [np.arange(len(x))])
    largest = []
    for rows in parts:
        length = int(lengths[rows].max())
        got, expected = predict(x[rows, :length]), out[rows]
        if every_step:
            expected = expected[:, :length]
        if got.shape != expected.shape:
            raise ValueError(f"its outputs have the shape {got.shape}, those of Keras {expected.shape}")
        if every_step:
            real = np.arange(length) < lengths[rows, None]
            got, expected = got[real], expected[real]
        largest.append(np.abs(got - expected).max())
    return float(np.max(largest))
