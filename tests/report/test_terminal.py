"""The report in a terminal: it fits, in any script, and obeys nothing that stands in the data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import wcwidth

from gru_tune.report import differences, read, show
from gru_tune.report.columns import LONGEST, layout, wrapped
from gru_tune.report.progress_plot import HEIGHT, progress, staircase
from gru_tune.study.log import Finished, Header, Launch, encode
from gru_tune.study.results import StudyFolder
from tests.report import builders

NASTY = 'b<i>"x"</i>\x1b[2J\u202e 学習率 🎉 قيمة שם'


def nasty(folder: Path) -> StudyFolder:
    """A study whose names, values and errors hold what terminals obey, wide characters and both directions."""
    made = builders.study(folder, trials=12, name="toy")
    lines = []
    for event in builders.events(12):
        if isinstance(event, Header):
            facts = {**event.facts, "name": NASTY, "hyperparameters": ["depth", NASTY]}
            event = replace(event, facts=facts)
        elif isinstance(event, Launch):
            event = replace(event, values={"depth": event.trial % 2, NASTY: f"{NASTY} {event.trial % 3}"})
        elif isinstance(event, Finished) and event.outcome.error:
            event = replace(event, outcome=replace(event.outcome, error=f"{NASTY}\nsecond line"))
        lines.append(encode(event) + "\n")
    made.log.write_text("".join(lines), encoding="utf-8")
    return made


@pytest.mark.parametrize("width", [60, 80, 120])
def test_everything_fits_the_window(tmp_path: Path, width: int) -> None:
    facts = {**builders.FACTS, "notes": ["a note that is far too long for one line " * 5]}
    builders.study(tmp_path / "toy", trials=30, facts=facts)
    nasty(tmp_path / "nasty")
    for name in ("toy", "nasty"):
        text = show(tmp_path / name, "terminal", None, width)
        assert [line for line in text.splitlines() if wcwidth.width(line) > width] == []


@pytest.mark.parametrize("form", ["terminal", "markdown", "json"])
@pytest.mark.parametrize("width", [None, 80])
def test_nothing_of_the_data_is_obeyed_by_a_terminal(tmp_path: Path, form: str, width: int | None) -> None:
    nasty(tmp_path / "toy")
    text = show(tmp_path / "toy", form, None, width)
    assert "\x1b" not in text
    assert form == "json" or "\u202e" not in text
    assert "[2J" in text


def test_columns_are_aligned_by_what_is_seen() -> None:
    lines = layout([{"name": "日本", "x": "1"}, {"name": "abc", "x": "22"}], None, left=1)
    assert lines == ["name   x", "日本   1", "abc   22"]


def test_a_cell_written_from_right_to_left_keeps_its_neighbours_in_place() -> None:
    (_, line) = layout([{"name": "שלום", "x": "1"}], None)
    assert line == "\N{FIRST STRONG ISOLATE}שלום\N{POP DIRECTIONAL ISOLATE}  1"


def test_a_cell_is_one_line_and_is_cut_where_the_width_is_limited() -> None:
    row = {"x": "a\nb" * 40}
    assert layout([row], None)[1] == "a b" * 40
    cut = layout([row], 80)[1]
    assert len(cut) == LONGEST
    assert cut.endswith("…")


def test_a_percentage_is_not_torn_from_its_number() -> None:
    assert wrapped("all within 1 % of it", 12) == ["all within", "  1 % of it"]


def test_what_the_best_share_comes_first(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", trials=30)
    study = read.study(tmp_path / "toy")
    assert [trial.number % 3 for trial in differences.best(study)] == [2] * 9 + [1]
    found = {one.hyperparameter: one for one in differences.differences(study)}
    assert found["learning_rate"].all == {"range": [0.001, pytest.approx(0.03)]}
    assert found["learning_rate"].top == {"range": [0.001, pytest.approx(0.029)]}
    assert found["depth"].top == {"counts": {"2": 6, "1": 4}}
    assert found["units_2"].all == {"counts": {"4": 15, "–": 15}}


def test_a_value_that_all_of_the_best_have_is_said(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy")
    builders.changed(folder.log, _with_kind)
    text = show(folder.path, "terminal", None, 80)
    block = text.split("What the best trials share, and where they differ:\n")[1].splitlines()
    assert block[0].split() == ["best", "5", "all", "12"]
    assert block[1].split() == ["kind", "all", "good", "bad", "(58", "%),", "good", "(42", "%)"]


def _with_kind(line: dict[str, Any]) -> dict[str, Any]:
    """Trials 2, 5, 8 and 11 are the best four, and trial 1 the fifth: one more knob that tells them apart."""
    if line["event"] == "study":
        line["hyperparameters"].append("kind")
    if line["event"] == "launch":
        line["values"]["kind"] = "good" if line["trial"] % 3 == 2 or line["trial"] == 1 else "bad"
    return line


def test_few_trials_have_nothing_in_common_worth_saying(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", trials=9)
    assert differences.differences(read.study(tmp_path / "toy")) == []
    assert "best trials share" not in show(tmp_path / "toy", "terminal", None, 80)


def test_the_picture_shows_the_best_so_far_over_the_baseline(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", facts=builders.FACTS)
    lines = progress(read.study(tmp_path / "toy"), 60)
    assert len(lines) == HEIGHT + 4
    assert lines[1].split("│")[0].strip() == "0.7000"
    assert lines[HEIGHT].split("│")[0].strip() == "0.6000"
    assert set(lines[HEIGHT].split("│")[1]) == {"-"}
    assert lines[-2].split() == ["trial", "1", "trial", "12"]
    assert lines[-1] == "* best accuracy so far   - baseline: tf-idf + linear"


def test_there_is_a_picture_on_a_terminal_alone(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy")
    assert "best accuracy so far" in show(tmp_path / "toy", "terminal", None, 80)
    assert "best accuracy so far" not in show(tmp_path / "toy", "terminal", None, None)


@pytest.mark.parametrize("trials", [0, 1])
def test_there_is_no_picture_of_a_point(tmp_path: Path, trials: int) -> None:
    builders.study(tmp_path / "toy", trials=trials)
    assert progress(read.study(tmp_path / "toy"), 80) == []


def test_a_staircase_is_level_until_the_next_point() -> None:
    assert staircase([1, 3, 5], [0.1, 0.2, 0.2]) == ([1, 3, 3, 5, 5], [0.1, 0.1, 0.2, 0.2, 0.2])


def test_a_torn_last_line_is_told_and_hides_nothing(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy")
    with folder.log.open("a", encoding="utf-8") as file:
        file.write('{"event":"outco')
    text = show(tmp_path / "toy", "terminal", None, 80)
    assert "12 trials" in text
    assert "cut short" in text


def test_advice_is_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("terminal", "plain"):
        monkeypatch.setattr(f"gru_tune.report.{module}.advice", lambda study: ["Ask <more>."])
    builders.study(tmp_path / "toy")
    assert "What to try next:\n- Ask <more>.\n" in show(tmp_path / "toy", "terminal", None, 80)
    assert "## What to try next\n\n- Ask &lt;more>.\n" in show(tmp_path / "toy", "markdown", None, None)
    assert json.loads(show(tmp_path / "toy", "json", None, None))["advice"] == ["Ask <more>."]


def test_the_course_of_a_search_is_in_the_order_of_time(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", trials=10)
    course = read.study(tmp_path / "toy").course
    assert [step.trial for step in course] == list(range(1, 11))
    assert [step.seconds for step in course] == [pytest.approx(n + 0.9) for n in range(1, 11)]
    assert (course[1].score, course[9].score) == (pytest.approx(0.7), None)
    assert (course[1].epochs, course[9].epochs) == (3, 0)
