"""A run seen from another terminal: told as it tells its own, never disturbed, and never missed when it ends."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gru_tune.cli import main
from gru_tune.errors import SearchInterrupted, StudyError
from gru_tune.study import follow as following
from gru_tune.study import log as logs
from gru_tune.study.faults import failure
from gru_tune.study.follow import Story, chosen, follow
from gru_tune.study.log import Died, Event, Launch, Started
from gru_tune.study.progress import Plain
from gru_tune.study.results import StudyFolder, read_json, replace_json
from gru_tune.study.tail import Tail
from gru_tune.study.watch import Watcher
from tests import standins
from tests.report import builders
from tests.study.studies import FINALS, config, run, start, stopped_at, wait_for_outcomes
from tests.study.test_minutes import moment


class Recorder(Watcher):
    """Remembers what it was told, in a form that can be compared."""

    def __init__(self, tick: Callable[[list[dict[str, Any]]], None] = lambda running: None) -> None:
        self.calls: list[Any] = []
        self._tick = tick

    def say(self, text: str) -> None:
        self.calls.append(("say", text))

    def begin(self, plan: Any) -> None:
        self.calls.append(("begin", plan))

    def launched(self, launch: Any) -> None:
        self.calls.append(("launched", launch))

    def finished(self, trial: Any, best: Any) -> None:
        self.calls.append(("finished", trial.number, trial.score, best and best.number))

    def finals(self, due: Any) -> None:
        self.calls.append(("finals", list(due)))

    def confirmed(self, run: Any) -> None:
        self.calls.append(("confirmed", run.number, run.repeat, run.score))

    def died(self, launch: Any, died: Any) -> None:
        self.calls.append(("died", launch.run, died.reason))

    def tick(self, running: Any) -> None:
        self._tick(list(running))

    def end(self) -> None:
        self.calls.append(("end",))

    def told(self) -> list[Any]:
        """All but sentences and the end."""
        return [call for call in self.calls if call[0] not in ("say", "end")]


def events(folder: StudyFolder) -> tuple[Event, ...]:
    return logs.read(folder.log).events


@pytest.mark.parametrize(
    "settings",
    [
        (),
        FINALS,
        (*FINALS, "search.repeats=2"),
        ("search.strategy=hyperband", "training.epochs=9", "search.trials=9"),
        ("model.units={int: [18, 24]}", "search.trials=7"),  # one of these fails
    ],
    ids=["plain", "finals", "repeats", "hyperband", "failures"],
)
def test_it_is_told_what_the_run_was_told(settings: tuple[str, ...], tmp_path: Path) -> None:
    own, other = Recorder(), Recorder()
    folder = run(tmp_path, *settings, watch=own)
    story = Story(folder, other)
    for event in events(folder):
        story.take([event])
    assert other.told() == [call for call in own.told() if call != ("finals", [])]


def test_it_is_told_what_the_run_foretold(tmp_path: Path) -> None:
    own, other = Recorder(), Recorder()
    folder = run(
        tmp_path, "search.minutes=10", parts=dataclasses.replace(standins.PARTS, moment=moment), watch=own
    )
    Story(folder, other).take(events(folder)[:2])  # what is told before the first trial
    assert other.told() == own.told()[:1]
    assert other.calls[0][1].forecast == read_json(folder.facts)["forecast"]["asked"] > 0


def test_a_run_that_goes_on_is_a_new_beginning(tmp_path: Path) -> None:
    own, other = Recorder(), Recorder()
    with pytest.raises(SearchInterrupted):
        run(tmp_path, parts=stopped_at(lambda job: job.trial == 4))
    folder = run(tmp_path, "search.minutes=30", watch=own)
    Story(folder, other).take(events(folder))
    plan, mine = own.told()[0][1], other.told()[0][1]
    assert mine.deadline == pytest.approx(plan.deadline)
    assert (mine.done, mine.total, mine.best) == (plan.done, plan.total, plan.best)
    assert len(mine.done) == 3


def test_of_what_happened_before_only_the_last_is_told(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", trials=30)
    builders.launch_only(folder, 31)
    watch = Recorder()
    Story(folder, watch).take(events(folder))
    told = watch.told()
    assert len(told) == 1 + following.RECENT + 1  # trial 26 was running when the telling began
    assert len(told[0][1].done) == 25
    assert told[0][1].best.number == 2
    assert told[1][1].run == (26, 1)
    assert told[-1][1].run == (31, 1)


def test_all_finals_of_the_run_are_told(tmp_path: Path) -> None:
    """Or the display could not say how many of them are done."""
    folder = run(tmp_path, "winner.finalists=3", "winner.seeds=4")
    watch = Recorder()
    Story(folder, watch).take(events(folder))
    names = [call[0] for call in watch.told()]
    assert (names[:3], names.count("confirmed")) == (["begin", "finals", "launched"], 12)


def test_a_final_that_is_given_up_is_one_of_the_finals(tmp_path: Path) -> None:
    """It has no launch in the run that gives it up."""
    folder = run(tmp_path, *FINALS)
    *known, last = events(folder)[:-2]
    assert isinstance(last, Launch)
    given_up = logs.Finished(1, failure(last.trial, "gone"), last.time + 2, last.repeat)
    watch = Recorder()
    Story(folder, watch).take([*known, last, Started(1, last.time + 1), given_up])
    assert watch.told()[1:] == [("finals", [last.run]), ("confirmed", *last.run, None)]


def test_the_progress_of_what_is_running(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", trials=2)
    builders.launch_only(folder, 3)
    story = Story(folder, Watcher())
    story.take(events(folder))
    assert story.progress() == [{"trial": 3, "repeat": 1, "epoch": 0, "last_epoch": 3}]
    file = folder.trial(3) / "progress.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"trial": 3, "epoch": 2, "last_epoch": 3, "score": 0.5}', encoding="utf-8")
    assert story.progress() == [{"trial": 3, "repeat": 1, "epoch": 2, "last_epoch": 3, "score": 0.5}]
    story.take([Started(1, 3000.0)])  # the run was killed, and another one goes on
    assert story.progress() == []


def test_a_death_is_told_where_the_job_is_tried_again(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", trials=1)
    builders.launch_only(folder, 2)
    folder.resolved.write_text("search: {retries: 1}", encoding="utf-8")
    watch = Recorder()
    story = Story(folder, watch)
    story.take(events(folder))
    again = Launch(2, 2, {}, 1, 0, 3, False, 2002.0)
    story.take([Died(2, 1, "killed", 2001.0), again, Died(2, 2, "killed", 2003.0)])
    assert [call for call in watch.calls if call[0] == "died"] == [("died", (2, 1), "killed")]


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    first = builders.study(tmp_path, trials=2)
    assert len(tail.read()) == 6
    assert tail.read() == []
    line = logs.encode(Launch(3, 1, {"umlaut": "ü\r"}, 1, 0, 3, False, 1.0)).encode() + b"\n"
    for torn in (line[:20], line[20:50]):
        with path.open("ab") as file:
            file.write(torn)
        assert tail.read() == []
    with path.open("ab") as file:
        file.write(line[50:])
    assert [event.run for event in tail.read() if isinstance(event, Launch)] == [(3, 1)]
    builders.study(tmp_path, trials=9, name="another", time=5000.0)
    assert len(tail.read()) == 20  # a new log, longer than the one it replaces
    first.log.unlink()
    assert tail.read() == []
    builders.study(tmp_path, trials=1)
    assert len(tail.read()) == 4


def test_a_damaged_log(tmp_path: Path) -> None:
    folder = builders.study(tmp_path, trials=2)
    tail = Tail(folder.log)
    tail.read()
    with folder.log.open("ab") as file:
        file.write(b"\0\0\0\n")
    assert tail.read() == []  # at the end: the next run cuts it off
    with folder.log.open("ab") as file:
        file.write(logs.encode(Started(1, 1.0)).encode() + b"\n")
    with pytest.raises(StudyError, match=r"trials\.jsonl:7: this line of the study's record is damaged"):
        tail.read()


class Script:
    """A run that takes its next step whenever it is looked at."""

    def __init__(self, folder: StudyFolder, *steps: Callable[[], object]) -> None:
        self.folder = folder
        self.steps = list(steps)
        self.held = ExitStack()
        self.held.enter_context(folder.locked())

    def __call__(self, running: Any) -> None:
        if self.steps:
            self.steps.pop(0)()
        else:
            self.held.close()


def test_from_the_reading_of_the_data_to_the_end(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    whole = [logs.encode(event) for event in builders.events(2)]
    end = logs.encode(logs.Ended("all 2 trials are done", None, 2000.0))

    def write(*lines: str) -> Callable[[], object]:
        def step() -> None:
            with folder.log.open("a", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in lines))

        return step

    note = lambda: replace_json(folder.facts, {"planned": 2, "state": "finished"})  # noqa: E731
    lines: list[str] = []
    script = Script(folder, note, write(*whole[:3]), write(whole[3]), write(*whole[4:], end))
    watch = Plain(lines.append)
    watch.tick = script  # type: ignore[method-assign]
    follow(tmp_path, watch, poll=0.0)
    assert lines == [
        f"{tmp_path}: the run has not come to its first trial yet",
        "toy: 2 trials at most, for the highest accuracy, with 1 worker",
        "trial 1 starts: depth 2, units_1 16, units_2 4, learning_rate 0.001, cell gru",
        "[1/2]  trial 1: accuracy 0.6500 (epoch 2/3, 2.0 s); the best so far (depth 2, units_1 16, units_2 4, "
        "learning_rate 0.001, cell gru)",
        "trial 2 starts: depth 1, units_1 24, learning_rate 0.002, cell gru",
        "[2/2]  trial 2: accuracy 0.7000 (epoch 2/3, 2.0 s); the best so far (depth 1, units_1 24, "
        "learning_rate 0.002, cell gru)",
        "Trial 2 of toy is the best: accuracy 0.7000 on the validation split.",
        f"The study is over: all 2 trials are done; `gru-tune report {tmp_path}` shows all.",
    ]


@pytest.mark.parametrize(
    ("state", "how"),
    [("stopped", "was stopped"), ("running", "is gone: it was killed, or ended by an error")],
)
def test_a_run_that_ends_before_its_study(state: str, how: str, tmp_path: Path) -> None:
    folder = builders.study(tmp_path, trials=2, facts={"state": state})
    watch = Recorder(Script(folder))
    with pytest.raises(StudyError) as caught:
        follow(tmp_path, watch, poll=0.0)
    assert str(caught.value) == f"the run of toy {how}; 2 trials saved in {tmp_path}: run it again to go on"
    assert watch.calls[-1] == ("end",)


def test_a_run_that_ends_before_its_first_trial(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the run ended before its first trial; run it again"):
        follow(tmp_path, Recorder(Script(StudyFolder(tmp_path))), poll=0.0)


def test_a_study_that_was_killed_while_its_winner_was_judged_and_then_was_finished(tmp_path: Path) -> None:
    """Nothing was left to search, so its log has no line of the end."""
    builders.study(tmp_path, trials=2, facts={"state": "finished", "ended": "all 2 trials are done"})
    watch = Recorder()
    follow(tmp_path, watch)
    assert watch.calls[-2] == (
        "say", f"The study is over: all 2 trials are done; `gru-tune report {tmp_path}` shows all.",
    )  # fmt: skip


def test_a_log_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").write_text(logs.encode(Started(1, 1.0)) + "\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"trials\.jsonl: this is not the record of a study"):
        follow(tmp_path, Recorder())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watching_alone(number: int, tmp_path: Path) -> None:
    """And the display, or the terminal would be left without its cursor."""
    folder = builders.study(tmp_path, trials=2, facts={"state": "running"})

    def press(running: Any) -> None:
        signal.raise_signal(number)

    watch = Recorder(press)
    with folder.locked():
        follow(tmp_path, watch)
    assert watch.calls[-2:] == [("say", f"watched no longer; the run in {tmp_path} goes on"), ("end",)]


def test_which_study_is_meant(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no such folder"):
        chosen(tmp_path / "none")
    with pytest.raises(StudyError, match="no study here or below it"):
        chosen(tmp_path)
    one, two = (builders.study(tmp_path / name, trials=1) for name in ("one", "two"))
    assert chosen(one.path) == one.path
    with pytest.raises(StudyError, match="none of the 2 studies here is running; `gru-tune report"):
        chosen(tmp_path)
    with one.locked():
        assert chosen(tmp_path) == one.path
        with (
            two.locked(),
            pytest.raises(StudyError, match=r"several studies are running here: watch .*one or .*two"),
        ):
            chosen(tmp_path)
    (tmp_path / "new").mkdir()
    with StudyFolder(tmp_path / "new").locked():  # its data are being read
        assert chosen(tmp_path) == tmp_path / "new"


def test_looking_whether_a_folder_is_in_use_keeps_nobody_from_using_it(tmp_path: Path) -> None:
    folder, over = StudyFolder(tmp_path), threading.Event()

    def look() -> None:
        while not over.is_set():
            folder.in_use()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(200):
            with folder.locked():
                assert folder.in_use()
    finally:
        over.set()
        looking.join()
    assert not folder.in_use()
    with folder.locked(), pytest.raises(StudyError, match="another run is using"), folder.locked():
        pass


@pytest.mark.slow
def test_a_real_run_that_is_killed_and_goes_on(tmp_path: Path) -> None:
    config(tmp_path, "search.trials=6")
    folder = StudyFolder(tmp_path / "out" / "toy")
    process = start(tmp_path, 1, "search.trials=6", seconds=0.5)
    try:
        wait_for_outcomes(folder.log, 2)
        watch = Recorder(lambda running: process.send_signal(signal.SIGKILL) if len(running) else None)
        with pytest.raises(StudyError, match="the run of toy is gone"):
            follow(folder.path, watch)
    finally:
        process.kill()
        process.wait()
    run(tmp_path, "search.trials=6")
    watch = Recorder()
    follow(folder.path, watch)
    assert (
        "say",
        f"The study is over: all 6 trials are done; `gru-tune report {folder.path}` shows all.",
    ) in watch.calls


def test_the_command(tmp_path: Path) -> None:
    folder = run(tmp_path)
    lines = CliRunner().invoke(main, ["watch", str(folder.path)])
    assert lines.exit_code == 0, lines.output
    assert "[6/6]  trial 6: accuracy" in lines.output
    objects = CliRunner().invoke(main, ["watch", str(tmp_path / "out"), "--json-log"])
    names = [json.loads(line)["event"] for line in objects.stdout.splitlines()]
    assert (names[0], names[-3:]) == ("begin", ["note", "note", "end"])
    none = CliRunner().invoke(main, ["watch", str(tmp_path / "none")])
    assert (none.exit_code, none.stderr) == (1, f"{tmp_path / 'none'}: there is no such folder\n")
