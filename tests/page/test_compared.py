"""The page of a comparison: whole, escaped, and quiet where scores are of different things."""

from __future__ import annotations

from pathlib import Path

from gru_tune.page import compared
from gru_tune.report.comparing import gathered
from tests.report import builders


def pair(folder: Path, name: str = "second") -> list[Path]:
    return [
        builders.study(folder / "one", name="first").path,
        builders.study(folder / "two", name=name, trials=5).path,
    ]


def test_the_page_holds_everything_and_escapes_it(tmp_path: Path) -> None:
    text = compared.html(gathered(pair(tmp_path, '<script>alert("x")</script>')))
    assert '<script>alert("x")' not in text
    assert "<bdi>&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;</bdi>" in text
    assert "default-src &#39;none&#39;" in text
    assert text == compared.html(gathered(pair(tmp_path, '<script>alert("x")</script>')))


def test_a_line_a_study_against_trainings_and_time(tmp_path: Path) -> None:
    trainings, seconds = compared.figures(gathered(pair(tmp_path)))
    assert trainings.plot is not None
    assert seconds.plot is not None
    assert [(line.name, list(line.x)) for line in trainings.plot.data] == [
        ("first", [1, 2, 12]),
        ("second", [1, 2, 5]),
    ]
    assert [round(x, 4) for x in seconds.plot.data[1].x] == [1.9, 2.9, 5.9]
    assert "the higher line is ahead" in trainings.caption


def test_scores_of_different_objectives_share_no_axis(tmp_path: Path) -> None:
    paths = pair(tmp_path)
    log = paths[1] / "trials.jsonl"
    loss = {"objective": {"name": "loss", "direction": "min"}}
    builders.changed(log, lambda line: {**line, **loss} if line["event"] == "study" else line)
    entries = gathered(paths)
    assert compared.figures(entries) == []
    assert "These studies differ in their objective" in compared.html(entries)


def test_without_a_score_there_is_nothing_to_draw(tmp_path: Path) -> None:
    paths = [builders.study(tmp_path / name, trials=0, name=name).path for name in ("one", "two")]
    assert compared.figures(gathered(paths)) == []
