from __future__ import annotations

import pytest

from gru_tune.knobs import table
from gru_tune.language.comparison import comparable, read
from gru_tune.language.tunable import Bad
from gru_tune.values import Scalar

KNOBS = comparable(table(), depth=3)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("units_2 <= units_1", {"units_1": 8, "units_2": 8}, True),
        ("units_2<units_1", {"units_1": 8, "units_2": 8}, False),
        ("units_2 != units_1", {"units_1": 8, "units_2": 8}, False),
        ("batch_size >= 32", {"batch_size": 16}, False),
        ("learning_rate > 1e-3", {"learning_rate": 2e-3}, True),
        ("units_1 * depth <= 256", {"units_1": 128, "depth": 2}, True),
        ("units_1 * depth <= 255.5", {"units_1": 128, "depth": 2}, False),
        ("units_1 + 2 * units_2 == 24", {"units_1": 8, "units_2": 8}, True),
        ("dropout + recurrent_dropout <= 0.3", {"dropout": 0.1, "recurrent_dropout": 0.2}, True),
        ("dropout + recurrent_dropout > 0.3", {"dropout": 0.1, "recurrent_dropout": 0.2}, False),
        ("cell == gru", {"cell": "gru"}, True),
        ("rnn != cell", {"cell": "rnn"}, False),
        ("activation == dense_activation", {"activation": "relu", "dense_activation": "tanh"}, False),
        ("bidirectional == false", {"bidirectional": False}, True),
        ("clip_norm != null", {"clip_norm": None}, False),
        ("clip_norm != null", {"clip_norm": 1.0}, True),
    ],
)
def test_a_comparison_is_true_or_not(text: str, values: dict[str, Scalar], expected: bool) -> None:
    assert read(text, KNOBS).holds(values) is expected


def test_it_holds_where_a_hyperparameter_is_not_in_force() -> None:
    assert read("units_2 > units_1", KNOBS).holds({"units_1": 64})


def test_an_order_holds_where_a_hyperparameter_is_null() -> None:
    assert read("max_length <= 100", KNOBS).holds({"max_length": None})
    assert read("2 * max_length <= 100", KNOBS).holds({"max_length": None})
    assert not read("max_length <= 100", KNOBS).holds({"max_length": 200})


def test_layers_may_be_named_where_they_share_their_units() -> None:
    assert set(comparable(["units", "depth"], depth=2)) == {
        "units",
        "depth",
        "units_1",
        "units_2",
    }
    assert set(comparable(["units_1", "depth"], depth=2)) == {"units_1", "depth"}


@pytest.mark.parametrize("text", ["", "units_1", "<= 3", "units_1 <=", "units_1 ** 2 <= 3", "f(units_1) > 2",
                                  "units_1 units_2 <= 3", "units_1.real > 2", "units_1; 1 < 2"])  # fmt: skip
def test_what_is_no_comparison_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(Bad, match="expected a comparison such as units_2 <= units_1"):
        read(text, KNOBS)
