"""Files that are replaced whole, files of trials, and what counts as another question."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune.errors import StudyError
from gru_tune.study.log import Launch
from gru_tune.study.question import differences, refuse_other
from gru_tune.study.results import StudyFolder, read_json, replace_json, replace_text
from gru_tune.study.weights import Weights, prune, ready, settle


def launch(first_epoch: int, attempt: int = 1, reached: int = 0) -> Launch:
    return Launch(1, attempt, {}, 1, first_epoch, 9, True, 0.0, reached=reached)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_json(path, {"ž": 1})
    assert read_json(path) == {"ž": 1}
    with pytest.raises(ValueError, match="JSON"):
        replace_json(path, {"a": float("nan")})
    assert read_json(path) == {"ž": 1}
    replace_text(path, "[1")
    assert read_json(path) == {}
    assert read_json(tmp_path / "none") == {}
    assert files(tmp_path) == {"a.json"}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    with folder.locked(), pytest.raises(StudyError, match="another run is using"), folder.locked():
        pass
    with folder.locked():
        pass


def test_a_job_begins_where_the_log_says_whatever_a_dead_worker_left(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    assert ready(folder, launch(0)) == 0
    for name in ("epoch-00003.state", "model.keras", "running.state", "progress.json"):
        (folder / name).write_text("", encoding="utf-8")
    assert ready(folder, launch(3)) == 3
    assert files(folder) == {"epoch-00003.state", "model.keras"}
    for name in ("epoch-00009.state", "running.state", "beside.77.model.keras"):  # its worker died
        (folder / name).write_text("", encoding="utf-8")
    assert ready(folder, launch(3, attempt=2, reached=5)) == 3
    assert files(folder) == {"epoch-00003.state", "model.keras", "running.state"}
    assert ready(folder, launch(0, attempt=2, reached=5)) == 0
    assert files(folder) == {"running.state"}
    assert ready(folder, launch(0, attempt=2)) == 0  # its state is of no use
    assert files(folder) == set()


def test_an_outcome_leaves_the_newest_state_alone(tmp_path: Path) -> None:
    for name in ("epoch-00003.state", "epoch-00009.state", "running.state", "model.keras"):
        (tmp_path / name).write_text("", encoding="utf-8")
    settle(tmp_path)
    assert files(tmp_path) == {"epoch-00009.state", "model.keras"}
    settle(tmp_path)
    assert files(tmp_path) == {"epoch-00009.state", "model.keras"}


def test_a_lost_checkpoint_means_beginning_again(tmp_path: Path) -> None:
    assert ready(tmp_path / "1", launch(3)) == 0


def test_what_is_kept_of_the_trials(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    for number in (1, 2, 3, 4):
        folder.trial(number).mkdir(parents=True)
        for name in ("model.keras", "epoch-00003.state", "progress.json"):
            (folder.trial(number) / name).write_text("", encoding="utf-8")
    (folder.trial(4) / "error.txt").write_text("", encoding="utf-8")
    weights = Weights(folder)
    weights.ended((1, 1), {(1, 1)}, lambda run: run == (2, 1))
    assert files(folder.trials) == {
        "1/model.keras", "2/model.keras", "2/epoch-00003.state", "2/progress.json", "4/error.txt"
    }  # fmt: skip
    weights.ended((2, 1), {(1, 1), (2, 1)}, lambda run: False)
    assert files(folder.trials) == {"1/model.keras", "2/model.keras", "4/error.txt"}
    weights.ended((5, 1), {(2, 1)}, lambda run: False)  # one that has left no folder
    assert files(folder.trials) == {"2/model.keras", "4/error.txt"}
    prune(folder, keep=())
    assert files(folder.trials) == {"4/error.txt"}
    prune(StudyFolder(tmp_path / "none"), keep=())


def test_differences_are_named_by_their_keys() -> None:
    old = {"task": "a", "model": {"units": {"choice": [1, 2]}, "depth": 1}, "data": {"path": "x"}}
    new = {"task": "a", "model": {"units": {"choice": [1, 3]}, "depth": 1}, "data": {"path": "x", "clip": 3}}
    assert differences(old, new) == [
        'model.units: {"choice": [1, 2]} -> {"choice": [1, 3]}',
        "data.clip: (absent) -> 3",
    ]
    refuse_other(Path("x"), old, old)
    many = {str(number): number for number in range(9)}
    with pytest.raises(StudyError, match="and 3 more"):
        refuse_other(Path("x"), {}, many)


def test_only_an_error_of_the_disk_is_told_as_one(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    assert "only a part was written" in str(folder.failed(OSError("8 requested and 0 written")))
    assert "no space left" in str(folder.failed(OSError(28, "No space left on device")))
    assert folder.failed(OSError("the connection was closed")) is None
    assert folder.failed(FileNotFoundError(2, "No such file", "/elsewhere/a")) is None
