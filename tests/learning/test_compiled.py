"""Training on JAX gives the numbers of Keras' own layers, optimizers and steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import settle
from gru_tune.learning.batches import batches
from gru_tune.learning.engines import Engine, Stepwise, fast_path, make_engine, make_model
from gru_tune.learning.factory import build, make_optimizer, plain_copy
from gru_tune.learning.initial import draw
from gru_tune.learning.losses import make_loss, make_metric
from gru_tune.learning.samples import Batch, Samples
from tests.learning.learning_data import sequences, timeline

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="this process computes with another backend"
)
CLOSE: dict[str, Any] = {"atol": 2e-5, "rtol": 2e-4}


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_the_layer_is_keras_own(sequences: bool, backwards: bool, masked: bool) -> None:
    """Outputs, state, and the gradients of weights, inputs and first state."""
    import jax

    from gru_tune.learning.layers import FastGRU

    x, first = arrays((5, 7, 3), (5, 4))
    lengths = np.array([7, 1, 4, 6, 2])
    mask = np.arange(7) < lengths[:, None] if masked else None
    options = {"return_sequences": sequences, "return_state": True, "go_backwards": backwards}
    theirs, ours = keras.layers.GRU(4, bias_initializer="random_normal", **options), FastGRU(4, **options)
    for layer in (theirs, ours):
        layer.build(x.shape)
    ours.set_weights(theirs.get_weights())

    def told(layer: Any) -> Any:
        def cost(weights: Any, x: Any, first: Any) -> Any:
            fixed = [v.value for v in layer.non_trainable_variables]
            (out, state), _ = layer.stateless_call(weights, fixed, x, initial_state=first, mask=mask)
            return (out**2).sum() + (state * np.arange(4)).sum(), (out, state)

        weights = [v.value for v in layer.trainable_variables]
        return jax.value_and_grad(cost, argnums=(0, 1, 2), has_aux=True)(weights, x, first)

    for mine, other in zip(jax.tree.leaves(told(ours)), jax.tree.leaves(told(theirs)), strict=True):
        np.testing.assert_allclose(mine, other, **CLOSE)


EVERY = [
    pytest.param(sequences(words=True, classes=3), {"depth": 2, "bidirectional": True, "pooling": "mean"}, id="words"),
    pytest.param(sequences("regression"), {"normalization": "batch", "bidirectional": True, "depth": 2}, id="series"),
    pytest.param(sequences("labelling", words=True, classes=3), {"normalization": "layer", "bidirectional": True}, id="tags"),
    pytest.param(sequences("labelling"), {"cell": "lstm", "depth": 2}, id="lstm"),
    pytest.param(timeline(), {"scale": "window", "dense": 3, "pooling": "max"}, id="forecast"),
]  # fmt: skip
TRAINED = [
    *({"optimizer": name, "momentum": 0.5, "weight_decay": 0.01} for name in
      ("adam", "adamw", "rmsprop", "sgd", "nadam", "adamax", "adagrad", "adadelta", "lion")),
    {"clip_norm": 0.05}, {"clip_value": 0.01}, {"l1": 0.01}, {"l2": 0.1, "l1": 0.02}, {"label_smoothing": 0.1},
]  # fmt: skip


def beside(data: Dataset, **knobs: Any) -> tuple[Engine, Engine, Samples]:
    """The same model, trained by the compiled engine and by Keras' own step."""
    settings = settle({"units": 4, "embedding": 3, "window": 5, "batch_size": 8, **knobs})
    samples = Samples(data, "train", settings.data)
    model = make_model(settings, samples, fast_path(settings, samples), seed=1)
    plain = plain_copy(model, settings, data)
    if plain is model:
        plain = build(settings, data)
        plain.set_weights(model.get_weights())
    plain.compile(
        make_optimizer(settings.training),
        make_loss(settings.training, data),
        weighted_metrics=[make_metric(data)],
    )
    return (
        make_engine(model, settings, samples, "jax"),
        Stepwise(plain, make_loss(settings.training, data)),
        samples,
    )


def learned(engine: Engine, some: list[Batch]) -> dict[str, float]:
    parts = list(engine.learn(some, lambda place: 0.01 / (place + 1)))
    weight = sum(part.weight for part in parts)
    return {name: sum(part.metrics[name] for part in parts) / weight for name in parts[0].metrics}


def alike(ours: Engine, theirs: Engine, samples: Samples) -> None:
    """Three epochs with a falling rate and a batch that is not full leave the same model."""
    some = [batch for epoch in range(3) for batch in batches(samples, 8, np.random.default_rng(epoch))]
    assert learned(ours, some) == pytest.approx(learned(theirs, some), rel=1e-3)
    ours.settle()
    kept = [layer for layer in ours.model.layers if layer.weights and type(layer).__name__ != "FastDropout"]
    others = [layer for layer in theirs.model.layers if layer.weights]
    for mine, other in zip(kept, others, strict=True):
        for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4, rtol=2e-3)
    out, loss = ours.score(some[0])
    expected, expected_loss = theirs.score(some[0])
    np.testing.assert_allclose(out, expected, atol=1e-3)
    assert loss == pytest.approx(expected_loss, rel=1e-2)


@pytest.mark.parametrize(("data", "knobs"), EVERY)
def test_every_kind_of_model_is_trained_as_keras_does(data: Dataset, knobs: dict[str, Any]) -> None:
    alike(*beside(data, **knobs))


@pytest.fixture
def divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches go through the model in parts of 4 rows."""
    from gru_tune.learning import compiled

    monkeypatch.setattr(compiled, "PART", 4)
    monkeypatch.setattr(compiled, "_programs", type(compiled._programs)())


@pytest.mark.usefixtures("divided")
@pytest.mark.parametrize(("data", "knobs"), EVERY)
def test_a_batch_in_parts_is_the_same_step(data: Dataset, knobs: dict[str, Any]) -> None:
    """One that is not full ends with parts that weigh nothing; a normalised batch stays whole."""
    alike(*beside(data, **knobs))


@pytest.mark.usefixtures("divided")
@pytest.mark.parametrize("knobs", TRAINED[-5:], ids=lambda knobs: "-".join(knobs))
def test_clipping_and_penalties_are_those_of_the_whole_batch(knobs: dict[str, Any]) -> None:
    alike(*beside(sequences(classes=3, varying=False), **knobs))


@pytest.mark.usefixtures("divided")
def test_batch_sizes_share_a_program() -> None:
    data = sequences(classes=3, varying=False)

    def compiling(batch_size: int, normalization: str) -> float:
        settings = settle({"units": 5, "batch_size": batch_size, "normalization": normalization})
        samples = Samples(data, "train", settings.data)
        engine = make_engine(make_model(settings, samples, "jax"), settings, samples, "jax")
        learned(engine, list(batches(samples, batch_size, np.random.default_rng(0))))
        return engine.compiling

    assert compiling(8, "none") > 0
    assert compiling(4, "none") == compiling(12, "none") == 0
    assert compiling(8, "batch") > 0
    assert compiling(12, "batch") > 0


@pytest.mark.parametrize(
    ("rows", "together"), [(8, 8), (32, 32), (64, 32), (48, 24), (100, 25), (37, 37), (256, 32)]
)
def test_parts_divide_a_batch_evenly(rows: int, together: int) -> None:
    from gru_tune.learning.compiled import part

    assert part(rows) == together


@pytest.mark.parametrize("knobs", TRAINED, ids=lambda knobs: "-".join(f"{v}" for v in knobs.values()))
def test_every_optimizer_steps_as_keras_does(knobs: dict[str, Any]) -> None:
    alike(*beside(sequences(classes=3, varying=False), **knobs))


def test_numbers_are_no_other_program() -> None:
    """Another rate, seed, penalty or dropout rate compiles nothing; another size does."""
    data = sequences(classes=3, varying=False)
    usual = {"units": 5, "batch_size": 8, "dropout": 0.2, "l2": 1e-3, "clip_norm": 1.0, "weight_decay": 1e-3}

    def compiling(**knobs: Any) -> float:
        settings = settle({**usual, **knobs})
        samples = Samples(data, "train", settings.data)
        engine = make_engine(make_model(settings, samples, "jax"), settings, samples, "jax")
        engine.begin(3, 1)
        some = list(batches(samples, 8, np.random.default_rng(0)))
        learned(engine, some)
        engine.score(some[0])
        return engine.compiling

    assert compiling() > 0
    others = {
        "dropout": 0.4,
        "l2": 0.1,
        "clip_norm": 3.0,
        "weight_decay": 0.1,
        "initializer": "he_normal",
        "epochs": 3,
    }
    assert compiling(**others, learning_rate=0.1) == 0
    assert compiling(units=6) > 0


def test_dropout_drops_its_share_and_the_same_at_every_step() -> None:
    from gru_tune.learning.layers import FastDropout

    x = np.ones((200, 3, 50), np.float32)
    out = np.asarray(FastDropout(0.25, every_step=True)(x, training=True))
    assert sorted(set(np.unique(out).tolist())) == pytest.approx([0.0, 1 / 0.75])
    assert (out == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert (out == out[:, :1]).all()
    assert not (np.asarray(FastDropout(0.25, every_step=False)(x, training=True))[:, 0] == out[:, 1]).all()
    np.testing.assert_array_equal(FastDropout(0.25, every_step=True)(x), x)


@pytest.mark.parametrize(
    "name",
    ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "random_normal",
     "random_uniform", "zeros", "ones"],
)  # fmt: skip
def test_first_values_are_distributed_as_keras_has_them(name: str) -> None:
    initializer = keras.initializers.get(name)
    ours = draw(initializer, np.random.default_rng(0), (300, 200), "float32")
    theirs = np.asarray(initializer((300, 200)))
    assert ours.dtype == np.float32
    assert ours.mean() == pytest.approx(theirs.mean(), abs=2e-3)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.15)


@pytest.mark.parametrize("shape", [(4, 12), (12, 4)])
def test_orthogonal_first_values(shape: tuple[int, int]) -> None:
    matrix = draw(keras.initializers.Orthogonal(), np.random.default_rng(0), shape, "float32")
    small = matrix @ matrix.T if shape[0] < shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, np.eye(4), atol=1e-5)


def test_the_seed_decides_the_first_weights() -> None:
    data, settings = sequences(), settle({"units": 4})
    samples = Samples(data, "train", settings.data)
    one, same, other = (make_model(settings, samples, "jax", seed).get_weights() for seed in (1, 1, 2))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(one[0], other[0])


def test_an_engine_goes_on_from_where_its_model_stands() -> None:
    ours, _, samples = beside(sequences(classes=3, varying=False))
    some = list(batches(samples, 8, np.random.default_rng(0)))
    learned(ours, some)
    ours.settle()
    settings = settle({"units": 4, "batch_size": 8})
    again = make_engine(ours.model, settings, samples, "jax")
    assert learned(again, some) == pytest.approx(learned(ours, some), rel=1e-5)


@pytest.mark.parametrize(("data", "knobs"), EVERY[:4])
def test_more_padding_changes_nothing(data: Dataset, knobs: dict[str, Any]) -> None:
    """A batch of a short length and one padded further: the same outputs, loss and trained weights."""
    settings = settle({"units": 4, "embedding": 3, "batch_size": 8, **knobs})
    samples = Samples(data, "train", settings.data)
    rows = np.arange(8)
    told = []
    for length in (9, 14):
        engine = make_engine(make_model(settings, samples, "jax", seed=2), settings, samples, "jax")
        batch = samples.gather(rows, length)
        sums = learned(engine, [batch] * 3)
        out, loss = engine.score(batch)
        out = out[:, :9] if samples.form == "steps" else out
        seen = samples.scored(rows, 9) if samples.form == "steps" else slice(None)
        weights = [value for value in engine.weights() if value.dtype.kind == "f"]  # no random states
        told.append([out[seen], np.array([loss, *sums.values()]), *weights])
    for short, long in zip(*told, strict=True):
        np.testing.assert_allclose(short, long, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("scale", "shared"), [("standard", True), ("window", False)])
def test_folds_share_their_programs_but_no_constants(scale: str, shared: bool) -> None:
    """Where a window is scaled by itself, the scales of the whole are constants of the model."""
    from gru_tune.learning.compiled import Compiled

    first = timeline()
    other = replace(first, info={**first.info, "input_scale": {"mean": [3.0, 5.0], "std": [2.0, 7.0]}})
    ours = [beside(data, scale=scale)[0] for data in (first, replace(first), other)]
    programs = [engine._program for engine in ours if isinstance(engine, Compiled)]
    assert programs[1] is programs[0]
    assert (programs[2] is programs[0]) == shared


def test_a_fold_with_fewer_words_has_its_own_programs() -> None:
    from gru_tune.learning.compiled import Compiled

    first = sequences(words=True, classes=3)
    fewer = replace(first, info={**first.info, "vocabulary": int(first.info["vocabulary"]) + 1})
    ours = [beside(data)[0] for data in (first, fewer)]
    programs = [engine._program for engine in ours if isinstance(engine, Compiled)]
    assert programs[0] is not programs[1]
