from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gru_tune.data.encoding import (
    Categories,
    Labels,
    Scaler,
    Vocabulary,
    fill_forward,
    forward_words,
    natural,
)
from gru_tune.data.features import NumberInputs
from gru_tune.data.preprocessing import Preprocessing, columns_of
from gru_tune.data.raw import Classes, Numbers, Quantities, Raw, Words
from gru_tune.errors import DataError

NAN = float("nan")


def mask(text: str) -> Any:
    return np.array([c == "x" for c in text])


def one_column(*values: float) -> Numbers:
    return Numbers(np.array(values)[:, None], ("v",))


def test_word_ids_go_by_frequency_in_training_then_by_word() -> None:
    x = Words(np.array([0, 1, 1, 2, 3, 3, 4, 4, 4], np.int32), ("b", "a", "c", "", "new"))
    vocabulary = Vocabulary.fit(x, mask("xxxxxx---"))
    assert vocabulary.words == ("a", "b", "c")
    assert vocabulary.size == 5
    assert vocabulary.apply(x).tolist() == [3, 2, 2, 4, 1, 1, 1, 1, 1]


def test_labels_are_in_natural_order_and_unseen_ones_follow() -> None:
    y = Classes(np.array(["10", "9", "-1", None, "11", "10"], dtype=object), "y")
    labels = Labels.fit(y, mask("xxxx--"))
    assert labels.names == ("-1", "9", "10")
    ids, unseen = labels.apply(y)
    assert ids.tolist() == [2, 1, 0, 0, 3, 2]
    assert unseen == ["11"]


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="the training split has only one class, 'a' in 'y'"):
        Labels.fit(Classes(np.array(["a", "a", "b"], dtype=object), "y"), mask("xx-"))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ({"10", "9", "1.5"}, ["1.5", "9", "10"]),
        ({"10", "9", "x"}, ["10", "9", "x"]),
        ({"nan", "1", "0"}, ["0", "1", "nan"]),
        ({"True", "False"}, ["False", "True"]),
    ],
)
def test_natural_order(names: set[str], ordered: list[str]) -> None:
    assert natural(names) == ordered


@pytest.mark.parametrize(("method", "mean", "std"), [("standard", 2, 1), ("minmax", 1, 2), ("none", 0, 1)])
def test_scaling_is_fitted_on_training_only(method: Any, mean: float, std: float) -> None:
    x = one_column(1, 3, 100)
    found = NumberInputs.fit(x, mask("xx-"), "refuse", method, timeline=False)
    assert found.scale == {"mean": [mean], "std": [std]}
    np.testing.assert_allclose(found.apply(x, np.array([0]))[:, 0] * std + mean, [1, 3, 100])


@pytest.mark.parametrize("value", [0.0, 5.0, 518.67, -1e-12, 1e12])
def test_constant_columns_get_a_spread_of_1(value: float) -> None:
    scaler = Scaler.fit(np.full((1000, 1), value), "standard")
    assert scaler.std.tolist() == [1.0]
    assert abs(scaler.apply(np.full((1, 1), value))).max() < 1e-3


def test_small_changes_of_large_numbers_are_scaled() -> None:
    """Milliseconds since 1970, say, over a few minutes: they spread by a billionth of their size."""
    values = 1e12 + np.arange(1000.0)[:, None]
    assert Scaler.fit(values, "standard").apply(values).std() == pytest.approx(1, rel=1e-6)


def test_missing_values_are_refused_with_their_count() -> None:
    x = Numbers(np.array([[1, NAN], [NAN, NAN], [2, 3]]), ("a", "b"))
    with pytest.raises(DataError) as error:
        NumberInputs.fit(x, mask("xxx"), "refuse", "standard", timeline=False)
    assert str(error.value) == (
        "data.inputs: column 'b' misses 2 of 3 values (and 1 more columns miss some); "
        "set data.missing to mean, forward or drop, or leave it out"
    )


def test_mean_of_the_training_split() -> None:
    x = one_column(1, 3, NAN, 100, NAN)
    found = NumberInputs.fit(x, mask("xxx--"), "mean", "none", timeline=False)
    assert found.apply(x, np.array([0]))[:, 0].tolist() == [1, 3, 2, 100, 2]
    assert found.to_json()["fills"] == {"v": 2.0}


def test_forward_stays_within_a_sequence() -> None:
    x = one_column(1, NAN, NAN, 5, NAN)
    found = NumberInputs.fit(x, mask("xxxxx"), "forward", "none", timeline=False)
    assert found.apply(x, np.array([0, 2]))[:, 0].tolist() == [1, 1, 3, 5, 5]


def test_forward_of_words() -> None:
    column = np.array([None, "a", None, None, "b"], dtype=object)
    assert forward_words(column, np.array([0, 3])).tolist() == [None, "a", "a", None, "b"]


def test_fill_forward_keeps_what_is_known() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3))
    np.testing.assert_array_equal(fill_forward(values, np.array([0, 7])), values)


def test_a_column_without_a_value_in_training_is_refused() -> None:
    with pytest.raises(DataError, match="column 'v' has no value in the training split"):
        NumberInputs.fit(one_column(NAN, 1), mask("x-"), "mean", "standard", timeline=False)


def test_categories_of_training_become_columns() -> None:
    wind = np.array(["S", "N", None, "E"], dtype=object)
    x = Numbers(np.array([[1.0], [2.0], [3.0], [4.0]]), ("v",), {"wind": wind})
    found = NumberInputs.fit(x, mask("xxx-"), "mean", "none", timeline=False)
    assert found.names == ("v", "wind=N", "wind=S")
    assert found.apply(x, np.array([0])).tolist() == [[1, 0, 1], [2, 1, 0], [3, 0, 0], [4, 0, 0]]
    assert found.scale["std"] == [1, 1, 1]


def test_too_many_categories() -> None:
    column = np.array([f"w{n}" for n in range(2000)], dtype=object)
    x = Numbers(np.empty((2000, 0)), (), {"note": column})
    with pytest.raises(DataError, match="column 'note' holds 2,000 different words"):
        Categories.fit(x, np.ones(2000, np.bool_))


def test_fixed_columns_are_not_scaled() -> None:
    x = one_column(1, 3).beside(np.array([[0.5], [1.0]]), ("hour_sin",))
    found = NumberInputs.fit(x, mask("xx"), "refuse", "standard", timeline=True)
    assert found.scale == {"mean": [2, 0], "std": [1, 1]}


def test_targets_that_are_inputs_share_their_scale() -> None:
    x = Numbers(np.array([[1.0, 5], [3.0, 9], [7.0, 9]]), ("v", "w"))
    y = Quantities(np.array([[5.0, 10], [NAN, 30], [9.0, 20]]), ("w", "z"))
    raw = Raw("timeline", x, y, per_row=True, lengths=np.array([3]))
    section = {"kind": "timeline", "horizon": 1, "stride": None}
    fitted = Preprocessing.fit(
        raw, mask("xx-"), task="forecasting", section=section, method="standard", max_window=1
    )
    assert columns_of(y.names, fitted.inputs) == [1, None]
    assert fitted.info()["target_scale"] == {"mean": [7, 20], "std": [2, 10]}
    assert fitted.encode(y).tolist() == [[-1, -1], [0, 1], [1, 0]]
