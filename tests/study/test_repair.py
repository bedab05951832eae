"""A damaged record is mended: what is whole stays, what is lost is told, and the study goes on to its end."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gru_tune import cli
from gru_tune.errors import StudyError
from gru_tune.report import read as reports
from gru_tune.study import log as logs
from gru_tune.study.log import Finished, Header, Launch, encode
from gru_tune.study.repair import repair
from gru_tune.study.results import StudyFolder, read_json, replace_json
from tests.study.studies import FINALS, rows, run, stopped_at

SOUND = "model.units={int: [24, 80]}"
SEARCHES = {
    "random": (),
    "grid": ("search.strategy=grid", "model.units={choice: [24, 30, 36]}"),
    "bayesian": ("search.strategy=bayesian",),
    "tpe": ("search.strategy=tpe",),
    "hyperband": ("search.strategy=hyperband", "training.epochs=9", "search.trials=10"),
    "asha": ("search.stopper=asha", "training.epochs=9", "search.trials=9"),
    "repeats": ("search.repeats=2", "search.trials=3", *FINALS),
}
Run = tuple[tuple[int, int], int]  # a trial and its repeat, and the epochs it was trained for by then


def lines_of(folder: StudyFolder) -> list[bytes]:
    return folder.log.read_bytes().split(b"\n")[:-1]


def put(folder: StudyFolder, lines: Sequence[bytes]) -> None:
    folder.log.write_bytes(b"".join(line + b"\n" for line in lines))


def flipped(line: bytes) -> bytes:
    middle = len(line) // 2
    return line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]


def outcomes(folder: StudyFolder) -> dict[Run, Finished]:
    """Every outcome of the log; none may stand there twice."""
    found: dict[Run, Finished] = {}
    for event in logs.read(folder.log).events:
        if isinstance(event, Finished):
            key = event.run, event.outcome.epochs[-1].number
            assert key not in found
            found[key] = event
    return found


def table(folder: StudyFolder) -> list[list[str]]:
    """What a search found: all that does not depend on the time it took, and on how often it was tried."""
    left = ("seconds", "seconds_compiling", "seconds_per_epoch", "attempts")
    return [[cell for name, cell in row.items() if name not in left] for row in rows(folder)]


def damaged_at(original: StudyFolder, place: int, copy: Path) -> StudyFolder:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(original.path.parents[1], copy)
    folder = StudyFolder(copy / "out" / "toy")
    lines = lines_of(folder)
    put(folder, [*lines[:place], flipped(lines[place]), *lines[place + 1 :]])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
def test_a_study_goes_on_from_damage_at_any_line_to_the_same_end(tmp_path: Path, search: str) -> None:
    """No finished trial whose lines are whole is lost, none is doubled."""
    (tmp_path / "whole").mkdir()
    settings = (SOUND, *SEARCHES[search])
    original = run(tmp_path / "whole", *settings)
    lines, before, expected = lines_of(original), outcomes(original), table(original)
    for place in range(len(lines)):
        folder = damaged_at(original, place, tmp_path / "damaged")
        repair(folder.path)
        hurt = json.loads(lines[place])
        lost = hurt.get("trial"), hurt.get("repeat", 1)
        kept = outcomes(folder)
        assert {key: event for key, event in before.items() if key[0] != lost}.items() <= kept.items()
        assert reports.study(folder.path).asked["name"] == "toy"
        run(tmp_path / "damaged", *settings)
        after = outcomes(folder)
        assert kept.items() <= after.items()
        assert after.keys() == before.keys()
        assert table(folder) == expected


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """A study of three trials: a head, a run, three times launch and outcome, and the end."""
    return run(tmp_path, SOUND, "search.trials=3")


def test_a_whole_record_needs_no_repair(study: StudyFolder) -> None:
    before = study.log.read_bytes()
    assert repair(study.path) == [f"{study.log}: all 9 lines are whole: there is nothing to repair"]
    assert study.log.read_bytes() == before
    assert study.damaged == []


def test_a_lost_outcome_is_told_and_its_trial_trained_again(study: StudyFolder, tmp_path: Path) -> None:
    lines = lines_of(study)
    put(study, [*lines[:5], flipped(lines[5]), *lines[6:]])
    broken = study.log.read_bytes()
    with pytest.raises(StudyError, match=r"trials\.jsonl:6: .*its checksum is wrong.*gru-tune repair"):
        run(tmp_path, SOUND, "search.trials=3")
    assert repair(study.path) == [
        "line 6 is damaged: its checksum is wrong; it seems to be the outcome of trial 2",
        "2 trials with an outcome can be reported",
        f"`gru-tune run` with its config (as {study.config} has it) trains trial 2 again",
        f"{study.log} is repaired; the damaged one is kept as {study.log}.damaged",
    ]
    assert study.damaged[0].read_bytes() == broken
    assert lines_of(study) == lines[:5] + lines[6:]
    run(tmp_path, SOUND, "search.trials=3")
    assert {key[0][0] for key in outcomes(study)} == {1, 2, 3}


def test_a_lost_launch_is_made_again(study: StudyFolder) -> None:
    lines = lines_of(study)
    put(study, [*lines[:4], flipped(lines[4]), *lines[5:]])
    assert repair(study.path)[:2] == [
        "line 5 is damaged: its checksum is wrong; it seems to be the launch of trial 2",
        "the launch of trial 2 is made again: the search proposes it in this place",
    ]
    was, now = (json.loads(some[4]) for some in (lines, lines_of(study)))
    assert {**now, "time": 0, "crc": ""} == {**was, "time": 0, "crc": ""}


def values_changed(study: StudyFolder) -> None:
    """As if the search had proposed something else then: an older version of a library."""
    with study.table.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        row["units"] = "77"
    with study.table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


@pytest.mark.parametrize(
    "spoil", [lambda study: study.table.unlink(), values_changed], ids=["no table", "others"]
)
def test_an_outcome_is_not_given_to_values_that_nothing_confirms(
    study: StudyFolder, spoil: Callable[[StudyFolder], None]
) -> None:
    lines = lines_of(study)
    put(study, [*lines[:4], flipped(lines[4]), *lines[5:]])
    spoil(study)
    assert repair(study.path)[:3] == [
        "line 5 is damaged: its checksum is wrong; it seems to be the launch of trial 2",
        "the launch of trial 2 is made again: the search proposes it in this place",
        "line 6 is set aside: the values that its trial was trained with are lost (trial 2)",
    ]
    assert {key[0][0] for key in outcomes(study)} == {1, 3}


def test_where_the_search_cannot_be_asked_its_trial_is_set_aside(study: StudyFolder, tmp_path: Path) -> None:
    lines = lines_of(study)
    put(study, [*lines[:4], flipped(lines[4]), *lines[5:]])
    study.resolved.write_text("task: nonsense\n", encoding="utf-8")
    assert "line 6 is set aside: how its trial began is lost (trial 2)" in repair(study.path)
    run(tmp_path, SOUND, "search.trials=3")  # another configuration is tried in its place
    assert sorted(int(row["trial"]) for row in rows(study)) == [1, 3, 4]


def test_the_launch_of_a_trial_that_was_tried_again_is_taken_from_the_second_attempt(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="stopped"):
        run(tmp_path, SOUND, parts=stopped_at(lambda job: job.trial == 2))
    folder = run(tmp_path, SOUND)
    lines = lines_of(folder)
    place = next(n for n, line in enumerate(lines) if b'"launch","trial":2,' in line)
    (folder.path / "config.resolved.yaml").unlink()
    put(folder, [*lines[:place], flipped(lines[place]), *lines[place + 1 :]])
    assert "the launch of trial 2 is made again from its other lines" in repair(folder.path)
    whole = [logs.decode(line) for line in lines]
    now = list(logs.read(folder.log).events)
    assert replace(now[place], time=0.0) == replace(whole[place], time=0.0)
    assert now[:place] + now[place + 1 :] == whole[:place] + whole[place + 1 :]


def test_several_damages_at_once(study: StudyFolder) -> None:
    """A line glued to the next, one cut by binary garbage, one that repeats, a tail of zeros."""
    head, start, launch1, outcome1, launch2, outcome2, launch3, outcome3, end = lines_of(study)
    study.log.write_bytes(
        head + b"\n" + start + launch1 + b"\n" + outcome1 + b"\n" + launch2 + b"\n" + launch2 + b"\n"
        + outcome2[:40] + b"\xff\x00\n\xfe" + outcome2[40:] + b"\n" + launch3 + b"\n" + b"#!" + outcome3 + b"\n"
        + end + b"\n" + bytes(5000)
    )  # fmt: skip
    told = repair(study.path)
    assert told[:6] == [
        "line 5 is damaged: it repeats line 4",
        "line 6 is damaged: not JSON; it seems to be the outcome of trial 2",
        "line 7 is damaged: its checksum is wrong",
        "line 9 is damaged: a part of it is no record",
        "line 11 is damaged: it was cut short",
        "2 trials with an outcome can be reported",
    ]
    assert lines_of(study) == [head, start, launch1, outcome1, launch2, launch3, outcome3, end]


def test_a_hole_over_several_trials_of_a_search_with_rungs(tmp_path: Path) -> None:
    """Blocks of zeros in the middle: the lost trials are proposed again, in their places."""
    settings = (SOUND, *SEARCHES["hyperband"])
    folder = run(tmp_path, *settings)
    lines = lines_of(folder)
    put(folder, [*lines[:5], bytes(4096), *lines[11:]])
    told = repair(folder.path)
    assert "line 6 is damaged: not JSON" in told
    assert not any("cannot go on" in text for text in told)
    run(tmp_path, *settings)
    assert sorted(int(row["trial"]) for row in rows(folder)) == list(range(1, 11))


def test_the_head_is_made_again_of_study_json(study: StudyFolder, tmp_path: Path) -> None:
    lines = lines_of(study)
    put(study, [flipped(lines[0]), *lines[1:]])
    assert (
        repair(study.path)[0]
        == "the first line, which says what the study asks, is made again from study.json"
    )
    was, now = logs.decode(lines[0]), logs.read(study.log).events[0]
    assert isinstance(was, Header)
    assert isinstance(now, Header)
    assert now.facts == {key: value for key, value in was.facts.items() if key != "division"}
    run(tmp_path, SOUND, "search.trials=3")
    assert len(outcomes(study)) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda facts: {},
            r"study\.json cannot replace it; mend it from a backup, or start the study anew with --fresh",
        ),
        (
            lambda facts: {**facts, "question": {**facts["question"], "search": {"from": "older"}}},
            r"what it knew by search\.from stands nowhere else; mend it from a backup",
        ),
    ],
)
def test_a_head_that_would_be_guessed_is_refused(
    study: StudyFolder, change: Callable[[dict[str, Any]], dict[str, Any]], why: str
) -> None:
    lines = lines_of(study)
    put(study, [flipped(lines[0]), *lines[1:]])
    replace_json(study.facts, change(read_json(study.facts)))
    before = study.log.read_bytes()
    with pytest.raises(StudyError, match=rf"trials\.jsonl:1: .*{why}"):
        repair(study.path)
    assert study.log.read_bytes() == before


def test_no_damaged_record_is_ever_overwritten(study: StudyFolder) -> None:
    for number in range(3):
        lines = lines_of(study)
        put(study, [*lines[:-1], flipped(lines[-1]) if number == 0 else b"?" * number])
        repair(study.path)
    assert [path.name for path in study.damaged] == [
        "trials.jsonl.damaged", "trials.jsonl.damaged-2", "trials.jsonl.damaged-3"
    ]  # fmt: skip
    assert study.damaged[2].read_bytes().endswith(b"??\n")


def test_an_old_log_gets_its_checksums(study: StudyFolder) -> None:
    old = []
    for line in lines_of(study):
        content = json.loads(line)
        del content["crc"]
        if "format" in content:
            content["format"] = 1
        old.append(json.dumps(content, separators=(",", ":")).encode())
    put(study, [*old[:3], old[3] + old[4], *old[5:]])
    repair(study.path)
    events = logs.read(study.log).events
    assert [encode(event).encode() for event in events] == lines_of(study)
    assert len(events) == 9


def test_a_repair_of_nothing_and_of_what_is_in_use(study: StudyFolder, tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"there is no study here; name the folder that holds its trials\.jsonl"
    ):
        repair(tmp_path)
    with study.locked(), pytest.raises(StudyError, match="another run is using"):
        repair(study.path)


def test_the_command(study: StudyFolder) -> None:
    lines = lines_of(study)
    put(study, [*lines[:3], *lines[4:], b"?"])
    done = CliRunner().invoke(cli.main, ["repair", str(study.path)])
    assert done.exit_code == 0
    assert (
        done.stdout.splitlines()[-1]
        == f"{study.log} is repaired; the damaged one is kept as {study.log}.damaged"
    )
    assert any(isinstance(event, Launch) for event in logs.read(study.log).events)


def test_an_end_without_a_beginning_names_the_way_out(study: StudyFolder) -> None:
    lines = lines_of(study)
    put(study, [*lines[:2], *lines[3:]])
    with pytest.raises(
        StudyError, match=r"trials\.jsonl:3: .*of trial 1 that never began.*; `gru-tune repair .*toy`"
    ):
        reports.study(study.path)
    assert (
        repair(study.path)[0] == "the launch of trial 1 is made again: the search proposes it in this place"
    )
    assert len(reports.study(study.path).ranked) == 3


def test_the_outcome_of_a_later_rung_is_not_taken_for_that_of_an_earlier_one(tmp_path: Path) -> None:
    settings = (SOUND, *SEARCHES["asha"])
    folder = run(tmp_path, *settings)
    lines = lines_of(folder)
    further = next(n for n, line in enumerate(lines) if b'"first_epoch":1,' in line)
    trial = json.loads(lines[further])["trial"]
    ended = next(n for n, line in enumerate(lines) if b'"outcome","attempt":1,"trial":%d,' % trial in line)
    put(folder, [line for n, line in enumerate(lines) if n not in (ended, further)])
    told = repair(folder.path)
    assert any(text.endswith(f"what its trial had come to before is lost (trial {trial})") for text in told)
    run(tmp_path, *settings)
    assert sorted({number for (number, _), _ in outcomes(folder)}) == list(range(1, 10))


def test_a_final_of_which_all_else_is_lost_is_set_aside(tmp_path: Path) -> None:
    folder = run(tmp_path, SOUND, "search.trials=2", *FINALS)
    lines = lines_of(folder)
    events = [logs.decode(line) for line in lines]
    final = next(n for n, event in enumerate(events) if isinstance(event, Finished) and event.repeat > 1)
    trial = events[final].run[0]  # type: ignore[union-attr]
    lost = [
        n for n, event in enumerate(events)
        if (isinstance(event, Launch) and event.run == events[final].run)  # type: ignore[union-attr]
        or (isinstance(event, Finished) and event.run == (trial, 1))
    ]  # fmt: skip
    put(folder, [flipped(line) if n in lost else line for n, line in enumerate(lines)])
    told = repair(folder.path)
    assert f"line {final + 1} is set aside: it ends a job that never began (trial {trial})" in told
    run(tmp_path, SOUND, "search.trials=2", *FINALS)
    assert len(outcomes(folder)) == len([event for event in events if isinstance(event, Finished)])


def test_a_line_of_a_trial_that_was_never_there_is_set_aside(study: StudyFolder) -> None:
    lines = lines_of(study)
    strange = encode(replace(logs.decode(lines[2]), trial=10**15)).encode()  # type: ignore[arg-type]
    put(study, [*lines[:4], flipped(lines[4]), strange, *lines[5:]])
    told = repair(study.path)
    assert f"line 6 is set aside: its number is far beyond all others (trial {10**15})" in told
    assert {key[0][0] for key in outcomes(study)} == {1, 2, 3}


def test_a_head_that_no_study_writes_is_refused(study: StudyFolder) -> None:
    lines = lines_of(study)
    head = encode(Header({"name": "toy"}, 1.0)).encode()
    put(study, [head, *lines[1:]])
    with pytest.raises(StudyError, match=r"trials\.jsonl cannot be mended: it holds what no study writes"):
        repair(study.path)
    assert lines_of(study) == [head, *lines[1:]]
