"""Studies with two objectives: costs in the record, gains, kept weights, the winner and its replay."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config as configs
from gru_tune.errors import ConfigError, StudyError
from gru_tune.report import numbers, read, words
from gru_tune.study import log as logs
from gru_tune.study import study
from gru_tune.study.history import History
from gru_tune.study.log import Finished, Launch
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Epoch, Job, Objective, Outcome
from tests import standins
from tests.study.studies import config, proposals, rows, run

SOUND = ("search.objective=null", "model.units={int: [24, 90]}")  # none of them fails
SIZE = (*SOUND, "search.objectives=[accuracy, parameters]")
LATENCY = (*SOUND, "search.objectives=[accuracy, latency]")
WIDE = "winner.within=0.5"


def timed(job: Job) -> Outcome:
    """A stand-in whose latency is never the same again."""
    assert job.objective.cost == "latency"
    return dataclasses.replace(standins.train(job), latency=random.SystemRandom().uniform(0.1, 9.0))


TIMED = dataclasses.replace(standins.PARTS, train=timed)


class TestTheRecord:
    TWO = Objective("accuracy", "max", "seconds")

    def apply(self, *jobs: tuple[int, int, Outcome], objective: Objective = TWO) -> History:
        """A history of jobs of (first epoch, last epoch, outcome)."""
        history = History(objective, slim=True)
        for first, last, outcome in jobs:
            history.apply(Launch(outcome.trial, 1, {}, 1, first, last, True, 1.0))
            history.apply(Finished(1, outcome, 2.0))
        return history

    def outcome(
        self, trial: int, *seconds: float, first: int = 1, score: float = 0.5, **more: Any
    ) -> Outcome:
        epochs = tuple(
            Epoch(n, {}, {"accuracy": score}, s + 1.0, compiling=1.0) for n, s in enumerate(seconds, first)
        )
        return Outcome(trial, epochs, 100, 9.0, "jax", **more)

    def test_seconds_are_the_mean_over_epochs_without_compiling_and_the_first_of_a_job(self) -> None:
        history = self.apply((0, 3, self.outcome(1, 1.0, 2.0, 3.0)), (3, 4, self.outcome(1, 6.0, first=4)))
        assert history.trials[1].cost == pytest.approx(2.5)
        told = history.told(1)
        assert told is not None
        assert (told.score, told.cost) == (0.5, pytest.approx(2.5))

    def test_a_training_that_began_again_counts_once(self) -> None:
        """Its checkpoint was gone."""
        history = self.apply((0, 2, self.outcome(1, 9.0, 9.0)), (2, 3, self.outcome(1, 1.0, 2.0, 3.0)))
        assert history.trials[1].cost == pytest.approx(2.5)

    def test_a_job_without_epochs_changes_no_cost(self) -> None:
        """Patience had ended the training in an earlier rung."""
        latency = Objective("accuracy", "max", "latency")
        jobs = (0, 1, self.outcome(1, 1.5, latency=0.25)), (1, 3, self.outcome(1))
        assert self.apply(*jobs).trials[1].cost == pytest.approx(1.5)
        assert self.apply(*jobs, objective=latency).trials[1].cost == 0.25

    def test_lines_written_before_there_was_a_latency(self) -> None:
        content = json.loads(logs.encode(Finished(1, self.outcome(1, 1.0, latency=0.5), 2.0)))
        del content["crc"]  # nor a checksum
        assert content.pop("latency") == 0.5
        event = logs.decode(json.dumps(content))
        assert isinstance(event, Finished)
        assert event.outcome.latency is None

    def test_a_gain_is_a_new_place_in_the_pareto_set(self) -> None:
        def behind(*trials: tuple[float, float]) -> int:
            jobs = [
                (0, 1, self.outcome(n, seconds, score=score)) for n, (score, seconds) in enumerate(trials, 1)
            ]
            return len(self.apply(*jobs).behind)

        assert behind((0.5, 2.0)) == 0
        assert behind((0.5, 2.0), (0.4, 3.0), (0.5, 2.0)) == 2  # worse in both, and the same again
        assert behind((0.5, 2.0), (0.4, 1.0)) == 0  # cheaper
        assert behind((0.5, 2.0), (0.4, 1.0), (0.6, 9.0)) == 0
        assert behind((0.5, 2.0), (0.4, 1.0), (0.3, 1.5), (0.45, 2.5)) == 2


def test_a_cheap_trial_that_is_close_enough_wins_and_keeps_its_weights(tmp_path: Path) -> None:
    folder = run(tmp_path, *SIZE, WIDE, "search.keep=1", "search.trials=12")
    table = rows(folder)
    assert {row["pareto"] for row in table} <= {"true", "false"}
    best = max(float(row["accuracy"]) for row in table)
    allowed = [row for row in table if float(row["accuracy"]) >= best / 2]
    winner = min(allowed, key=lambda row: int(row["parameters"]))
    assert table[0] == winner | {"rank": "1"}
    assert float(winner["accuracy"]) < best
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner['trial']}"
    found = read.study(folder.path)
    assert (found.winner and found.winner.number) == int(winner["trial"])
    assert {str(trial.number) for trial in found.front} == {
        row["trial"] for row in table if row["pareto"] == "true"
    }


def test_only_the_best_and_the_rivals_keep_their_weights(tmp_path: Path) -> None:
    folder = run(tmp_path, *SIZE, "winner.within=0.2", "search.keep=1", "search.trials=12")
    scores = {row["trial"]: float(row["accuracy"]) for row in rows(folder)}
    kept = {path.parent.name for path in folder.path.glob("trials/*/model.keras")}
    close = {name for name, score in scores.items() if score >= 0.8 * max(scores.values())}
    front = {row["trial"] for row in rows(folder) if row["pareto"] == "true"}
    assert kept == close & front
    assert len(kept) > 1


def test_the_finals_are_of_the_rivals_and_the_cheapest_wins(tmp_path: Path) -> None:
    folder = run(tmp_path, *SIZE, WIDE, "winner.finalists=2", "winner.seeds=2", "search.trials=12")
    facts = read_json(folder.facts)
    search = {int(row["trial"]): row for row in rows(folder)}
    first, second = sorted(int(search[one["trial"]]["parameters"]) for one in facts["finals"]["finalists"])
    assert first < second
    assert int(search[facts["finals"]["winner"]]["parameters"]) == first
    found = read.study(folder.path)
    said = words.sentences(found)
    dear = next(
        one["trial"] for one in facts["finals"]["finalists"] if one["trial"] != facts["finals"]["winner"]
    )
    mean = facts["finals"]["finalists"][0]["mean"]
    assert (
        f"Two objectives: the winner is the cheapest (parameters) of the trials within 50 % of the best accuracy, "
        f"with {first:,} parameters; trial {dear} has the best, {numbers.number(mean)}, with {second:,} parameters. "
        f"The Pareto set has {len(found.front)} trials." in said
    )
    assert said[0].startswith(f"Trial {facts['finals']['winner']} of toy") or "does not beat" in said[0]
    assert (
        "for the highest accuracy of the validation split and the fewest parameters. 12 trials"
        in " ".join(said)
    )
    assert "the cheapest (parameters)" in folder.card.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["tpe", "genetic"])
def test_measured_costs_are_read_from_the_record_when_a_study_goes_on(tmp_path: Path, name: str) -> None:
    settings = (*LATENCY, f"search.strategy={name}", "search.trials=14")
    whole = run(tmp_path, *settings, parts=TIMED)
    again = tmp_path / "again"
    shutil.copytree(whole.path, again / "out" / "toy")
    cut = StudyFolder(again / "out" / "toy").log
    lines = cut.read_text(encoding="utf-8").splitlines(keepends=True)
    ends = [n for n, line in enumerate(lines) if '"event":"outcome"' in line]
    cut.write_text("".join(lines[: ends[11] + 1]), encoding="utf-8")
    resumed = run(again, *settings, parts=TIMED)
    assert proposals(resumed)[:13] == proposals(whole)[:13]
    assert len(proposals(resumed)) == 14
    latencies = [float(row["latency_ms"]) for row in rows(whole)]
    assert len(set(latencies)) == 14


def test_a_study_does_not_change_its_objectives(tmp_path: Path) -> None:
    run(tmp_path, *SIZE)
    with pytest.raises(StudyError, match="asks something else"):
        run(tmp_path, *LATENCY)
    run(tmp_path, *SIZE, "winner.within=0.1")  # how the winner is chosen may change


def test_a_study_begun_before_there_were_two_objectives_goes_on(tmp_path: Path) -> None:
    assert "objectives" in config(tmp_path).search.unasked()
    assert "objectives" not in config(tmp_path, *SIZE).search.unasked()
    folder = run(tmp_path, "search.trials=2")
    assert "objectives" not in json.dumps(logs.read(folder.log).header)
    assert "pareto" not in rows(folder)[0]


@pytest.mark.parametrize("name", ["tpe", "genetic"])
def test_an_earlier_study_of_one_objective_tells_the_sizes_too(tmp_path: Path, name: str) -> None:
    run(tmp_path, "name=older", "search.trials=8", SOUND[1])
    newer = (f"search.strategy={name}", "search.from=out/older", "search.trials=3")
    folder = run(tmp_path, *SIZE, *newer, "winner.within=0.5")
    known = logs.read(folder.log).header["known"]
    assert len(known) == 8
    assert all(cost == 10 * values["units"] for values, _, cost in known)
    run(tmp_path, *SIZE, *newer, "winner.within=0.5", "search.trials=4")
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, *LATENCY, *newer, "name=newest", parts=TIMED)
    assert "search.from: out/older has not measured the latency; name another, or leave from out" in str(
        caught.value
    )


def test_it_ends_when_nothing_new_comes_into_the_pareto_set(tmp_path: Path) -> None:
    def falling(job: Job) -> Outcome:
        """Ever worse, and ever larger."""
        epochs = (Epoch(1, {}, {"accuracy": 1 / job.trial, "loss": 1.0}, 0.1),)
        return dataclasses.replace(standins.train(job), epochs=epochs, parameters=50 * job.trial)

    parts = dataclasses.replace(standins.PARTS, train=falling)
    folder = run(tmp_path, *SIZE, "search.stop_when.no_gain_for=3", "search.trials=30", parts=parts)
    assert len(rows(folder)) == 4
    assert read_json(folder.facts)["ended"] == (
        "3 trials in a row brought nothing new to the Pareto set (search.stop_when)"
    )


def test_check_says_the_rule(tmp_path: Path) -> None:
    from gru_tune import check

    path = tmp_path / "toy.yaml"
    path.write_text(
        standins.CONFIG.replace("objective: accuracy", "objectives: [accuracy, seconds]"), encoding="utf-8"
    )
    text = check.run(path)
    assert (
        "two objectives: the winner is the cheapest (seconds) of the trials within 1 % of the best accuracy"
        in text
    )
    path.write_text(standins.CONFIG.replace("finalists: 0", "within: 0.1"), encoding="utf-8")
    assert (
        "note: winner.within weighs score against cost, and there is one objective; give search.objectives"
        in check.run(path)
    )
    path.write_text(
        standins.CONFIG.replace("objective: accuracy", "objectives: [accuracy, seconds]"), encoding="utf-8"
    )
    assert configs.load(path).search.metric == (("search", "objectives", 0), "accuracy")


def test_a_metric_that_does_not_fit_the_data_is_found_in_the_list(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    text = standins.CONFIG.replace("objective: accuracy", "objectives: [segment_f1, seconds]")
    path.write_text(text.replace("task: classification", "task: labelling"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"search\.objectives\[0\]"):
        study.run(configs.load(path), out=tmp_path / "out", workers=0)
