"""What every tracker must do: each case for TensorBoard, MLflow and both storages of Optuna."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trackers.stories import (
    OfMLflow,
    OfOptuna,
    OfOptunaJournal,
    OfTensorBoard,
    Seen,
    Story,
    Tool,
    empty_mlflow,
    score,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own
TOOLS: list[type[Tool]] = [OfTensorBoard, OfMLflow, OfOptuna, OfOptunaJournal]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow") / "mlflow.db"


@pytest.fixture(params=TOOLS, ids=lambda tool: tool.__name__)
def tool(request: pytest.FixtureRequest, tmp_path: Path, database: Path) -> Tool:
    place = tmp_path / "place"
    place.mkdir()
    if request.param is OfMLflow:
        empty_mlflow(place, database)
    return request.param(place)  # type: ignore[no-any-return]


def curve(trial: int, last: int, first: int = 1) -> dict[int, float]:
    return {n: round(score(trial, n), 5) for n in range(first, last + 1)}


def done(trial: int, last: int = 3) -> Seen:
    return Seen(trial, curve(trial, last), "done", pytest.approx(score(trial, last)))


def failed(trial: int) -> Seen:
    return Seen(trial, {}, "failed", None)


def running(trial: int, last: int = 0) -> Seen:
    return Seen(trial, curve(trial, last), "running", None)


def test_trials_have_their_values_curves_and_scores(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy")
    for trial in (1, 2):
        story.job(trial)
    story.job(3, error="ValueError: too much\nof everything")
    story.told_to(tool.tracker())
    assert tool.shown() == {1: done(1), 2: done(2), 3: failed(3)}


def test_a_study_is_told_while_it_goes_on(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy")
    story.launch(1)
    story.launch(2)
    story.told_to(tool.tracker())
    if isinstance(tool, OfOptuna):
        assert tool.shown() == {1: running(1), 2: running(2)}
    else:
        assert tool.shown() == {}
    story.end(2)
    story.told_to(tool.tracker())
    story.end(1)
    story.told_to(tool.tracker(), over=True)
    assert tool.shown() == {1: done(1), 2: done(2)}


def test_a_stopped_trial_is_running_until_the_search_is_through_with_it(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy")
    story.job(1, more=True)
    story.job(2, more=True)
    story.told_to(tool.tracker())
    assert tool.shown() == {1: running(1, 3), 2: running(2, 3)}
    story.lasting.discard(1)
    story.job(2, first=3, last=9)
    story.told_to(tool.tracker())
    assert tool.shown() == {1: done(1), 2: done(2, 9)}


def test_the_end_of_the_search_settles_all(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy")
    story.job(1, more=True)
    story.told_to(tool.tracker(), over=True)
    assert tool.shown() == {1: done(1)}


def test_a_trial_that_a_longer_search_trains_further_goes_on(tool: Tool, tmp_path: Path) -> None:
    """Optuna's finished trials cannot be changed: the study is told anew."""
    story = Story(tmp_path / "toy")
    story.job(1, more=True)
    story.job(2, more=True)
    story.told_to(tool.tracker(), over=True)
    story.job(2, first=3, last=9)
    story.told_to(tool.tracker(), over=True)
    assert tool.shown() == {1: done(1), 2: done(2, 9)}


def test_repeats_count_with_their_mean_and_finals_not_at_all(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy", repeats=2)
    story.launch(1, repeat=1)
    story.launch(1, repeat=2)
    story.end(1, repeat=2)
    story.end(1, repeat=1)
    story.job(1, repeat=3)
    story.told_to(tool.tracker())
    mean = (score(1, 3, 1) + score(1, 3, 2)) / 2
    assert tool.shown() == {1: Seen(1, curve(1, 3), "done", pytest.approx(mean))}


def test_what_is_told_twice_is_there_once(tool: Tool, tmp_path: Path) -> None:
    story = eventful(tmp_path / "toy")
    story.told_to(tool.tracker(), over=True)
    before = tool.everything()
    story.told_to(tool.tracker(), over=True)
    assert tool.everything() == before


def test_a_tracker_that_is_killed_anywhere_loses_and_doubles_nothing(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    story = eventful(tmp_path / "toy")
    whole = type(tool)(tmp_path / "whole")
    whole.place.mkdir()
    if isinstance(tool, OfMLflow):
        empty_mlflow(whole.place, database)
    story.told_to(whole.tracker(), over=True)

    for name, count in (("ended", 1), ("ended", 3), ("settled", 1), ("flush", 1), ("over", 1)):
        tracker = tool.tracker()
        monkeypatch.setattr(tracker, name, dying(getattr(tracker, name), count))
        with pytest.raises(OSError, match="gone"):
            story.told_to(tracker, over=True)
    story.told_to(tool.tracker(), over=True)
    assert tool.everything() == whole.everything()


def dying(method: Callable[..., Any], count: int) -> Callable[..., Any]:
    """``method`` that raises after so many calls, its work done."""
    left = iter(range(count - 1))

    def call(*arguments: Any) -> Any:
        method(*arguments)
        if next(left, None) is None:
            raise OSError("gone")

    return call


def test_another_study_of_the_same_name_has_its_own_place(tool: Tool, tmp_path: Path) -> None:
    first, second = Story(tmp_path / "a"), Story(tmp_path / "b", began=1_700_000_100.0)
    first.job(1)
    second.job(2)
    for _ in range(2):
        first.told_to(tool.tracker())
        second.told_to(tool.tracker())
    assert tool.shown() == {1: done(1)}
    assert tool.shown("toy-20231114-221500") == {2: done(2)}


def test_two_objectives(tool: Tool, tmp_path: Path) -> None:
    story = Story(tmp_path / "toy", cost="parameters")
    story.job(1)
    story.told_to(tool.tracker(), over=True)
    seen = tool.shown()[1]
    assert (seen.status, seen.score) == ("done", pytest.approx(score(1, 3)))


def eventful(path: Path) -> Story:
    """A study with everything in it."""
    story = Story(path, repeats=1)
    story.job(1, more=True)
    story.job(2, error="it broke")
    story.job(3, more=True)
    story.job(1, first=3, last=9)
    story.job(1, last=9, repeat=2)
    return story
