"""What is shown while a search runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gru_tune.study.count import Count
from gru_tune.study.log import Died, Launch
from gru_tune.study.progress import JsonLines, Plain, running
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Epoch, Objective, Status, Trial

ACCURACY = Objective("accuracy", "max")


def plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {
        "name": "toy", "folder": Path("results/toy"), "objective": ACCURACY, "total": 4, "done": {}, "failed": [],
        "slots": 2, "deadline": None, "best": None,
    }  # fmt: skip
    return Plan(**{**given, **changes})


def trial(number: int, score: float | None, seconds: float = 10.0) -> Trial:
    epochs = () if score is None else (Epoch(1, {}, {"accuracy": score}, 1.0),)
    status = Status.FAILED if score is None else Status.COMPLETED
    return Trial(
        number,
        {"units": 8},
        1,
        status,
        ACCURACY,
        epochs,
        5,
        seconds,
        error="no luck" if score is None else None,
    )


def play(watch: Watcher) -> None:
    watch.say("reading the data of toy")
    watch.begin(plan(forecast=20.0))
    watch.launched(Launch(1, 1, {"units": 8}, 1, 0, 3, False, 0.0))
    watch.tick([{"trial": 1, "epoch": 2, "last_epoch": 3, "score": 0.5}])
    watch.finished(trial(1, 0.5), trial(1, 0.5))
    watch.launched(Launch(2, 2, {"units": 8}, 1, 0, 3, False, 0.0))
    watch.died(Launch(2, 2, {"units": 8}, 1, 0, 3, False, 0.0), Died(2, 2, "its worker was killed", 0.0))
    watch.finished(trial(2, None), trial(1, 0.5))
    watch.finished(trial(3, 0.4), trial(1, 0.5))
    watch.end()


def test_plain_lines() -> None:
    lines: list[str] = []
    play(Plain(lines.append, period=0.0))
    assert lines == [
        "reading the data of toy",
        "toy: 4 trials at most, for the highest accuracy, with 2 workers",
        "trial 1 starts: units 8",
        "trial 1: epoch 2 of 3, accuracy 0.5000",
        "[1/4]  trial 1: accuracy 0.5000 (epoch 1/1, 10 s); the best so far (units 8); about 15 s left",
        "trial 2 starts again: units 8",
        "trial 2: its worker was killed; it is tried again",
        "[2/4]  trial 2 failed: no luck; best so far: trial 1, 0.5000 (units 8); about 10 s left",
        "[3/4]  trial 3: accuracy 0.4000 (epoch 1/1, 10 s); best so far: trial 1, 0.5000 (units 8); about 5.0 s left",
    ]
    play(Plain(lines.append))
    assert lines.count("trial 1: epoch 2 of 3, accuracy 0.5000") == 1  # the second time it was too soon


def test_json_lines() -> None:
    lines: list[str] = []
    play(JsonLines(lines.append))
    found = [json.loads(line) for line in lines]
    assert [line["event"] for line in found] == [
        "note", "begin", "launch", "finished", "launch", "death", "finished", "finished", "end",
    ]  # fmt: skip
    assert found[3]["best"] == {"trial": 1, "score": 0.5}
    assert found[6]["error"] == "no luck"


def test_json_lines_tell_what_is_left_and_now_and_then_what_is_running() -> None:
    lines: list[str] = []
    play(JsonLines(lines.append, period=0.0))
    found = [json.loads(line) for line in lines]
    assert [line["left"] for line in found if line["event"] == "finished"] == [15.0, 10.0, 5.0]
    running = next(line for line in found if line["event"] == "running")
    assert running["trials"] == [{"trial": 1, "epoch": 2, "last_epoch": 3, "score": 0.5}]


def test_json_lines_of_the_finals() -> None:
    lines: list[str] = []
    watch = JsonLines(lines.append)
    watch.begin(plan(done={1: 10.0}, slots=1))
    watch.finals([(1, 2), (1, 3)])
    watch.confirmed(replace(trial(1, 0.4), repeat=2))
    watch.confirmed(replace(trial(1, None), repeat=3))
    found = [json.loads(line) for line in lines][1:]
    assert found[0]["runs"] == [{"trial": 1, "repeat": 2}, {"trial": 1, "repeat": 3}]
    assert [(one["repeat"], one["status"], one["score"], one["left"]) for one in found[1:]] == [
        (2, "completed", 0.4, 10.0), (3, "failed", None, 0.0),
    ]  # fmt: skip


def test_what_trains_is_named_with_its_fold_and_seed() -> None:
    several = plan(folds=3)
    assert (
        running({"trial": 4, "repeat": 2, "epoch": 3, "last_epoch": 9}, several)
        == "trial 4, fold 2: epoch 3 of 9"
    )
    assert running({"trial": 4, "repeat": 5, "epoch": 0, "last_epoch": 9}, several) == (
        "trial 4, fold 2, seed 5: first epoch"
    )


def test_the_time_left_knows_what_the_running_trials_have_taken() -> None:
    count = Count(plan(total=4, done={1: 10.0}, forecast=20.0))
    assert count.left(0.0) == 3 * 10.0 / 2
    assert count.left(0.0, [4.0, 25.0]) == (3 * 10.0 - 4.0 - 10.0) / 2  # none counts more than the usual time


def test_time_left() -> None:
    count = Count(plan(total=10))
    assert count.left(0.0) is None
    for number in (1, 2, 3):
        count.add(trial(number, 0.5, seconds=10.0), None)
    assert count.left(0.0) is None  # these may have compiled what the others need
    count.add(trial(4, 0.5, seconds=10.0), None)
    assert count.left(0.0) == 6 * 10.0 / 2
    count.add(trial(2, 0.5, seconds=22.0), None)  # a second job of trial 2
    assert (count.done, count.left(0.0)) == (4, 6 * 13.0 / 2)
    assert Count(plan(total=None, deadline=100.0)).left(40.0) == 60.0


def test_the_time_left_is_that_of_the_forecast_at_first() -> None:
    count = Count(plan(total=10, finals=4, repeats=2, forecast=120.0))  # 24 trainings of 10 s, by two
    assert count.left(0.0) == 120.0
    count.add(trial(1, 0.5, seconds=56.0), None)  # of two trainings; both have compiled
    assert count.left(0.0) == 22 * (2 * 28.0 + 4 * 10.0) / 6 / 2
    hurried = Count(plan(total=10, finals=4, repeats=2, forecast=120.0, deadline=50.0))
    assert hurried.left(20.0) == 30.0
    assert Count(plan(total=None, forecast=120.0)).left(0.0) is None


def test_a_trial_of_an_earlier_run_that_climbs_is_counted_once() -> None:
    count = Count(plan(total=4, done={1: 10.0, 2: 1.0, 3: 10.0}, failed=[2]))
    count.add(trial(1, 0.5, seconds=30.0), None)
    count.add(trial(4, 0.5, seconds=10.0), None)
    assert (count.words(), count.failed) == ("[4/4]", 1)
    count.add(trial(3, None, seconds=10.0), None)
    assert (count.done, count.failed) == (4, 2)
    three = Count(plan(total=4, done={1: 10.0, 2: 10.0}, slots=1))
    three.add(trial(1, 0.5, seconds=30.0), None)
    assert three.left(0.0) == 2 * 20.0


def test_json_lines_tell_how_many_trials_there_are_already() -> None:
    lines: list[str] = []
    JsonLines(lines.append).begin(plan(done={1: 10.0, 2: 1.0}, failed=[2]))
    told = json.loads(lines[0])
    assert (told["done"], told["failed"], told["seconds"]) == (2, 1, 11.0)


def test_the_time_left_has_the_finals_in_it() -> None:
    count = Count(plan(total=4, finals=6, repeats=2))
    count.add(trial(1, 0.5, seconds=20.0), None)  # two trainings of 10 s
    assert count.left(0.0) is None
    count.add(trial(2, 0.5, seconds=20.0), None)
    assert count.left(0.0) == (2 * 2 + 6) * 10.0 / 2
    count.finals = 6  # the search is over, whatever is left of its trials
    count.confirmed()
    assert count.left(0.0) == 5 * 10.0 / 2
    hurried = Count(plan(total=100, finals=6, deadline=50.0))
    for number in (1, 2, 3, 4):
        hurried.add(trial(number, 0.5), None)
    assert hurried.left(20.0) == 30.0  # never more than the minutes
