from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import check, config, constraints
from gru_tune.config import Config
from gru_tune.errors import ConfigError
from gru_tune.learning.extremes import extremes
from gru_tune.learning.sizes import parameters
from gru_tune.space import Values

INFO = {
    "features": 8, "vocabulary": 0, "labels": list("0123456789"), "task": "classification", "targets": ["y"],
    "horizon": 0,
}  # fmt: skip
LAYERS = """\
task: classification
data: {kind: arrays, path: "builtin:digits"}
model:
  cell: {choice: [gru, lstm]}
  units: [{choice: [8, 16, 32]}, {choice: [8, 16, 32]}]
  depth: {int: [1, 2]}
  dense: {choice: [0, 16], when: {cell: gru}}
  dense_activation: {choice: [relu, tanh]}
training: {batch_size: {choice: [16, 64]}, epochs: 3}
"""
SHARED = """\
task: classification
data: {kind: arrays, path: "builtin:digits"}
model: {units: {int: [4, 64]}, depth: {int: [1, 3]}}
training: {learning_rate: {log: [1e-4, 1e-1]}}
"""


def loads(tmp_path: Path, text: str, *overrides: str) -> Config:
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, overrides)


def size(found: Config, values: Values) -> int:
    return parameters(found.settings(values), INFO)


def test_without_constraints_nothing_changes(tmp_path: Path) -> None:
    found = loads(tmp_path, LAYERS)
    assert constraints.constrain(found, INFO).space.accepts is None
    assert list(constraints.describe(found, INFO)) == []


def test_only_what_satisfies_all_of_them_is_left(tmp_path: Path) -> None:
    asked = ("search.constraints=[units_2 <= units_1, batch_size != 16]", "search.max_parameters=2000")
    whole = loads(tmp_path, LAYERS, *asked)
    found = constraints.constrain(whole, INFO)
    expected = [
        values
        for values in whole.space.grid()
        if values.get("units_2", 0) <= values["units_1"]  # type: ignore[operator]
        and values["batch_size"] == 64
        and size(whole, values) <= 2000
    ]
    assert list(found.space.grid()) == expected
    assert found.space.size == len(expected) > 10
    assert not found.space.contains({**expected[0], "batch_size": 16})
    assert constraints.constrain(found, INFO).space.size == found.space.size


def test_layers_that_share_their_units(tmp_path: Path) -> None:
    found = constraints.constrain(loads(tmp_path, SHARED, "search.constraints=[units_2 * 2 <= 20]"), INFO)
    assert found.space.accepts is not None
    assert found.space.accepts({"units": 64, "depth": 1, "learning_rate": 0.1})
    assert found.space.accepts({"units": 10, "depth": 2, "learning_rate": 0.1})
    assert not found.space.accepts({"units": 11, "depth": 2, "learning_rate": 0.1})


def test_a_fixed_knob_counts_where_it_has_an_effect(tmp_path: Path) -> None:
    text = LAYERS.replace("{choice: [relu, tanh]}", "relu")
    found = constraints.constrain(
        loads(tmp_path, text, "search.constraints=[dense_activation == tanh]"), INFO
    )
    assert {values.get("dense", 0) for values in found.space.grid()} == {0}


def test_seconds_that_are_expected(tmp_path: Path) -> None:
    found = loads(tmp_path, LAYERS, "search.max_seconds_per_epoch=2")
    assert constraints.constrain(found, INFO).space.accepts is None

    def seconds(values: Values) -> float | None:
        return {8: 1.0, 16: 2.0, 32: 3.0}[int(str(values["units_1"]))]

    left = constraints.constrain(found, INFO, seconds)
    assert {values["units_1"] for values in left.space.grid()} == {8, 16}
    with pytest.raises(ConfigError) as caught:
        constraints.constrain(loads(tmp_path, LAYERS, "search.max_seconds_per_epoch=0.5"), INFO, seconds)
    assert str(caught.value).splitlines()[0].endswith(
        "search.max_seconds_per_epoch: no configuration of the space is expected to take 0.5 s an epoch or less "
        "on this machine; the quickest takes 1 s"
    )  # fmt: skip
    assert constraints.constrain(found, INFO, lambda values: None).space.size == found.space.size


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        (LAYERS, ["search.max_parameters=100"],
         "search.max_parameters: no configuration of the space has at most 100 weights; "
         "the smallest model of the space has 522"),
        (SHARED, ["search.max_parameters=100"],
         "search.max_parameters: none of 10,000 random configurations has at most 100 weights; "
         "the smallest model of the space has 218"),
        (LAYERS, ["search.constraints=[units_1 > 16, batch_size < 16]"],
         "search.constraints[1]: no configuration of the space satisfies batch_size < 16"),
        (LAYERS, ["search.constraints=[units_1 > 16, cell == lstm]", "search.max_parameters=2000"],
         "search.constraints[0]: no configuration of the space satisfies units_1 > 16, cell == lstm and "
         "max_parameters: 2000 together; cell == lstm alone excludes 75 %"),
    ],
    ids=["weights", "endless", "comparison", "together"],
)  # fmt: skip
def test_it_is_refused_when_nothing_is_left(
    tmp_path: Path, text: str, asked: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        constraints.constrain(loads(tmp_path, text, *asked), INFO)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "asked", "line"),
    [
        (LAYERS, ["search.constraints=[units_2 <= units_1]"], "72 of 96 configurations satisfy the constraints"),
        (LAYERS, ["search.constraints=[units_1 < 16, batch_size == 16, depth == 1]", "search.max_parameters=530"],
         "1 of 96 configurations satisfies the constraints; max_parameters: 530 alone excludes 97.9 %"),
        (SHARED, ["search.constraints=[units <= 33, depth < 3]"],
         "about 32.3 % of the space satisfies the constraints"),
    ],
    ids=["finite", "little", "endless"],
)  # fmt: skip
def test_check_says_how_much_is_left(tmp_path: Path, text: str, asked: list[str], line: str) -> None:
    found = constraints.constrain(loads(tmp_path, text, *asked), INFO)
    assert list(constraints.describe(found, INFO)) == [line]


def test_the_extremes_are_those_of_what_is_left(tmp_path: Path) -> None:
    asked = ("search.constraints=[units_2 < units_1, depth == 2]", "search.max_parameters=6000")
    found = constraints.constrain(loads(tmp_path, LAYERS, *asked), INFO)
    every = [size(found, values) for values in found.space.grid()]
    assert [parameters(settings, INFO) for settings in extremes(found, INFO)] == [min(every), max(every)]


def test_the_extremes_of_a_space_with_conditions(tmp_path: Path) -> None:
    """Units of 4 or 8 where adam trains them, and their default of 64 elsewhere."""
    text = SHARED.replace("{int: [4, 64]}", "{int: [4, 8], when: {optimizer: adam}}").replace(
        "training: {", "training: {optimizer: {choice: [adam, rmsprop, sgd]}, "
    )
    found = loads(tmp_path, text)
    assert [settings.model.units for settings in extremes(found, INFO)] == [(4,), (64, 64, 64)]


def test_check_refuses_and_counts(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(LAYERS, encoding="utf-8")
    text = check.run(file, ["search.constraints=[units_2 <= units_1]", "search.trials=500"])
    assert "space of 7 hyperparameters: 96 configurations" in text
    assert "72 of 96 configurations satisfy the constraints" in text
    assert "random: 72 configurations, all there are (500 trials were asked for)" in text
    with pytest.raises(ConfigError, match="the smallest model of the space has 522"):
        check.run(file, ["search.max_parameters=100"])


def test_knobs_that_exclude_each_other_may_be_kept_apart_by_a_condition(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(LAYERS, encoding="utf-8")
    norm = "training.clip_norm={choice: [null, 1.0]}"
    assert "all good" in check.run(
        file, [norm, "training.clip_value={choice: [null, 0.5], when: {clip_norm: null}}"]
    )
