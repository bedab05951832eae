"""A study.json that is damaged or gone: it is told everywhere, and a run makes it anew."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gru_tune import cli
from gru_tune.report import read as reports
from gru_tune.study.repair import repair
from gru_tune.study.results import StudyFolder, read_json
from tests.study.studies import FINALS, Ears, run

SETTINGS = (*FINALS, "search.trials=3")


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return run(tmp_path, *SETTINGS)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def damage(folder: StudyFolder) -> None:
    folder.facts.write_bytes(folder.facts.read_bytes()[:-9])


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_lost_study_json_is_told_everywhere(study: StudyFolder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = run(tmp_path / "other", *SETTINGS)
    damage(study)
    lines = study.facts.read_text(encoding="utf-8").splitlines()
    assert reports.study(study.path).doubt.startswith(
        f"{study.facts} is damaged: not JSON from line {len(lines)}, column "
    )
    told = "run the study again to make it anew, which reads the test split again"
    shown = flat(command("report", study.path).stdout)
    assert shown.count(told) == 1
    assert "leads so far" in shown
    assert "Winner:" not in shown
    assert told in flat(command("report", study.path, "--markdown").stdout)
    assert told in command("report", study.path, "--csv").stderr
    assert told in command("report", study.path, "--html").stderr
    assert told in flat(study.report.read_text(encoding="utf-8"))
    assert told in flat(command("report", tmp_path).stdout)
    assert told in flat(command("compare", study.path, other.path).stdout)
    assert told in flat(command("watch", study.path, "--plain").output)
    whole, doubt = repair(study.path)
    assert whole.endswith("there is nothing to repair")
    assert told in doubt
    study.facts.unlink()
    assert f"{study.facts} is gone; {told}" in flat(command("report", study.path).stdout)
    assert told not in flat(command("report", other.path).output)


def test_a_run_makes_a_lost_study_json_anew_and_says_that_the_test_split_is_read_again(
    study: StudyFolder, tmp_path: Path
) -> None:
    former = read_json(study.facts)
    damage(study)
    broken = study.facts.read_bytes()
    ears = Ears()
    run(tmp_path, *SETTINGS, watch=ears)
    said = next(text for text in ears.said if "study.json" in text)
    assert (
        f", and is made anew; the old one is kept as {study.facts}.damaged; the test split is read again"
        in said
    )
    assert study.damaged == [study.facts.with_name("study.json.damaged")]
    assert study.damaged[0].read_bytes() == broken
    found = read_json(study.facts)
    assert found["finals"] == former["finals"]
    assert (found["state"], found["test_lost"], len(found["test"])) == ("finished", True, 1)
    shown = flat(command("report", study.path).stdout)
    assert "evaluated again after what was known of it was lost, so no longer quite fresh" in shown
    assert "is damaged" not in shown
    again = Ears()
    run(tmp_path, *SETTINGS, watch=again)
    assert not any("is made anew" in text for text in again.said)


def test_an_outcome_that_is_missing_after_a_repair_is_no_finished_study(
    tmp_path: Path,
) -> None:
    folder = run(tmp_path, "search.trials=3")
    lines = folder.log.read_bytes().split(b"\n")
    folder.log.write_bytes(b"\n".join([*lines[:5], b"?", *lines[6:]]))
    repair(folder.path)
    shown = flat(command("report", folder.path).stdout)
    assert "Not finished: outcomes are missing from the record; run it again to train trial 2." in shown
    assert "Ended:" not in shown
    run(tmp_path, "search.trials=3")
    assert "Ended: all" in flat(command("report", folder.path).stdout)


def test_the_page_on_a_disk_that_is_full_names_the_remedy(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", str(study.report))

    monkeypatch.setattr("gru_tune.page.write", full)
    done = command("report", "--html", study.path)
    assert done.exit_code == 1
    assert done.stderr == (
        f"{study.report} cannot be written: no space left on device; free some space and run the same command again\n"
    )
    from gru_tune.cli.searches import _page

    said: list[str] = []
    monkeypatch.setattr("gru_tune.cli.searches.tell", said.extend)
    _page(study, quiet=True)
    again = shlex.join(["gru-tune", "report", "--html", str(study.path)])
    assert said == [
        f"{study.report} cannot be written: no space left on device; free some space; then `{again}` writes it"
    ]
