"""The pictures of what the winner does on the data, for every task."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.learning.samples import Samples
from gru_tune.page import task, task_classes, task_numbers
from gru_tune.page.figure import Figure
from gru_tune.report import read
from gru_tune.study.results import StudyFolder, replace_json
from gru_tune.tasks import TASKS
from tests.report import builders
from tests.tasks.test_examples import CASES, WINDOW, perfect

HOSTILE = ["<script>alert(1)</script>", "שלום & <b>עולם</b>", "🧪\"'", "x" * 300]
KEYS = {
    "classes": ["confusion", "classes", "calibration", "mistakes"],
    "words": ["confusion", "classes", "calibration", "mistakes"],
    "regression": ["scatter", "residuals", "misses"],
    "regression of words": ["scatter", "residuals", "misses"],
    "numbers at steps": ["scatter", "residuals", "strips"],
    "tags": ["confusion", "spans", "calibration", "tagged"],
    "forecasting": ["ahead", "forecasts"],
    "short forecasts": ["forecasts"],
    "windows": ["confusion", "classes", "calibration", "mistakes"],
    "steps of a timeline": ["confusion", "classes", "calibration", "tagged"],
    "numbers of a timeline": ["scatter", "residuals", "strips"],
}


def judged(
    folder: Path, data: Dataset, split: str = "test", y_pred: Any = None, vocabulary: Any = None
) -> list[Figure]:
    """The figures of a study whose winner says the truth of its neighbours, which is often wrong."""
    samples = Samples(data, "test", WINDOW)
    truth, one = samples.truth(), TASKS[data.info["task"]]
    guess = np.roll(perfect(data), 1, axis=0) if y_pred is None else y_pred
    found = {"trial": 2, "metrics": {}, "time": 1.0, "details": one.details(data, truth, guess)}
    facts = {"best": 2, **({"test": [found]} if split == "test" else {"validation": found})}
    builders.study(folder, facts=facts)
    study = StudyFolder(folder)
    replace_json(study.examples, {split: one.examples(samples, truth, guess)})
    words = vocabulary or [f"word{number}" for number in range(20)]
    replace_json(study.preprocessing, {"section": {"kind": "text", "level": "word"}, "vocabulary": words})
    return task.figures(read.study(folder))


def texts(figure: Figure) -> str:
    """All a browser gets of a picture."""
    if figure.plot is None:
        return str(figure.html)
    return json.dumps(figure.plot.to_plotly_json(), default=list)


@pytest.mark.parametrize("case", CASES)
def test_every_task_has_its_pictures(case: str, tmp_path: Path) -> None:
    found = judged(tmp_path, CASES[case])
    assert [figure.key for figure in found] == KEYS[case]
    for figure in found:
        assert (figure.plot is None) != (figure.html is None)
        assert figure.title
        assert figure.caption.endswith(".")
        assert "test split" in figure.caption
        assert "NaN" not in texts(figure)
    assert any(figure.main for figure in found)


def test_nothing_is_shown_before_the_winner_was_judged(tmp_path: Path) -> None:
    builders.study(tmp_path, facts={"state": "running"})
    assert task.figures(read.study(tmp_path)) == []


def test_without_a_test_split_it_is_validation(tmp_path: Path) -> None:
    found = judged(tmp_path, CASES["classes"], "validation")
    assert "On the validation split." in found[0].caption
    assert found[-1].caption.endswith("They are on the validation split, by which the trials were ranked.")


def test_those_of_the_test_split_are_not_for_tuning(tmp_path: Path) -> None:
    found = judged(tmp_path, CASES["classes"])
    assert "Look, but change nothing because of them" in found[-1].caption


def test_a_study_from_before_examples_says_so(tmp_path: Path) -> None:
    judged(tmp_path, CASES["classes"])
    StudyFolder(tmp_path).examples.unlink()
    *_, last = task.figures(read.study(tmp_path))
    assert last.key == "examples"
    assert "gru-tune run CONFIG --fresh" in last.caption


def test_a_perfect_winner_has_no_mistakes_to_show(tmp_path: Path) -> None:
    data = CASES["classes"]
    found = judged(tmp_path, data, y_pred=perfect(data))
    assert [figure.key for figure in found] == ["confusion", "classes", "calibration"]


@pytest.mark.parametrize("case", ["classes", "words", "tags", "steps of a timeline"])
def test_labels_and_words_stay_text(case: str, tmp_path: Path) -> None:
    data = CASES[case]
    labels = [f"{'B-' if case == 'tags' else ''}{name}" for name in HOSTILE][: len(data.info["labels"])]
    data = replace(data, info={**data.info, "labels": labels})
    found = judged(tmp_path, data, vocabulary=HOSTILE * 5)
    for figure in found:
        text = texts(figure)
        assert "<script" not in text
        assert "<b>עולם" not in text
    assert any("&lt;script" in texts(figure) for figure in found)


def test_target_names_stay_text(tmp_path: Path) -> None:
    data = CASES["forecasting"]
    data = replace(data, info={**data.info, "targets": HOSTILE[:2]})
    (figure,) = [one for one in judged(tmp_path, data) if one.key == "forecasts"]
    assert "<script" not in texts(figure)
    assert "&lt;script" in texts(figure)


def test_a_window_begins_at_the_last_known_value() -> None:
    """One step ahead would else be a point without a line."""
    target = {"target": "a", "history": [7.0, 8.0], "true": [1.0], "predicted": [2.0], "naive": {"last value": [8.0]}}  # fmt: skip
    window = {"which": "best", "where": "row 1", "ahead": [1], "back": [-1, 0], "targets": [target]}
    figure = task_numbers.forecasts([window], 1, "")
    assert figure is not None
    assert figure.plot is not None
    drawn = {line.name: (list(line.x), list(line.y)) for line in figure.plot.data}
    assert drawn == {
        "history": ([-1, 0], [7.0, 8.0]), "truth": ([0, 1], [8.0, 1.0]),
        "last value": ([0, 1], [8.0, 8.0]), "forecast": ([0, 1], [8.0, 2.0]),
    }  # fmt: skip


def test_short_forecasts_are_drawn_in_a_row(tmp_path: Path) -> None:
    (figure,) = judged(tmp_path, CASES["short forecasts"])
    assert figure.plot is not None
    lines = {line.name for line in figure.plot.data}
    assert lines == {"truth", "forecast", "last value", "same step of the last season (5)"}
    assert {len(line.x) for line in figure.plot.data} == {150}
    assert re.fullmatch(r"150 of \d+ forecasts are shown: those in the middle\.", figure.thinned)


def wide(folder: Path, count: int) -> Figure:
    """The mistakes with so many inputs."""
    data = CASES["classes"]
    x = np.asarray(data.x)[:, :1] * np.ones((1, count))
    scale = {"mean": [0.0] * count, "std": [1.0] * count}
    info = {**data.info, "inputs": [f"<b>{n}" for n in range(count)], "input_scale": scale}
    return judged(folder, replace(data, x=x, info=info))[-1]


def test_few_inputs_are_lines_and_many_are_colours(tmp_path: Path) -> None:
    few, many, most = (wide(tmp_path / str(count), count) for count in (4, 8, 100))
    for figure, kind in ((few, "scatter"), (many, "heatmap"), (most, "heatmap")):
        assert figure.plot is not None
        assert {trace.type for trace in figure.plot.data} == {kind}
        titles = [axis.title.text for axis in figure.plot.select_xaxes()]
        assert titles == [*[None] * 10, "step", "step"]  # others would lie on the titles of the panels below
        assert "<b>" not in texts(figure).replace("<br>", "")
    assert many.plot is not None
    assert len(many.plot.data[0].z) == 8
    assert "A row is an input" in many.caption
    assert "A row is an input" not in few.caption
    assert "inputs are shown" not in many.thinned
    assert most.thinned.endswith("mistakes are shown. 64 of 100 inputs are shown, evenly spread.")


def test_the_largest_errors_say_which_target_they_show(tmp_path: Path) -> None:
    data = CASES["regression"]
    twice = np.repeat(data.y, 2, axis=1)
    scale = {"mean": [0.0, 0.0], "std": [1.0, 1.0]}
    data = replace(data, y=twice, info={**data.info, "targets": ["a", "b"], "target_scale": scale})
    *_, figure = judged(tmp_path, data)
    assert figure.key == "misses"
    assert "Of the targets only a is shown; the error is that of all." in figure.thinned


def test_calibration_leaves_out_what_is_mostly_chance() -> None:
    bins = [
        {"count": count, "confidence": place, "accuracy": place}
        for count, place in ((2, 0.3), (9, 0.5), (10, 0.7), (80, 0.9))
    ]
    figure = task_classes.calibration({"bins": bins, "expected_error": 0.1}, "")
    assert figure is not None
    assert figure.plot is not None
    assert list(figure.plot.data[1].x) == [0.7, 0.9]
    assert figure.thinned == "Left out: 11 predictions in bins of fewer than 10."
    assert task_classes.calibration({"bins": bins[:2], "expected_error": 0.1}, "") is None


def test_the_title_of_forecasts_has_the_plain_name() -> None:
    target = {"target": "R&D <b>", "history": [1.0], "true": [1.0], "predicted": [1.0], "naive": {}}
    window = {"which": "best", "where": "row 1", "ahead": [1], "back": [0], "targets": [target]}
    figure = task_numbers.forecasts([window], 1, "")
    assert figure is not None
    assert figure.title == "Forecasts of R&D <b>"  # the page escapes it


def test_the_confusion_matrix_counts(tmp_path: Path) -> None:
    data = CASES["classes"]
    figure = judged(tmp_path, data)[0]
    assert figure.plot
    (heat,) = figure.plot.data
    truth = Samples(data, "test", WINDOW).truth().y
    guess = np.roll(truth, 1)
    counts = [[int(((truth == a) & (guess == b)).sum()) for b in range(3)] for a in range(3)]
    assert [[int(text or 0) for text in row] for row in heat.text] == counts
    assert np.sum(heat.z, axis=1) == pytest.approx([1, 1, 1])


def test_many_classes_are_a_table_of_pairs(tmp_path: Path) -> None:
    data = CASES["classes"]
    y = np.arange(len(data.y)) % 30
    data = replace(data, y=y, info={**data.info, "labels": [f"class <{n}>" for n in range(30)]})
    guess = np.eye(30)[np.where(Samples(data, "test", WINDOW).truth().y == 4, 10, 16)]
    figure = judged(tmp_path, data, y_pred=guess)[0]
    assert figure.title == "Most confused classes"
    assert "there are 30 classes" in figure.caption
    assert re.findall(
        r"<bdi>(.*?)</bdi></th><td><bdi>(.*?)</bdi></td><td>(\d+)</td><td>(\d+%)", str(figure.html)
    )[0] == ("class &lt;4&gt;", "class &lt;10&gt;", "20", "100%")


def test_sentences_mark_errors_by_more_than_colour(tmp_path: Path) -> None:
    *_, figure = judged(tmp_path, CASES["tags"])
    assert figure.key == "tagged"
    assert "<strong>✗ <bdi>" in str(figure.html)
    assert 'dir="auto"' in str(figure.html)
    assert "word0" in str(figure.html)


def test_unknown_words_are_marked(tmp_path: Path) -> None:
    data = CASES["words"]
    x = np.array(data.x)
    x[::2] = 1
    figure = judged(tmp_path, replace(data, x=x))[-1]
    assert "⟨?⟩" in str(figure.html)
    assert figure.caption.endswith("⟨?⟩ is a word that the model does not know.")


def test_characters_are_joined_without_blanks(tmp_path: Path) -> None:
    judged(tmp_path, CASES["words"])
    folder = StudyFolder(tmp_path)
    letters = {"section": {"level": "character"}, "vocabulary": list("abcdefghijklmnop")}
    replace_json(folder.preprocessing, letters)
    *_, figure = task.figures(read.study(tmp_path))
    assert re.search(r"<tr><td><bdi>[a-p]{3,9}</bdi></td>", str(figure.html))


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    *_, mistakes = judged(tmp_path, CASES["classes"])
    assert re.fullmatch(r"12 of \d+ mistakes are shown\.", mistakes.thinned)
    (forecasts,) = [one for one in judged(tmp_path, CASES["forecasting"]) if one.key == "forecasts"]
    assert forecasts.thinned.startswith("6 of 485 windows are shown")


def test_the_same_study_gives_the_same_pictures(tmp_path: Path) -> None:
    first = [texts(figure) for figure in judged(tmp_path, CASES["forecasting"])]
    assert [texts(figure) for figure in task.figures(read.study(tmp_path))] == first
