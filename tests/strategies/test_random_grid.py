"""What is particular to random and grid search."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from gru_tune import strategies
from gru_tune.errors import ConfigError
from gru_tune.space import Hyperparameter
from gru_tune.strategies import Proposal
from gru_tune.values import Choice, Float, Int
from tests.strategies.strategy_cases import (
    BIG,
    EPOCHS,
    LAYERS,
    LOSS,
    MIXED,
    SMALL,
    create,
    drive,
    noise,
    space,
)

HUGE = space(*(Hyperparameter(f"x{n}", Int(1, 1000)) for n in range(6)))


def test_the_grid_is_walked_in_the_order_of_the_config() -> None:
    assert [p.values for p in drive(create("grid", LAYERS), noise)] == list(LAYERS.grid())


def test_a_whole_grid_begins_with_what_takes_longest() -> None:
    def depths(**keys: int) -> list[object]:
        section = strategies.STRATEGIES["grid"](**keys)
        search = strategies.create(section, SMALL, LOSS, EPOCHS, lambda values: float(str(values["depth"])))
        return [proposal.values["depth"] for proposal in drive(search, noise)]

    # One of every depth, so that each is compiled by one worker alone; then what is left.
    assert depths() == [5, 4, 3, 2, 1, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert depths(trials=4) == [1, 1, 1, 2]  # what a limit cuts off is the end of the config's list


def test_a_grid_gives_ints_for_logarithmic_ints() -> None:
    """keras-tuner's grid gives 16.0, which Keras refuses as a number of units."""
    where = space(Hyperparameter("units", Int(8, 32, step=8, log=True)))
    values = [p.values["units"] for p in drive(create("grid", where), noise)]
    assert values == [8, 16, 24, 32]
    assert {type(value) for value in values} == {int}


def test_a_grid_of_an_endless_space_is_refused() -> None:
    with pytest.raises(ConfigError, match="learning_rate, momentum has none: give it a step or a choice"):
        create("grid", MIXED)


def test_a_grid_larger_than_memory_begins_at_once() -> None:
    started = time.monotonic()
    assert len(drive(create("grid", HUGE, trials=20), noise)) == 20
    assert len(drive(create("random", HUGE, trials=20), noise)) == 20
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("seed", range(20))
def test_random_search_covers_a_space_of_fifteen_with_every_seed(seed: int) -> None:
    """keras-tuner manages it with three seeds of four, and a space of 48 with one of ten."""
    assert len(drive(create("random", SMALL, trials=40, seed=seed), noise)) == 15


def test_random_search_draws_evenly() -> None:
    where = space(Hyperparameter("cell", Choice(("gru", "lstm"))), Hyperparameter("x", Float(0.0, 1.0)))
    made = drive(create("random", where, trials=400), noise)
    cells = Counter(p.values["cell"] for p in made)
    assert 160 < cells["gru"] < 240
    quarters = Counter(int(4 * float(p.values["x"] or 0)) for p in made)
    assert all(70 < quarters[n] < 130 for n in range(4))


def test_random_search_draws_logarithmic_ints_in_their_scale() -> None:
    where = space(Hyperparameter("units", Int(1, 10_000, log=True)))
    made = drive(create("random", where, trials=60), noise)
    assert 15 < sum(int(p.values["units"] or 0) < 100 for p in made) < 45


@pytest.mark.parametrize("name", ["random", "grid", "bayesian"])
def test_a_trial_is_trained_for_all_its_epochs_at_once(name: str) -> None:
    for proposal in drive(create(name, SMALL, epochs=12, trials=6), noise):
        assert (proposal.first_epoch, proposal.last_epoch, proposal.checkpoint) == (0, 12, False)


@pytest.mark.parametrize("name", ["random", "grid", "bayesian"])
def test_epochs_may_be_searched(name: str) -> None:
    where = space(Hyperparameter("epochs", Choice((3, 7))), Hyperparameter("depth", Int(1, 4)))
    made = drive(create(name, where, trials=8), noise)
    assert {p.last_epoch for p in made} == {3, 7}
    assert all(p.last_epoch == p.values["epochs"] for p in made)


def test_thousands_of_trials_do_not_slow_down() -> None:
    strategy = create("random", BIG, trials=6000)
    took = []
    for _ in range(6):
        started = time.process_time()
        for _ in range(1000):
            proposal = strategy.ask()
            assert isinstance(proposal, Proposal)
            strategy.tell(proposal.trial, 0.5)
        took.append(time.process_time() - started)
    assert took[-1] < 4 * took[0] + 0.5
