from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import ModelKnobs, settle
from gru_tune.learning.sizes import impossible, loses_cudnn, parameters
from tests.learning.learning_data import sequences, timeline

WORDS, NUMBERS = sequences(words=True, classes=3), sequences("regression")
MODELS: list[tuple[Dataset, dict[str, Any]]] = [
    (WORDS, {}),
    (WORDS, {"vocabulary": 7, "embedding": 5, "cell": "lstm", "depth": 2, "units_2": 3}),
    (WORDS, {"bidirectional": True, "depth": 2, "normalization": "batch", "dense": 4}),
    (sequences(words=True), {"cell": "rnn", "normalization": "layer", "bidirectional": True}),
    (sequences("labelling", words=True, classes=3), {"dense": 4, "depth": 2}),
    (NUMBERS, {"depth": 3, "units_1": 4, "units_2": 5, "units_3": 6}),
    (NUMBERS, {"cell": "lstm", "bidirectional": True, "pooling": "mean", "dropout": 0.2, "recurrent_dropout": 0.2}),
    (timeline(), {"scale": "window", "dense": 3}),
    (timeline("labelling"), {"cell": "rnn", "normalization": "batch"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "knobs"), MODELS, ids=lambda v: "-".join(map(str, v)) if isinstance(v, dict) else ""
)
def test_parameters_are_those_of_the_model(data: Dataset, knobs: dict[str, Any]) -> None:
    from gru_tune.learning.factory import build

    settings = settle({"units": 6, "window": 5, **knobs})
    assert parameters(settings, data.info) == build(settings, data).count_params()


def test_what_loses_cudnn_is_named() -> None:
    assert loses_cudnn(ModelKnobs()) == []
    assert loses_cudnn(ModelKnobs(cell="lstm", bidirectional=True, dropout=0.5)) == []
    reasons = loses_cudnn(ModelKnobs(cell="rnn", activation="relu", recurrent_dropout=0.1))
    assert [reason.split()[0] for reason in reasons] == ["cell", "activation", "recurrent_dropout"]


@pytest.mark.parametrize(
    ("knobs", "classes", "words"),
    [
        ({"loss": "mse"}, True, "use cross_entropy"),
        ({"loss": "focal"}, False, "use mse"),
        ({"clip_norm": 1.0, "clip_value": 0.5}, False, "clip_norm and clip_value"),
    ],
)
def test_what_contradicts_itself_is_named(knobs: dict[str, Any], classes: bool, words: str) -> None:
    (problem,) = impossible(settle(knobs), classes)
    assert words in problem


def test_sizes_are_told_without_numpy() -> None:
    code = "import sys, gru_tune.learning.sizes, gru_tune.learning.schedules; assert not {'numpy', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
