"""What is particular to Bayesian search: the mended proposal."""

from __future__ import annotations

import numpy as np
import pytest

from gru_tune.space import Condition, Hyperparameter
from gru_tune.strategies import Proposal
from gru_tune.strategies._candidates import Encoder
from gru_tune.strategies._gaussian import Grouped, costs, log_improvement, thin
from gru_tune.strategies.bayesian import BayesianSearch
from gru_tune.values import Choice, Float, Int
from tests.strategies.strategy_cases import (
    BIG,
    EMPTY,
    LAYERS,
    MIXED,
    SMALL,
    bowl,
    create,
    drive,
    noise,
    space,
)

SEEDS = (1, 2, 3)


def best(name: str, seed: int, trials: int = 35) -> float:
    return min(bowl(p) for p in drive(create(name, MIXED, trials=trials, seed=seed), bowl))


def test_it_beats_random_search_on_a_mixed_space() -> None:
    random = [best("random", seed) for seed in SEEDS]
    bayesian = [best("bayesian", seed) for seed in SEEDS]
    assert np.mean(bayesian) < np.mean(random)
    assert max(bayesian) < min(random) + 0.02


def test_it_finds_the_best_of_a_small_space_sooner() -> None:
    made = drive(create("bayesian", BIG, trials=30), lambda p: _far(p, 150, 40))
    assert min(_far(p, 150, 40) for p in made) < 0.002


@pytest.mark.parametrize("failure", [None, float("inf"), float("nan"), 1e9])
def test_a_failing_region_is_avoided(failure: float | None) -> None:
    """keras-tuner drops failed trials and reads infinity as 0, and returns to the spot again and again."""
    where = space(Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0)))

    def score(p: Proposal) -> float | None:
        x, y = float(p.values["x"] or 0), float(p.values["y"] or 0)
        return failure if x > 0.5 else (x - 0.3) ** 2 + (y - 0.6) ** 2

    late = drive(create("bayesian", where, trials=30), score)[10:]
    assert sum(float(p.values["x"] or 0) > 0.5 for p in late) <= 3
    assert min(score(p) or 1 for p in late) < 0.002


def test_the_first_trials_are_random_searchs_and_do_not_depend_on_scores() -> None:
    one, two = (drive(create("bayesian", MIXED, trials=9), score) for score in (bowl, noise))
    assert one == two
    assert (
        drive(create("bayesian", MIXED, trials=11), bowl)[10]
        != drive(create("bayesian", MIXED, trials=11), noise)[10]
    )


def test_initial_trials() -> None:
    assert BayesianSearch().initial_points(MIXED) == 10
    assert BayesianSearch().initial_points(SMALL) == 4
    assert (
        BayesianSearch().initial_points(space(*(Hyperparameter(f"x{n}", Int(1, 2)) for n in range(30)))) == 12
    )
    assert BayesianSearch(initial=7).initial_points(MIXED) == 7
    few = drive(create("bayesian", MIXED, trials=4, initial=2), bowl)
    assert few != drive(create("random", MIXED, trials=4), bowl)


def test_all_failed_so_far_is_like_random_search() -> None:
    assert len(drive(create("bayesian", MIXED, trials=20), lambda p: None)) == 20


def test_equal_scores() -> None:
    assert len(drive(create("bayesian", LAYERS, trials=20), lambda p: 0.5, in_flight=3)) == 20


def test_what_is_in_flight_is_not_proposed_again_nor_its_neighbour() -> None:
    where = space(Hyperparameter("x", Float(0.0, 1.0)))
    strategy = create("bayesian", where)
    for _ in range(6):
        proposal = strategy.ask()
        assert isinstance(proposal, Proposal)
        strategy.tell(proposal.trial, (float(proposal.values["x"] or 0) - 0.4) ** 2)
    flying = [p.values["x"] for p in (strategy.ask() for _ in range(3)) if isinstance(p, Proposal)]
    assert np.min(np.diff(np.sort(np.array(flying, dtype=float)))) > 1e-3


def test_the_sentence_before_the_start() -> None:
    assert (
        BayesianSearch(trials=30).describe(MIXED, 9)
        == "bayesian: 30 configurations, the first 10 of them at random"
    )
    assert BayesianSearch(trials=40).describe(SMALL, 9) == (
        "bayesian: 15 configurations, all there are (40 trials were asked for), the first 4 of them at random"
    )
    assert BayesianSearch(trials=1).describe(EMPTY, 9) == "bayesian: 1 configuration, at random"
    assert BayesianSearch(trials=10).describe(MIXED, 9) == (
        "bayesian: 10 configurations, all of them at random: it learns from trial 11 on"
    )


class TestFeatures:
    def test_words_are_columns_and_numbers_their_scale(self) -> None:
        encoder = Encoder(
            space(
                Hyperparameter("rate", Float(1e-4, 1e-2, log=True)),
                Hyperparameter("batch_size", Choice((128, 32, 64))),
                Hyperparameter("optimizer", Choice(("adam", "rmsprop", "sgd"))),
                Hyperparameter("cell", Choice(("gru",))),
                Hyperparameter("bidirectional", Choice((True, False))),
                Hyperparameter("max_length", Choice((100, None, 200))),
            )
        )
        values = {
            "rate": 1e-3, "batch_size": 64, "optimizer": "sgd", "cell": "gru", "bidirectional": False,
            "max_length": None,
        }  # fmt: skip
        assert encoder.features(values) == pytest.approx([0.5, 0.5, 0, 0, 1, 1, 0, 1, 0])
        assert encoder.groups.tolist() == [0, 1, 2, 2, 2, 3, 4, 4, 4]

    def test_what_is_not_in_force_makes_no_difference(self) -> None:
        encoder = Encoder(LAYERS)
        shallow = {"depth": 1, "units_1": 32, "pooling": "last"}
        assert encoder.features(shallow) == encoder.features(dict(shallow))
        assert encoder.features(shallow)[2:4] == [0.5, 0.5]

    def test_neighbours_are_snapped_to_the_space(self) -> None:
        encoder, rng = Encoder(MIXED), np.random.default_rng(1)
        for start in encoder.anywhere(20, rng):
            assert MIXED.contains(start)
            near = encoder.around(start, 20, 0.03, rng)
            assert all(MIXED.contains(values) for values in near)
            assert any(values != start for values in near)

    def test_neighbours_of_a_branch_reach_the_others(self) -> None:
        where = space(
            Hyperparameter("a", Choice(("p", "q"))),
            Hyperparameter("b", Float(0.0, 1.0), (Condition("a", ("q",)),)),
        )
        encoder = Encoder(where)
        near = encoder.around({"a": "p"}, 60, 0.03, np.random.default_rng(1))
        assert {"b" in values for values in near} == {True, False}


def test_one_length_scale_for_the_columns_of_a_hyperparameter() -> None:
    """The gradient by a shared scale, against differences."""
    x, groups = np.random.default_rng(1).random((7, 4)), np.array([0, 1, 1, 2])
    kernel = Grouped(groups, np.array([0.3, 0.7, 2.0]), (0.01, 10.0))
    _, gradient = kernel(x, eval_gradient=True)
    assert gradient.shape == (7, 7, 3)
    for n in range(3):
        step = np.eye(3)[n] * 1e-6
        up, down = (kernel.clone_with_theta(kernel.theta + s)(x) for s in (step, -step))
        assert np.allclose((up - down) / 2e-6, gradient[:, :, n], atol=1e-5)


def test_one_column_is_enough() -> None:
    x = np.random.default_rng(1).random((5, 1))
    value, gradient = Grouped(np.array([0]), np.array([0.3]), (0.01, 10.0))(x, eval_gradient=True)
    assert value.shape == (5, 5)
    assert gradient.shape == (5, 5, 1)


def test_costs() -> None:
    assert costs([1.0, 2.0, None], "min").tolist() == [1.0, 2.0, 2.0]
    assert costs([0.8, 0.9, None], "max").tolist() == [-0.8, -0.9, -0.8]
    assert max(costs([1.0, 1.1, 1.2, 1.3, 1e12], "min")) < 3
    assert costs([1.0, 1.0], "min").tolist() == [1.0, 1.0]


def test_thinning_keeps_the_best() -> None:
    y = np.random.default_rng(1).random(500)
    kept = thin(y, 100)
    assert len(set(kept.tolist())) == 100
    assert set(np.argsort(y)[:50]) <= set(kept.tolist())


def test_improvement_is_finite_and_ordered_far_from_any_hope() -> None:
    mean = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
    score = log_improvement(0.0, mean, np.ones(5))
    assert np.all(np.isfinite(score))
    assert np.all(np.diff(score) < 0)
    assert log_improvement(0.0, np.zeros(1), np.ones(1))[0] == pytest.approx(np.log(0.3989423), abs=1e-5)
    assert log_improvement(0.0, np.array([4.999, 5.001]), np.ones(2)) == pytest.approx(
        [-16.7, -16.7], abs=0.2
    )


def _far(proposal: Proposal, units: int, batch: int) -> float:
    values = proposal.values
    return ((int(values["units"] or 0) - units) / 200) ** 2 + (
        (int(values["batch_size"] or 0) - batch) / 200
    ) ** 2
