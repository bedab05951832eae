"""Conditions between knobs, as a config writes them and as its search space has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import config
from gru_tune.config import Config
from gru_tune.errors import ConfigError
from gru_tune.space import Condition

HEAD = "task: classification\ndata: {kind: arrays, path: 'builtin:digits'}\n"


def loads(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "c.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return config.load(file)


def conditions(found: Config) -> dict[str, tuple[Condition, ...]]:
    return {hp.name: hp.conditions for hp in found.space.hyperparameters}


def test_elsewhere_the_knob_has_its_default(tmp_path: Path) -> None:
    found = loads(
        tmp_path,
        "model: {cell: {choice: [gru, lstm]}, recurrent_dropout: {choice: [0.1, 0.2], when: {cell: gru}}}",
    )
    assert conditions(found) == {"cell": (), "recurrent_dropout": (Condition("cell", ("gru",)),)}
    assert list(found.space.grid()) == [
        {"cell": "gru", "recurrent_dropout": 0.1},
        {"cell": "gru", "recurrent_dropout": 0.2},
        {"cell": "lstm"},
    ]
    assert found.settings({"cell": "lstm"}).model.recurrent_dropout == 0.0


def test_a_parent_that_stands_later_comes_first_in_the_space(tmp_path: Path) -> None:
    found = loads(
        tmp_path,
        "model: {cell: {choice: [gru, lstm], when: {pooling: last}},"
        " pooling: {choice: [last, mean], when: {dense: 8}}, dense: {choice: [0, 8]}}",
    )
    assert list(conditions(found)) == ["dense", "pooling", "cell"]
    assert found.space.size == 4


def test_several_knobs_and_several_values(tmp_path: Path) -> None:
    found = loads(
        tmp_path,
        "model: {cell: {choice: [gru, lstm, rnn]}, depth: {int: [1, 3]},"
        " normalization: {choice: [none, layer], when: {depth: [2, 3], cell: [lstm, gru]}}}",
    )
    assert conditions(found)["normalization"] == (
        Condition("depth", (2, 3)),
        Condition("cell", ("lstm", "gru")),
    )
    assert found.space.size == 9 + 4


def test_they_combine_with_the_conditions_that_knobs_have_by_themselves(tmp_path: Path) -> None:
    found = loads(
        tmp_path,
        "model: {cell: {choice: [gru, lstm]}, depth: {int: [1, 2]},"
        " units: [8, {choice: [8, 16], when: {cell: gru}}],"
        " dense: {choice: [0, 8]}, dense_activation: {choice: [relu, tanh], when: {cell: lstm}}}",
    )
    assert set(conditions(found)["units_2"]) == {Condition("depth", (2,)), Condition("cell", ("gru",))}
    assert set(conditions(found)["dense_activation"]) == {
        Condition("dense", (8,)),
        Condition("cell", ("lstm",)),
    }


def test_a_knob_that_another_depends_on_by_itself_may_have_conditions(tmp_path: Path) -> None:
    """Where dense has its default of 0, there is no dense layer to activate."""
    found = loads(
        tmp_path,
        "model: {cell: {choice: [gru, lstm]}, dense: {choice: [8, 16], when: {cell: gru}},"
        " dense_activation: {choice: [relu, tanh]}}",
    )
    assert conditions(found)["dense_activation"] == (Condition("dense", (8, 16)),)
    assert found.space.size == 4 + 1


def test_a_fixed_knob_may_be_named_with_its_own_value(tmp_path: Path) -> None:
    """So that ``--set model.cell=gru`` leaves such a config valid."""
    found = loads(
        tmp_path, "model: {cell: gru, recurrent_dropout: {choice: [0.1, 0.2], when: {cell: [gru]}}}"
    )
    assert conditions(found) == {"recurrent_dropout": ()}
    with pytest.raises(ConfigError, match="cell is never 'lstm' in this config; it is 'gru'"):
        loads(tmp_path, "model: {recurrent_dropout: {choice: [0.1, 0.2], when: {cell: lstm}}}")


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    found = loads(
        tmp_path,
        "model: {dropout: {float: [0.0, 0.3], step: 0.1}, dense: {choice: [0, 8], when: {dropout: [0, 0.3]}}}",
    )
    assert conditions(found)["dense"] == (Condition("dropout", (0.0, 0.3)),)
    assert found.space.size == 4 + 2


def test_the_text_of_a_condition_is_part_of_the_question(tmp_path: Path) -> None:
    with_it = loads(
        tmp_path, "model: {depth: {int: [1, 2]}, dropout: {choice: [0.1, 0.2], when: {depth: 2}}}"
    )
    without = loads(tmp_path, "model: {depth: {int: [1, 2]}, dropout: {choice: [0.1, 0.2]}}")
    assert with_it.question()["model"]["dropout"] == {"choice": [0.1, 0.2], "when": {"depth": 2}}
    assert with_it.question() != without.question()
