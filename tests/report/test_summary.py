"""A folder of studies: all of them, whatever state they are in."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import wcwidth

from gru_tune.report import several, show
from tests.report import builders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Studies in every state."""
    builders.study(tmp_path / "finished", time=4000.0, facts={**builders.FACTS, "state": "finished"})
    builders.study(tmp_path / "deep" / "running", time=3000.0, facts={"state": "running"})
    builders.study(tmp_path / "nothing yet", trials=0, time=2000.0)
    builders.study(tmp_path / "only failures", trials=3, failing=1)
    builders.study(tmp_path / "学習 🎉 שלום", time=500.0)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "trials.jsonl").write_text("{}\n{}\n", encoding="utf-8")
    return tmp_path


def test_every_state_is_named_newest_first(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(show(folder, "csv", None, None))))
    assert [(Path(row["study"]).name, row["state"], row["failed"]) for row in rows] == [
        ("finished", "finished", "1"),
        ("running", "unfinished", "1"),
        ("nothing yet", "unfinished", "0"),
        ("only failures", "unfinished", "3"),
        ("学習 🎉 שלום", "unfinished", "1"),
    ]


def test_the_head_says_how_to_see_one(folder: Path) -> None:
    text = show(folder, "terminal", None, None).splitlines()
    assert text[0] == (
        f"5 studies in {folder}, newest first; `gru-tune report {folder / 'finished'}` shows the first."
    )
    names = [line.split("  ")[0] for line in text[3:7]]
    assert names == ["finished", "deep/running", "nothing yet", "only failures"]
    assert text[-1].startswith(
        f"Left out: {folder / 'damaged' / 'trials.jsonl'}:1: this line of the study's record"
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_window(folder: Path, width: int) -> None:
    text = show(folder, "terminal", None, width)
    assert [line for line in text.splitlines() if wcwidth.width(line) > width] == []


def test_what_cannot_be_read_is_told_beside_the_others(folder: Path) -> None:
    studies, broken = several([folder / "finished", folder / "damaged"])
    assert [study.folder.path.name for study in studies] == ["finished"]
    assert broken[0].startswith(f"Left out: {folder / 'damaged'}")
