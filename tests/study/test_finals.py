"""Who wins the finals, which runs they consist of, and how they share the minutes."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from statistics import fmean

import pytest

from gru_tune.study.finals import AFTER, Finals, decide, makespan
from gru_tune.study.history import History
from gru_tune.study.log import Finished, Launch
from gru_tune.trial import Epoch, Objective, Outcome, Status, Trial

ACCURACY, LOSS = Objective("accuracy", "max"), Objective("loss", "min")


def run(
    number: int, score: float | None, repeat: int = 1, parameters: int = 100, name: str = "accuracy"
) -> Trial:
    epochs = () if score is None else (Epoch(1, {}, {name: score}, 0.1),)
    status = Status.FAILED if score is None else Status.COMPLETED
    objective = ACCURACY if name == "accuracy" else LOSS
    return Trial(number, {}, 1, status, objective, epochs, parameters, 10.0, repeat=repeat)


def finals(scores: dict[int, Sequence[float | None]]) -> dict[int, list[Trial]]:
    return {
        number: [run(number, score, repeat) for repeat, score in enumerate(some, 2)]
        for number, some in scores.items()
    }


def test_the_best_mean_of_fresh_seeds_wins_whatever_the_search_saw() -> None:
    trials = {1: run(1, 0.99), 2: run(2, 0.95)}
    verdict = decide(trials, finals({1: [0.90, 0.91, 0.90], 2: [0.94, 0.95, 0.94]}), ACCURACY)
    assert verdict is not None
    assert (verdict.winner, verdict.repeat) == (2, 3)  # of its runs the best one's weights are kept
    best, other = verdict.finalists
    assert (best.trial, other.trial) == (2, 1)
    assert best.mean == pytest.approx(0.9433, abs=1e-4)
    assert other.search - other.mean == pytest.approx(0.0867, abs=1e-4)  # the optimism
    assert (best.tied, other.tied) == (True, False)
    assert best.interval is not None
    assert best.interval[0] < best.mean < best.interval[1]
    low, high = other.interval or (0, 1)
    assert high < best.interval[0] or low > best.interval[1]


def test_of_tied_ones_the_smallest_model_wins() -> None:
    trials = {1: run(1, 0.9, parameters=5000), 2: run(2, 0.9, parameters=200), 3: run(3, 0.5, parameters=10)}
    scores = {1: [0.90, 0.94, 0.92], 2: [0.91, 0.93, 0.89], 3: [0.50, 0.53, 0.51]}
    verdict = decide(trials, finals(scores), ACCURACY)
    assert verdict is not None
    assert [one.trial for one in verdict.finalists] == [1, 2, 3]
    assert [one.tied for one in verdict.finalists] == [True, True, False]
    assert verdict.winner == 2


def test_a_much_worse_mean_is_no_bargain_even_if_tied() -> None:
    trials = {1: run(1, 0.9, parameters=5000), 2: run(2, 0.9, parameters=10)}
    verdict = decide(trials, finals({1: [0.88, 0.92], 2: [0.82, 0.83]}), ACCURACY)
    assert verdict is not None
    assert [one.tied for one in verdict.finalists] == [True, True]
    assert verdict.winner == 1


def test_intervals_stay_within_what_the_metric_can_be() -> None:
    verdict = decide({1: run(1, 1.0)}, finals({1: [0.99, 1.0]}), ACCURACY)
    assert verdict is not None
    low, high = verdict.finalists[0].interval or (0.0, 2.0)
    assert low < 0.995 < high == 1.0


def test_lower_is_better_for_a_loss() -> None:
    trials = {n: run(n, 1.0, name="loss") for n in (1, 2)}
    runs = {
        n: [run(n, mean + d, r, name="loss") for r, d in ((2, 0.0), (3, 0.01))]
        for n, mean in ((1, 2.0), (2, 1.0))
    }
    verdict = decide(trials, runs, LOSS)
    assert verdict is not None
    assert (verdict.winner, verdict.repeat) == (2, 2)


def test_one_seed_tells_nothing_of_the_spread() -> None:
    verdict = decide({1: run(1, 0.9), 2: run(2, 0.8)}, finals({1: [0.7], 2: [0.75]}), ACCURACY)
    assert verdict is not None
    assert verdict.winner == 2
    assert all(one.spread is None and one.interval is None for one in verdict.finalists)
    assert [one.tied for one in verdict.finalists] == [True, False]


def test_a_finalist_with_failed_seeds_does_not_win() -> None:
    trials = {1: run(1, 0.9), 2: run(2, 0.8)}
    verdict = decide(trials, finals({1: [0.95, None, 0.95], 2: [0.7, 0.72, 0.71]}), ACCURACY)
    assert verdict is not None
    assert [(one.trial, one.failed, one.tied) for one in verdict.finalists] == [(1, 1, False), (2, 0, True)]
    assert verdict.winner == 2
    everywhere = decide(trials, finals({1: [0.95, None], 2: [0.7, None]}), ACCURACY)
    assert everywhere is not None
    assert everywhere.winner == 1
    assert decide(trials, finals({1: [None]}), ACCURACY) is None
    assert decide(trials, {}, ACCURACY) is None


def test_finalists_with_fewer_seeds_are_compared_all_the_same() -> None:
    """Time ran out, or the number of seeds was changed."""
    trials = {n: run(n, 0.9) for n in (1, 2, 3)}
    verdict = decide(
        trials, finals({1: [0.80, 0.81, 0.82], 2: [0.90, 0.91], 3: [0.80, 0.79, 0.80]}), ACCURACY
    )
    assert verdict is not None
    assert verdict.winner == 2
    widths = {one.trial: one.interval[1] - one.interval[0] for one in verdict.finalists if one.interval}
    assert widths[2] == pytest.approx(widths[1] * (3 / 2) ** 0.5)


def test_a_score_of_zero_is_a_score() -> None:
    verdict = decide({1: run(1, 0.0)}, finals({1: [0.0, 0.0]}), ACCURACY)
    assert verdict is not None
    assert (verdict.finalists[0].search, verdict.finalists[0].mean, verdict.repeat) == (0.0, 0.0, 2)


def test_intervals_hold_the_true_mean_about_as_often_as_they_say() -> None:
    chance, held, tied, count = random.Random(1), 0, 0, 400
    for _ in range(count):
        scores = {n: [chance.gauss(0.8, 0.02) for _ in range(3)] for n in (1, 2, 3)}
        verdict = decide({n: run(n, fmean(s)) for n, s in scores.items()}, finals(scores), ACCURACY)
        assert verdict is not None
        held += sum(one.interval[0] <= 0.8 <= one.interval[1] for one in verdict.finalists if one.interval)
        tied += verdict.finalists[1].tied
    assert 0.92 < held / (3 * count) < 0.98
    assert tied / count > 0.9  # equals are nearly always seen as such


def history(scores: dict[int, float], seconds: float = 10.0) -> History:
    found = History(ACCURACY)
    for number, score in scores.items():
        found.apply(Launch(number, 1, {"units": number}, number, 0, 7, False, 0.0))
        epoch = Epoch(3, {}, {"accuracy": score}, 0.1)
        found.apply(Finished(1, Outcome(number, (epoch,), 5, seconds, "plain"), 0.0))
    return found


def test_every_finalist_is_trained_with_a_first_seed_before_any_with_a_second() -> None:
    some = history({1: 0.5, 2: 0.9, 3: 0.7})
    assert list(Finals(2, 2).due(some)) == [(2, 2), (3, 2), (2, 3), (3, 3)]
    launch = Finals(2, 2).like(some, 2)
    assert (launch.values, launch.first_epoch, launch.last_epoch, launch.checkpoint) == (
        {"units": 2},
        0,
        7,
        False,
    )
    assert list(Finals(0, 3).due(some)) == []


def test_trials_that_a_stopper_left_behind_are_no_finalists_beside_one_that_went_further() -> None:
    some = History(ACCURACY)
    for number, (score, epochs) in enumerate([(0.9, 9), (0.85, 3), (0.8, 9), (0.95, 3)], start=1):
        some.apply(Launch(number, 1, {}, number, 0, epochs, epochs == 3, 0.0))
        epoch = Epoch(epochs, {}, {"accuracy": score}, 0.1)
        some.apply(Finished(1, Outcome(number, (epoch,), 5, 1.0, "plain"), 0.0))
    assert [trial.number for trial in Finals(3, 1).chosen(some)] == [4, 1, 2]  # the best is stopped itself
    some.apply(Launch(4, 1, {}, 4, 3, 9, False, 0.0))
    some.apply(Finished(1, Outcome(4, (Epoch(9, {}, {"accuracy": 0.95}, 0.1),), 5, 1.0, "plain"), 0.0))
    assert [trial.number for trial in Finals(3, 1).chosen(some)] == [4, 1, 3]


def test_a_trial_that_was_trained_further_needs_new_finals() -> None:
    some = history({1: 0.5})
    some.apply(Launch(1, 1, {"units": 1}, 9, 0, 7, False, 0.0, repeat=2))
    some.apply(
        Finished(1, Outcome(1, (Epoch(7, {}, {"accuracy": 0.4}, 0.1),), 5, 1.0, "plain"), 0.0, repeat=2)
    )
    assert [run.score for run in some.finals()[1]] == [0.4]
    assert list(Finals(1, 1).due(some)) == []
    some.apply(Launch(1, 1, {"units": 1}, 1, 7, 21, True, 0.0))
    some.apply(Finished(1, Outcome(1, (Epoch(21, {}, {"accuracy": 0.6}, 0.1),), 5, 1.0, "plain"), 0.0))
    assert some.finals() == {}
    assert list(Finals(1, 1).due(some)) == [(1, 2)]


def test_a_trial_cut_short_needs_more_time_in_the_finals() -> None:
    some = history({1: 0.5, 2: 0.6, 3: 0.7})
    some.apply(Launch(4, 1, {}, 4, 0, 7, False, 0.0))
    some.apply(Finished(1, Outcome(4, (Epoch(1, {}, {"accuracy": 0.9}, 0.1),), 5, 10.0, "plain"), 0.0))
    assert Finals(1, 1).fits(some, 4, time.time() + 40)  # the others took three epochs
    assert not Finals(1, 1).fits(some, 4, time.time() + 25)


def test_minutes_are_kept_for_the_finals() -> None:
    some = history({1: 0.5, 2: 0.9, 3: 0.7})
    assert Finals(3, 3).reserve(some, slots=2) == 0.0  # without a limit there is nothing to keep
    assert Finals(3, 3, minutes=10).reserve(some, slots=2) == pytest.approx(1.1 * 5 * 10 + 10 / 6 + AFTER)
    waited = Finals(3, 3, minutes=10).reserve(history({1: 0.5}), slots=1)
    assert waited == pytest.approx(1.1 * 9 * 10 + 10 / 6 + AFTER)  # two finalists are not found yet
    assert Finals(3, 3, minutes=10, foreseen=20.0).reserve(History(ACCURACY), slots=1) == 20.0
    assert Finals(3, 3, minutes=1).reserve(some, slots=1) == 30.0 + AFTER  # half of them at most
    assert Finals(3, 3, minutes=1).reserve(History(ACCURACY), slots=1) == 0.0
    assert Finals().fits(some, 1, None)
    assert Finals().fits(some, 1, time.time() + 60)
    assert not Finals().fits(some, 1, time.time() + 10)  # the test comes after it


def test_jobs_begin_as_soon_as_a_worker_is_free() -> None:
    assert makespan([], 2) == 0.0
    assert makespan([5.0, 1.0, 1.0, 1.0], 2) == 5.0
    assert makespan([1.0, 1.0, 1.0, 5.0], 2) == 6.0  # in this order
    assert makespan([1.0, 2.0], 1) == 3.0
