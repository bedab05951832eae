"""From the settings of a trial to a compiled Keras model: the meaning of every model knob.

The model is functional, has one input and one output, and is made of Keras' own layers
and operations alone: a saved one loads with plain ``keras.models.load_model``.
"""

from __future__ import annotations

from typing import Any

from gru_tune.data.dataset import Dataset
from gru_tune.errors import TrainingError
from gru_tune.knobs import ModelKnobs, Settings, TrainingKnobs
from gru_tune.learning.batches import buckets
from gru_tune.learning.losses import has_classes, make_loss, make_metric
from gru_tune.learning.normalizing import normalize, restore
from gru_tune.learning.samples import PAD, Samples
from gru_tune.learning.sizes import impossible, loses_cudnn, outputs
from gru_tune.learning.truth import FORMS, Form
from gru_tune.learning.windows import common_length


def build(settings: Settings, dataset: Dataset, fast_path: str = "xla") -> Any:
    """A new compiled ``keras.Model`` for one trial.

    Input: (batch, time) word ids, 0 for padding, or (batch, time, features) numbers,
    -1e9 for padding. Output: by the head, see ``_head``. ``fast_path`` is what
    ``fast_path`` chose. Raises ``TrainingError`` for settings that contradict themselves.
    """
    import keras

    problems = impossible(settings, has_classes(dataset))
    if has_classes(dataset) and len(dataset.info["labels"]) < 2:
        problems.append("the training split has one class only: there is nothing to tell apart")
    if problems:
        raise TrainingError("; ".join(problems))
    inputs, x, mask, scaling = _entrance(settings, dataset)
    steps = FORMS[dataset.info["task"]] == "steps"
    x = _stack(x, mask, settings.model, steps)
    x = _head(x, settings.model, dataset)
    if FORMS[dataset.info["task"]] == "horizon":
        x = keras.layers.Reshape((int(dataset.info["horizon"]), len(dataset.info["targets"])))(x)
        x = restore(x, scaling, dataset.info) if scaling else x
    model = keras.Model(inputs, x)
    compile_model(model, settings.training, dataset, fast_path)
    return model


def compile_model(model: Any, knobs: TrainingKnobs, dataset: Dataset, fast_path: str) -> None:
    """Give ``model`` its optimizer, loss and training metric."""
    model.compile(
        optimizer=_optimizer(knobs),
        loss=make_loss(knobs, dataset),
        weighted_metrics=[make_metric(dataset)],
        jit_compile=fast_path == "xla",
    )


# What XLA saves on one core, in seconds for every time step of a layer in one direction, and
# what compiling costs more for every shape and for every such layer of it.
SAVED, COST, COST_OF_A_LAYER = 0.15e-3, 1.3, 0.7
# XLA on a CPU copies the states of all steps at every step: of long sequences that costs more than it saves.
LONG = 180


def fast_path(settings: Settings, train: Samples) -> str:
    """How to run the steps: ``xla`` compiled, ``cudnn`` NVIDIA's kernels, ``plain`` neither.

    Depends on the settings and the training data alone, so that all stretches of a
    trial take the same path.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return "xla"
    if _gpu():
        return "plain" if loses_cudnn(settings.model) else "cudnn"
    shapes = buckets(train, settings.training.batch_size)
    batches = sum(-(-len(shape.indices) // shape.size) for shape in shapes)
    length = sum(len(shape.indices) * shape.length for shape in shapes) / max(len(train), 1)
    layers = len(settings.model.units) * (2 if settings.model.bidirectional else 1)
    saved = SAVED * length * layers * batches * settings.training.epochs
    worth = saved > len(shapes) * (COST + COST_OF_A_LAYER * layers)
    return "xla" if worth and length * _kept_states(settings.model, train.form) <= LONG else "plain"


def _kept_states(knobs: ModelKnobs, form: Form) -> float:
    """The share of the recurrent layers that hand on the states of all steps."""
    last = 0 if form != "steps" and knobs.pooling == "last" else 1
    return (len(knobs.units) - 1 + last) / len(knobs.units)


def _gpu() -> bool:
    import tensorflow

    return bool(tensorflow.config.list_logical_devices("GPU"))


def _entrance(settings: Settings, dataset: Dataset) -> tuple[Any, Any, Any, Any]:
    """The input, what the first recurrent layer reads, the mask of real steps or None, the scaling."""
    import keras
    from keras import layers, ops

    features = int(dataset.info["features"])
    if not features:
        inputs = keras.Input((None,), dtype="int32", name="words")
        words = min(settings.data.vocabulary, int(dataset.info["vocabulary"]))
        x = layers.Embedding(words, settings.model.embedding, mask_zero=True)(inputs)
        if settings.model.dropout:
            x = layers.SpatialDropout1D(settings.model.dropout)(x)
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


def _stack(x: Any, mask: Any, knobs: ModelKnobs, every_step: bool) -> Any:
    """The recurrent layers and the pooling: (batch, units), or (batch, time, units)."""
    from keras import layers

    for number, units in enumerate(knobs.units, start=1):
        if number > 1 and knobs.dropout:
            # One mask for all steps, as the layers' own dropout has it; theirs loses the fast kernels.
            x = layers.SpatialDropout1D(knobs.dropout)(x)
        sequences = every_step or number < len(knobs.units) or knobs.pooling != "last"
        layer = _recurrent(knobs, units, sequences)
        x = (layers.Bidirectional(layer) if knobs.bidirectional else layer)(x)
        if knobs.normalization == "layer":
            x = layers.LayerNormalization()(x)
        elif knobs.normalization == "batch":
            x = layers.BatchNormalization()(x)
    if every_step or knobs.pooling == "last":
        return x
    return _pooled(x, mask, knobs.pooling)


def _recurrent(knobs: ModelKnobs, units: int, sequences: bool) -> Any:
    from keras import layers

    kind = {"gru": layers.GRU, "lstm": layers.LSTM, "rnn": layers.SimpleRNN}[knobs.cell]
    return kind(
        units,
        activation=knobs.activation,
        kernel_initializer=knobs.initializer,
        recurrent_initializer=knobs.recurrent_initializer,
        kernel_regularizer=_penalty(knobs),
        recurrent_regularizer=_penalty(knobs),
        recurrent_dropout=knobs.recurrent_dropout,
        return_sequences=sequences,
    )


def _penalty(knobs: ModelKnobs) -> Any:
    import keras

    return keras.regularizers.L1L2(l1=knobs.l1, l2=knobs.l2) if knobs.l1 or knobs.l2 else None


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


def _head(x: Any, knobs: ModelKnobs, dataset: Dataset) -> Any:
    """Probabilities of the classes (of the second of two), or numbers: (…, outputs)."""
    from keras import layers

    if knobs.dropout:
        # At every step the same values are dropped: also because XLA draws random numbers slowly.
        every_step = FORMS[dataset.info["task"]] == "steps"
        x = (layers.SpatialDropout1D if every_step else layers.Dropout)(knobs.dropout)(x)
    if knobs.dense:
        x = layers.Dense(knobs.dense, activation=knobs.dense_activation)(x)
    count = outputs(dataset.info)
    activation = None
    if has_classes(dataset):
        activation = "sigmoid" if count == 1 else "softmax"
    return layers.Dense(count, activation=activation, name="output")(x)


def _optimizer(knobs: TrainingKnobs) -> Any:
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
