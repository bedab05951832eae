"""The Pareto set, and who wins from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru_tune.study.finals import Finals, decide
from gru_tune.study.history import History
from gru_tune.study.pareto import close, front, leader, members, rivals, rule, shortlist
from gru_tune.study.table import rank
from gru_tune.trial import Epoch, Objective, Status, Trial

TWO = Objective("accuracy", "max", "parameters")
LOSS = Objective("loss", "min", "parameters")


def trial(
    number: int, score: float | None, parameters: int = 100, objective: Objective = TWO, repeat: int = 1
) -> Trial:
    epochs = () if score is None else (Epoch(1, {}, {objective.name: score}, 0.1),)
    status = Status.FAILED if score is None else Status.STOPPED if number % 2 else Status.COMPLETED
    return Trial(number, {}, 1, status, objective, epochs, parameters, 10.0, repeat=repeat)


def numbers(trials: list[Trial]) -> list[int]:
    return [one.number for one in trials]


def beats(a: Trial, b: Trial) -> bool:
    """The definition: nowhere worse, and somewhere better."""
    costs, scores = (a.cost or 0, b.cost or 0), (a.score or 0, b.score or 0)
    better = a.objective.better(*scores) or costs[0] < costs[1]
    return better and not b.objective.better(*reversed(scores)) and costs[0] <= costs[1]


POINTS = st.lists(st.tuples(st.none() | st.integers(0, 6), st.integers(1, 6)), max_size=14)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(points=POINTS, objective=st.sampled_from([TWO, LOSS]))
def test_the_pareto_set_is_what_no_other_trial_beats(
    points: list[tuple[int | None, int]], objective: Objective
) -> None:
    trials = [
        trial(n, None if score is None else score / 6, cost, objective)
        for n, (score, cost) in enumerate(points, 1)
    ]
    scored = [one for one in trials if one.score is not None]
    expected = {b.number for b in scored if not any(beats(a, b) for a in scored)}
    found = front(trials)
    assert members(trials, objective) == set(numbers(found)) == expected
    assert [one.cost for one in found] == sorted(one.cost or 0 for one in found)
    assert members(trials, replace(objective, cost=None)) == set()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(points=POINTS, within=st.sampled_from([0.0, 0.2, 0.5]), most=st.integers(0, 4))
def test_the_finalists_are_the_cheapest_that_may_win_and_the_best(
    points: list[tuple[int | None, int]], within: float, most: int
) -> None:
    trials = [trial(n, None if s is None else s / 6, c) for n, (s, c) in enumerate(points, 1)]
    ranked = rank(trials, TWO)
    near, chosen = rivals(ranked, within), shortlist(ranked, within, most)
    assert len(chosen) == min(most, len(near))
    if chosen:
        best = max(one.score or 0.0 for one in trials)
        assert all((one.score or 0) >= best * (1 - within) - 1e-6 for one in near)
        assert leader(ranked, TWO, within) == near[0]
        assert numbers(chosen[:-1]) == numbers(near[: len(chosen) - 1])
        assert chosen[0 if most == 1 else -1] == near[0 if most == 1 else -1]
        assert near[-1].score == best


def test_the_cheapest_close_to_the_best_leads() -> None:
    trials = [trial(1, 0.90, 1000), trial(2, 0.895, 300), trial(4, 0.89, 500), trial(3, 0.88, 10)]
    assert numbers(rivals(trials, 0.01)) == [2, 1]  # 4 is close as well, but 2 beats it
    assert leader(trials, TWO, 0.01) == trials[1]
    assert leader(trials, TWO, 0.0) == trials[0]
    assert leader(trials, TWO, 0.03) == trials[3]
    assert leader(trials, Objective("accuracy", "max"), 0.03) == trials[0]
    assert leader([], TWO, 0.01) is None
    assert leader([trial(1, None)], TWO, 0.01) is None


def test_the_share_is_of_the_best_score_whichever_way_is_better() -> None:
    assert close(0.99, 1.0, 0.01)
    assert not close(0.9899, 1.0, 0.01)
    assert close(2.02, 2.0, 0.01)
    assert not close(2.021, 2.0, 0.01)
    assert close(-0.5, -0.5, 0.0)
    losses = [trial(1, 2.0, 1000, LOSS), trial(2, 2.02, 10, LOSS), trial(3, 2.1, 1, LOSS)]
    assert leader(losses, LOSS, 0.01) == losses[1]


def test_a_trial_whose_cost_is_not_known_is_in_no_pareto_set() -> None:
    timed = replace(TWO, cost="latency")
    trials = [trial(1, 0.9, objective=timed), replace(trial(2, 0.8, objective=timed), latency=0.5)]
    assert numbers(front(trials)) == [2]


def test_the_rule_in_words() -> None:
    text = "the cheapest (latency) of the trials within 2.5 % of the best accuracy"
    assert rule("accuracy", "latency", 0.025) == text


@pytest.mark.parametrize(("within", "winner"), [(0.0, 1), (0.01, 2), (0.05, 3)])
def test_the_finals_are_decided_by_cost_among_the_close(within: float, winner: int) -> None:
    trials = {1: trial(1, 0.9, 5000), 2: trial(2, 0.9, 200), 3: trial(3, 0.9, 10)}
    scores = {1: [0.92, 0.94], 2: [0.92, 0.925], 3: [0.89, 0.90]}
    runs = {n: [trial(n, s, repeat=r) for r, s in enumerate(some, 2)] for n, some in scores.items()}
    verdict = decide(trials, runs, TWO, within=within)
    assert verdict is not None
    assert [one.trial for one in verdict.finalists] == [1, 2, 3]
    assert verdict.winner == winner


def test_a_failed_seed_is_no_bargain() -> None:
    trials = {1: trial(1, 0.9, 5000), 2: trial(2, 0.9, 200)}
    runs = {
        1: [trial(1, 0.9, repeat=2), trial(1, 0.9, repeat=3)],
        2: [trial(2, 0.9, repeat=2), trial(2, None, repeat=3)],
    }
    verdict = decide(trials, runs, TWO)
    assert verdict is not None
    assert verdict.winner == 1


def test_the_finals_take_rivals_only() -> None:
    history = History(TWO)
    history.trials = {
        n: trial(n, score, cost)
        for n, (score, cost) in enumerate([(0.90, 1000), (0.899, 500), (0.895, 300), (0.8, 10)], 1)
    }
    history.ranked = rank(history.trials.values(), TWO)
    history.asked = dict.fromkeys(history.trials, 9)
    assert numbers(Finals(3, 2).chosen(history)) == [3, 2, 1]
    assert numbers(Finals(2, 2).chosen(history)) == [3, 1]
    assert numbers(Finals(1, 2).chosen(history)) == [3]
    assert numbers(Finals(3, 2, within=0.0).chosen(history)) == [1]
    assert Finals(0, 2).chosen(history) == []
