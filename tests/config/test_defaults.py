"""``model: defaults``: what is written out, what stays the user's, and that it can always be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import config, init
from gru_tune.config.defaults import USUAL, usual
from gru_tune.config.sections import TASK_NAMES
from gru_tune.errors import ConfigError
from gru_tune.kinds import KINDS
from gru_tune.knobs import table
from gru_tune.values import Choice, Float

SIX_LINES = """\
task: classification
data:
  kind: text
  path: reviews.csv
  target: label
"""


def load(folder: Path, text: str, *settings: str) -> config.Config:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, settings)


def hyperparameters(found: config.Config) -> list[str]:
    return [hp.name for hp in found.space.hyperparameters]


def test_six_lines_are_a_search(tmp_path: Path) -> None:
    found = load(tmp_path, SIX_LINES + "model: defaults\n")
    assert hyperparameters(found) == [
        "units", "depth", "bidirectional", "embedding", "dropout", "pooling", "learning_rate", "batch_size",
    ]  # fmt: skip
    assert found.domain("learning_rate") == Float(5e-4, 1e-2, log=True)
    assert (found.fixed["max_length"], found.fixed["epochs"], found.fixed["patience"]) == (400, 30, 4)


def test_what_is_given_is_kept(tmp_path: Path) -> None:
    text = SIX_LINES + "  max_length: 99\nmodel: {defaults: true, units: 64}\ntraining: {epochs: 3}\n"
    found = load(tmp_path, text)
    assert (found.fixed["units"], found.fixed["max_length"], found.fixed["epochs"]) == (64, 99, 3)
    assert found.domain("embedding") == Choice((32, 64, 128))
    assert found.fixed["learning_rate"] == 1e-3  # the training section is the user's own


def test_of_the_training_alone(tmp_path: Path) -> None:
    found = load(tmp_path, SIX_LINES + "training: {defaults: true, early_stopping: {min_delta: 0.1}}\n")
    assert hyperparameters(found) == ["learning_rate", "batch_size"]
    assert (found.fixed["patience"], found.fixed["min_delta"], found.fixed["max_length"]) == (4, 0.1, None)


def test_defaults_may_be_turned_off(tmp_path: Path) -> None:
    found = load(tmp_path, SIX_LINES + "model: {defaults: false}\n")
    assert hyperparameters(found) == []
    found = load(tmp_path, SIX_LINES + "model: defaults\ntraining: {defaults: true, early_stopping: false}\n")
    assert found.fixed["patience"] is None


def test_a_list_of_units_says_how_deep(tmp_path: Path) -> None:
    found = load(tmp_path, SIX_LINES + "model: {defaults: true, units: [64, 32, {choice: [16, 32]}]}\n")
    assert found.fixed["depth"] == 3


def test_options_of_the_command_change_them(tmp_path: Path) -> None:
    found = load(tmp_path, SIX_LINES + "model: defaults\n", "model.units=64", "training.epochs=2")
    assert (found.fixed["units"], found.fixed["epochs"]) == (64, 2)
    assert hyperparameters(load(tmp_path, SIX_LINES, "model=defaults"))[0] == "units"


def test_the_resolved_config_has_them_written_out(tmp_path: Path) -> None:
    import yaml

    found = load(tmp_path, SIX_LINES + "model: defaults\n")
    resolved = found.resolved()
    assert resolved["model"]["units"] == {"choice": [32, 64, 128]}
    assert "defaults" not in resolved["model"]
    again = load(tmp_path, yaml.safe_dump(resolved))
    assert (again.space, again.fixed) == (found.space, found.fixed)


@pytest.mark.parametrize(("kind", "task"), [(kind, task) for kind in KINDS for task in KINDS[kind].TASKS])
def test_every_kind_and_task_has_a_space(kind: str, task: str) -> None:
    rows = [row for section in ("model", "training") for row in usual(section, kind, task)]
    assert {"units", "depth", "learning_rate", "batch_size", "patience"} <= {row.knob for row in rows}
    assert all(table()[row.knob].applies(kind, task) for row in rows)
    assert len({row.knob for row in rows}) == len(rows)


def test_every_row_is_used_somewhere() -> None:
    used = [
        row
        for kind in KINDS
        for task in TASK_NAMES
        for section in ("data", "model", "training")
        for row in usual(section, kind, task)
    ]
    assert set(map(id, USUAL)) == set(map(id, used))


def test_init_writes_the_same_space(tmp_path: Path) -> None:
    init.write(None, tmp_path / "starter.yaml")
    written = config.load(tmp_path / "starter.yaml")
    text = "task: classification\ndata: {kind: arrays, path: 'builtin:digits'}\nmodel: defaults\n"
    asked = load(tmp_path, text)
    assert (written.space, written.fixed) == (asked.space, asked.fixed)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: default\n", "model: expected a mapping, got 'default'; did you mean 'defaults'?"),
        ("model: {defaults: 3}\n", "model.defaults: expected true or false, got 3"),
        ("model: {default: true}\n", "model.default: unknown key; did you mean 'defaults'?"),
        ("data: defaults\n", "data: expected a mapping, got 'defaults'"),
    ],
)
def test_what_is_wrong_with_it(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, (SIX_LINES if not text.startswith("data") else "task: classification\n") + text)
    assert told in str(caught.value)


def test_a_grid_says_where_a_default_is_endless(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, SIX_LINES + "model: defaults\nsearch: {strategy: grid}\n")
    assert "config.yaml:6:1: training.learning_rate: a grid needs a finite list" in str(caught.value)
