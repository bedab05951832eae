"""Trackers follow the log of a study, each in a thread of its own.

The search knows nothing of them and never waits for them: a tracker reads the lines that the
log has gained, as ``tail -f`` does. It begins at the first line, so that a tool is also told
what happened while it was not asked for, was out of reach, or had not taken everything.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Set

from gru_tune.report import read
from gru_tune.study.history import History
from gru_tune.study.log import Event, Finished, Header, Launch, Run
from gru_tune.study.results import StudyFolder
from gru_tune.study.tail import Tail
from gru_tune.trackers.base import Begun, Stale, Stretch, Tracker
from gru_tune.trial import Objective
from gru_tune.wording import cut

PERIOD = 1.0  # seconds between two looks at the log
PATIENCE = 30.0  # seconds that the end of a study waits for its trackers, all together
HURRY = 3.0  # the same when the user has stopped it
LONGEST = 200  # characters of an error that are shown


class Follower:
    """Tells a tracker what a log says; ``step`` goes on where the last one ended."""

    def __init__(
        self, tracker: Tracker, folder: StudyFolder, lasting: Set[int], left: Callable[[], bool]
    ) -> None:
        """``lasting`` holds the trials that the search may train further; ``left`` tells to stop at once."""
        self._tracker, self._folder, self._lasting, self._left = tracker, folder, lasting, left
        self._restart()

    def _restart(self) -> None:
        self._tail = Tail(self._folder.log)
        self._history = History(Objective("", "max"), slim=True)
        self._jobs: Counter[Run] = Counter()
        self._open: dict[int, float] = {}  # trials with an outcome that is not settled, and its time

    def step(self, over: bool = False) -> None:
        """Tell what is new; with ``over`` also that nothing more will come."""
        try:
            self._tell(over)
        except Stale:
            self._tracker.forget()
            self._restart()
            self._tell(over)

    def _tell(self, over: bool) -> None:
        if self._left():
            return
        # Before the log is read: when the search is through with a trial, its last launch is there already.
        free = self._open.keys() - frozenset(self._lasting)
        for event in self._tail.read():
            if self._left():
                return
            self._take(event)
        waiting = self._history.missing.keys() | (self._history.lasting - free)
        for number in sorted(self._open if over else self._open.keys() - waiting):
            trial = self._history.trials[number]
            self._tracker.settled(trial, self._jobs[number, 1], self._open.pop(number))
        self._tracker.flush()
        if over:
            self._tracker.over(read.study(self._folder.path))

    def _take(self, event: Event) -> None:
        if isinstance(event, Header):
            self._history = History.of(event.facts, slim=True)
            self._tracker.begin(Begun(self._folder, event.facts, event.time))
        launch = self._history.flights[event.run].launch if isinstance(event, Finished) else None
        self._history.apply(event)
        if isinstance(event, Launch):
            self._tracker.launched(event)
        elif isinstance(event, Finished) and launch is not None:
            self._end(event, launch)

    def _end(self, event: Finished, launch: Launch) -> None:
        run = event.run
        self._jobs[run] += 1
        self._tracker.ended(
            Stretch(launch, event.outcome, self._history.runs[run], self._jobs[run], event.time)
        )
        if event.repeat <= self._history.repeats and launch.trial in self._history.trials:
            self._open[launch.trial] = event.time


class Tracking:
    """The trackers of one run of the program; entered while the log is written."""

    def __init__(
        self,
        trackers: list[Tracker],
        folder: StudyFolder,
        lasting: Set[int],
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._threads = [Thread(tracker, folder, lasting) for tracker in trackers]

    def __enter__(self) -> Tracking:
        for thread in self._threads:
            self._say(f"{thread.tracker.title} is told of this study: {thread.tracker.opens}")
            thread.start()
        return self

    def tell(self) -> None:
        """Say of a tracker that has failed that it did, once."""
        for thread in self._threads:
            if text := thread.told():
                self._say(text)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        limit = time.monotonic() + (HURRY if kind is KeyboardInterrupt else PATIENCE)
        for thread in self._threads:
            thread.finish(over=kind is None)
        for thread in self._threads:
            thread.join(max(limit - time.monotonic(), 0.0))
        for thread in self._threads:
            thread.leave()
        self.tell()


class Thread(threading.Thread):
    """Follows for one tracker, and keeps its errors from the study."""

    def __init__(self, tracker: Tracker, folder: StudyFolder, lasting: Set[int]) -> None:
        super().__init__(name=tracker.title, daemon=True)  # one that hangs must not keep the program
        self.tracker = tracker
        self._follower = Follower(tracker, folder, lasting, self._is_left)
        self._end = threading.Event()
        self._over = self._left = False
        self._problem = ""

    def run(self) -> None:
        try:
            try:
                self._follower.step()
                while not self._end.wait(PERIOD):
                    self._follower.step()
                self._follower.step(over=self._over)
            finally:
                self.tracker.close()
        except Exception as error:
            self._problem = f"{self.tracker.title} could not be told of this study ({_short(error)})"

    def finish(self, over: bool) -> None:
        """Tell what is left, and with ``over`` that the study is over; then end."""
        self._over = over
        self._end.set()

    def leave(self) -> None:
        """End at once; what is left is told by the next run."""
        if self.is_alive():
            self._left = True
            self._problem = f"{self.tracker.title} has not taken all of this study in time"

    def told(self) -> str:
        """What went wrong and was not said yet, a sentence; "" when all is well."""
        problem, self._problem = self._problem, ""
        return f"{problem}; running it again tells what is missing" if problem else ""

    def _is_left(self) -> bool:
        return self._left


def _short(error: Exception) -> str:
    """The first line of an error, which may be a long one of a server or a driver."""
    return cut(f"{type(error).__name__}: {error}".strip().split("\n")[0], LONGEST)
