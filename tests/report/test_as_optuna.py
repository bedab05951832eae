"""Studies as Optuna sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from gru_tune.report import as_optuna, read
from gru_tune.trial import Epoch, Objective, Status, Trial
from gru_tune.values import Choice, Domain, Float, Int

from . import builders


def trial(**changes: Any) -> Trial:
    curve = tuple(Epoch(n, {}, {"accuracy": 0.5 + n / 10}, 1.0) for n in (1, 2))
    known: dict[str, Any] = {
        "number": 7, "values": {"units": 8}, "seed": 1, "status": Status.COMPLETED,
        "objective": Objective("accuracy", "max"), "epochs": curve, "parameters": 10,
    }  # fmt: skip
    return Trial(**{**known, **changes})


RANGES: as_optuna.Distributions = {"units": IntDistribution(1, 64)}


def test_a_study_keeps_numbers_scores_and_curves(tmp_path: Path) -> None:
    known = read.study(builders.study(tmp_path / "toy", 12).path)
    made = as_optuna.study(known, known.ranked[:5])
    by_number = {entry.number: entry for entry in made.trials}
    assert set(by_number) == {one.number for one in known.ranked[:5]}
    assert made.best_trial.number == known.winner.number  # type: ignore[union-attr]
    for one in known.ranked[:5]:
        assert by_number[one.number].value == one.score
        assert by_number[one.number].params == dict(one.values)
        assert list(by_number[one.number].intermediate_values) == [1, 2, 3]


def test_failed_and_stopped_trials_keep_their_state(tmp_path: Path) -> None:
    failed = trial(status=Status.FAILED, error="NaN")
    stopped = trial(status=Status.STOPPED)
    assert as_optuna.frozen(trial(), RANGES).state == TrialState.COMPLETE
    assert as_optuna.frozen(failed, RANGES).state == TrialState.FAIL
    assert as_optuna.frozen(failed, RANGES).values is None
    assert as_optuna.frozen(stopped, RANGES).state == TrialState.PRUNED
    assert as_optuna.frozen(stopped, RANGES).value == pytest.approx(0.7)


def test_two_objectives_are_two_values() -> None:
    both = Objective("accuracy", "max", "parameters")
    made = as_optuna.frozen(trial(objective=both), RANGES)
    assert made.values == [pytest.approx(0.7), 10.0]
    assert as_optuna.directions(both) == ["maximize", "minimize"]
    assert as_optuna.frozen(trial(objective=both, parameters=None), RANGES).state == TrialState.FAIL
    assert as_optuna.frozen(trial(objective=both, status=Status.STOPPED), RANGES).state == TrialState.COMPLETE


@pytest.mark.parametrize(
    ("domain", "distribution"),
    [
        (Choice((1, "a", None, True)), CategoricalDistribution([1, "a", None, True])),
        (Int(1, 64, log=True), IntDistribution(1, 64, log=True)),
        (Int(8, 30, step=8), IntDistribution(8, 24, step=8)),
        (Int(8, 24, step=8, log=True), IntDistribution(8, 24, step=8)),
        (Float(0.0, 0.5, step=0.1), FloatDistribution(0.0, 0.5, step=0.1)),
        (Float(1e-4, 1e-2, log=True), FloatDistribution(1e-4, 1e-2, log=True)),
    ],
)
def test_every_domain_has_its_distribution(
    domain: Domain, distribution: optuna.distributions.BaseDistribution
) -> None:
    asked = {"hyperparameters": ["knob"], "space": {"knob": domain.to_config()}}
    assert as_optuna.distributions(asked, [])["knob"] == distribution


def test_without_a_space_in_the_log_the_trials_show_the_ranges(tmp_path: Path) -> None:
    known = read.study(builders.study(tmp_path / "toy", 12).path)
    found = as_optuna.distributions(known.asked, known.ranked)
    assert found["depth"] == IntDistribution(1, 2)
    assert found["cell"] == CategoricalDistribution(["gru"])
    assert found["learning_rate"] == FloatDistribution(0.001, 0.012)


def test_a_hyperparameter_nobody_tried_has_an_empty_place(tmp_path: Path) -> None:
    assert as_optuna.distributions({"hyperparameters": ["x"]}, [])["x"] == CategoricalDistribution([None])


def test_values_that_are_not_finite_are_left_out_of_the_curve() -> None:
    odd = (Epoch(1, {}, {"accuracy": float("nan")}, 1.0), Epoch(2, {}, {"accuracy": 0.4}, 1.0))
    assert as_optuna.curve(trial(epochs=odd)) == {2: 0.4}
