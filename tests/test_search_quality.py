from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
import pytest

from benchmarks import record, search_quality
from benchmarks.searching import functions, replay
from benchmarks.searching.problems import Curve, Problem, recorded
from benchmarks.searching.replay import Contender, Trace
from gru_tune.space import Condition, Hyperparameter, Space, Values
from gru_tune.strategies import Proposal
from gru_tune.trial import Objective
from gru_tune.values import Choice, Int

CONFIG = """
task: classification
data: {kind: text, path: tiny.csv, text: text, target: label}
training:
  optimizer: {choice: [adam, rmsprop]}
  momentum: {choice: [0.0, 0.9]}
  epochs: 2
search: {strategy: grid, trials: null, objective: loss}
"""
TRIALS = (("adam", ""), ("rmsprop", "0.0"), ("rmsprop", "0.9"))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """What a study of the config above leaves behind: the loss of a trial is its number over the epoch."""
    folder = tmp_path / "results" / "tiny"
    folder.mkdir(parents=True)
    facts = dict.fromkeys(record.KEPT, "") | {"hyperparameters": ["optimizer", "momentum"]}
    (folder / "study.json").write_text(json.dumps(facts), encoding="utf-8")
    ranked = [
        {"trial": 3 - place, "status": "completed", "optimizer": optimizer, "momentum": momentum}
        for place, (optimizer, momentum) in enumerate(reversed(TRIALS))
    ]
    _write(folder / "trials.csv", [*ranked, {"trial": "", "status": "baseline"}])
    curves = [
        {
            "trial": trial, "epoch": epoch, "validation_loss": trial / epoch, "validation_accuracy": 0.5,
            "seconds": 3.0 if epoch == 1 else 1.0, "seconds_compiling": 2.0 if epoch == 1 else 0.0,
        }
        for epoch in (1, 2) for trial in (1, 2, 3)
    ]  # fmt: skip
    _write(folder / "curves.csv", curves)
    return folder


def test_a_recorded_study_reads_back_as_a_problem(study: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    record.write(study, tmp_path)
    problem = recorded("tiny", folder=tmp_path)
    assert problem.objective == Objective("loss", "min")
    assert problem.epochs == 2
    assert problem.optimum == 0.5
    for number, values in enumerate(problem.space.grid(), 1):
        curve = problem.train(values)
        assert curve.scores.tolist() == [number, number / 2]
        assert curve.seconds.tolist() == [1.0, 1.0], "compiling does not count"
    assert recorded("tiny", "accuracy", tmp_path).objective.direction == "max"


def test_a_table_is_the_same_bytes_for_the_same_study(study: Path, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        record.write(study, tmp_path / name)
        written.append((tmp_path / name / "tiny.csv.gz").read_bytes())
    assert written[0] == written[1]


class Scripted:
    """Proposes what it is given, and notes what it is told."""

    def __init__(self, *proposals: Proposal) -> None:
        self.proposals, self.told = list(proposals), list[tuple[int, float | None]]()

    def ask(self) -> Proposal | Literal["wait"] | None:
        return self.proposals.pop(0) if self.proposals else None

    def tell(self, trial: int, score: float | None, /) -> None:
        self.told.append((trial, score))


def line(direction: Literal["max", "min"] = "min", epochs: int = 3) -> Problem:
    """Over x from 1 to 9: the loss falls from x by 0.1 an epoch, every epoch takes x seconds; NaN at x = 9."""

    def train(values: Values) -> Curve:
        x = float(str(values["x"]))
        lost = x if x < 9 else math.nan
        scores = np.array([lost - 0.1 * epoch for epoch in range(1, epochs + 1)])
        return Curve(scores, np.full(epochs, x))

    space = Space((Hyperparameter("x", Int(1, 9)),))
    return Problem("line", space, Objective("loss", direction), epochs, train, 1 - 0.1 * epochs)


def test_a_replay_counts_epochs_and_recorded_seconds() -> None:
    search = Scripted(
        Proposal(1, {"x": 4}, 0, 1, True),
        Proposal(2, {"x": 2}, 0, 3, False),
        Proposal(1, {"x": 4}, 1, 3, False),
    )
    trace = replay.replay(search, line(), epochs=100)
    assert trace.epochs.tolist() == [1, 4, 6]
    assert trace.seconds.tolist() == [4, 10, 18]
    assert trace.cost == pytest.approx([3.9, 1.7, 1.7])
    assert [trial for trial, _ in search.told] == [1, 2, 1]


def test_two_workers_train_side_by_side() -> None:
    search = Scripted(*(Proposal(x, {"x": x}, 0, 1, False) for x in (5, 2, 2, 2)))
    trace = replay.replay(search, line(), epochs=100, workers=2)
    assert trace.seconds.tolist() == [2, 4, 5, 6]
    assert [trial for trial, _ in search.told] == [2, 2, 5, 2]


def test_a_diverging_configuration_is_told_as_a_failure_and_costs_its_epochs() -> None:
    search = Scripted(Proposal(1, {"x": 9}, 0, 3, False), Proposal(2, {"x": 5}, 0, 3, False))
    trace = replay.replay(search, line(), epochs=100)
    assert search.told[0] == (1, None)
    assert trace.epochs.tolist() == [3, 6]
    assert trace.cost == pytest.approx([math.inf, 4.7])


def test_a_replay_ends_with_its_epochs_or_with_the_optimum() -> None:
    proposals = [Proposal(x, {"x": x}, 0, 3, False) for x in (5, 4, 1, 2)]
    assert len(replay.replay(Scripted(*proposals), line(), epochs=6).epochs) == 2
    assert len(replay.replay(Scripted(*proposals), line(), epochs=100).epochs) == 3


def trace(*seen: tuple[float, float]) -> Trace:
    epochs, cost = np.array(seen, dtype=float).T
    return Trace(epochs, 2 * epochs, cost)


def test_what_was_in_hand_and_what_was_needed() -> None:
    traces = [trace((1, 9), (5, 2)), trace((2, 8), (4, 3)), trace((3, 7), (9, 1))]
    assert replay.at(traces, "epochs", 0).tolist() == [math.inf] * 3
    assert replay.at(traces, "epochs", 4).tolist() == [9, 3, 7]
    assert replay.needed(traces, "epochs", 7) == 4
    assert replay.needed(traces, "seconds", 7) == 8
    assert replay.needed(traces, "epochs", 2) == 9
    assert replay.needed(traces, "epochs", 0.5) == math.inf


def test_worse_than_random_is_said_only_beyond_noise() -> None:
    random = [trace((1, 1 + seed / 10)) for seed in range(10)]
    worse = [trace((1, 2 + seed / 9)) for seed in range(10)]
    noisy = [trace((1, 1 + seed / 10 + (-1) ** seed)) for seed in range(10)]
    assert search_quality.against(worse, random, 1).endswith("**worse**")
    assert "worse" not in search_quality.against(random, worse, 1)
    assert "worse" not in search_quality.against(noisy, random, 1)


SMALL = Problem(
    "small",
    Space(
        (
            Hyperparameter("units", Choice((8, 16, 32))),
            Hyperparameter("optimizer", Choice(("adam", "sgd"))),
            Hyperparameter("momentum", Choice((0.0, 0.9)), (Condition("optimizer", ("sgd",)),)),
            Hyperparameter("depth", Int(1, 3)),
        )
    ),
    Objective("loss", "min"),
    9,
    lambda values: Curve(
        1 / np.arange(1, 10) + float(str(values["units"])) + float(str(values.get("momentum", 0.5))),
        np.ones(9),
    ),
    1 / 9 + 8,
)


@pytest.mark.parametrize(
    "contender",
    [
        Contender("", "random", "asha"),
        Contender("", "hyperband"),
        Contender("", "tpe", "median"),
        Contender("KerasTuner", "RandomSearch"),
        Contender("KerasTuner", "Hyperband"),
        Contender("Optuna", "no pruner"),
        Contender("Optuna", "hyperband"),
    ],
    ids=lambda contender: contender.label,
)
def test_every_tool_is_asked_and_told_alike(contender: Contender) -> None:
    search = contender.create(SMALL, seed=1)
    seen: list[Values] = []

    class Watched:
        def ask(self) -> Any:
            proposal = search.ask()
            if isinstance(proposal, Proposal):
                seen.append(proposal.values)
            return proposal

        def tell(self, trial: int, score: float | None, /) -> None:
            search.tell(trial, score)

    trace = replay.replay(Watched(), SMALL, epochs=60, workers=2)
    assert all(SMALL.space.contains(values) for values in seen)
    assert trace.epochs[-1] >= 60 or trace.cost[-1] == pytest.approx(SMALL.optimum)
    assert trace.cost[-1] < 10


@pytest.mark.parametrize("path", list(record.TABLES.glob("*.csv.gz")), ids=lambda path: path.name)
def test_a_recorded_table_has_every_epoch_of_every_configuration(path: Path) -> None:
    problem = recorded(path.name.removesuffix(".csv.gz"))
    assert problem.epochs == 27
    for values in problem.space.grid():
        curve = problem.train(values)
        assert curve.scores.shape == curve.seconds.shape == (27,)
        assert np.all(np.isfinite(curve.scores))
        assert np.all(curve.seconds > 0)


@pytest.mark.parametrize("problem", list(functions.functions()), ids=lambda problem: problem.name)
def test_no_configuration_is_better_than_the_optimum_of_a_function(problem: Problem) -> None:
    rng = Random(1)
    drawn = [problem.best(problem.space.draw(rng, {}), problem.epochs) for _ in range(500)]
    assert min(drawn) >= problem.optimum - 1e-5


@pytest.mark.parametrize(
    ("problem", "values"),
    [
        (functions.branin(), {"dropout": 0.6 * 2.275 / 15, "optimizer": "adam", "learning_rate": 10 ** -(5 - 4 * 8.141593 / 15)}),
        (functions.layers(), {"depth": 2, "units_1": 222, "units_2": 97, "learning_rate": 1e-3}),
        (functions.curves(), {"units": 146, "dropout": 0.3, "optimizer": "adam", "learning_rate": 1e-3, "batch_size": 32}),
    ],
)  # fmt: skip
def test_the_optimum_of_a_function_is_reached(problem: Problem, values: Values) -> None:
    assert problem.best(values, problem.epochs) == pytest.approx(problem.optimum, abs=2e-3)


def test_the_tables_of_a_problem() -> None:
    problem = line()
    traces = [
        replay.replay(Contender("", "random").create(problem, seed), problem, 27) for seed in range(1, 4)
    ]
    target = search_quality.Target(1.7, 27, 60.0)
    done = {workers: {search_quality.RANDOM: traces} for workers in (1, 2)}
    text = "\n".join(search_quality.report(problem, target, done))
    assert "1 hyperparameter, 9 configurations, 3 epochs." in text
    assert "| random | – |" in text
    assert "of the best quarter" in text


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
