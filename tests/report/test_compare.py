"""Studies side by side: what they have in common, their courses, and how sure a difference is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wcwidth

from gru_tune.errors import StudyError
from gru_tune.report import read
from gru_tune.report.comparing import course, gathered, show, significance
from gru_tune.report.comparing.entries import cautions, labelled
from gru_tune.report.comparing.sections import _given, sections
from gru_tune.study.results import StudyFolder, replace_arrays, replace_json
from gru_tune.trial import Objective
from tests.report import builders

LOOK: dict[str, Any] = {"samples": 40, "unit": "sequences", "units": 40, "resamples": 1000}
QUESTION = {"data": {"split": {"test": 0.2}}, "search": {"strategy": "random"}}


def head(folder: StudyFolder, **changes: Any) -> StudyFolder:
    """The study with another head of its log."""
    builders.changed(folder.log, lambda line: {**line, **changes} if line["event"] == "study" else line)
    return folder


def judged(folder: StudyFolder, score: float, drawn: Any, **look: Any) -> None:
    """Trial 2, the winner, has ``score`` on the test split, and ``drawn`` on its resamples."""
    found = {"trial": 2, "metrics": {"accuracy": score}, "time": 1.0, **LOOK, **look}
    replace_json(folder.facts, {"state": "finished", "test": [found]})
    replace_arrays(folder.resampled("test"), {"accuracy": drawn})


def finals(folder: StudyFolder, scores: list[float]) -> None:
    finalist = {
        "trial": 2, "scores": scores, "mean": float(np.mean(scores)), "spread": float(np.std(scores, ddof=1)),
        "search": 0.7, "interval": None, "tied": False,
    }  # fmt: skip
    facts = {"state": "finished", "finals": {"winner": 2, "repeat": 2, "finalists": [finalist]}}
    replace_json(folder.facts, facts)


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two studies of the same data, split and objective."""
    return [builders.study(tmp_path / name, name=name).path for name in ("first", "second")]


def found(paths: list[Path]) -> significance.Difference:
    (one,) = significance.differences(gathered(paths))
    return one


def test_winners_on_the_same_resamples_are_paired(two: list[Path]) -> None:
    luck = np.random.default_rng(0).normal(0.7, 0.05, 1000)
    judged(StudyFolder(two[0]), 0.72, luck + 0.02)
    judged(StudyFolder(two[1]), 0.70, luck)
    difference = found(two)
    assert (difference.a, difference.b, difference.method) == ("first", "second", "paired")
    assert difference.sentence == (
        "The winner of first is better than that of second: on the test split first has 0.0200 more accuracy "
        "(95 % confidence: [+0.0200, +0.0200]; both on the same resamples of 40 sequences)."
    )


def test_nothing_is_called_better_when_the_interval_includes_zero(two: list[Path]) -> None:
    rng = np.random.default_rng(0)
    judged(StudyFolder(two[0]), 0.70, rng.normal(0.70, 0.05, 1000))
    judged(StudyFolder(two[1]), 0.72, rng.normal(0.72, 0.05, 1000))
    difference = found(two)
    assert difference.interval is not None
    assert difference.interval[0] < 0 < difference.interval[1]
    assert difference.sentence.startswith(
        "The winners of second and first cannot be told apart: on the test split second has 0.0200 more accuracy (95 %"
    )
    assert "better" not in show(two, "terminal", None).splitlines()[0]


@pytest.mark.parametrize(
    ("direction", "second", "said"),
    [
        ("min", 0.72, "on the test split first has 0.0200 less loss (95 % confidence: [−0.0200, −0.0200];"),
        ("max", 0.70, "on the test split both have the same loss (95 % confidence:"),
    ],
)
def test_whose_score_is_higher_is_said(two: list[Path], direction: str, second: float, said: str) -> None:
    luck = np.random.default_rng(0).normal(0.7, 0.05, 1000)
    for path, score in zip(two, (0.70, second), strict=True):
        head(StudyFolder(path), objective={"name": "loss", "direction": direction})
        winner = read.study(path).winner
        assert winner is not None
        look = {"trial": winner.number, "metrics": {"loss": score}, "time": 1.0, **LOOK}
        replace_json(StudyFolder(path).facts, {"state": "finished", "test": [look]})
        replace_arrays(StudyFolder(path).resampled("test"), {"loss": luck + score - 0.7})
    assert said in found(two).sentence


def test_the_warning_of_many_comparisons_needs_two_intervals(tmp_path: Path) -> None:
    three = [builders.study(tmp_path / name, name=name).path for name in ("a", "b", "c")]
    warning = "Every interval holds for itself"
    assert warning not in show(three, "terminal", None)  # how sure they are cannot be said
    luck = np.random.default_rng(0).normal(0.7, 0.05, 1000)
    for path in three:
        judged(StudyFolder(path), 0.7, luck)
    assert warning in show(three, "terminal", None)
    assert warning not in show(three[:2], "terminal", None)


@pytest.mark.parametrize("change", [{"units": 41}, {"unit": "blocks"}, {"samples": 39}, {"resamples": 200}])
def test_resamples_of_other_units_are_not_paired(two: list[Path], change: Mapping[str, Any]) -> None:
    judged(StudyFolder(two[0]), 0.72, [0.7] * 1000)
    judged(StudyFolder(two[1]), 0.70, [0.6] * 1000, **change)
    assert found(two).method == "none"


def test_resamples_that_do_not_define_the_metric_are_left_out(two: list[Path]) -> None:
    values = np.full(1000, 0.7)
    judged(StudyFolder(two[0]), 0.72, [None] * 10 + list(values[10:] + 0.02))
    judged(StudyFolder(two[1]), 0.70, values)
    assert found(two).interval == (pytest.approx(0.02), pytest.approx(0.02))
    judged(StudyFolder(two[0]), 0.72, [None] * 60 + list(values[60:]))
    assert found(two).method == "none"


def test_without_resamples_the_fresh_seeds_of_the_finals_speak(two: list[Path]) -> None:
    finals(StudyFolder(two[0]), [0.70, 0.71, 0.72])
    finals(StudyFolder(two[1]), [0.60, 0.61, 0.62])
    difference = found(two)
    # By hand: the standard error is sqrt(2 * 0.01 ** 2 / 3), with four degrees of freedom t = 2.776.
    half = 2.7764 * np.sqrt(2 * 0.01**2 / 3)
    assert difference.interval == (pytest.approx(0.1 - half, abs=1e-4), pytest.approx(0.1 + half, abs=1e-4))
    assert difference.sentence.endswith(
        "by 3 and 3 fresh seeds, Welch; it covers the luck of training, not that of the split)."
    )
    assert difference.method == "seeds"


def test_one_seed_or_none_says_nothing_about_luck(two: list[Path]) -> None:
    assert found(two).method == "none"
    assert "how sure their difference is cannot be said" in show(two, "terminal", 80).replace("\n  ", " ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "y"}, "differ in their data:"),
        ({"task": "regression", "data": "y"}, "differ in their task and data:"),
        ({"objective": {"name": "loss", "direction": "min"}}, "differ in their objective:"),
        ({"division": "other"}, "the same data, split in different ways:"),
        ({"question": {"data": {"split": {"test": 0.3}}}}, "the same data, split in different ways:"),
        ({"seed": 2}, "the same data, split in different ways:"),
    ],
)
def test_what_cannot_be_compared_is_said_first(two: list[Path], change: dict[str, Any], said: str) -> None:
    finals(StudyFolder(two[0]), [0.70, 0.71, 0.72])
    finals(StudyFolder(two[1]), [0.60, 0.61, 0.62])
    assert cautions(gathered(two)) == []
    head(StudyFolder(two[1]), **change)
    entries = gathered(two)
    assert said in cautions(entries)[0]
    assert said in show(two, "terminal", None).splitlines()[0]
    assert significance.differences(entries) == []
    if "data" in change:
        assert [section.key for section in sections(entries)] == ["asked"]
    rows = [row.name for section in sections(entries) for row in section.rows]
    assert not any(name.startswith("trainings to") for name in rows)


def test_logs_that_know_their_division_are_told_apart_by_it_alone(two: list[Path]) -> None:
    for number, path in enumerate(two):
        head(StudyFolder(path), division="same", seed=number)
    assert cautions(gathered(two)) == []


def test_only_what_differs_in_the_configs_is_shown(two: list[Path]) -> None:
    units = {"choice": [8, 16]}
    model = {"units": units, "depth": 1, "dropout": {"float": [0.0, 0.5], "step": 0.1}}
    head(
        StudyFolder(two[0]), question={**QUESTION, "model": model, "training": {"lr": {"log": [0.001, 0.1]}}}
    )
    model = {"units": 32, "depth": 1, "dropout": {"int": [1, 3]}}
    head(StudyFolder(two[1]), question={**QUESTION, "model": model, "training": {"lr": {"if": 1}}})
    (section,) = [one for one in sections(gathered(two)) if one.key == "differs"]
    assert {row.name: row.texts for row in section.rows} == {
        "model.units": ["8, 16", "32"],
        "model.dropout": ["0 to 0.5 (step 0.1)", "1 to 3"],
        "training.lr": ["0.001 to 0.1 (log)", "–"],
        "training.lr.if": ["–", "1"],
    }


def test_the_best_so_far_against_trainings_and_time(two: list[Path]) -> None:
    study = read.study(two[0])
    by_trainings = course.best_by(study, "trainings")
    assert [(point.x, round(point.score, 4)) for point in by_trainings] == [(1, 0.65), (2, 0.7), (12, 0.7)]
    by_time = course.best_by(study, "seconds")
    assert [round(point.x, 4) for point in by_time] == [1.9, 2.9, 12.9]
    assert course.after(by_trainings, 0.5) is None
    assert course.after(by_trainings, 1) == pytest.approx(0.65)
    accuracy = Objective("accuracy", "max")
    assert course.first_at(by_trainings, 0.66, accuracy) == 2
    assert course.first_at(by_trainings, 0.71, accuracy) is None


def test_how_long_each_took_to_what_the_worse_one_reached(tmp_path: Path) -> None:
    paths = [
        builders.study(tmp_path / "short", trials=1, name="short").path,
        builders.study(tmp_path / "long", trials=12, name="long").path,
    ]
    (section,) = [one for one in sections(gathered(paths)) if one.key == "course"]
    rows = {row.name: row.values for row in section.rows}
    assert rows["trainings to 0.6500"] == [1, 1]
    assert rows["at its end"] == [pytest.approx(0.65), pytest.approx(0.7)]


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_no_row_is_there_twice(tmp_path: Path, trials: int) -> None:
    paths = [
        builders.study(tmp_path / name, trials=count, name=name).path
        for name, count in (("short", trials), ("long", 6))
    ]
    for section in sections(gathered(paths)):
        names = [row.name for row in section.rows]
        assert len(names) == len(set(names))


def renamed(knob: str, line: dict[str, Any]) -> dict[str, Any]:
    """A line with another knob in the place of one."""
    return (
        line if line["event"] == "study" else json.loads(json.dumps(line).replace(f'"{knob}"', '"embedding"'))
    )


def test_what_a_study_does_not_search_over_stands_in_brackets(two: list[Path]) -> None:
    head(StudyFolder(two[0]), question={"training": {"batch_size": 32}, "model": {"units": 8, "depth": 1}})
    for knob in ("units_1", "depth"):
        builders.changed(StudyFolder(two[0]).log, partial(renamed, knob))
    (section,) = [one for one in sections(gathered(two)) if one.key == "winners"]
    rows = {row.name: row for row in section.rows}
    assert rows["depth"].texts == ["(1)", "1"]
    assert rows["units_1"].texts == ["(8)", "24"]
    assert rows["units_1"].values == [8, 24]
    assert rows["embedding"].texts[1] == "–"
    note = "(in brackets: not searched over in that study, its config has this value)"
    assert note in show(two, "terminal", None).splitlines()
    assert note in show(two, "markdown", None).splitlines()


def test_layers_that_a_winner_does_not_have_are_not_given(two: list[Path]) -> None:
    head(StudyFolder(two[1]), question={"model": {"units": [8, {"choice": [4, 8]}], "depth": 2}})
    study = read.study(two[1])
    assert [_given(study, name) for name in ("units_1", "units_2", "units_3")] == [8, None, None]
    assert [_given(study, name) for name in ("cell", "of_old")] == [None, None]


def test_the_baseline_has_its_test_score_once_the_winner_has(two: list[Path]) -> None:
    known = {"validation": {"linear": {"accuracy": 0.6}}, "test": {"linear": {"accuracy": 0.58}}}
    look = {"trial": 2, "metrics": {"accuracy": 0.66}, "time": 1.0}
    replace_json(StudyFolder(two[0]).facts, {"state": "finished", "baselines": known, "test": [look]})
    replace_json(StudyFolder(two[1]).facts, {"state": "finished", "baselines": known})
    (section,) = [one for one in sections(gathered(two)) if one.key == "winners"]
    rows = {row.name: row.texts for row in section.rows}
    assert rows["its validation"] == ["0.6000", "0.6000"]
    assert rows["its test"] == ["0.5800", "–"]


def test_every_form_has_the_same_numbers(two: list[Path]) -> None:
    content = json.loads(show(two, "json", None))
    assert [study["label"] for study in content["studies"]] == ["first", "second"]
    assert content["sections"]["winners"]["trial"] == {"first": 2, "second": 2}
    assert content["common"] == {"task": True, "data": True, "split": True, "objective": True}
    rows = list(csv.DictReader(io.StringIO(show(two, "csv", None))))
    (row,) = [row for row in rows if (row["section"], row["row"]) == ("winners", "units_1")]
    assert (row["first"], row["second"]) == ("24", "24")
    assert "| units_1 | 24 | 24 |" in show(two, "markdown", None)
    assert "units_1              24" in show(two, "terminal", 80)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_window(tmp_path: Path, width: int) -> None:
    for number in range(6):
        builders.study(tmp_path / str(number), name=f"a long name of a study {number} 学習")
    text = show([tmp_path], "terminal", width)
    assert [line for line in text.splitlines() if wcwidth.width(line) > width] == []


def test_there_is_a_picture_on_a_terminal_alone(two: list[Path]) -> None:
    assert "* first   - second" in show(two, "terminal", 80)
    assert "* first   - second" not in show(two, "terminal", None)


def test_studies_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    studies = [read.study(builders.study(tmp_path / name).path) for name in ("one", "two")]
    assert [entry.label for entry in labelled(studies)] == [str(tmp_path / "one"), str(tmp_path / "two")]


def test_a_study_without_a_completed_trial_has_dashes(tmp_path: Path) -> None:
    paths = [
        builders.study(tmp_path / "empty", trials=0, name="empty").path,
        builders.study(tmp_path / "full", trials=12, name="full").path,
    ]
    text = show(paths, "terminal", 80)
    assert text.startswith("empty has no completed trial (yet).")
    (line,) = [line for line in text.splitlines() if line.startswith("units_1")]
    assert line.split() == ["units_1", "–", "24"]
    assert json.loads(show(paths, "json", None))["sections"]["winners"]["trial"] == {"empty": None, "full": 2}


def test_what_cannot_stand_side_by_side(tmp_path: Path) -> None:
    one = builders.study(tmp_path / "one").path
    with pytest.raises(StudyError, match=r"one: a comparison needs two studies; name another one beside it"):
        show([one], "terminal", None)
    with pytest.raises(StudyError, match=r"one: this study is named twice; compare it with another one"):
        show([one, tmp_path / "one" / ".." / "one"], "terminal", None)
    with pytest.raises(StudyError, match="there is no such folder"):
        show([one, tmp_path / "two"], "terminal", None)
    for number in range(8):
        builders.study(tmp_path / f"n{number}")
    with pytest.raises(
        StudyError, match="9 studies are too many to stand side by side; name at most 8 of them"
    ):
        show([tmp_path], "terminal", None)
