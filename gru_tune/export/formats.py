"""The formats: how a Keras model is written in each, and how what was written is asked.

All of it runs in a worker with Keras on TensorFlow.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gru_tune.wording import listed

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]


class Format(NamedTuple):
    """One format.

    title, file: how it is called, and the name of its file (or folder)
    limit:       the largest difference from Keras that is let through, times the largest output
                 where that is above 1
    write:       (model, file of the model, path to write)
    open:        the function from inputs to outputs that a written file holds
    single:      whether it takes one sequence at a time
    packages:    what must be installed, which ``extra`` of this package brings
    """

    title: str
    file: str
    limit: float
    write: Callable[[Any, Path, Path], None]
    open: Callable[[Path], Predict]
    single: bool = False
    packages: tuple[str, ...] = ()
    extra: str = ""


def _copy(model: Any, source: Path, path: Path) -> None:
    shutil.copyfile(source, path)


def _open_keras(path: Path) -> Predict:
    import keras

    model = keras.models.load_model(path)
    return lambda x: np.asarray(model.predict_on_batch(x))


def _write_saved_model(model: Any, source: Path, path: Path) -> None:
    model.export(path, format="tf_saved_model")


def _open_saved_model(path: Path) -> Predict:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda x: np.asarray(loaded.serve(x))


def _write_onnx(model: Any, source: Path, path: Path) -> None:
    import keras
    import onnx

    for layer in model.layers:
        if getattr(layer, "activation", None) is keras.activations.gelu:
            layer.activation = _gelu
    model.export(path, format="onnx", input_signature=_signature(model, batch=None))
    written = onnx.load(path)
    for value in (*written.graph.input, *written.graph.output):
        for dimension, name in zip(value.type.tensor_type.shape.dim, ("batch", "time"), strict=False):
            if not dimension.dim_value:  # the converter numbers them: unk__328
                dimension.dim_param = name
    onnx.save(written, path)


def _gelu(x: Any) -> Any:
    """Keras' gelu without the function erfc, which ONNX lacks."""
    import tensorflow as tf

    return 0.5 * x * (1.0 + tf.math.erf(x / 2.0**0.5))


def _open_onnx(path: Path) -> Predict:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: np.asarray(session.run(None, {name: x})[0])


def _write_tflite(model: Any, source: Path, path: Path) -> None:
    # A loop must know the size of its state: one sequence at a time, of any length.
    model.export(path, format="litert", input_signature=_signature(model, batch=1))


def _open_tflite(path: Path) -> Predict:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_path=str(path))
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def predict(x: NDArray[Any]) -> NDArray[np.float32]:
        interpreter.resize_tensor_input(given["index"], x.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], x)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(taken["index"]))

    return predict


def _signature(model: Any, batch: int | None) -> list[Any]:
    """The model's input for so many sequences; None for any number."""
    import keras

    given = model.inputs[0]
    return [keras.InputSpec(dtype=given.dtype, shape=(batch, *given.shape[1:]), name=given.name)]


FORMATS = {
    "keras": Format("Keras", "model.keras", 1e-5, _copy, _open_keras),
    "saved_model": Format("SavedModel", "saved_model", 1e-5, _write_saved_model, _open_saved_model),
    "onnx": Format(
        "ONNX",
        "model.onnx",
        1e-5,
        _write_onnx,
        _open_onnx,
        packages=("onnx", "onnxruntime", "tf2onnx"),
        extra="onnx",
    ),
    "tflite": Format("TFLite", "model.tflite", 1e-4, _write_tflite, _open_tflite, single=True),
}


def others(form: str) -> str:
    """What can be tried instead of ``form``."""
    return listed(name for name in FORMATS if name != form)
