"""What the user knows: configurations that are tried first, and the trials of an earlier study."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from gru_tune import strategies
from gru_tune.errors import ConfigError
from gru_tune.space import Space, Values, key
from gru_tune.strategies import STRATEGIES, Proposal, Strategy
from gru_tune.strategies.base import Observation
from tests.strategies.strategy_cases import (
    ACCURACY,
    EPOCHS,
    LAYERS,
    LOSS,
    MIXED,
    SMALL,
    bowl,
    create,
    drive,
    loss,
    new,
    noise,
)

NAMES = [name for name in STRATEGIES if name != "gp" or find_spec("torch")]
LEARNING = [name for name in NAMES if STRATEGIES[name].LEARNS]
FIRST: list[dict[str, Any]] = [
    {"depth": 3, "units_1": 64, "units_2": 32, "units_3": 32, "pooling": "mean"},
    {"depth": 2, "units_2": 64},
    {},
]
GOOD: Values = {
    "learning_rate": 10**-2.5, "units": 128, "dropout": 0.2, "optimizer": "adam", "bidirectional": True,
    "batch_size": 64, "max_length": None,
}  # fmt: skip
FAILED = Observation(GOOD, None)


def with_known(name: str, where: Space, known: strategies.Known, **keys: Any) -> Strategy:
    return strategies.create(STRATEGIES[name](**keys), where, LOSS, EPOCHS, known=known)


def told(count: int, seed: int = 77) -> list[Observation]:
    """Trials of an earlier random search of MIXED."""
    made = drive(create("random", MIXED, trials=count, seed=seed), noise)
    return [Observation(p.values, loss(p.values)) for p in made]


@pytest.mark.parametrize("name", NAMES)
class TestTriedFirst:
    def test_in_order_and_filled_up(self, name: str) -> None:
        made = new(drive(create(name, LAYERS, trials=7, try_first=FIRST), noise))
        assert made[0].values == FIRST[0]
        assert made[1].values["depth"] == 2
        assert made[1].values["units_2"] == 64
        assert all(LAYERS.contains(p.values) for p in made[:3])
        assert len({key(p.values) for p in made}) == len(made) == 7

    def test_they_are_trials_like_all_others(self, name: str) -> None:
        strategy = create(name, LAYERS, trials=2, try_first=FIRST)
        assert [p.trial for p in new(drive(strategy, noise))] == [1, 2]
        assert strategy.ended == "all 2 trials are done"

    def test_before_anything_is_told(self, name: str) -> None:
        strategy = create(name, LAYERS, trials=9, try_first=FIRST)
        asked = [strategy.ask() for _ in FIRST]
        assert [p.trial for p in asked if isinstance(p, Proposal)] == [1, 2, 3]

    @pytest.mark.parametrize("cut", [1, 2, 5])
    def test_a_replay_goes_on_where_it_was(self, name: str, cut: int) -> None:
        made = drive(create(name, LAYERS, trials=7, try_first=FIRST, seed=5), noise)
        again = create(name, LAYERS, trials=7, try_first=FIRST, seed=5)
        for proposal in made[:cut]:
            again.replay(proposal)
            again.tell(proposal.trial, noise(proposal))
        assert made[:cut] + drive(again, noise) == made

    def test_what_is_left_out_does_not_repeat_what_was_tried(self, name: str) -> None:
        first: list[dict[str, Any]] = [{"depth": 1, "cell": "gru"}, {"depth": 1}, {"depth": 1}, {"depth": 1}]
        made = new(drive(create(name, SMALL, trials=5, try_first=first), noise))
        assert {p.values["cell"] for p in made[:3]} == {"gru", "lstm", "rnn"}
        assert len({key(p.values) for p in made}) == 5  # for the fourth, nothing with depth 1 was left

    def test_what_the_constraints_exclude_is_not_drawn(self, name: str) -> None:
        where = Space(LAYERS.hyperparameters, accepts=lambda values: values.get("units_1") == 64)
        made = new(drive(create(name, where, trials=2, try_first=[{"depth": 1}, {"depth": 2}]), noise))
        assert [p.values["units_1"] for p in made] == [64, 64]


def test_whole_numbers_become_what_the_space_has() -> None:
    first: list[dict[str, Any]] = [{**GOOD, "dropout": 0, "learning_rate": 0.01}]
    proposal = create("random", MIXED, trials=3, try_first=first).ask()
    assert isinstance(proposal, Proposal)
    assert (proposal.values["dropout"], type(proposal.values["dropout"])) == (0.0, float)
    assert proposal.values["units"] == 128


@pytest.mark.parametrize("name", LEARNING)
class TestKnownTrials:
    def test_they_change_what_is_proposed(self, name: str) -> None:
        without = new(drive(create(name, MIXED, trials=3), bowl))
        made = new(drive(with_known(name, MIXED, told(20), trials=3), bowl))
        assert [p.values for p in made] != [p.values for p in without]
        assert [p.trial for p in made] == [1, 2, 3]
        assert all(MIXED.contains(p.values) for p in made)

    def test_they_help_from_the_start(self, name: str) -> None:
        """On average over seeds: the first trials after 40 known ones are better than the first at random."""
        known = told(40)

        def early(seed: int, *, informed: bool) -> float:
            strategy = with_known(name, MIXED, known if informed else (), trials=4, seed=seed)
            return sum(loss(p.values) for p in new(drive(strategy, bowl))) / 4

        seeds = (1, 2)
        assert sum(early(s, informed=True) for s in seeds) < 0.7 * sum(
            early(s, informed=False) for s in seeds
        )

    def test_they_may_be_tried_again(self, name: str) -> None:
        known = [Observation(values, 0.5) for values in SMALL.grid()]
        made = new(drive(with_known(name, SMALL, known, trials=40), noise))
        assert len({key(p.values) for p in made}) == SMALL.size

    def test_failed_ones_and_a_few(self, name: str) -> None:
        for known in ([FAILED], [Observation(GOOD, 0.1)], [*told(3), FAILED]):
            assert len(new(drive(with_known(name, MIXED, known, trials=5), bowl))) == 5

    def test_a_replay_goes_on_the_same(self, name: str) -> None:
        known = [*told(10), FAILED]
        made = drive(with_known(name, MIXED, known, trials=6), bowl)
        again = with_known(name, MIXED, known, trials=6)
        for proposal in made[:3]:
            again.replay(proposal)
            again.tell(proposal.trial, bowl(proposal))
        assert made[:3] + drive(again, bowl) == made

    def test_the_direction_counts(self, name: str) -> None:
        known = [*told(14), FAILED]
        up = [one._replace(score=None if one.score is None else -one.score) for one in known]
        down = drive(with_known(name, MIXED, known, trials=3), bowl)
        section: Any = STRATEGIES[name]
        other = strategies.create(section(trials=3), MIXED, ACCURACY, EPOCHS, known=up)
        assert drive(other, lambda p: -bowl(p)) == down


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LEARNING])
def test_what_learns_nothing_from_earlier_trials_says_so(name: str) -> None:
    keys: dict[str, Any] = {"from": "results/older"}
    with pytest.raises(ConfigError) as caught:
        create(name, SMALL, **keys)
    remedy = "take bayesian, tpe, gp, cmaes or genetic, or leave from out"
    assert str(caught.value) == f"search.from: {name} learns nothing from earlier trials: {remedy}"


def test_it_is_told_beforehand() -> None:
    def told(name: str, **keys: Any) -> str:
        section: Any = STRATEGIES[name]
        return strategies.describe(section(**keys), MIXED, EPOCHS)

    assert told("tpe", trials=30) == "tpe: 30 configurations, the first 10 of them at random"
    assert told("tpe", trials=30, **{"from": "results/older"}) == "tpe: 30 configurations"
    assert told("genetic", trials=30, **{"from": "older"}) == "genetic: 30 configurations in generations of 8"
    assert (
        told("random", try_first=FIRST)
        == "random: 20 configurations; it begins with 3 configurations of yours"
    )
