"""The README.txt beside an exported model: what goes in, what comes out, how it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int | None, ...]
MOST = 20  # names that are listed


@dataclass(frozen=True)
class Model:
    """What there is to know of the winner; ``data`` are its knobs of how sequences are shown to it."""

    name: str
    trial: int
    sha256: str  # of best.keras
    task: str
    kind: str
    data: Mapping[str, Any]
    preprocessing: Mapping[str, Any]

    @property
    def line(self) -> str:
        """The first line, by which the exports of one model are known."""
        return f"Trial {self.trial} of the study {self.name} by gru-tune; best.keras has the SHA-256 {self.sha256}"


def readme(model: Model, given: Shape, taken: Shape) -> str:
    """The whole text; ``given`` and ``taken`` are the shapes of input and output, None for any size."""
    name = "words" if "vocabulary" in model.preprocessing else "numbers"
    read = _words(model) if name == "words" else _numbers(model)
    parts = [
        model.line,
        f'INPUT "{name}": {"int32" if name == "words" else "float32"} {_shape(given)}.\n{read}',
        f"OUTPUT: float32 {_shape(taken, model.task)}.\n{_output(model)}",
        LOADING.format(name=name),
    ]
    return "\n\n".join([*parts, TEXTS] if model.kind == "text" else parts) + "\n"


def _shape(shape: Shape, task: str = "") -> str:
    """``(batch, time, 11)``; of a fixed number of steps ``(batch, 24 steps, 1)``."""
    names = ["batch", "time"]
    sizes = [name if size is None else str(size) for name, size in zip(names, shape, strict=False)]
    if len(shape) == 3 and shape[1] is not None:
        sizes[1] += " steps ahead" if task == "forecasting" else " steps"
    return f"({', '.join([*sizes, *map(str, shape[2:])])})"


def _words(model: Model) -> str:
    data = model.data
    cut = (
        f" Only the {data['keep']} of a longer sequence is read, {data['max_length']:,} steps."
        if data["max_length"]
        else ""
    )
    return (
        'The words of preprocessing.json "vocabulary" are 2, 3, 4 and so on, in their order; those that would be\n'
        f"{data['vocabulary']:,} or more, and words that are not there, are 1. 0 is padding, at the end.{cut}"
    )


def _numbers(model: Model) -> str:
    return (
        f"The last axis: {_listed(model.preprocessing['features'])}.\n"
        'Each is (value - mean) / std of preprocessing.json "input_scale"; a column name=word is 1 for that\n'
        "word, else 0. Where time may be any, shorter sequences are padded at the end with -1e9 in all columns."
    )


def _output(model: Model) -> str:
    labels, targets = model.preprocessing["labels"], model.preprocessing["targets"]
    if len(labels) == 2:
        return f"The probability of {labels[1]!r}, not of {labels[0]!r}."
    if labels:
        return f"The probabilities of {_listed(labels)}."
    return f'{_listed(targets)}, as output * std + mean of preprocessing.json "target_scale" in the units of the data.'


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - MOST:,} more (preprocessing.json)" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


LOADING = """LOADING, whichever of these is here, with an array x as above:

    model.keras, on any backend of Keras
        import keras
        out = keras.models.load_model("model.keras").predict(x)

    saved_model/
        import tensorflow as tf
        out = tf.saved_model.load("saved_model").serve(x).numpy()

    model.onnx
        import onnxruntime
        out = onnxruntime.InferenceSession("model.onnx").run(None, {{"{name}": x}})[0]

    model.tflite, one sequence at a time, without padding
        from ai_edge_litert.interpreter import Interpreter
        model = Interpreter("model.tflite")
        given, taken = model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]
        model.resize_tensor_input(given, x[:1].shape)
        model.allocate_tensors()
        model.set_tensor(given, x[:1])
        model.invoke()
        out = model.get_tensor(taken)"""

TEXTS = """The saved_model, if it has serve_text, also takes the documents themselves:

        out = tf.saved_model.load("saved_model").serve_text(tf.constant(["a document"])).numpy()"""
