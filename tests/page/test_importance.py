"""Which knobs matter, and which do not."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from gru_tune.page import importance
from gru_tune.page.importance import Importance, Importances, importances, knob_advice, missing
from gru_tune.report.read import Study
from gru_tune.trial import Objective
from tests.report import made

SPACE = {
    "learning_rate": {"log": [1e-4, 1e-1]},
    "dropout": {"float": [0.0, 0.5]},
    "pooling": {"choice": ["last", "max"]},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "RESAMPLES", 6)


def study(count: int, direction: Any = "max", exploded: bool = False) -> Study:
    """Only the learning rate matters, all over its logarithmic range."""
    rng, objective = Random(3), Objective("accuracy" if direction == "max" else "mae", direction)
    trials = []
    for n in range(1, count + 1):
        place = rng.random()
        values = {
            "learning_rate": 10 ** (3 * place - 4),
            "dropout": rng.uniform(0, 0.5),
            "pooling": rng.choice(["last", "max"]),
        }
        trials.append(made.trial(n, 0.2 + 0.6 * place + rng.gauss(0, 0.01), objective, values=values))
    if exploded:
        trials.append(
            made.trial(
                count + 1, 1e12, objective, values={"learning_rate": 0.003, "dropout": 0.5, "pooling": "max"}
            )
        )
    return made.study(trials, SPACE, objective=objective)


@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_knob_that_makes_the_difference_is_found(direction: str) -> None:
    found = importances(study(60, direction))
    assert found is not None
    assert found.knobs[0].name == "learning_rate"
    assert found.knobs[0].low > 0.8
    assert sum(knob.mean for knob in found.knobs) == pytest.approx(1)
    assert all(knob.low <= knob.mean <= knob.high for knob in found.knobs)


def test_one_exploded_trial_changes_nothing() -> None:
    found = importances(study(60, "min", exploded=True))
    assert found is not None
    assert found.knobs[0].name == "learning_rate"
    assert found.knobs[0].mean > 0.8


def test_few_trials_are_less_sure_than_many() -> None:
    few, many = importances(study(12)), importances(study(150))
    assert few is not None
    assert many is not None
    widths = [found.knobs[0].high - found.knobs[0].low for found in (few, many)]
    assert widths[0] > 2 * widths[1]


def test_the_same_study_has_the_same_importances() -> None:
    assert importances(study(20)) == importances(study(20))


def test_a_knob_in_force_in_some_trials_says_in_how_many() -> None:
    known = study(40)
    trials = [
        made.trial(
            t.number,
            t.score,
            values=dict(t.values) | ({"decay_to": 0.1 * t.number} if t.number % 4 == 0 else {}),
        )
        for t in known.ranked
    ]
    found = importances(made.study(trials, {**SPACE, "decay_to": {"float": [0, 4]}}))
    assert found is not None
    assert {knob.name: knob.trials for knob in found.knobs} == {
        "learning_rate": 40, "dropout": 40, "pooling": 40, "decay_to": 10,
    }  # fmt: skip


def test_of_many_trials_some_are_looked_at() -> None:
    found = importances(study(400))
    assert found is not None
    assert (found.trials, found.known) == (300, 400)
    assert found.knobs[0].good is not None


def test_where_nothing_can_be_told_it_is_said_why() -> None:
    assert missing(study(9)) == "Importances take at least 10 trials with a score; there are 9."
    assert importances(study(9)) is None
    alone = made.study([made.trial(n, n / 100, values={"units": n}) for n in range(1, 21)])
    assert (
        missing(alone)
        == "Importances compare hyperparameters with each other, and fewer than two were varied."
    )
    equal = [made.trial(t.number, 1.0, values=t.values) for t in study(20).ranked]
    assert missing(made.study(equal, SPACE)) == (
        "The trials have nearly all the same score, so that no hyperparameter can be told to matter."
    )
    assert missing(study(10)) == ""


def test_scores_that_are_nearly_all_equal_do_no_harm() -> None:
    scores = [0.9, 0.8] + [1.0] * 10
    trials = [made.trial(t.number, s, values=t.values) for t, s in zip(study(12).ranked, scores, strict=True)]
    found = importances(made.study(trials, SPACE))
    assert found is not None
    assert sum(knob.mean for knob in found.knobs) == pytest.approx(1)


def test_what_makes_no_difference_need_not_be_searched_for() -> None:
    known = study(80)
    idle = Importances(
        (
            Importance("learning_rate", 0.9, 0.8, 0.95, 80, 0.9),
            Importance("dropout", 0.02, 0.01, 0.04, 80, 0.2),  # among the good trials it does
            Importance("pooling", 0.01, 0.0, 0.02, 80, 0.01),
        ),
        80,
        80,
    )
    assert known.winner is not None
    assert knob_advice(known, idle) == [
        "pooling made hardly any difference (less than 5 % of the importance): give the trials to other knobs and set "
        f"model.pooling: {known.winner.values['pooling']}."
    ]
    assert knob_advice(known, None) == []
    assert knob_advice(known, Importances(idle.knobs[:2], 80, 80)) == []
