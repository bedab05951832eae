from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gru_tune.errors import ExportError
from gru_tune.executors.local import Local
from gru_tune.export import worker
from gru_tune.export.convert import convert, difference
from gru_tune.export.formats import FORMATS
from tests.export.studies import STUDIES, order, sample, study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tensorflow() -> Iterator[Local]:
    """The process that converts, kept for all tests."""
    local = worker.start()
    yield local
    local.close()


@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name in STUDIES for form in ("onnx", "tflite")]
    + [("classes", "saved_model"), ("forecast", "saved_model")],
)
def test_every_model_is_the_same_in_every_format(
    name: str, form: str, tensorflow: Local, tmp_path: Path
) -> None:
    for package in FORMATS[form].packages:
        pytest.importorskip(package)
    one = order(name, form, tmp_path)
    found = tensorflow.call(convert, one).result()
    assert found.rows == len(sample(study(name))["x"])
    assert found.difference <= 1e-5
    assert one.file.exists()


def test_another_model_is_refused(tensorflow: Local, tmp_path: Path) -> None:
    one = replace(order("text", "keras", tmp_path), sample=tmp_path / "sample.npz")
    arrays = sample(study("text"))
    arrays["out"][3] += 0.25
    np.savez(one.sample, **arrays)
    with pytest.raises(ExportError) as refused:
        tensorflow.call(convert, one).result()
    assert str(refused.value) == (
        "Keras: on 10 rows of the validation split it differs from Keras by 2.5e-01, more than the 1e-05 that is "
        "let through, and nothing was written; try another --format: saved_model, onnx or tflite"
    )


def test_what_is_said_of_padding_is_not_compared() -> None:
    x, lengths = np.ones((2, 3), np.int32), np.array([3, 1], np.int32)
    out = np.zeros((2, 3, 1), np.float32)

    def at_the_second(row: int, step: int) -> float:
        """Differs in one place, when all rows are asked."""

        def predict(x: np.ndarray) -> np.ndarray:
            result = np.zeros((*x.shape, 1), np.float32)
            if len(x) == 2:
                result[row, step] = 0.5
            return result

        return difference(predict, x, lengths, out, single=False, every_step=True)

    assert at_the_second(1, 1) == 0.0
    assert at_the_second(0, 1) == 0.5


def test_nan_is_a_difference_and_another_shape_an_error() -> None:
    x, lengths, out = np.ones((2, 3), np.int32), np.array([3, 3], np.int32), np.zeros((2, 1), np.float32)
    found = difference(lambda x: np.full((len(x), 1), np.nan), x, lengths, out, single=True, every_step=False)
    assert np.isnan(found)
    with pytest.raises(ValueError, match=r"the shape \(1, 3\), those of Keras \(1, 1\)"):
        difference(lambda x: np.zeros((len(x), 3)), x, lengths, out, single=True, every_step=False)
