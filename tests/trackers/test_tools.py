"""What is special about each of the tools."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from gru_tune.study.results import replace_json
from tests.trackers.stories import OfMLflow, OfOptuna, OfOptunaJournal, OfTensorBoard, Story

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own

WITHOUT = """
import sys
import time
from pathlib import Path
from tests.trackers.stories import OfTensorBoard, Story
story = Story(Path(sys.argv[1]) / "toy")
story.job(1)
story.told_to(OfTensorBoard(Path(sys.argv[1])).tracker(), over=True)
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


def judged(story: Story, winner: int, epoch: int = 3) -> None:
    """The study's facts once ``winner`` is handed over."""
    look = {"trial": winner, "repeat": 1, "epoch": epoch, "metrics": {"accuracy": 0.6}, "time": 1.0}
    replace_json(
        story.folder.facts, {"state": "finished", "best": winner, "best_epoch": epoch, "test": [look]}
    )
    story.folder.best.write_text(f"model {winner}", encoding="utf-8")
    story.folder.card.write_text("card", encoding="utf-8")


def test_tensorboard_is_told_without_tensorflow(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_tensorboard_has_a_column_for_every_hyperparameter(tmp_path: Path) -> None:
    tool = OfTensorBoard(tmp_path)
    tracker = tool.tracker()
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    story = Story(tmp_path / "study")
    story.job(1)
    story.told_to(tracker, over=True)
    (event,) = (event for event in tool.events(tmp_path / "toy") if event.summary.value)
    content = event.summary.value[0].metadata.plugin_data.content
    experiment = HParamsPluginData.FromString(content).experiment
    shown = {
        info.name: (info.type, [*info.domain_discrete] or info.domain_interval.max_value)
        for info in experiment.hparam_infos
    }
    text, truth, number = 1, 2, 3
    assert shown == {
        "units": (number, 64), "cell": (text, ["gru", "lstm"]), "rate": (number, 0.1),
        "both": (truth, [True, False]), "layers": (text, ["none", "2"]),
    }  # fmt: skip
    assert [info.name.tag for info in experiment.metric_infos] == [
        "best/accuracy", "trial/seconds", "trial/parameters",
    ]  # fmt: skip


def test_mlflow_has_the_finals_below_their_trial(tmp_path: Path) -> None:
    tool = OfMLflow(tmp_path)
    tracker = tool.tracker()
    story = Story(tmp_path / "study")
    story.job(1)
    story.job(1, repeat=2)
    story.job(1, repeat=3, error="it broke")
    story.told_to(tracker, over=True)
    runs = tool.runs("toy")
    assert {label: run.data.tags.get("mlflow.parentRunId") for label, run in runs.items()} == {
        "1": None, "1-2": runs["1"].info.run_id, "1-3": runs["1"].info.run_id,
    }  # fmt: skip
    assert [runs[label].info.status for label in ("1", "1-2", "1-3")] == ["FINISHED", "FINISHED", "FAILED"]
    assert runs["1-3"].data.tags["gru_tune.error"] == "it broke"
    assert runs["1"].data.params == {
        "units": "1", "cell": "gru", "rate": "0.01", "both": "True", "layers": "None",
    }  # fmt: skip


def test_mlflow_marks_the_winner_and_has_its_model(tmp_path: Path) -> None:
    tool = OfMLflow(tmp_path)
    story = Story(tmp_path / "study")
    story.job(1)
    judged(story, winner=1)
    story.told_to(tool.tracker(), over=True)
    run = tool.runs("toy")["1"]
    assert run.data.tags["gru_tune.winner"] == "true"
    assert run.data.metrics["test/accuracy"] == 0.6
    folder = tmp_path / "artifacts" / run.info.run_id / "artifacts"
    assert (folder / "best.keras").read_text(encoding="utf-8") == "model 1"
    assert (folder / "MODEL.md").exists()
    story.job(2)
    judged(story, winner=2)
    story.told_to(tool.tracker(), over=True)
    runs = tool.runs("toy")
    assert [label for label, run in runs.items() if "gru_tune.winner" in run.data.tags] == ["2"]
    assert runs["2"].data.metrics["test/accuracy"] == 0.6


def test_mlflow_sends_nothing_about_its_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    story = Story(tmp_path / "study")
    story.told_to(OfMLflow(tmp_path).tracker())
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_optuna_knows_the_objective_the_space_and_the_winner(tmp_path: Path) -> None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    tool = OfOptuna(tmp_path)
    story = Story(tmp_path / "study")
    story.job(1)
    story.job(2)
    judged(story, winner=2)
    story.told_to(tool.tracker(), over=True)
    study = tool.study()
    assert study.direction.name == "MAXIMIZE"
    assert study.metric_names == ["accuracy"]
    assert study.best_trial.user_attrs["trial"] == study.user_attrs["winner"] == 2
    assert study.user_attrs["test"] == {"accuracy": 0.6}
    assert study.trials[0].distributions == {
        "units": IntDistribution(1, 64), "cell": CategoricalDistribution(["gru", "lstm"]),
        "rate": FloatDistribution(1e-4, 1e-1, log=True), "both": CategoricalDistribution([True, False]),
        "layers": CategoricalDistribution([None, 2]),
    }  # fmt: skip


def test_optuna_keeps_the_numbers_of_trials_that_end_out_of_order(tmp_path: Path) -> None:
    tool = OfOptuna(tmp_path)
    story = Story(tmp_path / "study")
    for trial in (1, 2, 3):
        story.launch(trial)
    story.end(3)
    story.told_to(tool.tracker())
    story.end(1)
    story.told_to(tool.tracker())
    assert [(t.number, t.user_attrs["trial"], t.state.name) for t in tool.study().trials] == [
        (0, 1, "COMPLETE"), (1, 2, "RUNNING"), (2, 3, "COMPLETE"),
    ]  # fmt: skip


def test_optuna_is_not_told_of_a_study_without_a_space(tmp_path: Path) -> None:
    from gru_tune.errors import StudyError
    from gru_tune.trackers.follow import Follower
    from tests.report.builders import study

    folder = study(tmp_path / "old")
    with pytest.raises(StudyError, match="an older version of gru-tune began it"):
        Follower(OfOptuna(tmp_path).tracker(), folder, set(), lambda: False).step()


def test_a_journal_with_a_torn_line_is_written_on(tmp_path: Path) -> None:
    """A kill or a full disk may leave one; Optuna alone would never read what comes behind it."""
    tool, story = OfOptunaJournal(tmp_path), Story(tmp_path / "toy")
    story.job(1)
    story.told_to(tool.tracker())
    journal = tmp_path / "journal.log"
    journal.write_bytes(journal.read_bytes()[:-20])
    story.job(2)
    story.told_to(tool.tracker(), over=True)
    assert [(number, seen.status) for number, seen in tool.shown().items()] == [(1, "done"), (2, "done")]


@pytest.mark.slow
def test_the_lock_of_a_journal_that_a_kill_has_left_is_broken_in_time(tmp_path: Path) -> None:
    tool, story = OfOptunaJournal(tmp_path), Story(tmp_path / "toy")
    story.job(1)
    (tmp_path / "journal.log").touch()
    (tmp_path / "journal.log.lock").symlink_to(tmp_path / "journal.log")
    began = time.monotonic()
    story.told_to(tool.tracker(), over=True)
    assert time.monotonic() - began < 15  # of the 30 seconds that a study waits for its trackers
    assert list(tool.shown()) == [1]
