from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.errors import TrainingError
from gru_tune.knobs import settle
from gru_tune.learning.checkpoints import save_model
from gru_tune.learning.engines import fast_path, make_model, reseed
from gru_tune.learning.factory import build
from gru_tune.learning.losses import make_loss
from gru_tune.learning.safety import refuse_architecture, refuse_weights
from gru_tune.learning.samples import PAD, Batch, Samples
from tests.learning.learning_data import sequences, timeline

CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def tiny(data: Dataset, **knobs: Any) -> tuple[Any, Samples]:
    settings = settle({"units": 4, "embedding": 3, "window": 5, **knobs})
    return build(settings, data), Samples(data, "train", settings.data)


def every_kind() -> list[Any]:
    """A model of every task, cell and way to read: with all that must keep padding out."""
    return [
        pytest.param(sequences(words=True, classes=3), {"depth": 2, "normalization": "layer"}, id="words"),
        pytest.param(sequences(words=True), {"pooling": "mean", "bidirectional": True}, id="mean"),
        pytest.param(sequences(), {"cell": "lstm", "bidirectional": True, "depth": 2}, id="lstm"),
        pytest.param(sequences("regression"), {"pooling": "max", "scale": "window"}, id="max"),
        pytest.param(sequences("regression"), {"cell": "rnn", "scale": "last", "pooling": "mean"}, id="last"),
        pytest.param(sequences("labelling"), {"dense": 3, "scale": "window", "bidirectional": True}, id="steps"),
        pytest.param(sequences("labelling", words=True, classes=3), {"loss": "focal"}, id="tags"),
    ]  # fmt: skip


def loss_and_gradients(model: Any, loss: Any, batch: Batch) -> tuple[float, list[Any]]:
    """As one step of plain gradient descent at rate 1 shows them, on any backend."""
    import keras

    before = [np.array(w) for w in model.get_weights()]
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    value = float(model.train_on_batch(batch.x, batch.y, batch.w, return_dict=True)["loss"])
    gradients = [old - new for old, new in zip(before, model.get_weights(), strict=True)]
    model.set_weights(before)
    return value, gradients


@pytest.mark.parametrize(("data", "knobs"), every_kind())
def test_padding_changes_nothing(data: Dataset, knobs: dict[str, Any]) -> None:
    """Outputs, loss and gradients of a padded batch are the mean of those of its bare sequences."""
    model, samples = tiny(data, **knobs)
    loss = make_loss(settle(knobs).training, data)
    chosen = np.array([0, 1, 2])
    lengths = samples.lengths[chosen]
    assert len(set(lengths.tolist())) > 1
    padded = samples.gather(np.append(chosen, 0), 14)
    padded.w[3] = 0.0
    outputs = np.asarray(model.predict_on_batch(padded.x))
    total, sums, weight = 0.0, [np.zeros_like(w) for w in model.get_weights()], 0.0
    for row, (index, length) in enumerate(zip(chosen, lengths, strict=True)):
        bare = samples.gather(np.array([index]), int(length))
        alone = np.asarray(model.predict_on_batch(bare.x))[0]
        same = outputs[row, :length] if samples.form == "steps" else outputs[row]
        np.testing.assert_allclose(same, alone, **CLOSE)
        value, gradients = loss_and_gradients(model, loss, bare)
        total, weight = total + value * bare.w.sum(), weight + bare.w.sum()
        sums = [s + g * bare.w.sum() for s, g in zip(sums, gradients, strict=True)]
    value, gradients = loss_and_gradients(model, loss, padded)
    assert value == pytest.approx(total / weight, abs=1e-5)
    for mean, gradient in zip(sums, gradients, strict=True):
        np.testing.assert_allclose(gradient, mean / weight, **CLOSE)


def loadable() -> list[Any]:
    forecasts = [
        pytest.param(timeline(), {"scale": how, "pooling": pooling}, id=f"{how}-{pooling}")
        for how, pooling in (("window", "max"), ("last", "last"), ("standard", "mean"))
    ]
    steps = pytest.param(
        timeline("labelling", classes=2), {"scale": "last", "normalization": "batch"}, id="tiles"
    )
    return [*every_kind(), *forecasts, steps]


@pytest.mark.parametrize(("data", "knobs"), loadable())
def test_a_saved_model_needs_nothing_but_keras(data: Dataset, knobs: dict[str, Any], tmp_path: Path) -> None:
    import keras

    model, samples = tiny(data, dropout=0.2, **knobs)
    batch = samples.gather(np.arange(3), int(samples.lengths.max()))
    save_model(model, tmp_path)
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded.predict_on_batch(batch.x), model.predict_on_batch(batch.x), **CLOSE)
    assert len(loaded.inputs) == 1
    refuse_weights(tmp_path / "model.keras")  # a stranger's are looked at first
    refuse_architecture(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of a structure that does not match
        loaded(batch.x)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_max_pooling_does_not_see_padding() -> None:
    """Guards against Keras' GlobalMaxPooling1D, which counts the zeros of masked steps."""
    model, _ = tiny(sequences(), pooling="max")
    for weights in model.layers:
        weights.set_weights([-abs(w) for w in weights.get_weights()])
    x = np.full((1, 4, 2), PAD, np.float32)
    x[0, :2] = 1.0
    bare = model.predict_on_batch(x[:, :2])
    np.testing.assert_allclose(model.predict_on_batch(x), bare, **CLOSE)


def constant(model: Any, value: float) -> None:
    """Make the model's head give ``value`` whatever it reads."""
    head = model.get_layer("output")
    kernel, bias = head.get_weights()
    head.set_weights([np.zeros_like(kernel), np.full_like(bias, value)])


def test_forecasts_get_the_last_value_back() -> None:
    data = timeline(horizon=2)
    model, samples = tiny(data, scale="last")
    constant(model, 0.25)
    batch = samples.gather(np.array([7]), 5)
    forecast = model.predict_on_batch(batch.x)[0]
    # column b is the second input; column c is no input, and stays as it comes
    np.testing.assert_allclose(forecast, [[batch.x[0, -1, 1] + 0.25, 0.25]] * 2, **CLOSE)


def test_forecasts_get_the_mean_and_spread_of_the_window_back() -> None:
    data = timeline(
        horizon=2,
        input_scale={"mean": [0.0, 3.0], "std": [1.0, 4.0]},
        target_scale={"mean": [1.0, 0.0], "std": [2.0, 1.0]},
    )
    model, samples = tiny(data, scale="window")
    constant(model, 1.0)
    batch = samples.gather(np.array([7]), 5)
    forecast = model.predict_on_batch(batch.x)[0]
    column = batch.x[0, :, 1]
    original = 3.0 + 4.0 * (column.mean() + np.sqrt(column.var() + 1e-5))
    np.testing.assert_allclose(forecast, [[(original - 1.0) / 2.0, 1.0]] * 2, **CLOSE)


@pytest.mark.parametrize("how", ["window", "last"])
def test_windows_that_differ_by_a_shift_look_the_same(how: str) -> None:
    model, samples = tiny(timeline("regression"), scale=how)
    x = samples.gather(np.arange(3), 5).x
    np.testing.assert_allclose(model.predict_on_batch(x + 5.0), model.predict_on_batch(x), atol=1e-4)


def test_every_optimizer_takes_a_step() -> None:
    data = sequences("regression", varying=False)
    names = ("adam", "adamw", "rmsprop", "sgd", "nadam", "adamax", "adagrad", "adadelta", "lion")
    for name in names:
        settings = settle({"optimizer": name, "momentum": 0.5, "weight_decay": 0.01, "clip_norm": 1.0})
        model = make_model(settings, Samples(data, "train", settings.data), "plain")
        assert type(model.optimizer).__name__.lower() == name
        assert model.optimizer.global_clipnorm == 1.0
        assert model.optimizer.weight_decay == 0.01


@pytest.mark.parametrize(
    ("data", "loss"),
    [
        *itertools.product([sequences(), sequences(classes=3)], ["auto", "focal"]),
        *itertools.product([sequences("regression")], ["auto", "huber"]),
    ],
)
def test_losses_are_what_their_names_say(data: Dataset, loss: str) -> None:
    classes = len(data.info["labels"])
    y = np.array([1, 0]) if classes else np.array([[1.0], [0.0]], np.float32)
    p = {0: [[0.5], [2.0]], 2: [[0.8], [0.4]], 3: [[0.1, 0.8, 0.1], [0.6, 0.2, 0.2]]}[classes]
    value = float(
        make_loss(settle({"loss": loss}).training, data)(y, np.array(p, np.float32), np.array([1.0, 3.0]))
    )
    # the probability of the true class in both rows is 0.8 and 0.6
    wanted = {
        ("auto", True): (-np.log(0.8) - 3 * np.log(0.6)) / 4,
        ("focal", True): (-(0.2**2) * np.log(0.8) - 3 * 0.4**2 * np.log(0.6)) / 4,
        ("auto", False): (0.25 + 3 * 4.0) / 4,
        ("huber", False): (0.125 + 3 * 1.5) / 4,
    }[loss, classes > 0]
    assert value == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
def test_label_smoothing_keeps_a_sure_model_from_being_perfect(classes: int, loss: str) -> None:
    data = sequences(classes=classes)
    chances = (
        np.eye(classes, dtype=np.float32)[[1, 0]] if classes > 2 else np.array([[1.0], [0.0]], np.float32)
    )
    sharp, smooth = (
        float(
            make_loss(settle({"loss": loss, "label_smoothing": s}).training, data)(np.array([1, 0]), chances)
        )
        for s in (0.0, 0.1)
    )
    assert sharp == pytest.approx(0.0, abs=1e-5)
    assert smooth > sharp + 1e-3


def test_impossible_settings() -> None:
    with pytest.raises(TrainingError, match="loss mse is for numbers"):
        tiny(sequences(), loss="mse")
    with pytest.raises(TrainingError, match="one class only"):
        tiny(sequences(tags=["one"], classes=1))


def test_dropout_spares_raw_numbers_and_lasts_for_all_steps() -> None:
    model, _ = tiny(sequences(), depth=2, dropout=0.5)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", *kinds[1:-5], "GRU", "SpatialDropout1D", "GRU", "Dropout", "Dense"]
    assert "SpatialDropout1D" not in kinds[:-5]
    model, _ = tiny(sequences(words=True), dropout=0.5)
    assert "SpatialDropout1D" in [type(layer).__name__ for layer in model.layers]


def test_reseeding_decides_what_is_dropped() -> None:
    model, samples = tiny(sequences("regression"), dropout=0.5, recurrent_dropout=0.3, depth=2)
    x = samples.gather(np.arange(8), 9).x
    outputs = []
    for epoch in (1, 1, 2):
        reseed(model, 3, epoch)
        outputs.append(np.asarray(model(x, training=True)))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.allclose(outputs[0], outputs[2])


def test_what_is_compiled() -> None:
    """Neither a short training, which never gets the seconds back, nor states of long sequences."""
    import keras

    def path(steps: int, **knobs: Any) -> str:
        data = sequences(varying=False)
        spread = data.spans.copy()
        spread[:, 0], spread[:, 1] = 0, steps
        settings = settle({"batch_size": 8, **knobs})
        return fast_path(settings, Samples(replace(data, spans=spread), "train", settings.data))

    if keras.backend.backend() != "tensorflow":
        assert path(6) == "jax"
        assert (
            path(6, cell="lstm") == path(6, activation="relu") == path(6, recurrent_dropout=0.1) == "jax-scan"
        )
        return
    import tensorflow

    if tensorflow.config.list_physical_devices("GPU"):
        pytest.skip("a GPU has its own ways")
    assert path(6, epochs=10) == "plain"
    assert path(6, epochs=1000) == "xla"
    assert path(300, epochs=100) == "xla"
    assert path(300, epochs=100, pooling="mean") == "plain"
    assert path(300, epochs=100, depth=2) == "xla"
    assert path(500, epochs=100, depth=2) == "plain"
