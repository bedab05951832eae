from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gru_tune import config
from gru_tune.config import Config, load
from gru_tune.errors import ConfigError, Problem
from gru_tune.knobs import Settings, table
from gru_tune.language import document
from gru_tune.space import Condition
from gru_tune.values import Choice, Float, Int

TEXT = """
task: classification
data: {kind: text, path: reviews.csv, text: body, target: label, max_length: {choice: [200, null]}}
"""
TIMELINE = "task: forecasting\ndata: {kind: timeline, path: etth1.csv, target: OT, horizon: 24, window: {int: [24, 96], step: 24}}\n"
RICH = (
    TEXT
    + """
model:
  units: {choice: [64, 128]}
  depth: {int: [1, 3]}
  dense: {choice: [0, 32]}
  dense_activation: {choice: [relu, gelu]}
  dropout: {float: [0.0, 0.5], step: 0.1}
training:
  optimizer: {choice: [adam, sgd]}
  momentum: {float: [0.0, 0.9]}
  learning_rate: {log: [1e-4, 1e-2]}
  epochs: 3
  early_stopping: false
search: {strategy: bayesian, trials: 7, seed: 3, objective: macro_f1}
metrics: [accuracy, macro_f1]
"""
)

Loader = Callable[..., Config]


@pytest.fixture
def loads(tmp_path: Path) -> Loader:
    def loads(text: str, *overrides: str, name: str = "study.yaml") -> Config:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return load(file, overrides)

    return loads


def test_the_least_that_is_a_config(loads: Loader, tmp_path: Path) -> None:
    found = loads("task: classification\ndata: {kind: text, path: x.csv, target: y}\n")
    assert (found.name, found.task, found.data.kind, found.folder) == (
        "study",
        "classification",
        "text",
        tmp_path,
    )
    assert (found.search.strategy, found.search.trials, found.metrics) == ("random", 20, None)
    assert found.space.size == 1
    assert found.settings({}) == Settings()
    assert "window" not in found.fixed
    assert found.text.startswith("task:")


def test_the_space(loads: Loader) -> None:
    found = loads(RICH)
    hps = {hp.name: hp for hp in found.space.hyperparameters}
    assert list(hps) == [
        "max_length", "units", "depth", "dropout", "dense", "dense_activation", "optimizer", "learning_rate", "momentum",
    ]  # fmt: skip
    assert hps["dropout"].domain == Float(0.0, 0.5, 0.1)
    assert hps["dense_activation"].conditions == (Condition("dense", (32,)),)
    assert hps["momentum"].conditions == (Condition("optimizer", ("sgd",)),)
    assert hps["units"].conditions == ()
    assert found.fixed["patience"] is None
    settings = found.settings({"units": 128, "depth": 2, "optimizer": "sgd", "momentum": 0.9})
    assert settings.model.units == (128, 128)
    assert settings.training.epochs == 3
    assert found.domain("depth") == Int(1, 3)
    assert found.domain("epochs") == 3
    assert found.domain("units_3") == Choice((64, 128))
    assert found.domain("window") == 48
    with pytest.raises(KeyError):
        found.domain("windows")


def test_the_order_of_the_keys_does_not_matter(loads: Loader) -> None:
    a = loads(
        TEXT
        + "model: {depth: {int: [1, 2]}, cell: {choice: [gru, lstm]}}\ntraining: {l: 1}".replace(
            "{l: 1}", "{}"
        )
    )
    b = loads(TEXT + "training:\nmodel: {cell: {choice: [gru, lstm]}, depth: {int: [1, 2]}}")
    assert a.space == b.space
    assert a.question() == b.question()


def test_units_layer_by_layer(loads: Loader) -> None:
    found = loads(TEXT + "model: {units: [{choice: [8, 16]}, 4, {int: [2, 4]}], depth: {int: [1, 3]}}")
    hps = {hp.name: hp for hp in found.space.hyperparameters}
    assert list(hps) == ["max_length", "depth", "units_1", "units_3"]
    assert hps["units_1"].conditions == ()
    assert hps["units_3"].conditions == (Condition("depth", (3,)),)
    assert found.fixed["units_2"] == 4
    assert found.settings({"depth": 2, "units_1": 16}).model.units == (16, 4)
    assert found.domain("units_2") == 4


def test_a_list_of_units_says_the_depth(loads: Loader) -> None:
    found = loads(TEXT + "model: {units: [8, {choice: [8, 16]}]}")
    assert found.fixed["depth"] == 2
    assert [hp.name for hp in found.space.hyperparameters] == ["max_length", "units_2"]
    assert found.space.hyperparameters[1].conditions == ()
    assert found.resolved()["model"]["depth"] == 2
    with pytest.raises(ConfigError, match="units are given for 1 layer, but depth goes to 2"):
        loads(TEXT + "model: {units: [8], depth: 2}")
    with pytest.raises(ConfigError, match="units are given for 3 layers, but depth goes to 2"):
        loads(TEXT + "model: {units: [8, 8, 8], depth: 2}")


def test_a_condition_that_always_holds_is_none(loads: Loader) -> None:
    found = loads(TEXT + "training: {optimizer: {choice: [sgd, rmsprop]}, momentum: {float: [0, 0.9]}}")
    assert all(hp.conditions == () for hp in found.space.hyperparameters)


def test_a_value_out_of_force_is_fine(loads: Loader) -> None:
    assert loads(TEXT + "training: {momentum: 0.9}").fixed["momentum"] == 0.9


@pytest.mark.parametrize(
    "more",
    [
        "",
        "model:\ntraining: {}\nsearch:\nmetrics:\nname:\n",
        "model: {units: [8, {choice: [8, 16]}, 4], depth: {choice: [1, 3]}}\n",
        "training: {early_stopping: null, clip_norm: {choice: [null, 1]}}\nsearch: {strategy: hyperband}\n",
        "training: {epochs: {int: [2, 8], log: true}}\nsearch: {strategy: grid}\n",
        "training: {warmup: {int: [0, 3]}}\nsearch: {minutes: 5, trials: null}\nname: other-1.x\n",
        "model: {units: [8, {choice: [8, 16], when: {cell: gru}}], cell: {choice: [gru, lstm]},"
        " depth: {int: [1, 2], when: {bidirectional: true}}, bidirectional: {choice: [true, false]}}\n",
        "search: {constraints: [batch_size >= 32], max_parameters: 1000, max_seconds_per_epoch: 2}\n",
    ],
)
@pytest.mark.parametrize("base", [TEXT, TIMELINE])
def test_resolved_loads_again_as_the_same(base: str, more: str, loads: Loader) -> None:
    once = loads(base + more)
    again = loads(yaml.safe_dump(once.resolved()), name="resolved.yaml")
    assert again.resolved() == once.resolved()
    assert again.question() == once.question()
    assert (again.space, again.fixed, again.name) == (once.space, once.fixed, once.name)
    jsonschema.validate(once.resolved(), config.json_schema())


def test_rich_resolved_loads_again(loads: Loader) -> None:
    once = loads(RICH)
    again = loads(yaml.safe_dump(once.resolved(), sort_keys=False))
    assert (again.resolved(), again.space, again.fixed) == (once.resolved(), once.space, once.fixed)


def test_the_question_leaves_out_what_may_change(loads: Loader) -> None:
    asked = loads(RICH).question()
    for change in (
        "search.trials=99",
        "search.minutes=5",
        "search.keep=9",
        "name=other",
        "metrics=[auc]",
        "search.retries=4",
        "data.path=other.csv",  # the fingerprint of the data tells whether they are the same
    ):
        assert loads(RICH, change).question() == asked
    for change in (
        "search.seed=4",
        "model.units=3",
        "search.strategy=random",
        "training.epochs=4",
    ):
        assert loads(RICH, change).question() != asked


def test_overrides(loads: Loader) -> None:
    found = loads(
        RICH,
        "training.epochs=5",
        "model.units={choice: [8, 16]}",
        "search.minutes=null",
        "name = run 1".replace(" ", ""),
    )
    assert found.fixed["epochs"] == 5
    assert found.domain("units") == Choice((8, 16))
    assert (found.search.minutes, found.name) == (None, "run1")
    assert loads(TEXT, "training.early_stopping.patience=2").fixed["patience"] == 2
    assert loads(TEXT, "training.early_stopping=false").fixed["patience"] is None
    assert loads(TEXT, "model.depth=2", "model.depth=3").fixed["depth"] == 3
    assert loads(TEXT, "training.learning_rate=1e-2").fixed["learning_rate"] == 0.01


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epochs=0", "--set training.epochs=0: training.epochs: expected a whole number, 1 to 100,000, got 0"),
        ("training.epoch=3", "--set training.epoch=3: training.epoch: unknown key; did you mean 'epochs'?"),
        ("modle.units=3", "--set modle.units=3: modle: unknown key; did you mean 'model'?"),
        ("model={unit: 3}", "--set model={unit: 3}: model.unit: unknown key; did you mean 'units'?"),
        ("training.epochs", "--set training.epochs: write key=value, as in training.epochs=3"),
        (".x=3", "--set .x=3: a key is empty; write section.key=value"),
        ("=3", "--set =3: a key is empty; write section.key=value"),
        ("task.x=3", "--set task.x=3: task is not a mapping, so it has no key 'x'"),
        ("model.units=[1", "--set model.units=[1:1:3: not valid YAML: a ',' or ']' is missing in a list or mapping in brackets"),
        ("model={a: 1, a: 2}", "--set model={a: 1, a: 2}: the key 'a' is given twice, first at 1:2; keep one"),
    ],
)  # fmt: skip
def test_bad_overrides(override: str, line: str, loads: Loader) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(RICH, override)
    assert str(caught.value).splitlines()[0] == line


def test_a_file_is_not_blamed_for_what_was_set_from_outside(loads: Loader) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(TEXT, "model.unit=3")
    assert str(caught.value).splitlines()[-1] == "1 problem"
    with pytest.raises(ConfigError) as caught:
        loads(f"{TEXT}\nunknown: 1\n", "model.unit=3")
    assert "2 problems in " in str(caught.value).splitlines()[-1]


def test_all_bad_overrides_at_once(loads: Loader) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(TEXT, "a", "b", "=")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("a b", "a_b"),
        ("..x", "x"),
        ("é", "_"),
        ("-", "study"),
        ("imdb_2.1", "imdb_2.1"),
        ("x" * 120, "x" * 100),
    ],
)
def test_the_default_name_is_safe(stem: str, name: str, loads: Loader) -> None:
    assert loads(TEXT, name=f"{stem}.yaml").name == name


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a\\b", "-x", ".hidden", "x" * 101, "a b", "a\n"])
def test_no_name_escapes_the_results_folder(name: str, loads: Loader) -> None:
    with pytest.raises(ConfigError, match="cannot name a folder"):
        loads(TEXT + f"name: {yaml.safe_dump(name, default_style=chr(34))}")


def test_problems_carry_paths(loads: Loader) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(TEXT + "model: {depth: 99, units: [0, {int: [3, 1]}]}")
    assert [p.path for p in caught.value.problems] == [
        ("model", "units", 0),
        ("model", "units", 1, "int"),
        ("model", "depth"),
    ]


def test_problems_found_later_have_their_place(loads: Loader) -> None:
    found = loads(RICH, "model.cell=lstm")
    text = str(found.error([Problem(("data", "text"), "no such column"), Problem(("model", "cell"), "x")]))
    assert "study.yaml:3:45: data.text: no such column" in text
    assert "--set model.cell=lstm: model.cell: x" in text


def test_hyperband_takes_epochs_of_at_least_its_factor(loads: Loader) -> None:
    assert loads(TEXT + "training: {epochs: 3}\nsearch: {strategy: hyperband}").search.strategy == "hyperband"


SECTION = st.dictionaries(
    st.sampled_from([*(knob.group or knob.name for knob in table().values()), "kind", "path", "split", "strategy", "x"]),
    st.none() | st.booleans() | st.integers(-3, 70) | st.text(max_size=3) | st.floats()
    | st.lists(st.integers(1, 9) | st.dictionaries(st.sampled_from(["int", "choice"]), st.lists(st.integers(1, 9))), max_size=3)
    | st.dictionaries(st.sampled_from(["choice", "int", "float", "log", "step", "patience", "by", "train"]),
                      st.lists(st.integers(1, 9), max_size=2) | st.integers(1, 3), max_size=2),
    max_size=4,
)  # fmt: skip


@given(
    parts=st.dictionaries(
        st.sampled_from(["model", "training", "search", "data", "metrics", "name"]),
        SECTION | st.none() | st.text(max_size=3),
    ),
    kind=st.sampled_from(["text", "timeline", "arrays", "series"]),
    task=st.sampled_from(["classification", "forecasting", "labelling"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mapping_is_a_config_or_a_config_error(
    parts: dict[str, Any], kind: str, task: str, tmp_path: Path
) -> None:
    data = parts.pop("data", None) or {}
    if isinstance(data, dict):
        data = {**data, "kind": kind, "path": "x", "target": "y"}
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump({"task": task, "data": data, **parts}), encoding="utf-8")
    try:
        found = load(file)
    except ConfigError:
        return
    found.settings(next(iter(found.space.grid()), {}) if found.space.size < 1e6 else {})
    jsonschema.validate(document.read(file).data, config.json_schema())


GOOD = [
    TEXT,
    TIMELINE,
    RICH,
    TEXT + "model:\ntraining:\nsearch:\n",
    TEXT + "training: {early_stopping: false}\nsearch: {trials: 3}\n",
    TEXT + "model: {cell: {choice: [gru, rnn]}, dropout: {float: [0, 0.5], when: {cell: [rnn]}}}\n",
]
BAD = [
    "task: classification\n",
    TEXT + "modle: {}\n",
    TEXT + "model: {depth: 99}\n",
    TEXT + "model: {depth: {float: [1, 2]}}\n",
    TEXT + "model: {window: 3}\n",
    TEXT + "model: {depth: {int: [1, 2], when: {}}}\n",
    TEXT + "model: {depth: {int: [1, 2], when: {cell: []}}}\n",
    TEXT + "model: {depth: {when: {cell: gru}}}\n",
    TEXT + "search: {strategy: bayes}\n",
    TEXT + "search: {strategy: random, population: 3}\n",
    TEXT + "name: a/b\n",
    TEXT.replace("kind: text", "kind: timeline"),
    TEXT.replace("kind: text, ", ""),
    TEXT.replace("classification", "classify"),
]


def test_json_schema() -> None:
    schema = config.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert all(check(document.parse(text, "c").data) for text in GOOD)
    assert not any(check(document.parse(text, "c").data) for text in BAD)


def test_bad_by_schema_is_bad_by_load(loads: Loader) -> None:
    for text in GOOD:
        loads(text)
    for text in BAD:
        with pytest.raises(ConfigError):
            loads(text)


def test_config_is_light(tmp_path: Path) -> None:
    """Loading a config imports none of the heavy packages."""
    (tmp_path / "c.yaml").write_text(TEXT, encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from gru_tune import config; config.load(Path('c.yaml'));"
        "config.json_schema(); print(*{m.split('.')[0] for m in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    heavy = {
        "numpy",
        "pandas",
        "tensorflow",
        "keras",
        "keras_tuner",
        "jax",
        "sklearn",
        "scipy",
        "pyarrow",
        "rich",
    }
    assert not heavy & set(loaded.split())
