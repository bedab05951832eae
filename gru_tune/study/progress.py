"""How a running search looks: plain lines in a pipe, one JSON object a line for programs.

The display of a terminal is in ``live``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from gru_tune.report.words import LEAST, duration, knobs, number, progress
from gru_tune.study.history import fold_of
from gru_tune.study.log import Launch, Run, finite
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Objective, Status, Trial
from gru_tune.wording import listed, plural

Write = Callable[[str], None]


def to_stdout(line: str) -> None:
    """One line, at once: in a pipe it would wait in a buffer."""
    print(line, flush=True)


PERIOD = 30.0  # seconds without a line after which the running trials are told of


class Plain(Watcher):
    """A line for every start and every end of a job, and now and then one for what is running."""

    def __init__(self, write: Write = to_stdout, period: float = PERIOD) -> None:
        self._to, self._period = write, period
        self._count: Count | None = None
        self._finals: FinalsCount | None = None
        self._written = time.monotonic()

    def say(self, text: str) -> None:
        self._write(text)

    def begin(self, plan: Plan) -> None:
        self._count = Count(plan)
        workers = f"{plan.slots} worker{'s' * (plan.slots != 1)}"
        aim = "highest" if plan.objective.direction == "max" else "lowest"
        cost = f" and {LEAST[plan.objective.cost]}" if plan.objective.cost else ""
        trials = f"{plan.total:,} trials at most" if plan.total else "as many trials as the time allows"
        self._write(f"{plan.name}: {trials}, for the {aim} {plan.objective.name}{cost}, with {workers}")

    def launched(self, launch: Launch) -> None:
        assert self._count is not None
        self._write(starting(launch, self._count.plan.folds))

    def finished(self, trial: Trial, best: Trial | None) -> None:
        assert self._count is not None
        self._count.add(trial, best)
        left = self._count.left(time.time())
        rest = f"; about {duration(left)} left" if left else ""
        self._write(f"{self._count.words()}  {ended(trial, best)}{rest}")

    def finals(self, due: Sequence[Run]) -> None:
        assert self._count is not None
        self._finals = FinalsCount(due)
        self._count.finals = len(due)
        if due:
            self._write(self._finals.words())

    def confirmed(self, run: Trial) -> None:
        assert self._count is not None
        assert self._finals is not None
        self._count.confirmed()
        left = self._count.left(time.time())
        self._write(self._finals.ended(run) + (f"; about {duration(left)} left" if left else ""))

    def died(self, launch: Launch, reason: str) -> None:
        self._write(f"trial {launch.trial}: {reason}; it is tried again")

    def tick(self, jobs: Sequence[dict[str, Any]]) -> None:
        if self._count is None or not jobs or time.monotonic() - self._written < self._period:
            return
        self._write("; ".join(running(job, self._count.plan.objective) for job in jobs))

    def _write(self, line: str) -> None:
        self._written = time.monotonic()
        self._to(line)


class JsonLines(Watcher):
    """One JSON object a line: ``{"event": …}``."""

    def __init__(self, write: Write = to_stdout) -> None:
        self._write = write

    def say(self, text: str) -> None:
        self._object("note", text=text)

    def begin(self, plan: Plan) -> None:
        content = asdict(replace(plan, best=None))
        content |= {"folder": str(plan.folder), "best": plan.best.number if plan.best else None}
        content |= {"done": len(plan.done), "failed": len(plan.failed), "seconds": sum(plan.done.values())}
        self._object("begin", **content)

    def launched(self, launch: Launch) -> None:
        self._object("launch", **asdict(launch))

    def finished(self, trial: Trial, best: Trial | None) -> None:
        self._object(
            "finished",
            trial=trial.number,
            status=trial.status.value,
            score=trial.score,
            best_epoch=trial.best.number if trial.best else None,
            epochs=trial.epochs[-1].number if trial.epochs else 0,
            seconds=trial.seconds,
            values=dict(trial.values),
            error=trial.error,
            best={"trial": best.number, "score": best.score} if best else None,
        )

    def finals(self, due: Sequence[Run]) -> None:
        if due:
            self._object("finals", runs=[{"trial": trial, "repeat": repeat} for trial, repeat in due])

    def confirmed(self, run: Trial) -> None:
        self._object(
            "confirmed", trial=run.number, repeat=run.repeat, score=run.score, seconds=run.seconds, error=run.error
        )  # fmt: skip

    def died(self, launch: Launch, reason: str) -> None:
        self._object("death", trial=launch.trial, attempt=launch.attempt, reason=reason)

    def end(self) -> None:
        self._object("end")

    def _object(self, event: str, **content: Any) -> None:
        line = {"event": event, **content}
        line.setdefault("time", round(time.time(), 3))
        self._write(json.dumps(finite(line), ensure_ascii=False, allow_nan=False, default=str))


class FinalsCount:
    """How far the finals are."""

    def __init__(self, due: Sequence[Run]) -> None:
        self.due, self.done = due, 0

    def words(self) -> str:
        """``finals: 9 trainings with fresh seeds, of trial 3, 1 and 7``."""
        trials = [str(trial) for trial in dict.fromkeys(trial for trial, _ in self.due)]
        return (
            f"finals: {plural(len(self.due), 'training')} with fresh seeds, of trial {listed(trials, 'and')}"
        )

    def ended(self, run: Trial) -> str:
        """``[finals 2/9]  trial 3 with another seed: accuracy 0.8123``."""
        self.done += 1
        head = f"[finals {self.done}/{len(self.due)}]  trial {run.number} with another seed"
        if run.score is None:
            return f"{head} failed: {run.error}"
        if run.status is Status.STOPPED:
            return f"{head} does not count: the minutes were over after epoch {run.epochs[-1].number}"
        return f"{head}: {run.objective.name} {number(run.score)} (epoch {progress(run)}, {duration(run.seconds)})"


class Count:
    """How far the search is, and how long it may still take."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.best = plan.best
        # Trials by their number, since a stopper lets one end several times, here and in an earlier run.
        self._seconds = dict(plan.done)
        self._failed = set(plan.failed)
        self.finals: int | None = None  # trainings of the finals to come; None: the search is not over

    @property
    def done(self) -> int:
        return len(self._seconds)

    @property
    def failed(self) -> int:
        return len(self._failed)

    def add(self, trial: Trial, best: Trial | None) -> None:
        """A job of a trial ended."""
        self._seconds[trial.number] = trial.seconds
        (self._failed.add if trial.score is None else self._failed.discard)(trial.number)
        self.best = best

    def confirmed(self) -> None:
        """A training of the finals ended."""
        self.finals = max((self.finals or 0) - 1, 0)

    def left(self, now: float) -> float | None:
        """Seconds left, from the mean time of a training and the minutes; None while nothing is known."""
        guesses = []
        trainings = self._waiting()
        if trainings is not None and self.done:
            training = sum(self._seconds.values()) / self.done / self.plan.repeats
            guesses.append(trainings * training / self.plan.slots)
        if self.plan.deadline is not None:
            guesses.append(max(self.plan.deadline - now, 0.0))
        return min(guesses, default=None)

    def _waiting(self) -> int | None:
        """Trainings that have not ended, the finals' among them; None where nothing but time ends the search."""
        if self.finals is not None:
            return self.finals
        if not self.plan.total:
            return None
        return max(self.plan.total - self.done, 0) * self.plan.repeats + self.plan.finals

    def words(self) -> str:
        """``[3/20]``."""
        return f"[{self.done}/{self.plan.total}]" if self.plan.total else f"[{self.done}]"


def starting(launch: Launch, folds: int = 1) -> str:
    """``trial 3 starts: units 64``."""
    again = f" again (attempt {launch.attempt})" if launch.attempt > 1 else ""
    verb = f"goes on from epoch {launch.first_epoch}" if launch.first_epoch else "starts"
    seed = f", seed {launch.repeat}" if launch.repeat > folds else ""
    fold = f", fold {fold_of(launch.repeat, folds)}" if folds > 1 else ""
    return f"trial {launch.trial}{fold}{seed} {verb}{again}: {knobs(launch.values)}"


def ended(trial: Trial, best: Trial | None) -> str:
    """``trial 3: accuracy 0.8123 (epoch 7/10, 12 s); best so far: trial 2, 0.8301 (units 64)``."""
    name = trial.objective.name
    if trial.score is None:
        text = f"trial {trial.number} failed: {trial.error}"
    else:
        text = f"trial {trial.number}: {name} {number(trial.score)}"
        text += f" (epoch {progress(trial)}, {duration(trial.seconds)})"
    if best is None:
        return text
    asked = f" ({knobs(best.values)})" if best.values else ""
    if best.number == trial.number:
        return f"{text}; the best so far{asked}"
    return f"{text}; best so far: trial {best.number}, {number(best.score)}{asked}"


def running(report: dict[str, Any], objective: Objective) -> str:
    """``trial 4: epoch 3 of 10, accuracy 0.7912``."""
    score = report.get("score")
    text = f"trial {report['trial']}: epoch {report.get('epoch', 0)} of {report.get('last_epoch', '?')}"
    return text + (f", {objective.name} {number(score)}" if score is not None else "")
