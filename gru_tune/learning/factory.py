"""From the settings of a trial to a Keras model: the meaning of every model knob.

The model is functional, has one input and one output, and is made of Keras' own layers
and operations alone: a saved one loads with plain ``keras.models.load_model``. One to train
on JAX has layers of ``layers`` in some places, and the same weights (``plain_copy``).
"""

from __future__ import annotations

from typing import Any

from gru_tune.data.dataset import Dataset
from gru_tune.errors import TrainingError
from gru_tune.knobs import ModelKnobs, Settings, TrainingKnobs
from gru_tune.learning.initial import built
from gru_tune.learning.losses import has_classes
from gru_tune.learning.normalizing import normalize, restore
from gru_tune.learning.samples import PAD
from gru_tune.learning.sizes import impossible, outputs
from gru_tune.learning.truth import FORMS
from gru_tune.learning.windows import common_length


def build(settings: Settings, dataset: Dataset, fast: bool = False) -> Any:
    """A new ``keras.Model`` for one trial.

    Input: (batch, time) word ids, 0 for padding, or (batch, time, features) numbers,
    -1e9 for padding. Output: by the head, see ``_head``. ``fast`` takes the layers of
    ``layers`` where there is one, and leaves the penalties on weights to the engine.
    Raises ``TrainingError`` for settings that contradict themselves.
    """
    import keras

    problems = impossible(settings, has_classes(dataset))
    if has_classes(dataset) and len(dataset.info["labels"]) < 2:
        problems.append("the training split has one class only: there is nothing to tell apart")
    if problems:
        raise TrainingError("; ".join(problems))
    make = _Fast(settings.model) if fast else _Plain(settings.model)
    inputs, x, mask, scaling = _entrance(settings, dataset, make)
    steps = FORMS[dataset.info["task"]] == "steps"
    x = _stack(x, mask, settings.model, make, steps)
    x = _head(x, settings.model, make, dataset)
    if FORMS[dataset.info["task"]] == "horizon":
        x = keras.layers.Reshape((int(dataset.info["horizon"]), len(dataset.info["targets"])))(x)
        x = restore(x, scaling, dataset.info) if scaling else x
    return keras.Model(inputs, x)


def plain_copy(model: Any, settings: Settings, dataset: Dataset) -> Any:
    """``model`` as one of Keras' own layers alone, to be saved; itself where it is one already."""
    ours = any(type(layer).__module__.startswith("gru_tune") for layer in model._flatten_layers())
    penalties = settings.model.l1 or settings.model.l2  # an engine of ours charges them itself
    if not ours and not penalties:
        return model
    return _copy(model, built(lambda: build(settings, dataset), seed=0))


def fast_copy(model: Any, settings: Settings, dataset: Dataset) -> Any:
    """A saved ``model`` of these settings with the layers to train with in their places."""
    return _copy(model, built(lambda: build(settings, dataset, fast=True), seed=0))


def _copy(source: Any, target: Any) -> Any:
    """``target`` with the weights of ``source``; layers of the one that have none are no matter."""
    theirs = [layer for layer in source.layers if layer.weights and not _only_ours(layer)]
    ours = [layer for layer in target.layers if layer.weights and not _only_ours(layer)]
    for layer, other in zip(theirs, ours, strict=True):
        other.set_weights(layer.get_weights())
    return target


def _only_ours(layer: Any) -> bool:
    """Whether Keras' layer in the same place has no weights."""
    return type(layer).__name__ == "FastDropout"


class _Plain:
    """Makes Keras' own layers."""

    def __init__(self, knobs: ModelKnobs) -> None:
        self.knobs = knobs

    def recurrent(self, units: int, sequences: bool) -> Any:
        knobs, regularizer = self.knobs, self.penalty()
        return self.cell()(
            units,
            activation=knobs.activation,
            kernel_initializer=knobs.initializer,
            recurrent_initializer=knobs.recurrent_initializer,
            kernel_regularizer=regularizer,
            recurrent_regularizer=regularizer,
            recurrent_dropout=knobs.recurrent_dropout,
            return_sequences=sequences,
        )

    def cell(self) -> Any:
        """The class of the recurrent layers."""
        from keras import layers

        return {"gru": layers.GRU, "lstm": layers.LSTM, "rnn": layers.SimpleRNN}[self.knobs.cell]

    def penalty(self) -> Any:
        """What kernels and recurrent kernels are charged for their size; None for nothing."""
        import keras

        l1, l2 = self.knobs.l1, self.knobs.l2
        return keras.regularizers.L1L2(l1=l1, l2=l2) if l1 or l2 else None

    def dropout(self, every_step: bool) -> Any:
        """At every step the same values are dropped: the layers' own dropout, which has it so, loses cuDNN."""
        from keras import layers

        return (layers.SpatialDropout1D if every_step else layers.Dropout)(self.knobs.dropout)


class _Fast(_Plain):
    """Makes the layers of ``layers`` where they are faster, which is wherever they can be used."""

    def cell(self) -> Any:
        from gru_tune.learning.layers import FastGRU

        return FastGRU if lean(self.knobs) else super().cell()

    def penalty(self) -> None:
        """The engine charges it."""

    def dropout(self, every_step: bool) -> Any:
        from gru_tune.learning.layers import FastDropout

        return FastDropout(self.knobs.dropout, every_step)


def lean(knobs: ModelKnobs) -> bool:
    """Whether the recurrent layers are such as ``recurrence`` computes."""
    return knobs.cell == "gru" and knobs.activation == "tanh" and not knobs.recurrent_dropout


def _entrance(settings: Settings, dataset: Dataset, make: _Plain) -> tuple[Any, Any, Any, Any]:
    """The input, what the first recurrent layer reads, the mask of real steps or None, the scaling."""
    import keras
    from keras import layers, ops

    features = int(dataset.info["features"])
    if not features:
        inputs = keras.Input((None,), dtype="int32", name="words")
        words = min(settings.data.vocabulary, int(dataset.info["vocabulary"]))
        x = layers.Embedding(words, settings.model.embedding, mask_zero=True)(inputs)
        if settings.model.dropout:
            x = make.dropout(every_step=True)(x)
        return inputs, x, ops.not_equal(inputs, 0), None
    length = common_length(dataset, settings.data)
    inputs = x = keras.Input((length, features), name="numbers")
    mask = None if length else ops.any(ops.not_equal(x, PAD), axis=-1)
    scaling = None
    if settings.data.scale in ("window", "last"):
        x, scaling = normalize(x, mask, settings.data.scale)
    if mask is not None:
        x = layers.Masking(PAD)(x)
    return inputs, x, mask, scaling


def _stack(x: Any, mask: Any, knobs: ModelKnobs, make: _Plain, every_step: bool) -> Any:
    """The recurrent layers and the pooling: (batch, units), or (batch, time, units)."""
    from keras import layers

    for number, units in enumerate(knobs.units, start=1):
        if number > 1 and knobs.dropout:
            x = make.dropout(every_step=True)(x)
        sequences = every_step or number < len(knobs.units) or knobs.pooling != "last"
        layer = make.recurrent(units, sequences)
        x = (layers.Bidirectional(layer) if knobs.bidirectional else layer)(x)
        if knobs.normalization == "layer":
            x = layers.LayerNormalization()(x)
        elif knobs.normalization == "batch":
            x = layers.BatchNormalization()(x)
    if every_step or knobs.pooling == "last":
        return x
    return _pooled(x, mask, knobs.pooling)


def _pooled(x: Any, mask: Any, how: str) -> Any:
    """Mean or maximum over the real steps: (batch, time, units) -> (batch, units)."""
    from keras import ops

    if mask is None:
        return ops.mean(x, axis=1) if how == "mean" else ops.max(x, axis=1)
    mask = ops.expand_dims(mask, -1)
    if how == "max":
        return ops.max(ops.where(mask, x, PAD), axis=1)
    count = ops.maximum(ops.sum(ops.cast(mask, "float32"), axis=1), 1.0)
    return ops.divide(ops.sum(ops.where(mask, x, 0.0), axis=1), count)


def _head(x: Any, knobs: ModelKnobs, make: _Plain, dataset: Dataset) -> Any:
    """Probabilities of the classes (of the second of two), or numbers: (…, outputs)."""
    from keras import layers

    if knobs.dropout:
        x = make.dropout(every_step=FORMS[dataset.info["task"]] == "steps")(x)
    if knobs.dense:
        x = layers.Dense(knobs.dense, activation=knobs.dense_activation)(x)
    count = outputs(dataset.info)
    activation = None
    if has_classes(dataset):
        activation = "sigmoid" if count == 1 else "softmax"
    return layers.Dense(count, activation=activation, name="output")(x)


def make_optimizer(knobs: TrainingKnobs) -> Any:
    """A new Keras optimizer."""
    import keras

    kinds = {
        "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD", "nadam": "Nadam",
        "adamax": "Adamax", "adagrad": "Adagrad", "adadelta": "Adadelta", "lion": "Lion",
    }  # fmt: skip
    extra = {"momentum": knobs.momentum} if knobs.optimizer in ("sgd", "rmsprop") else {}
    if knobs.weight_decay or knobs.optimizer == "adamw":
        extra["weight_decay"] = knobs.weight_decay
    return getattr(keras.optimizers, kinds[knobs.optimizer])(
        learning_rate=knobs.learning_rate,
        global_clipnorm=knobs.clip_norm,
        clipvalue=knobs.clip_value,
        **extra,
    )
