"""The loop of a search and its finals: ask, write down, submit, wait, write down, tell.

It knows no config, no data and no strategy by name, and every step is in the log before
its consequences: whenever the program is killed, the log says where to go on.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from gru_tune.errors import StudyError
from gru_tune.executors.base import Executor, WorkerDied
from gru_tune.learning.failing import of_the_disk, sentence
from gru_tune.strategies import WAIT, Proposal, Strategy
from gru_tune.study.faults import PARTS, STARTS, failure, given_up, hopeless
from gru_tune.study.files import refused
from gru_tune.study.finals import Finals
from gru_tune.study.hanging import Vigil
from gru_tune.study.history import Flight, History, Told, replay
from gru_tune.study.interrupt import Interrupt
from gru_tune.study.log import Died, Event, Finished, Launch, Log, Run, Started, Stopped
from gru_tune.study.watch import Watcher
from gru_tune.trial import Fault, Job, Outcome, Trial
from gru_tune.wording import plural

TICK = 0.2  # seconds between two looks at the progress files
MINUTES = "the minutes given are over"


@dataclass(frozen=True)
class Limits:
    """What ends a search besides its strategy."""

    retries: int = 1  # further attempts for a job whose worker died or hung
    max_failures: int | None = 10  # failed trials in a row
    deadline: float | None = None  # time.time() at which all is to be over, the finals included
    no_gain_for: int | None = None  # trials that were no better than what came before them
    score: float | None = None  # that is good enough
    over: str = ""  # why there is nothing to search for, where an earlier run has said so


@dataclass
class Search:
    """A search from where its log stands to its end."""

    log: Log
    history: History
    strategy: Strategy
    executor: Executor
    seed: int
    limits: Limits
    finals: Finals
    make_job: Callable[[Launch, float | None], Job]  # with what ends it early, in time.time()
    ended: Callable[[Trial, Outcome], None]  # a job of this run ended: tables, weights
    watch: Watcher
    interrupt: Interrupt
    began: float | None = None  # time.time() from which this run counts; None: now
    # Seconds until a job is expected to have trained one epoch.
    first_epoch: Callable[[Launch], float] = lambda launch: 0.0
    # The epoch that an earlier attempt at a job has saved.
    reached: Callable[[Launch], int] = lambda launch: 0
    vigil: Vigil = field(default_factory=lambda: Vigil(None))
    refresh: Callable[[], None] = lambda: None  # the tables, now and then: they may be a moment behind

    def __post_init__(self) -> None:
        self.launches = 0
        self._looked = -TICK  # when the progress files were read, in time.monotonic()
        self._running: dict[Future[Outcome], Launch] = {}
        # What was in flight counts as lost from here on; a run that changes nothing leaves no line.
        self._start: Started | None = Started(self.executor.slots, self.began or time.time())
        self.history.apply(self._start)
        # What was lost, and the repeats of a trial that had not begun; a final is asked for again by itself.
        self._waiting = deque(
            launch
            for number, repeats in self.history.missing.items()
            for repeat, first in repeats.items()
            for launch in [self._again((number, repeat)) or self._repeated(first, repeat)]
        )
        self._finals: deque[Launch] | None = None
        self._ended = self.limits.over

    def run(self) -> str:
        """Go on until the search is over; returns the reason, a sentence.

        Raises ``KeyboardInterrupt`` when the user stops it, and ``StudyError`` or ``OSError`` when no
        worker can start or a file cannot be written; the log then is in order.
        """
        self.interrupt.patient = True
        try:
            while True:
                reason = self._fill()
                if not self._running:
                    return reason
                done, _ = wait(self._running, timeout=TICK, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda f: self._running[f].trial):
                    self._take(future)
                self._look()
                if self.interrupt.seen:
                    raise KeyboardInterrupt
        except (KeyboardInterrupt, StudyError, OSError):
            self._stop()
            raise

    def _look(self) -> None:
        """How far the jobs are, once a tick; those that hang are killed, and come back as dead."""
        now = time.monotonic()
        if now - self._looked < TICK / 2:  # many workers have many files
            return
        self._looked = now
        self.refresh()
        reports = self.executor.progress()
        self.watch.tick(reports)
        futures = {launch.run: future for future, launch in self._running.items()}
        for run, reason in self.vigil.look(reports, now):
            self.executor.abandon(futures[run], reason, Fault.HUNG)

    def _fill(self) -> str:
        """Give every free slot a job; returns why no more can be given ("" when all are busy)."""
        while len(self._running) < self.executor.slots:
            step = self._next()
            if isinstance(step, str):
                return step
            self._launch(step)
        return ""

    def _next(self) -> Launch | str:
        over = self._ended or self._over()
        if over:
            return self._final(over)
        if (launch := self._first(self._waiting)) is not None:
            return self._timely(launch)
        enough = self._good_enough()
        proposal = self.strategy.ask(new=not enough)  # what has begun well is still trained in full
        if isinstance(proposal, Proposal):
            first = Launch(
                trial=proposal.trial, attempt=1, values=dict(proposal.values),
                seed=trial_seed(self.seed, proposal.trial),
                first_epoch=proposal.first_epoch, last_epoch=proposal.last_epoch,
                checkpoint=proposal.checkpoint, time=time.time(),
            )  # fmt: skip
            self._waiting.extend(
                self._repeated(first, repeat) for repeat in range(2, self.history.repeats + 1)
            )
            return self._timely(first)
        if proposal != WAIT:
            return self._final(enough or self.strategy.ended or "the search is over")
        if not self._running:
            raise RuntimeError("the strategy waits, but nothing is running")
        return "waiting"

    def _timely(self, launch: Launch) -> Launch | str:
        """``launch``, unless the minutes are over before its first epoch; the first trial of all is always trained."""
        end = self._end()
        late = end is not None and time.time() + self.first_epoch(launch) > end
        if not late or (launch.trial == 1 and not self.history.trials):
            return launch
        self._ended = MINUTES
        return self._final(MINUTES)

    def _final(self, over: str) -> Launch | str:
        """The search is ``over``: what is left of its finals, once nothing of it is running."""
        if any(launch.repeat <= self.history.repeats for launch in self._running.values()):
            return "waiting"
        if self._finals is None:
            self._ended = over  # for good: what the finals leave of the minutes is no time for a trial
            due = list(self.finals.due(self.history))
            fits = any(self.finals.fits(self.history, trial, self.limits.deadline) for trial, _ in due)
            self.watch.finals(due if fits else [])
            self._finals = deque(self._confirming(run) for run in due)
        while (launch := self._first(self._finals)) is not None:
            if self.finals.fits(self.history, launch.trial, self.limits.deadline):
                return launch
        return over

    def _confirming(self, run: Run) -> Launch:
        """The next attempt at a run of the finals, or its first; one that was lost before its trial went on is neither."""
        again = self._again(run)
        if again is not None and again.last_epoch == self.history.asked[run[0]]:
            return again
        return self._repeated(self.finals.like(self.history, run[0]), run[1])

    def _first(self, waiting: deque[Launch]) -> Launch | None:
        """The next of those that wait and may still be tried."""
        while waiting:
            launch = waiting.popleft()
            flight = self.history.flights.get(launch.run)
            reason = given_up(flight, self.limits.retries) if flight else None
            if flight is None or reason is None:
                return replace(launch, time=time.time())
            self._give_up(flight, reason)
        return None

    def _again(self, run: Run) -> Launch | None:
        """The next attempt at a run that was lost; None for one that has not begun."""
        flight = self.history.flights.get(run)
        return replace(flight.launch, attempt=flight.launch.attempt + 1) if flight else None

    def _repeated(self, launch: Launch, repeat: int) -> Launch:
        """The same training with the seed of another repeat."""
        seed = trial_seed(self.seed, launch.trial, repeat)
        return replace(launch, attempt=1, repeat=repeat, seed=seed)

    def _over(self) -> str:
        if self.history.trials and (end := self._end()) is not None and time.time() >= end:
            return MINUTES
        failures = self.history.failures_in_a_row
        if self.limits.max_failures is None:
            return ""
        if failures >= self.limits.max_failures:
            return f"{failures} trials in a row failed (search.max_failures)"
        return hopeless(self.history)

    def _good_enough(self) -> str:
        objective, wanted, most = self.history.objective, self.limits.score, self.limits.no_gain_for
        top = self.history.best if wanted is not None else None
        if top and top.score is not None and wanted is not None and not objective.better(wanted, top.score):
            reached = f"trial {top.number} reached {objective.name} {top.score:.4g}"
            return f"{reached}, and {wanted:g} is good enough (search.stop_when)"
        behind = len(self.history.behind)
        if most is not None and behind >= most and objective.cost:
            return (
                f"{plural(behind, 'trial')} in a row brought nothing new to the Pareto set (search.stop_when)"
            )
        if most is not None and behind >= most:
            return f"{plural(behind, 'trial')} since the best one brought no gain (search.stop_when)"
        return ""

    def _end(self) -> float | None:
        """When the search ends, so that the finals still fit into the minutes."""
        deadline = self.limits.deadline
        return None if deadline is None else deadline - self.finals.reserve(self.history, self.executor.slots)

    def _launch(self, launch: Launch) -> None:
        if launch.trial in self.history.divided:
            launch = replace(launch, accumulation=PARTS)
        launch = replace(launch, reached=self.reached(launch))
        self.write(launch)
        self.launches += 1
        self.watch.launched(launch)
        final = launch.repeat > self.history.repeats
        job = self.make_job(launch, self.finals.end(self.limits.deadline) if final else self._end())
        self.interrupt.patient = not self.executor.blocking
        future = self.executor.submit(job)
        self.interrupt.patient = True
        self._running[future] = launch
        self.vigil.begin(launch)

    def _take(self, future: Future[Outcome]) -> None:
        launch = self._running.pop(future)
        self.vigil.end(launch)
        error = future.exception()
        if isinstance(error, WorkerDied):
            self._died(launch, str(error), error.fault)
        elif isinstance(error, OSError) and of_the_disk(error):
            raise StudyError(f"trial {launch.trial}: {refused(error, Path(error.filename or 'its folder'))}")
        elif error is not None:
            seconds = max(time.time() - launch.time, 0.0)
            self._finish(launch, failure(launch.trial, sentence(error), Fault.ERROR, seconds))
        elif future.result().fault is Fault.MEMORY:
            self._died(launch, future.result().error or "", Fault.MEMORY)
        else:
            self._finish(launch, future.result())

    def _died(self, launch: Launch, reason: str, fault: Fault) -> None:
        """An attempt came to nothing: there is another one, or the job is given up."""
        died = Died(launch.trial, launch.attempt, reason, time.time(), launch.repeat, fault)
        self.write(died)
        flight = self.history.flights[launch.run]
        if flight.starts >= STARTS:
            raise StudyError(
                f"trial {launch.trial}: {reason}, {flight.starts} times in a row; "
                "mend that (`gru-tune doctor` shows what there is) and run the same command again: it goes on"
            )
        if (why := given_up(flight, self.limits.retries)) is not None:
            self._give_up(flight, why)
            return
        self.watch.died(launch, died)
        waiting = self._waiting if self._finals is None else self._finals
        waiting.append(replace(launch, attempt=launch.attempt + 1))

    def _give_up(self, flight: Flight, reason: str) -> None:
        fault = flight.died.fault if flight.died else None
        self._finish(flight.launch, failure(flight.launch.trial, reason, fault, flight.spent))

    def _finish(self, launch: Launch, outcome: Outcome) -> None:
        self.write(Finished(launch.attempt, outcome, time.time(), launch.repeat))
        run = self.history.runs[launch.run]
        if launch.repeat > self.history.repeats:
            self.ended(run, outcome)
            self.watch.confirmed(run)
            return
        told = self.history.told(launch.trial)
        if told is not None:
            self.strategy.tell(launch.trial, told.score, told.cost)
        self.history.lasting -= {number for number in self.history.lasting if self.strategy.finished(number)}
        self.ended(run, outcome)
        if told is not None:
            self.watch.finished(self.history.trials[launch.trial], self.history.best)

    def _stop(self) -> None:
        """Kill what runs; what had ended by then is taken all the same."""
        self.interrupt.patient = True
        for future in [future for future in self._running if future.done()]:
            if future.exception() is None:
                self._take(future)
        self.executor.close(kill=True)
        for (trial, repeat), flight in list(self.history.flights.items()):
            if not flight.ended:
                self.write(Stopped(trial, flight.launch.attempt, time.time(), repeat))

    def write(self, event: Event) -> None:
        """Put an event into the log, the first one of this run after a line that it began."""
        if self._start is not None:
            self.log.append(self._start)
            self._start = None
        self.log.append(event)
        self.history.apply(event)


def catch_up(events: tuple[Event, ...], history: History, strategy: Strategy) -> None:
    """Bring a fresh strategy to where the log stands."""
    for step in replay(events, history):
        if isinstance(step, Told):
            strategy.tell(step.trial, step.score, step.cost)
        else:
            strategy.replay(
                Proposal(step.trial, step.values, step.first_epoch, step.last_epoch, step.checkpoint)
            )


def trial_seed(seed: int, trial: int, repeat: int = 1) -> int:
    """31 bits, from the study's seed, the trial's number and its repeat alone."""
    words = [seed, trial] if repeat == 1 else [seed, trial, repeat]
    digest = hashlib.sha256(":".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
