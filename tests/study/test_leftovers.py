"""What a kill has left behind is gone after the next run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune.errors import SearchInterrupted
from tests.study.studies import run, stopped_at

LEFT = (
    "beside.study.json", "beside.best.keras", "beside.sample.npz", "judged/beside.test.npz", "retrained/model.keras",
    "prepared/1/x.npy", "trials/1/beside.4711.model.keras", "trials/2/running.state", "trials/2/progress.json",
)  # fmt: skip


def files(folder: Path) -> set[str]:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith("looks")}  # of the stand-in that judges


def test_the_next_run_leaves_nothing_that_is_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "toy"
    with pytest.raises(SearchInterrupted):
        run(tmp_path, parts=stopped_at(lambda job: job.trial == 3))
    for name in LEFT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("half", encoding="utf-8")
    (folder / "beside.the.point.txt").write_text("mine", encoding="utf-8")
    run(tmp_path)
    (tmp_path / "other").mkdir()
    run(tmp_path / "other")
    whole = files(tmp_path / "other" / "out" / "toy")
    assert files(folder) == whole | {"beside.the.point.txt"}


def test_a_study_that_is_over_is_swept_as_well(tmp_path: Path) -> None:
    folder = run(tmp_path)
    whole = files(folder.path)
    for name in LEFT:
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text("half", encoding="utf-8")
    run(tmp_path)
    assert files(folder.path) == whole
