"""What can be said of a model from its settings alone, without building it.

Imports nothing heavy: ``check`` tells the size of the smallest and the largest model of a
space, and what loses the fast path, in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gru_tune.knobs import ModelKnobs, Settings

_GATES = {"gru": 3, "lstm": 4, "rnn": 1}


def parameters(settings: Settings, info: Mapping[str, Any]) -> int:
    """The number of weights of the model, trained or not; ``info`` as in ``Dataset.info``."""
    model = settings.model
    count, width = 0, int(info["features"])
    if not width:
        words = min(settings.data.vocabulary, int(info["vocabulary"]))
        count, width = words * model.embedding, model.embedding
    for units in model.units:
        directions = 2 if model.bidirectional else 1
        count += directions * _recurrent(model.cell, width, units)
        width = directions * units
        count += {"none": 0, "layer": 2, "batch": 4}[model.normalization] * width
    if model.dense:
        count, width = count + (width + 1) * model.dense, model.dense
    return count + (width + 1) * outputs(info)


def recurrent_products(settings: Settings, info: Mapping[str, Any]) -> int:
    """The multiplications of one step of one sequence in the recurrent layers, forward."""
    model = settings.model
    count, width = 0, int(info["features"]) or model.embedding
    directions = 2 if model.bidirectional else 1
    for units in model.units:
        count += directions * _GATES[model.cell] * units * (width + units)
        width = directions * units
    return count


def outputs(info: Mapping[str, Any]) -> int:
    """How many numbers the last layer gives (at every step, for labelling)."""
    labels = len(info["labels"])
    if labels:
        return 1 if labels == 2 else labels
    steps = int(info["horizon"]) if info["task"] == "forecasting" else 1
    return steps * len(info["targets"])


def loses_cudnn(model: ModelKnobs) -> list[str]:
    """Why NVIDIA's fast kernels cannot run these layers, in words; empty when they can."""
    reasons = []
    if model.cell == "rnn":
        reasons.append("cell is rnn (gru and lstm have a cuDNN kernel)")
    if model.activation != "tanh":
        reasons.append(f"activation is {model.activation} (cuDNN knows tanh alone)")
    if model.recurrent_dropout > 0:
        reasons.append("recurrent_dropout is above 0 (use dropout, which acts between the layers)")
    return reasons


def impossible(settings: Settings, classes: bool) -> list[str]:
    """What contradicts itself in these settings, in words; ``classes``: the targets are classes."""
    training = settings.training
    problems = []
    if classes and training.loss in ("mse", "mae", "huber"):
        problems.append(
            f"loss {training.loss} is for numbers, and the targets are classes: use cross_entropy"
        )
    if not classes and training.loss in ("cross_entropy", "focal"):
        problems.append(f"loss {training.loss} is for classes, and the targets are numbers: use mse")
    if training.clip_norm is not None and training.clip_value is not None:
        problems.append("clip_norm and clip_value exclude each other: set one of them to null")
    return problems


def _recurrent(cell: str, inputs: int, units: int) -> int:
    # Keras' GRU has two biases a gate (reset_after), the form cuDNN computes.
    biases = 2 if cell == "gru" else 1
    return _GATES[cell] * units * (inputs + units + biases)
