"""A study whose space is constrained: what it plans, tries and says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune.errors import ConfigError, StudyError
from gru_tune.study.results import read_json
from tests.study.studies import Ears, proposals, rows, run

ASKED = ("search.constraints=[units * depth <= 6]", "search.max_parameters=200")
SMALL = "model.units={choice: [1, 2, 3, 4]}"


def test_it_tries_what_satisfies_them_and_ends_when_that_is_done(tmp_path: Path) -> None:
    ears = Ears()
    folder = run(tmp_path, SMALL, *ASKED, "search.trials=30", watch=ears)
    tried = {(int(row["units"]), int(row["depth"])) for row in rows(folder)}
    assert tried == {(u, d) for u in (1, 2, 3, 4) for d in (1, 2) if u * d <= 6}
    assert read_json(folder.facts)["planned"] == 7
    assert "7 of 8 configurations satisfy the constraints" in ears.said
    assert read_json(folder.facts)["ended"] == "all 7 configurations of the space have been tried"


def test_it_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole = run(tmp_path, *ASKED)
    (tmp_path / "other").mkdir()
    for trials in (1, 3, 6):
        parts = run(tmp_path / "other", *ASKED, f"search.trials={trials}")
    assert proposals(parts) == proposals(whole)


def test_other_constraints_are_another_question(tmp_path: Path) -> None:
    run(tmp_path, *ASKED)
    with pytest.raises(StudyError, match=r"search\.max_parameters: 200 -> 300"):
        run(tmp_path, ASKED[0], "search.max_parameters=300")


def test_nothing_is_written_when_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the smallest model of the space has 14"):
        run(tmp_path, "search.max_parameters=5")
    assert not list(tmp_path.rglob("trials.jsonl"))
