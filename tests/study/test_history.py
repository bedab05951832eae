"""What a log means."""

from __future__ import annotations

import math

import pytest

from gru_tune.study.history import History, Told, replay, slim
from gru_tune.study.log import Died, Finished, Launch, Started, Stopped
from gru_tune.trial import Epoch, Objective, Outcome, Status

ACCURACY = Objective("accuracy", "max")


def launch(trial: int, attempt: int = 1, first: int = 0, last: int = 2, time: float = 0.0) -> Launch:
    return Launch(trial, attempt, {"units": 8}, 100 + trial, first, last, False, time)


def finished(
    trial: int,
    scores: list[float],
    first: int = 0,
    attempt: int = 1,
    error: str | None = None,
    time: float = 0.0,
) -> Finished:
    epochs = tuple(
        Epoch(first + i, {"accuracy": 0.5}, {"accuracy": score}, 1.0) for i, score in enumerate(scores, 1)
    )
    return Finished(attempt, Outcome(trial, epochs, 10, 2.0, "xla", error), time)


def fold(*events: object, slim: bool = False) -> History:
    history = History(ACCURACY, slim=slim)
    for event in events:
        history.apply(event)  # type: ignore[arg-type]
    return history


def test_a_trial_of_several_jobs_is_one_trial() -> None:
    for slimmed in (False, True):
        history = fold(
            launch(1), finished(1, [0.5, 0.4]), launch(1, first=2, last=4), finished(1, [0.6, 0.3], first=2), slim=slimmed
        )  # fmt: skip
        trial = history.trials[1]
        assert (trial.score, trial.seconds, trial.epochs[-1].number) == (0.6, 4.0, 4)
        assert [e.number for e in trial.epochs] == ([3, 4] if slimmed else [1, 2, 3, 4])


def test_a_job_that_fails_fails_its_trial() -> None:
    history = fold(
        launch(1), finished(1, [0.5]), launch(1, first=1), finished(1, [], first=1, error="out of memory")
    )
    assert history.trials[1].status is Status.FAILED
    assert history.trials[1].score is None
    assert history.trials[1].seed == 101


def test_scores_that_are_not_finite() -> None:
    history = fold(launch(1), finished(1, [math.nan, 0.7, math.inf]), launch(2), finished(2, [math.nan]))
    assert history.trials[1].score == 0.7
    assert history.trials[2].status is Status.FAILED
    assert "never a finite number" in str(history.trials[2].error)
    assert slim(history.trials[1]).score == 0.7


def test_what_the_strategy_proposed_and_was_told_in_order() -> None:
    events = [
        Started(2, 0.0), launch(1), launch(2), Died(1, 1, "killed", 0.0), finished(2, [0.5]), launch(3),
        Started(2, 0.0), launch(1, attempt=2), launch(3, attempt=2), finished(1, [0.9], attempt=2),
        finished(3, [], attempt=2, error="no"), launch(2, first=2),
    ]  # fmt: skip
    history = History(ACCURACY)
    seen = list(replay(events, history))
    assert seen == [
        launch(1), launch(2), Told(2, 0.5), launch(3), Told(1, 0.9), Told(3, None), launch(2, first=2),
    ]  # fmt: skip
    assert list(history.flights) == [(2, 1)]
    assert history.trials[1].attempts == 2


def test_a_stop_told_after_the_outcome_is_no_damage() -> None:
    """A second Ctrl-C may come between the line of an outcome and the fold that takes it."""
    history = fold(Started(1, 0.0), launch(1), finished(1, [0.5]), Stopped(1, 1, 0.0), Started(1, 0.0))
    assert history.trials[1].score == 0.5
    assert not history.flights


def test_how_attempts_ended() -> None:
    history = fold(
        Started(1, 0.0), launch(1), Died(1, 1, "killed", 0.0), launch(1, attempt=2), Stopped(1, 2, 0.0),
        Started(1, 0.0), launch(1, attempt=3), Started(1, 0.0), Started(1, 0.0), launch(1, attempt=4),
    )  # fmt: skip
    flight = history.flights[1, 1]
    assert (flight.deaths, flight.lost, flight.ended, flight.launch.attempt) == (1, 1, False, 4)


def test_time_at_work_leaves_out_the_time_between_runs() -> None:
    history = fold(
        Started(1, 10.0),
        launch(1, time=11.0),
        finished(1, [1.0], time=15.0),
        Started(1, 100.0),
        launch(2, time=101.0),
    )
    assert history.seconds == 6.0


def test_failures_in_a_row() -> None:
    history = fold(launch(1), finished(1, [], error="a"), launch(2), finished(2, [], error="b"))
    assert history.failures_in_a_row == 2
    for event in (launch(3), finished(3, [0.1])):
        history.apply(event)
    assert history.failures_in_a_row == 0


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        (([9.0],), 9.0),  # there is no other
        (([9.0, 1.0, 3.0],), 2.0),
        (([9.0], [5.0, 1.0]), 1.0),
        (([9.0, 1.0, 1.0], [9.0]), 1.0),
        (([9.0, 1.0], [7.0, 3.0]), 2.0),
    ],
)
def test_what_a_worker_does_once_is_no_cost_of_an_epoch(
    jobs: tuple[list[float], ...], expected: float
) -> None:
    history, first = History(ACCURACY, slim=True), 0
    for seconds in jobs:
        epochs = tuple(
            Epoch(number, {}, {"accuracy": 0.5}, 1.0 + took, 1.0)
            for number, took in enumerate(seconds, start=first + 1)
        )
        history.apply(launch(1, first=first))
        history.apply(Finished(1, Outcome(1, epochs, 5, 1.0, "plain"), 0.0))
        first += len(seconds)
    assert history.trials[1].epoch_seconds == pytest.approx(expected)
