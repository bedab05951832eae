"""What stands on the page, and that nothing in it can break out of its place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import nullcontext
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from gru_tune import page
from gru_tune.page import layout, summary, table, winner
from gru_tune.page import made as page_made
from gru_tune.trial import Objective
from tests.page import studies
from tests.report import builders, made

VOID = {"meta", "input", "link", "br", "hr", "img"}


class Parsed(HTMLParser):
    """The elements of a page: their nesting, attributes, headings and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self.open and self.open[-1] != "style":
            self.text += data

    @property
    def data(self) -> dict[str, object]:
        """What the script elements hold as JSON, by their ids."""
        return {
            str(attributes["id"]): json.loads(text)
            for attributes, text in self.scripts
            if attributes.get("type") == "application/json"
        }


def parsed(kind: str, folder: Path, top: int | None = None) -> Parsed:
    return Parsed(page.html(studies.study(kind, folder), top))


@pytest.mark.parametrize("kind", studies.SPECIAL)
def test_every_study_has_a_sound_page(kind: str, tmp_path: Path) -> None:
    found = parsed(kind, tmp_path)
    assert found.open == []
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert all(target and target[0] == "#" and target[1:] in ids for target in targets)
    assert not [tag for tag, attributes in found.tags if "src" in attributes]
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_texts_of_data_and_config_stay_texts(tmp_path: Path) -> None:
    found = parsed("hostile", tmp_path)
    assert not [tag for tag, _ in found.tags if tag in ("img", "b")]
    assert found.text.count(studies.NAME) >= 4  # title, heading, note, baseline
    rows = found.data["rows"]
    assert isinstance(rows, dict)
    assert set(rows["columns"]) >= studies.SHOWN


def test_only_the_page_s_own_scripts_may_run_and_nothing_may_be_fetched(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    for live in (False, True):
        found = Parsed(page.html(study, live=live))
        policy = next(
            attributes["content"] or ""
            for tag, attributes in found.tags
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy.startswith("default-src 'none'; script-src 'unsafe-eval' 'sha256-")
        assert ("connect-src 'self'" in policy) == live
        scripts = [text for attributes, text in found.scripts if not attributes]
        assert len(scripts) == 3 + live
        for script in scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy


def test_the_same_study_gives_the_same_page(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    assert page.html(study) == page.html(study)


def test_the_page_is_written_into_the_study(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    path = page.write(study, top=3)
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8") == page.html(study, top=3)


def test_the_summary_answers_in_order(tmp_path: Path) -> None:
    text = parsed("whole", tmp_path).text
    questions = ["Who won, and by how much", "How sure", "Against what costs nothing", "What it cost"]
    places = [text.index(question) for question in questions]
    assert places == sorted(places)
    assert "Trial 2 of toy is the best: accuracy 0.7000 on the validation split" in text


def test_failures_stand_together_by_their_reason(tmp_path: Path) -> None:
    failures = layout.page(studies.study("failures", tmp_path), None).failures
    assert [(failure.reason, len(failure.trials)) for failure in failures] == [
        ("out of memory <b>here</b>", 25)
    ]
    assert failures[0].which.endswith("18, 19, 20 and 5 more")


def test_without_a_score_the_page_says_so_instead_of_drawing(tmp_path: Path) -> None:
    for kind in ("failures", "none"):
        found = parsed(kind, tmp_path / kind)
        assert found.text.count("No trial has a score (yet), so there is nothing to draw.") == 2
        assert not [name for name in found.data if name.endswith("-json")]


def test_a_torn_log_is_mentioned(tmp_path: Path) -> None:
    study = studies.study("torn", tmp_path)
    assert len(study.notes) == 1
    assert study.notes[0] in Parsed(page.html(study)).text


def test_the_table_is_cut_where_it_is_told_to(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    rows = table.rows(study, 3)
    assert [row[rows.columns.index("rank")] for row in rows.cells] == [1, 2, 3]
    assert rows.left_out == 9
    assert "Only the best 3 trials are shown; 9 more are in trials.csv." in Parsed(page.html(study, 3)).text
    assert table.rows(study, 0).left_out == 0


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    assert "error" in table.rows(studies.study("whole", tmp_path / "a"), None).columns
    builders.study(tmp_path / "b", trials=9)
    assert "error" not in table.rows(studies.read.study(tmp_path / "b"), None).columns


def test_the_winner_s_knobs_have_their_ranges(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    space = {
        "depth": {"int": [1, 3]},
        "units_1": {"choice": [8, 16]},
        "learning_rate": {"log": [1e-4, 0.1]},
        "cell": {"choice": ["gru"]},
    }
    question = {"model": {"depth": space["depth"], "pooling": "last"}, "training": {"stop": {"patience": 3}}}
    known = studies.read.Study(
        **{**vars(study), "asked": {**study.asked, "space": space, "question": question}}
    )
    searched, fixed = winner.searched(known), winner.fixed(known)
    assert searched is not None
    assert fixed is not None
    assert searched.rows == [
        ["depth", "1", "1 to 3"],
        ["units_1", "24", "8, 16"],
        ["learning_rate", "0.002", "0.0001 to 0.1, logarithmic"],
        ["cell", "gru", "gru"],
    ]
    assert fixed.rows == [["model.pooling", "last"], ["training.stop.patience", "3"]]
    old = winner.searched(study)
    assert old is not None
    assert old.columns == ["knob", "value"]


def test_the_winner_s_curves_mark_its_best_epoch(tmp_path: Path) -> None:
    loss, objective = winner.curves(studies.study("whole", tmp_path))
    assert [trace.name for trace in loss.plot.data] == ["training", "validation"]
    assert [trace.name for trace in objective.plot.data] == [
        "validation"
    ]  # what it was on training is not known
    assert [figure.plot.layout.shapes[0].x0 for figure in (loss, objective)] == [2, 2]


def test_a_winner_by_loss_stands_beside_baselines_by_what_it_is_judged_by(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    judged = {"metrics": {"accuracy": 0.7, "loss": 0.4}, "against": {"objective": {"name": "accuracy"}}}
    facts = {**study.facts, "best": 2, "best_repeat": 1, "validation": judged}
    asked = {**study.asked, "objective": {"name": "loss", "direction": "min"}}
    grid = summary.baselines(studies.read.Study(**{**vars(study), "asked": asked, "facts": facts}))
    assert grid is not None
    assert grid.columns[0] == "accuracy"
    assert grid.rows[0][:2] == ["the winner", "0.7000"]
    assert "–" not in [row[1] for row in grid.rows]


@pytest.mark.parametrize(
    ("intervals", "note"),
    [
        ({}, "too few cases for an interval"),
        ({"accuracy": [0.6, 0.7]}, "95 % confidence [0.6000, 0.7000]"),
        ({"macro_f1": [0.6, 0.7]}, ""),  # there are enough cases: this metric has none
    ],
)
def test_the_test_score_says_how_sure_it_is(
    intervals: dict[str, list[float]], note: str, tmp_path: Path
) -> None:
    study = studies.study("whole", tmp_path)
    test = [{**study.facts["test"][-1], "intervals": intervals}]
    known = studies.read.Study(**{**vars(study), "facts": {**study.facts, "test": test}})
    assert next(tile.note for tile in summary.tiles(known) if tile.label == "accuracy, test") == note


def test_with_two_objectives_the_winner_s_cost_is_a_number_of_the_head() -> None:
    both = Objective("accuracy", "max", "parameters")
    trials = [made.trial(n, s, both) for n, s in enumerate([0.5, 0.7, 0.6], start=1)]
    tiles = summary.tiles(made.study(trials, objective=both))
    assert summary.Tile("parameters", "200", "parameters; the Pareto set has 2 trials") in tiles
    assert "parameters" not in [tile.label for tile in summary.tiles(made.study([made.trial(1)]))]


def test_beside_baselines_the_winner_has_what_fresh_seeds_reach() -> None:
    """Its kept run is the best of them: flattered."""
    known = {"validation": {"majority": {"accuracy": 0.5}}, "test": {"majority": {"accuracy": 0.5}}}
    judged = {"metrics": {"accuracy": 0.95, "macro_f1": 0.93}}
    facts = {
        **made.finals({"trial": 1}), "baselines": known, "best": 1, "best_repeat": 1,
        "validation": judged, "test": [{"trial": 1, "metrics": {"accuracy": 0.88}}],
    }  # fmt: skip
    grid = summary.baselines(made.study([made.trial(1)], facts=facts))
    assert grid is not None
    assert grid.rows[0] == ["the winner", "0.9000 (mean of 2 fresh seeds)", "0.8800"]


@pytest.mark.parametrize("busy", [True, False])
def test_an_unfinished_study_has_a_leader_and_is_running_or_killed(busy: bool, tmp_path: Path) -> None:
    study = studies.study("unfinished", tmp_path)
    with study.folder.locked() if busy else nullcontext():
        found = layout.page(study, None)
    assert found.state == ("running" if busy else "killed")
    assert next(tile.note for tile in found.tiles if tile.label == "trials") == (
        "1 failed, 1 running" if busy else "1 failed, 1 cut off"
    )
    assert ("winner", "The leader so far") in found.contents
    assert found.groups[0].question == "Who leads so far"
    assert found.tiles[0].label == "accuracy, the leader so far"
    assert found.sections[0].title == "The leader on the data"
    text = Parsed(page.html(study)).text
    assert "The winner" not in text


def test_the_table_has_the_knobs_first_and_then_the_finals_in_one_column(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    facts = {**study.facts, **made.finals({"trial": 2, "mean": 0.98765, "spread": 0.0021})}
    rows = table.rows(studies.read.Study(**{**vars(study), "facts": facts}), None)
    columns = rows.columns
    assert columns[:5] == ["rank", "trial", "status", "accuracy", "depth"]
    assert [name for name in columns if name.startswith("confirmed")] == ["confirmed"]
    assert columns.index("cell") < columns.index("confirmed") < columns.index("best_epoch")
    found = {row[1]: row[columns.index("confirmed")] for row in rows.cells}
    assert found == {n: "0.9877 ± 0.0021" if n == 2 else None for n in range(1, 13)}


def test_sequences_of_one_length_have_one_number(tmp_path: Path) -> None:
    study = studies.study("whole", tmp_path)
    for lengths, said in (
        ({"min": 8, "max": 8, "p50": 8}, "8"),
        ({"min": 2, "max": 1000, "p50": 8}, "2 to 1,000, the middle one has 8"),
    ):
        facts = {**study.facts, "facts": {"lengths": lengths}}
        data = page_made.grids(studies.read.Study(**{**vars(study), "facts": facts}))[0]
        assert ["steps of a sequence", said] in data.rows
