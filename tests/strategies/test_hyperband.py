"""What is particular to Hyperband: rungs, promotions, failures, the limit on trials."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import pytest

from gru_tune.errors import ConfigError, StudyError
from gru_tune.space import Hyperparameter
from gru_tune.strategies import WAIT, Proposal
from gru_tune.strategies._oracle import HalvingOracle
from gru_tune.strategies.hyperband import HyperbandSearch, brackets, shrunk, total_epochs
from gru_tune.values import Choice, Int
from tests.strategies.strategy_cases import (
    ACCURACY,
    BIG,
    MIXED,
    SMALL,
    bowl,
    create,
    drive,
    new,
    noise,
    space,
)


def stretches(made: list[Proposal]) -> Counter[tuple[int, int, bool]]:
    return Counter((p.first_epoch, p.last_epoch, p.checkpoint) for p in made)


def test_the_widest_bracket_first() -> None:
    made = drive(create("hyperband", MIXED, epochs=9, trials=9), bowl)
    assert stretches(made) == {(0, 1, True): 9, (1, 3, True): 3, (3, 9, False): 1}


def test_an_iteration_and_the_next() -> None:
    one = {(0, 1, True): 9, (1, 3, True): 3, (3, 9, False): 1 + 2, (0, 3, True): 5, (0, 9, False): 3}
    assert stretches(drive(create("hyperband", MIXED, epochs=9, trials=17), bowl)) == one
    two = drive(create("hyperband", MIXED, epochs=9, trials=34), bowl)
    assert stretches(two) == {key: 2 * count for key, count in one.items()}


def test_a_promoted_trial_keeps_number_and_values() -> None:
    made = drive(create("hyperband", MIXED, epochs=9, trials=20), bowl, in_flight=3)
    seen: dict[int, Proposal] = {}
    for proposal in made:
        before = seen.get(proposal.trial)
        assert proposal.first_epoch == (before.last_epoch if before else 0)
        assert before is None or (before.values == proposal.values and before.checkpoint)
        seen[proposal.trial] = proposal


@pytest.mark.parametrize("in_flight", [1, 3, 8])
@pytest.mark.parametrize("trials", [9, 7, 4])
def test_the_best_of_a_rung_are_promoted(trials: int, in_flight: int) -> None:
    made = drive(create("hyperband", MIXED, epochs=9, trials=trials), bowl, in_flight=in_flight)
    scores = {p.trial: bowl(p) for p in made if p.last_epoch == 1}
    promoted = {p.trial for p in made if p.first_epoch == 1}
    assert promoted == set(sorted(scores, key=scores.__getitem__)[: len(promoted)])
    assert len(promoted) == -(-trials // 3)


def test_failed_trials_count_as_the_worst() -> None:
    """keras-tuner waits for ever for a rung with a failed trial to be complete."""
    made = drive(create("hyperband", MIXED, epochs=9, trials=9), lambda p: None if p.trial <= 4 else bowl(p))
    promoted = {p.trial for p in made if p.first_epoch == 1}
    assert len(promoted) == 3
    assert min(promoted) > 4


def test_a_rung_in_which_nearly_all_fail() -> None:
    made = drive(create("hyperband", MIXED, epochs=9, trials=9), lambda p: None if p.trial != 2 else bowl(p))
    assert [(p.trial, p.last_epoch) for p in made if p.first_epoch] == [(2, 3), (2, 9)]


def test_promoted_trials_may_fail() -> None:
    strategy = create("hyperband", MIXED, epochs=9, trials=17)
    made = drive(strategy, lambda p: None if p.first_epoch else bowl(p), in_flight=4)
    assert len(new(made)) == 17
    assert strategy.ended == "all 17 trials are done"


def test_it_waits_for_a_rung_to_end() -> None:
    strategy = create("hyperband", SMALL, epochs=3, trials=3)
    made = [strategy.ask() for _ in range(3)]
    assert [p.last_epoch for p in made if isinstance(p, Proposal)] == [1, 1, 1]
    assert strategy.ask() == WAIT
    strategy.tell(1, 0.3)
    strategy.tell(2, 0.1)
    assert strategy.ask() == WAIT
    strategy.tell(3, 0.2)
    last = strategy.ask()
    assert isinstance(last, Proposal)
    assert (last.trial, last.first_epoch, last.last_epoch, last.checkpoint) == (2, 1, 3, False)


def test_it_begins_the_next_bracket_rather_than_wait() -> None:
    strategy = create("hyperband", MIXED, epochs=9, trials=20)
    made = [strategy.ask() for _ in range(12)]
    assert [p.last_epoch for p in made if isinstance(p, Proposal)] == [1] * 9 + [3] * 3


def test_the_best_is_promoted_when_more_is_better() -> None:
    made = drive(create("hyperband", SMALL, objective=ACCURACY, epochs=3, trials=3), lambda p: float(p.trial))
    assert [p.trial for p in made if p.first_epoch] == [3]


def test_a_single_configuration_runs_through_its_rungs() -> None:
    where = space(Hyperparameter("units", Choice((64,))))
    made = drive(create("hyperband", where, epochs=9), noise)
    assert [(p.trial, p.first_epoch, p.last_epoch) for p in made] == [(1, 0, 1), (1, 1, 3), (1, 3, 9)]


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 50])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_any_number_of_epochs(epochs: int, factor: int) -> None:
    made = drive(create("hyperband", BIG, epochs=epochs, factor=factor, trials=60), noise, in_flight=5)
    assert len(new(made)) == 60
    assert max(p.last_epoch for p in made) <= epochs
    assert sum(p.last_epoch - p.first_epoch for p in made) == total_epochs(60, epochs, factor)
    reached: dict[int, list[int]] = defaultdict(list)
    for proposal in made:
        reached[proposal.trial].append(proposal.last_epoch)
        assert proposal.checkpoint == (proposal.last_epoch < epochs)


@pytest.mark.parametrize(
    ("epochs", "factor"), list(itertools.product([1, 2, 7, 9, 10, 27, 81, 100], [2, 3, 4]))
)
def test_the_plan_is_keras_tuners(epochs: int, factor: int) -> None:
    stock = HalvingOracle("val_loss", max_epochs=epochs, factor=factor)
    for number, rungs in zip(
        range(stock._get_num_brackets() - 1, -1, -1), brackets(epochs, factor), strict=False
    ):
        sizes = [(stock._get_size(number, r), stock._get_epochs(number, r)) for r in range(number + 1)]
        assert rungs == sizes


def test_a_bracket_begun_by_fewer_trials_keeps_its_proportions() -> None:
    assert shrunk([12, 4, 2], 12) == [12, 4, 2]
    assert shrunk([12, 4, 2], 5) == [5, 2, 1]
    assert shrunk([12, 4, 2], 1) == [1, 1, 1]


def test_checkpoints_are_kept_as_long_as_they_may_be_needed() -> None:
    strategy = create("hyperband", MIXED, epochs=9, trials=20)
    made = [strategy.ask() for _ in range(9)]
    for proposal in made[:8]:
        assert isinstance(proposal, Proposal)
        strategy.tell(proposal.trial, None if proposal.trial == 8 else proposal.trial / 10)
    assert [strategy.finished(n) for n in range(1, 10)] == [False] * 7 + [True, False]
    strategy.tell(9, 0.9)
    promoted = [strategy.ask() for _ in range(3)]
    assert [p.trial for p in promoted if isinstance(p, Proposal)] == [1, 2, 3]
    assert [strategy.finished(n) for n in range(1, 10)] == [False] * 3 + [True] * 6


def test_a_bracket_that_more_trials_could_fill_keeps_its_checkpoints() -> None:
    strategy = create("hyperband", MIXED, epochs=9, trials=5)
    made = drive(strategy, bowl)
    last = {p.trial for p in made if p.last_epoch == 9}
    assert {n for n in range(1, 6) if strategy.finished(n)} == last
    longer = create("hyperband", MIXED, epochs=9, trials=9)
    for proposal in made:
        longer.replay(proposal)
        longer.tell(proposal.trial, bowl(proposal))
    made += drive(longer, bowl)
    assert stretches(made) == {(0, 1, True): 9, (1, 3, True): 3, (3, 9, False): 1}


def test_a_log_of_another_search_is_refused() -> None:
    for proposal in (Proposal(1, {"depth": 1, "cell": "gru"}, 0, 9, True), Proposal(1, {}, 1, 3, True)):
        with pytest.raises(StudyError, match="does not fit this hyperband search"):
            create("hyperband", SMALL, epochs=9).replay(proposal)


def test_epochs_cannot_be_searched() -> None:
    with pytest.raises(ConfigError, match=r"training\.epochs: hyperband shares out the epochs itself"):
        create("hyperband", space(Hyperparameter("epochs", Int(1, 9))))


def test_the_sentence_before_the_start() -> None:
    search = HyperbandSearch(trials=17)
    assert (
        search.describe(MIXED, 9)
        == "hyperband: 17 configurations in rungs of 1, 3 and 9 epochs, about 75 epochs in all"
    )
    assert "as many configurations as fit into the time" in HyperbandSearch(trials=None).describe(MIXED, 9)
