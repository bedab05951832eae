"""Following a run from another terminal: its log and progress files, told to a display as the run tells its own.

Nothing is written, and the run is not kept from anything; the end of the watching is not its end.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gru_tune.errors import ConfigError, StudyError
from gru_tune.executors.base import report
from gru_tune.report import read
from gru_tune.report.words import verdict
from gru_tune.study import facts as facts_of
from gru_tune.study.faults import given_up
from gru_tune.study.finals import Finals
from gru_tune.study.history import History
from gru_tune.study.interrupt import Interrupt
from gru_tune.study.log import Died, Event, Finished, Header, Launch, Started
from gru_tune.study.minutes import expected
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.tail import Tail
from gru_tune.study.watch import Plan, Watcher
from gru_tune.study.weights import PROGRESS
from gru_tune.trial import Status
from gru_tune.wording import listed, plural

POLL = 0.5  # seconds between two looks at the log
RECENT = 10  # events that are told one by one although they happened before anybody watched


def follow(path: Path, watch: Watcher, poll: float = POLL) -> None:
    """Tell ``watch`` of the run at ``path`` (or the only one below it) until it ends or the user has seen enough.

    Raises ``StudyError`` where there is nothing to follow, and when the run ended before its study did.
    """
    folder = StudyFolder(chosen(path))
    with Interrupt():  # SIGTERM as well must not leave a terminal without its cursor
        _follow(folder, watch, poll)


def _follow(folder: StudyFolder, watch: Watcher, poll: float) -> None:
    tail, story = Tail(folder.log), Story(folder, watch)
    waiting = False
    try:
        while True:
            running = folder.in_use()  # first: what the run wrote last is then in the log
            story.take(tail.read())
            if not running:
                for text in _ended(story):
                    watch.say(text)
                return
            if not story.begun and not waiting:
                waiting = True
                watch.say(f"{folder.path}: the run has not come to its first trial yet")
            watch.tick(story.progress())
            time.sleep(poll)
    except KeyboardInterrupt:
        watch.say(f"watched no longer; the run in {folder.path} goes on")
    finally:
        watch.end()


def chosen(path: Path) -> Path:
    """The study at ``path``, or the one below it that is running. Raises ``StudyError``."""
    if StudyFolder(path).in_use():
        return path
    inner = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    running = _running(inner)  # a run may hold its folder and have no log yet
    if not running:
        found = read.find(path)
        running = found if len(found) == 1 else _running(found)
    if len(running) == 1:
        return running[0]
    if running:
        raise StudyError(f"{path}: several studies are running here: watch {listed(running)}")
    raise StudyError(
        f"{path}: none of the {len(found)} studies here is running; `gru-tune report {shlex.quote(str(path))}` shows them"
    )


def _running(folders: Iterable[Path]) -> list[Path]:
    return [folder for folder in folders if StudyFolder(folder).in_use()]


class Story:
    """What a log has told so far, and is passed on to a display."""

    def __init__(self, folder: StudyFolder, watch: Watcher) -> None:
        self.begun = False  # whether the display was told of a run
        self.history: History | None = None
        self.name = folder.path.name
        self.folder, self._watch = folder, watch
        self._started: Started | None = None
        self._settings: dict[str, Any] = {}  # config.resolved.yaml
        self._finals = False  # whether the display was told of those of this run

    def take(self, events: Sequence[Event]) -> None:
        """The next events; of what happened before the display began, only the last are told one by one."""
        starts = [place for place, event in enumerate(events, start=1) if isinstance(event, Started)]
        before, rest = (events[: starts[-1]], events[starts[-1] :]) if starts else ([], events)
        for event in before:
            self._apply(event)
        if starts:
            quiet = min(max(len(rest) - RECENT, 0), self._first_final(rest))
            for event in rest[:quiet]:
                self._apply(event)
            self._begin()
            rest = rest[quiet:]
        for event in rest:
            if self.begun:
                self._announce(event)
            self._apply(event)
            if self.begun:
                self._tell(event)

    def progress(self) -> list[dict[str, Any]]:
        """The progress files of the jobs in flight."""
        return [report(launch, self.folder.trial(*launch.run) / PROGRESS) for launch in self._in_flight()]

    def _apply(self, event: Event) -> None:
        if isinstance(event, Header):
            self.name = str(event.facts["name"])
            self.history = History.of(event.facts, slim=True)
        if self.history is None:
            raise StudyError(f"{self.folder.log}: this is not the record of a study")
        self.history.apply(event)
        if isinstance(event, Started):
            self._started = event

    def _first_final(self, events: Sequence[Event]) -> int:
        """The place of the first event of the finals; the number of events where there is none."""
        assert self.history is not None
        finals = (
            place
            for place, event in enumerate(events)
            if isinstance(event, Launch) and event.repeat > self.history.repeats
        )
        return next(finals, len(events))

    def _begin(self) -> None:
        assert self.history is not None
        assert self._started is not None
        history, self._settings = self.history, _settings(self.folder)
        facts = read_json(self.folder.facts)
        minutes, trials = self._setting("search", "minutes"), history.trials
        self._watch.begin(
            Plan(
                name=self.name,
                folder=self.folder.path,
                objective=history.objective,
                total=facts.get("planned"),
                done={number: trial.seconds for number, trial in trials.items()},
                failed=[number for number, trial in trials.items() if trial.status is Status.FAILED],
                slots=self._started.workers,
                deadline=self._started.time + max(60 * minutes - history.seconds, 0.0) if minutes else None,
                best=history.best,
                folds=history.folds,
                repeats=history.repeats,
                finals=self._setting("winner", "finalists", 0) * self._setting("winner", "seeds", 0),
                forecast=expected(facts),
            )
        )
        self.begun, self._finals = True, False
        for launch in self._in_flight():
            self._watch.launched(launch)

    def _announce(self, event: Event) -> None:
        """Tell of the finals before their first event: a training that was given up has no launch."""
        assert self.history is not None
        if isinstance(event, Launch | Finished) and event.repeat > self.history.repeats and not self._finals:
            self._finals = True
            own = {key: self._setting("winner", key, 0) for key in ("finalists", "seeds", "within")}
            self._watch.finals(list(Finals(**own).due(self.history)))

    def _tell(self, event: Event) -> None:
        assert self.history is not None
        history, watch = self.history, self._watch
        if isinstance(event, Launch):
            watch.launched(event)
        elif isinstance(event, Finished):
            if event.repeat > history.repeats:
                watch.confirmed(history.runs[event.run])
            elif event.run[0] not in history.missing:
                watch.finished(history.trials[event.run[0]], history.best)
        elif isinstance(event, Died):
            flight = history.flights[event.run]
            if given_up(flight, self._setting("search", "retries", 0)) is None:
                watch.died(flight.launch, event)

    def _in_flight(self) -> list[Launch]:
        flights = self.history.flights.values() if self.history else ()
        return [flight.launch for flight in flights if not flight.ended]

    def _setting(self, section: str, key: str, default: Any = None) -> Any:
        return (self._settings.get(section) or {}).get(key, default)


def _settings(folder: StudyFolder) -> dict[str, Any]:
    """The config of the latest run; {} when it cannot be read: then less can be told."""
    from gru_tune.language import document

    try:
        found = document.read(folder.resolved).data
    except ConfigError:
        return {}
    return found if isinstance(found, dict) else {}


def _ended(story: Story) -> list[str]:
    """How the study ended. Raises ``StudyError`` when it has not: the run was stopped, killed, or failed."""
    folder, history = story.folder, story.history
    if history is None:
        raise StudyError(f"{folder.path}: the run ended before its first trial; run it again")
    doubt = [text] if (text := facts_of.doubt(folder, history.ended is not None)) else []
    facts = read_json(folder.facts)
    state, ended = facts.get("state"), history.ended
    # A run that was killed when its search was over, and went on with what follows, has left no line of its end.
    if state != "finished" and (ended is None or state == "stopped"):
        how = "was stopped" if state == "stopped" else "is gone: it was killed, or ended by an error"
        done = plural(len(history.trials), "trial")
        raise StudyError(
            f"the run of {story.name} {how}; {done} saved in {folder.path}: run it again to go on"
        )
    reason = (ended.reason if ended else str(facts.get("ended"))).rstrip(".")
    shows = f"`gru-tune report {shlex.quote(str(folder.path))}` shows all"
    return [verdict(read.study(folder.path)), *doubt, f"The study is over: {reason}; {shows}."]
