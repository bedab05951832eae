"""A tracker's thread: what it does to a study, which is nothing."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from gru_tune.errors import ConfigError, SearchInterrupted
from gru_tune.report import read
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder
from gru_tune.trackers import chosen, follow, refuse_unusable
from gru_tune.trackers.base import Begun, Stale, Stretch, Tracker
from gru_tune.trackers.follow import Follower, Tracking
from gru_tune.trial import Trial
from tests.study.studies import Ears, config, rows, run, start, stopped_at, wait_for_outcomes
from tests.trackers.stories import OfOptuna, OfTensorBoard, Story, files


class Notes(Tracker):
    """Notes down all it is told; ``ill`` is raised where a trial of this number ends."""

    title = "Notes"
    opens = "less notes"

    def __init__(self, ill: int = 0, seconds: float = 0.0) -> None:
        self.heard: list[str] = []
        self._ill, self._seconds = ill, seconds

    def begin(self, study: Begun) -> None:
        self.heard.append(f"begin {study.name}")

    def launched(self, launch: Launch) -> None:
        self.heard.append(f"launched {launch.trial}")

    def ended(self, stretch: Stretch) -> None:
        time.sleep(self._seconds)
        if stretch.launch.trial == self._ill:
            raise OSError("disk full\nand more")
        self.heard.append(
            f"ended {stretch.launch.trial} {stretch.number} {[e.number for e, _ in stretch.epochs]}"
        )

    def settled(self, trial: Trial, jobs: int, time: float) -> None:
        self.heard.append(f"settled {trial.number} {jobs}")

    def over(self, study: read.Study) -> None:
        self.heard.append("over")

    def close(self) -> None:
        self.heard.append("close")


def test_a_tracker_is_told_everything_in_order(tmp_path: Path) -> None:
    story, notes = Story(tmp_path / "toy"), Notes()
    follower = Follower(notes, story.folder, story.lasting, lambda: False)
    story.job(1, more=True)
    follower.step()
    follower.step()
    assert notes.heard == ["begin toy", "launched 1", "ended 1 1 [1, 2, 3]"]
    story.launch(1, first=3, last=5)
    follower.step()
    story.end(1, first=3, last=5)
    story.job(2, error="no")
    follower.step()
    follower.step(over=True)
    assert notes.heard[3:] == [
        "launched 1", "ended 1 2 [4, 5]", "launched 2", "ended 2 1 []", "settled 1 2", "settled 2 1", "over",
    ]  # fmt: skip


def test_the_epochs_of_a_job_end_when_they_ended(tmp_path: Path) -> None:
    story, found = Story(tmp_path / "toy"), []
    notes = Notes()
    notes.ended = lambda stretch: found.append(stretch)  # type: ignore[method-assign]
    story.job(1)
    Follower(notes, story.folder, story.lasting, lambda: False).step()
    assert [at - found[0].time for _, at in found[0].epochs] == [-4.0, -2.0, 0.0]


def test_what_is_stale_is_forgotten_and_told_anew(tmp_path: Path) -> None:
    story, notes = Story(tmp_path / "toy"), Notes()
    story.job(1)
    story.job(2)
    told = notes.ended

    def ended(stretch: Stretch) -> None:
        told(stretch)
        if "forget" not in notes.heard and stretch.launch.trial == 2:
            raise Stale

    notes.ended, notes.forget = ended, lambda: notes.heard.append("forget")  # type: ignore[method-assign]
    Follower(notes, story.folder, story.lasting, lambda: False).step()
    once = ["begin toy", "launched 1", "ended 1 1 [1, 2, 3]", "launched 2", "ended 2 1 [1, 2, 3]"]
    assert notes.heard == [*once, "forget", *once, "settled 1 1", "settled 2 1"]


def tracked(story: Story, *trackers: Tracker, seconds: float = 0.0) -> list[str]:
    """What is said of a run with these trackers."""
    said: list[str] = []
    with Tracking(list(trackers), story.folder, story.lasting, said.append) as tracking:
        time.sleep(seconds)
        tracking.tell()
    return said


def test_a_tracker_that_fails_is_told_of_once_and_the_others_go_on(tmp_path: Path) -> None:
    story, well, ill = Story(tmp_path / "toy"), Notes(), Notes(ill=1)
    story.job(1)
    said = tracked(story, ill, well, seconds=0.5)
    assert said == [
        "Notes is told of this study: less notes",
        "Notes is told of this study: less notes",
        "Notes could not be told of this study (OSError: disk full); running it again tells what is missing",
    ]
    assert ill.heard == ["begin toy", "launched 1", "close"]
    assert well.heard[-3:] == ["settled 1 1", "over", "close"]


def test_the_end_of_a_study_does_not_wait_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PATIENCE", 0.2)
    story, slow = Story(tmp_path / "toy"), Notes(seconds=0.6)
    for trial in (1, 2, 3):
        story.job(trial)
    began = time.monotonic()
    said = tracked(story, slow)
    assert time.monotonic() - began < 0.5
    assert said[1:] == [
        "Notes has not taken all of this study in time; running it again tells what is missing"
    ]
    while "close" not in slow.heard and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert slow.heard == ["begin toy", "launched 1", "ended 1 1 [1, 2, 3]", "close"]


BOTH = ("tracking.tensorboard=true", "tracking.optuna=true")


def tools(folder: StudyFolder) -> tuple[OfTensorBoard, OfOptuna]:
    tensorboard, optuna = OfTensorBoard(folder.path), OfOptuna(folder.path)
    tensorboard.shown = lambda study="tensorboard": OfTensorBoard.shown(tensorboard, study)  # type: ignore[method-assign]
    return tensorboard, optuna


def scores(folder: StudyFolder) -> dict[int, float | None]:
    return {int(row["trial"]): float(row["accuracy"]) if row["accuracy"] else None for row in rows(folder)}


def shown(folder: StudyFolder) -> list[dict[int, float | None]]:
    pytest.importorskip("tensorboard")
    return [
        {
            n: None if seen.score is None else pytest.approx(seen.score, abs=1e-4)
            for n, seen in tool.shown().items()
        }
        for tool in tools(folder)
    ]


def test_a_study_that_is_tracked_is_the_same_study(tmp_path: Path) -> None:
    settings = ("search.strategy=hyperband", "training.epochs=9", "search.trials=9", "winner.finalists=2")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ears = Ears()
    plain, told = run(tmp_path / "a", *settings), run(tmp_path / "b", *settings, *BOTH, watch=ears)
    assert scores(plain) == scores(told)
    assert shown(told) == [scores(told)] * 2
    assert len([text for text in ears.said if "is told of this study" in text]) == 2
    study = tools(told)[1].study()
    assert study.user_attrs["winner"] == read.study(told.path).winner.number  # type: ignore[union-attr]
    assert {trial.number + 1 for trial in study.trials} == {t.user_attrs["trial"] for t in study.trials}


def test_tracking_is_switched_on_while_a_study_goes_on(tmp_path: Path) -> None:
    """It is no part of the question, and what was finished before is filled in."""
    stop = stopped_at(lambda job: job.trial == 4)
    with pytest.raises(SearchInterrupted):
        run(tmp_path, parts=stop)
    folder = run(tmp_path, *BOTH)
    assert shown(folder) == [scores(folder)] * 2
    assert run(tmp_path, *BOTH, fresh=True) == folder
    assert shown(folder) == [scores(folder)] * 2
    assert len(tools(folder)[1].study().trials) == 6


def test_a_study_that_is_stopped_and_goes_on_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(SearchInterrupted):
        run(tmp_path, *BOTH, parts=stopped_at(lambda job: job.trial == 4))
    assert set(shown(StudyFolder(tmp_path / "out" / "toy"))[1]) == {1, 2, 3, 4}
    folder = run(tmp_path, *BOTH)
    assert shown(folder) == [scores(folder)] * 2
    before = {path: path.read_bytes() for path in files(folder.tensorboard)}
    run(tmp_path, *BOTH)
    assert {path: path.read_bytes() for path in files(folder.tensorboard)} == before


@pytest.mark.slow
def test_a_study_that_is_killed_and_goes_on_is_told_once(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")
    process = start(tmp_path, 0, *BOTH, seconds=0.1)
    wait_for_outcomes(folder.log, 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run(tmp_path, *BOTH)
    assert shown(folder) == [scores(folder)] * 2


def test_a_fresh_start_deletes_what_the_tools_were_told(tmp_path: Path) -> None:
    folder = run(tmp_path, *BOTH)
    assert folder.tensorboard.exists()
    folder.clear()
    assert not folder.tensorboard.exists()
    assert not folder.optuna.exists()


def test_a_tool_that_cannot_be_written_to_does_not_keep_a_study_from_its_end(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("", encoding="utf-8")
    ears = Ears()
    folder = run(tmp_path, "tracking.tensorboard=file", watch=ears)
    told = [text for text in ears.said if "could not be told" in text]
    assert len(told) == 1
    assert told[0].startswith("TensorBoard could not be told of this study (")
    assert json.loads(folder.facts.read_text(encoding="utf-8"))["state"] == "finished"


def test_a_package_that_is_missing_is_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gru_tune.trackers.find_spec", lambda name: None)
    asked = config(tmp_path, "tracking.tensorboard=true", "tracking.mlflow=true", "tracking.optuna=true")
    with pytest.raises(ConfigError) as caught:
        refuse_unusable(asked)
    assert str(caught.value).split("\n")[:2] == [
        "--set tracking.tensorboard=true: tracking.tensorboard: TensorBoard is not installed; "
        "install it with: pip install 'gru-tune[tensorboard]'",
        "--set tracking.mlflow=true: tracking.mlflow: MLflow is not installed; "
        "install it with: pip install 'gru-tune[mlflow]'",
    ]
    with pytest.raises(ConfigError):
        run(tmp_path, "tracking.mlflow=true")
    assert not (tmp_path / "out" / "toy" / "trials.jsonl").exists()
    refuse_unusable(config(tmp_path, "tracking.optuna=true"))


@pytest.mark.parametrize(
    ("setting", "opens"),
    [
        ("tracking.tensorboard=true", "tensorboard --logdir {out}/tensorboard"),
        ("tracking.tensorboard=runs", "tensorboard --logdir {here}/runs"),
        ("tracking.mlflow=true", "mlflow ui --backend-store-uri sqlite:///{out}/mlflow/mlflow.db"),
        ("tracking.mlflow=ml", "mlflow ui --backend-store-uri sqlite:///{here}/ml/mlflow.db"),
        ("tracking.mlflow=http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("tracking.optuna=true", "optuna-dashboard sqlite:///{out}/optuna.db"),
        ("tracking.optuna=all.sqlite3", "optuna-dashboard sqlite:///{here}/all.sqlite3"),
        ("tracking.optuna=journal.log", "optuna-dashboard {here}/journal.log"),
        ("tracking.optuna=postgresql://db/optuna", "optuna-dashboard postgresql://db/optuna"),
    ],
)
def test_where_a_tool_is_told_and_how_it_is_opened(tmp_path: Path, setting: str, opens: str) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")
    (tracker,) = chosen(config(tmp_path, setting), folder)
    assert tracker.opens == opens.format(here=tmp_path, out=folder.path)


def test_nothing_is_told_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert chosen(config(tmp_path), StudyFolder(tmp_path)) == []
