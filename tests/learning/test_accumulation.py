"""A batch that goes through the model in parts: the same update, in less memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.learning.batches import evened
from gru_tune.learning.engines import fast_path, make_engine, make_model
from gru_tune.learning.fitting import Fit, split_samples
from gru_tune.learning.samples import Batch
from gru_tune.learning.training import open_dataset, train
from gru_tune.trial import Job
from tests.learning.learning_data import job, sequences, timeline

# The parts of a batch weigh differently in most of them: sequences of 3 to 9 steps, classes of
# unequal weight, a last batch that is not full.
CASES: list[Any] = [
    pytest.param(sequences(words=True), {"clip_norm": 0.1}, id="text"),
    pytest.param(
        sequences("labelling", words=True, classes=3, tags=["O", "B-x", "I-x"]),
        {"bidirectional": True, "depth": 2, "batch_size": 15}, id="tags",
    ),
    pytest.param(sequences(words=True, classes=3), {"class_weights": "balanced", "l2": 0.01}, id="classes"),
    pytest.param(sequences("regression"), {"pooling": "max", "cell": "lstm", "batch_size": 13}, id="regression"),
    pytest.param(timeline(season=12), {"scale": "window", "weight_decay": 0.1, "window": 6}, id="forecast"),
    pytest.param(sequences("labelling"), {"normalization": "layer", "batch_size": 2, "learning_rate": 0.01}, id="numbers"),
]  # fmt: skip


def trained(one: Job) -> tuple[dict[str, float], list[Any]]:
    """The loss and metric of the training, and all that it leaves: weights and optimizer."""
    samples, validation = split_samples(open_dataset(one.data), one)
    path = fast_path(one.settings, samples)
    keras.utils.set_random_seed(one.seed)
    model = make_model(one.settings, samples, path, one.seed)
    fit = Fit(one, make_engine(model, one.settings, samples, path, one.accumulation), samples, validation)
    fit.run()
    return dict(fit.epochs[-1].train), fit.engine.state()


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize(("data", "knobs"), CASES)
def test_the_update_is_that_of_the_whole_batch(
    data: Dataset, knobs: dict[str, Any], parts: int, tmp_path: Path
) -> None:
    usual = {"epochs": 1, "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1, "schedule": "cosine"}
    one = job(data, tmp_path, "loss", **{**usual, **knobs})
    whole, divided = trained(one), trained(replace(one, accumulation=parts))
    assert divided[0] == pytest.approx(whole[0], rel=1e-5)
    for ours, theirs in zip(divided[1], whole[1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "nadam"])
def test_every_optimizer_takes_the_sum(optimizer: str, tmp_path: Path) -> None:
    one = job(sequences(words=True), tmp_path, "loss", epochs=1, optimizer=optimizer, learning_rate=1e-3)
    whole, divided = trained(one), trained(replace(one, accumulation=2))
    assert divided[0] == pytest.approx(whole[0], rel=1e-5)
    for ours, theirs in zip(divided[1], whole[1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_trial_in_parts_is_a_trial(tmp_path: Path) -> None:
    """With dropout and batch normalisation, which draw other numbers and see the parts, it learns all the same."""
    one = job(sequences("labelling"), tmp_path, "mse", epochs=5, dropout=0.2, normalization="batch")
    outcome = train(replace(one, accumulation=2))
    assert outcome.error is None
    assert outcome.epochs[-1].train["loss"] < outcome.epochs[0].train["loss"]
    assert (Path(one.folder) / "model.keras").exists()


def test_what_fills_a_batch_up_weighs_nothing() -> None:
    batch = Batch(np.arange(5), np.arange(5.0), np.ones((5, 2), np.float32))
    whole = evened(batch, 3)
    assert whole.x.tolist() == [0, 1, 2, 3, 4, 0]
    assert whole.w.tolist() == [[1, 1]] * 5 + [[0, 0]]
    assert evened(batch, 5) is batch


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="asks JAX's compiler")
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_program_for_parts_takes_less_memory(normalization: str, tmp_path: Path) -> None:
    data = sequences("labelling", count=200, varying=False)
    one = job(data, tmp_path, "loss", units=64, batch_size=64, normalization=normalization)
    samples, _ = split_samples(open_dataset(one.data), one)
    taken = []
    for parts in (1, 4):
        model = make_model(one.settings, samples, "jax", one.seed)
        engine: Any = make_engine(model, one.settings, samples, "jax", parts)
        engine._program.compiled.clear()
        fit = Fit(one, engine, samples, samples)
        fit.learn(1)
        (program,) = engine._program.compiled.values()
        taken.append(program.memory_analysis().temp_size_in_bytes)
    assert taken[1] < 0.6 * taken[0], taken


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from gru_tune.learning.training import configure, train
configure("tensorflow", 1)
import keras
from tests.learning.learning_data import job, timeline
one = job(timeline(rows=3000, max_window=400), Path(sys.argv[1]), "mse",
    window=400, units=256, batch_size=256, epochs=1)
def peak():  # not of getrusage, which begins with that of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
outcome = train(replace(one, accumulation=int(sys.argv[2])))
assert outcome.error is None, outcome.error
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_a_training_in_parts_takes_less_memory(tmp_path: Path) -> None:
    taken = []
    for parts in ("1", "4"):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), parts]
        done = subprocess.run(
            command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
        )
        taken.append(int(done.stdout.split()[-1]) / 1000)
    assert taken[1] < 0.6 * taken[0], taken  # MB; compiling takes some of them
