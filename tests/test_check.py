from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import check, config, timing
from gru_tune.data.prepare import prepare
from gru_tune.errors import ConfigError
from gru_tune.learning import sizes
from gru_tune.learning.extremes import extremes
from gru_tune.learning.pace import Measured, Pace
from gru_tune.learning.volume import Volume

DIGITS = """\
task: classification
data: {kind: arrays, path: "builtin:digits"}
model:
  units: {choice: [8, 16]}
  depth: {int: [1, 2]}
  bidirectional: {choice: [true, false]}
training: {epochs: 3, learning_rate: 0.01}
search: {strategy: grid, trials: null}
"""


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    file = tmp_path / "digits.yaml"
    file.write_text(DIGITS, encoding="utf-8")
    return file


def test_says_what_was_understood(digits: Path) -> None:
    text = check.run(digits)
    assert "digits: classification of arrays data" in text
    assert "1,797 sequences, 14,376 steps" in text
    assert "length 8\n" in text
    assert "10 classes (0, 1, 2" in text
    assert "grid: 8 configurations" in text
    assert text.endswith(f"all good: gru-tune run {digits}")


def test_says_how_large_the_space_is(digits: Path) -> None:
    assert "space of 3 hyperparameters: 8 configurations\n" in check.run(digits)
    ranged = ["training.learning_rate={log: [1e-3, 1e-2]}", "search={strategy: bayesian, trials: 6}"]
    text = check.run(digits, ranged)
    assert "space of 4 hyperparameters, not countable (a range without a step)\n" in text
    assert "bayesian: 6 configurations, all of them at random: it learns from trial 7 on\n" in text


def test_smallest_and_largest_are_the_extremes_of_the_whole_grid(digits: Path) -> None:
    found = config.load(digits)
    prepared = prepare(found)
    every = [sizes.parameters(found.settings(values), prepared.dataset.info) for values in found.space.grid()]
    small, large = extremes(found, prepared.dataset.info)
    assert sizes.parameters(small, prepared.dataset.info) == min(every)
    assert sizes.parameters(large, prepared.dataset.info) == max(every)


def test_extremes_of_units_that_every_layer_has_its_own(digits: Path) -> None:
    found = config.load(digits, ["model.units=[{choice: [64, 8]}, {int: [4, 32]}]"])
    prepared = prepare(found)
    small, large = extremes(found, prepared.dataset.info)
    assert small.model.units == (8,)
    assert large.model.units == (64, 32)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("model.recurrent_dropout={choice: [0.0, 0.5]}", "recurrent_dropout is above 0"),
        ("model.activation={choice: [tanh, relu]}", "activation is relu"),
        ("model.cell={choice: [gru, rnn]}", "cell is rnn"),
    ],
)
def test_a_knob_that_loses_the_cudnn_path_is_named(digits: Path, override: str, named: str) -> None:
    assert "on a GPU" not in check.run(digits)
    assert named in check.run(digits, [override])


def test_adamw_without_its_decay_is_named(digits: Path) -> None:
    asked = "training.optimizer={choice: [adam, adamw]}"
    assert "adamw with a weight_decay of 0 is adam" in check.run(digits, [asked])
    assert "is adam" not in check.run(digits, [asked, "training.weight_decay=0.01"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.loss=mse", "loss mse is for numbers, and the targets are classes"),
        ("training.loss={choice: [auto, mse]}", "loss mse is for numbers, and the targets are classes"),
        ("search.objective=rmse", "rmse"),
    ],
)
def test_what_does_not_fit_the_data_is_refused_with_its_place(
    digits: Path, override: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check.run(digits, [override])
    assert override.split("=")[0] in str(caught.value)


def test_knobs_that_exclude_each_other_in_some_trials_are_refused(digits: Path) -> None:
    norm, value = "training.clip_norm={choice: [null, 1.0]}", "training.clip_value={choice: [null, 0.5]}"
    assert "all good" in check.run(digits, [norm])
    with pytest.raises(ConfigError, match="exclude each other"):
        check.run(digits, [norm, value])


def test_an_objective_of_the_task_that_these_targets_do_not_have(tmp_path: Path) -> None:
    file = tmp_path / "numbers.yaml"
    file.write_text(
        "task: labelling\n"
        "data: {kind: timeline, path: 'builtin:sine', target: load, window: 8}\n"
        "search: {objective: span_f1}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"numbers.yaml:3:\d+: search.objective: span_f1 does not fit"):
        check.run(file)


@pytest.mark.slow
def test_a_few_models_are_timed(digits: Path) -> None:
    text = check.run(digits, ["training.batch_size=256", "model.bidirectional=false"], time=True)
    assert "time    an epoch of the slowest model takes about" in text
    assert "4 trials of all epochs would take about" in text
    assert "of them for the finals and the test" in text


def test_models_that_are_too_slow_are_told_once_they_are_timed(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "measure", lambda config, dataset, *rest: Pace.fit(
        Volume.of(dataset), "jax", [Measured(0.1, 0.2, 1.0, 1.0)]
    ))  # fmt: skip
    with pytest.raises(ConfigError, match="is expected to take 1e-09 s an epoch or less on this machine"):
        check.run(digits, ["search.max_seconds_per_epoch=1e-9"], time=True)
    assert "8 of 8 configurations satisfy the constraints" in check.run(
        digits, ["search.max_seconds_per_epoch=1000"], time=True
    )


@pytest.mark.parametrize(
    ("objective", "score", "told"),
    [
        ("accuracy", 95, "accuracy is at most 1, got 95; write 0.95"),
        ("auc", 1.5, "auc is at most 1, got 1.5"),
        ("macro_f1", 1000, "macro_f1 is at most 1, got 1000"),
        ("loss", -0.5, "loss is at least 0, got -0.5"),
    ],
)
def test_a_score_that_no_trial_can_reach(digits: Path, objective: str, score: float, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check.run(digits, [f"search.objective={objective}", f"search.stop_when.score={score}"])
    assert str(caught.value).splitlines()[0].endswith(f"search.stop_when.score: {told}")


def test_a_score_that_can_be_reached(digits: Path) -> None:
    assert "all good" in check.run(digits, ["search.stop_when.score=0.95"])


@pytest.mark.parametrize(
    ("constraints", "named"),
    [
        ("[units_2 >= 3, units * depth <= 8]", "units * depth <= 8"),
        ("[units * depth >= 9, depth * batch_size >= 33]", "units * depth >= 9"),
    ],
)
def test_a_configuration_to_try_first_names_the_constraint_that_excludes_it(
    digits: Path, constraints: str, named: str
) -> None:
    entry = "{depth: 2, units: 8}" if named.endswith("<= 8") else "{depth: 1, units: 8}"
    with pytest.raises(ConfigError) as caught:
        check.run(digits, [f"search.constraints={constraints}", f"search.try_first=[{entry}]"])
    assert f"no configuration with these values satisfies {named}" in str(caught.value)


def test_says_what_ends_the_search_before_its_trials_do(digits: Path) -> None:
    text = check.run(digits, ["search.stop_when={no_gain_for: 3, score: 0.9}", "search.minutes=1"])
    assert "ends early: no_gain_for 3 or score 0.9\n" in text
    assert "at most 1 minute\n" in text


def test_defaults_of_the_model_beside_a_training_section_are_told_of(digits: Path) -> None:
    text = check.run(digits, ["model=defaults"])
    assert "note: batch_size is not searched over, as the training section is given without defaults" in text
    for more in ("training.batch_size=16", "training.defaults=true"):
        assert "not searched over" not in check.run(digits, ["model=defaults", more])
