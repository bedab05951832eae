"""Stoppers: who climbs, who stays behind, and what the strategy inside hears of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru_tune.errors import ConfigError, StudyError
from gru_tune.strategies import STRATEGIES, Proposal, describe
from gru_tune.strategies.rungs import doubt, expected_epochs, rungs, shares
from gru_tune.strategies.stopping import Bracket, Halving, Median
from tests.strategies.strategy_cases import (
    ACCURACY,
    LAYERS,
    MIXED,
    SMALL,
    Score,
    bowl,
    create,
    drive,
    new,
    noise,
    space,
)  # fmt: skip
from tests.strategies.test_strategy_contract import Recorder, goes_on_alike, replayed

STOPPERS = ["asha", "hyperband", "median"]
NAMES = [name for name in STRATEGIES if name not in ("hyperband", "gp", "grid")]


def by_trial(p: Proposal) -> float:
    """A loss that is the trial's number, at every epoch: earlier trials are better."""
    return float(p.trial)


def epochs(made: list[Proposal]) -> Counter[int]:
    """How many trials ended with so many epochs."""
    last: dict[int, int] = {p.trial: p.last_epoch for p in made}
    return Counter(last.values())


def section(name: str = "random", **keys: object) -> object:
    return STRATEGIES[name](**keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keys", "most", "expected"),
    [
        ({"stopper": "asha"}, 27, [1, 3, 9, 27]),
        ({"stopper": "asha"}, 10, [2, 4, 10]),
        ({"stopper": "asha", "factor": 4, "min_epochs": 2}, 32, [2, 8, 32]),
        ({"stopper": "asha", "min_epochs": 3}, 27, [3, 9, 27]),
        ({"stopper": "asha"}, 2, [2]),
        ({"stopper": "median"}, 10, [1, 2, 3, 5, 7, 10]),
        ({"stopper": "median"}, 2, [1, 2]),
        ({"stopper": "median", "min_epochs": 5}, 10, [5, 7, 10]),
    ],
)
def test_rungs(keys: dict[str, object], most: int, expected: list[int]) -> None:
    assert rungs(section(**keys), most) == expected  # type: ignore[arg-type]


class TestHalving:
    def test_one_in_three_climbs_each_rung(self) -> None:
        made = drive(create("random", MIXED, epochs=27, trials=27, stopper="asha"), by_trial)
        assert epochs(made) == {1: 18, 3: 6, 9: 2, 27: 1}

    def test_a_trial_climbs_as_soon_as_it_is_among_the_best_third(self) -> None:
        made = drive(create("random", MIXED, epochs=9, trials=9, stopper="asha"), by_trial)
        assert [(p.trial, p.first_epoch, p.last_epoch) for p in made[:5]] == [
            (1, 0, 1), (2, 0, 1), (3, 0, 1), (1, 1, 3), (4, 0, 1),
        ]  # fmt: skip

    def test_the_best_of_few_is_trained_in_full(self) -> None:
        made = drive(create("random", MIXED, epochs=27, trials=4, stopper="asha"), by_trial)
        assert epochs(made) == {1: 3, 27: 1}
        assert made[-1].trial == 1

    def test_only_the_last_rung_leaves_no_checkpoint(self) -> None:
        made = drive(create("random", MIXED, epochs=9, trials=9, stopper="asha"), by_trial)
        assert {p.last_epoch: p.checkpoint for p in made} == {1: True, 3: True, 9: False}

    def test_failures_stay_behind(self) -> None:
        def score(p: Proposal) -> Score:
            return None if p.trial % 2 else float(p.trial)

        made = drive(create("random", MIXED, epochs=27, trials=30, stopper="asha"), score)
        assert {p.trial % 2 for p in made if p.first_epoch} == {0}

    def test_a_failure_on_a_later_rung_leaves_the_place_to_another(self) -> None:
        def score(p: Proposal) -> Score:
            return None if p.trial == 1 and p.first_epoch else float(p.trial)

        made = drive(create("random", MIXED, epochs=9, trials=9, stopper="asha"), score)
        assert max(p.last_epoch for p in made if p.trial == 2) == 9

    def test_one_of_few_is_trained_in_full_though_the_first_to_climb_fails(self) -> None:
        made = drive(
            create("random", MIXED, epochs=9, trials=4, stopper="asha"),
            lambda p: None if p.trial == 1 and p.last_epoch == 3 else float(p.trial),
        )
        assert max(p.last_epoch for p in made if p.trial == 2) == 9

    def test_fewer_trials_may_be_asked_for_when_a_study_goes_on(self) -> None:
        first = Recorder(create("random", MIXED, epochs=9, trials=60, stopper="asha"))
        for choice in [0, 1] * 40:
            first.act(choice)
        climbed = [what for event, what in first.log if event == "proposed" and what.first_epoch]  # type: ignore[attr-defined]
        assert climbed
        again = replayed(first.log, create("random", MIXED, epochs=9, trials=6, stopper="asha"))
        assert again.log == first.log

    def test_no_new_trials_lets_the_best_climb_to_the_end(self) -> None:
        strategy = create("random", MIXED, epochs=9, trials=20, stopper="asha")
        for _ in range(2):
            proposal = strategy.ask()
            assert isinstance(proposal, Proposal)
            strategy.tell(proposal.trial, by_trial(proposal))
        reached = []
        while isinstance(proposal := strategy.ask(new=False), Proposal):
            reached.append((proposal.trial, proposal.last_epoch))
            strategy.tell(proposal.trial, by_trial(proposal))
        assert reached == [(1, 3), (1, 9)]
        assert strategy.ended is None
        assert isinstance(strategy.ask(), Proposal)

    def test_says_when_a_checkpoint_is_no_longer_needed(self) -> None:
        bracket = Bracket([1, 3, 9], 3, cap=6)  # two of six climb
        for trial, cost in enumerate([5.0, 4.0, 3.0, math.inf], start=1):
            bracket.enter(trial)
            bracket.reached(trial, cost)
        assert [bracket.finished(trial) for trial in (1, 2, 3, 4)] == [True, False, False, True]

    def test_no_more_than_one_in_three_however_good_the_later_ones_are(self) -> None:
        made = drive(create("random", MIXED, epochs=27, trials=27, stopper="asha"), lambda p: -p.trial)
        assert epochs(made) == {1: 18, 3: 6, 9: 2, 27: 1}

    def test_as_published_whatever_is_among_the_best_climbs(self) -> None:
        strict, published = (Bracket([1, 3], 3, None, strict=strict) for strict in (True, False))
        for trial in range(1, 7):
            for bracket in (strict, published):
                bracket.enter(trial)
                bracket.reached(trial, -float(trial))
                while (going := bracket.next(last=False)) is not None:
                    bracket.climb(going)
        assert strict.climbed[0] == {3, 6}
        assert published.climbed[0] == {3, 4, 5, 6}

    def test_without_a_cap_every_sound_checkpoint_is_kept(self) -> None:
        bracket = Bracket([1, 3], 3, cap=None)
        for trial in range(1, 9):
            bracket.enter(trial)
            bracket.reached(trial, float(trial))
        assert not any(bracket.finished(trial) for trial in range(1, 9))


class TestBrackets:
    def test_begin_on_every_rung(self) -> None:
        made = drive(create("random", MIXED, epochs=27, trials=60, stopper="hyperband"), noise)
        first = Counter(p.last_epoch for p in new(made))
        assert set(first) == {1, 3, 9, 27}
        assert first[1] > first[3] > first[9] > first[27] > 0

    def test_cost_about_the_same(self) -> None:
        steps = [1, 3, 9, 27]
        costs = [s * (4 - start) * steps[start] for start, s in enumerate(shares(steps))]
        assert costs == pytest.approx([costs[0]] * 4)
        assert sum(shares(steps)) == pytest.approx(1)

    def test_new_trials_are_shared_out_evenly_in_time(self) -> None:
        rule = Halving([1, 3, 9], 3, None, all_brackets=True)
        for trial in range(1, 14):
            rule.enter(trial)
        starts = [rule.rung(trial)[1] for trial in range(1, 14)]
        assert {1, 3, 9} <= set(starts[:6])


class TestMedian:
    def test_the_first_five_are_trained_in_full(self) -> None:
        made = drive(create("random", MIXED, epochs=10, trials=8, stopper="median"), by_trial)
        assert epochs(made) == {10: 5, 1: 3}

    def test_what_is_better_than_the_median_goes_on_at_once(self) -> None:
        made = drive(create("random", MIXED, epochs=10, trials=8, stopper="median"), lambda p: -p.trial)
        assert epochs(made) == {10: 8}
        assert [p.trial for p in made] == sorted(p.trial for p in made)

    def test_a_trial_that_falls_behind_ends_there(self) -> None:
        def score(p: Proposal) -> float:
            return -1.0 if p.trial < 6 or p.last_epoch < 5 else 1.0

        made = drive(create("random", MIXED, epochs=10, trials=7, stopper="median"), score)
        assert epochs(made) == {10: 5, 5: 2}

    def test_compares_with_what_went_to_the_end(self) -> None:
        rule = Median([1, 2])
        for trial in range(1, 6):
            rule.enter(trial)
            rule.reached(trial, 0.0)
        assert rule.next(last=False) == 1  # nobody has reached the end yet
        assert not rule.finished(5)


@pytest.mark.parametrize("stopper", STOPPERS)
class TestEveryStopper:
    @pytest.mark.parametrize("name", NAMES)
    def test_goes_with_every_strategy(self, name: str, stopper: str) -> None:
        strategy = create(name, MIXED, epochs=9, trials=24, stopper=stopper)
        made = drive(strategy, bowl, in_flight=3)
        assert len(new(made)) == 24
        assert all(MIXED.contains(p.values) for p in made)
        assert strategy.ended == "all 24 trials are done"
        assert max(p.last_epoch for p in made) == 9

    def test_a_grid(self, stopper: str) -> None:
        made = drive(create("grid", LAYERS, epochs=9, trials=None, stopper=stopper), noise, in_flight=2)
        assert len(new(made)) == 28

    def test_stretches_of_a_trial_follow_each_other(self, stopper: str) -> None:
        reached: dict[int, int] = {}
        for p in drive(create("random", MIXED, epochs=27, trials=40, stopper=stopper), noise, in_flight=4):
            assert p.first_epoch == reached.get(p.trial, p.first_epoch)
            assert p.last_epoch > p.first_epoch
            reached[p.trial] = p.last_epoch

    def test_direction(self, stopper: str) -> None:
        keys = {"epochs": 9, "trials": 20, "stopper": stopper}
        down = drive(create("random", MIXED, **keys), bowl)  # type: ignore[arg-type]
        up = drive(create("random", MIXED, ACCURACY, **keys), lambda p: -bowl(p))  # type: ignore[arg-type]
        assert up == down

    @pytest.mark.parametrize("name", ["random", "tpe", "genetic", "cmaes", "bayesian"])
    @settings(max_examples=6, deadline=None, derandomize=True)
    @given(choices=st.lists(st.integers(0, 1000), min_size=4, max_size=50), cut=st.integers(0, 50))
    def test_goes_on_after_a_kill_as_if_there_had_been_none(
        self, name: str, stopper: str, choices: list[int], cut: int
    ) -> None:
        keys = {"initial": 3} if name in ("bayesian", "tpe", "cmaes") else {}

        def fresh() -> object:
            return create(name, SMALL, epochs=9, trials=12, stopper=stopper, **keys)

        goes_on_alike(fresh, choices, cut)

    def test_a_failure_of_everything(self, stopper: str) -> None:
        strategy = create("tpe", MIXED, epochs=9, trials=12, stopper=stopper)
        assert len(drive(strategy, lambda p: None)) == 12

    def test_a_log_that_does_not_fit(self, stopper: str) -> None:
        strategy = create("random", MIXED, epochs=9, trials=12, stopper=stopper)
        with pytest.raises(StudyError, match="does not fit this search and its stopper"):
            strategy.replay(Proposal(1, {}, 4, 9, False))


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
def test_the_gaussian_process_of_optuna() -> None:
    made = drive(create("gp", MIXED, epochs=9, trials=14, stopper="asha"), bowl)
    assert len(new(made)) == 14


class Listener:
    """A strategy that proposes nothing new, and writes down what it hears."""

    ended = None

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, Score]] = []
        self.count = 0

    def ask(self, new: bool = True) -> Proposal | None:
        self.count += 1
        return Proposal(self.count, {}, 0, 9, False) if self.count <= 3 else None

    def tell(self, trial: int, score: Score, cost: Score = None) -> None:
        self.heard.append(("tell", trial, score))

    def revise(self, trial: int, score: Score, cost: Score = None) -> None:
        self.heard.append(("revise", trial, score))


def test_the_strategy_inside_hears_every_rung() -> None:
    from gru_tune.strategies.early import EarlyStopping
    from tests.strategies.strategy_cases import LOSS

    inner = Listener()
    outer = EarlyStopping(inner, Bracket([1, 3, 9], 3, 3, strict=True), LOSS)  # type: ignore[arg-type]
    drive(outer, lambda p: None if p.last_epoch == 9 else float(p.trial))
    assert inner.heard == [
        ("tell", 1, 1.0), ("tell", 2, 2.0), ("tell", 3, 3.0), ("revise", 1, 1.0), ("revise", 1, None),
        ("revise", 2, 2.0), ("revise", 2, None), ("revise", 3, 3.0), ("revise", 3, None),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["bayesian", "tpe", "genetic", "cmaes"])
def test_a_later_score_takes_the_place_of_the_earlier(name: str) -> None:
    """After the same revisions, strategies that were told different first scores propose the same."""

    def told(first: Callable[[int], float]) -> Proposal:
        strategy = create(name, MIXED, trials=20, **({"initial": 4} if name != "genetic" else {}))
        made = [strategy.ask() for _ in range(8)]
        for p in made:
            assert isinstance(p, Proposal)
            strategy.tell(p.trial, first(p.trial))
        for p in made:
            assert isinstance(p, Proposal)
            strategy.revise(p.trial, bowl(p))
        proposal = strategy.ask()
        assert isinstance(proposal, Proposal)
        return proposal

    assert told(lambda trial: float(trial)) == told(lambda trial: 1.0 / trial)


class TestWords:
    def test_what_a_search_will_cost(self) -> None:
        assert expected_epochs(section(stopper="asha", trials=27), 27, 27) == 27 + 9 * 2 + 3 * 6 + 18  # type: ignore[arg-type]
        assert describe(section(stopper="asha", trials=27), MIXED, 27) == (  # type: ignore[arg-type]
            "random: 27 configurations; asha: rungs of 1, 3, 9 and 27 epochs, about 81 epochs in all instead of 729"
        )
        assert describe(section("tpe", stopper="median", initial=4, trials=27), MIXED, 5) == (  # type: ignore[arg-type]
            "tpe: 27 configurations, the first 4 of them at random; median: looks at the trials after 1, 2, 3 and 4 of 5 epochs"
        )
        assert expected_epochs(section(stopper="median"), 20, 10) == 200  # type: ignore[arg-type]
        assert expected_epochs(section(), 20, 10) == 200  # type: ignore[arg-type]

    def test_hyperbands_forecast_is_near_what_it_takes(self) -> None:
        made = drive(create("random", MIXED, epochs=27, trials=100, stopper="hyperband"), by_trial)
        taken = sum(p.last_epoch - p.first_epoch for p in made)
        assert taken == pytest.approx(
            expected_epochs(section(stopper="hyperband"), 100, 27), rel=0.15  # type: ignore[arg-type]
        )  # fmt: skip

    def test_doubts(self) -> None:
        assert doubt(section(stopper="asha"), 6, 27) == (  # type: ignore[arg-type]
            "asha can hardly help with 6 trials: it needs 9 or more to compare; raise search.trials, or leave search.stopper out"
        )
        assert doubt(section(stopper="median"), 9, 27) == (  # type: ignore[arg-type]
            "median can hardly help with 9 trials: it needs 10 or more to compare; raise search.trials, or leave search.stopper out"
        )
        assert doubt(section(stopper="asha"), 60, 3) == (  # type: ignore[arg-type]
            "asha looks at the trials only once, after 1 epoch: raise training.epochs, or leave search.stopper out"
        )
        assert doubt(section(stopper="asha"), 60, 27) is None  # type: ignore[arg-type]
        assert doubt(section(), 2, 1) is None  # type: ignore[arg-type]


class TestRefusals:
    @pytest.mark.parametrize(
        ("stopper", "given_epochs", "words"),
        [
            ("asha", 1, "asha cannot end a trial early in 1 epoch: it needs at least 3"),
            ("asha", 2, "asha cannot end a trial early in 2 epochs: it needs at least 3"),
            ("median", 1, "median cannot end a trial early in 1 epoch: it needs at least 2"),
        ],
    )
    def test_too_few_epochs(self, stopper: str, given_epochs: int, words: str) -> None:
        with pytest.raises(ConfigError, match=words):
            create("random", MIXED, epochs=given_epochs, stopper=stopper)

    def test_hyperband_needs_none(self) -> None:
        with pytest.raises(ConfigError, match="hyperband ends bad trials itself: leave the stopper out"):
            create("hyperband", MIXED, epochs=27, stopper="asha")

    def test_epochs_cannot_be_searched_over(self) -> None:
        from gru_tune.space import Hyperparameter
        from gru_tune.values import Int

        with pytest.raises(ConfigError, match="asha shares out the epochs itself"):
            create("random", space(Hyperparameter("epochs", Int(5, 20))), epochs=20, stopper="asha")
