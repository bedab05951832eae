"""How a running search looks: plain lines in a pipe, one JSON object a line for programs.

The display of a terminal is in ``live``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from gru_tune.report.numbers import duration, knobs, number, progress
from gru_tune.report.words import LEAST
from gru_tune.study.count import Count, FinalsCount
from gru_tune.study.faults import again
from gru_tune.study.history import fold_of
from gru_tune.study.log import Died, Launch, Run, finite
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Trial
from gru_tune.wording import visible

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
        self._write(starting(launch, self._count.plan))

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

    def died(self, launch: Launch, died: Died) -> None:
        self._write(again(launch, died))

    def tick(self, jobs: Sequence[dict[str, Any]]) -> None:
        if self._count is None or not jobs or time.monotonic() - self._written < self._period:
            return
        self._write("; ".join(running(job, self._count.plan) for job in jobs))

    def _write(self, line: str) -> None:
        self._written = time.monotonic()
        self._to(visible(line))


class JsonLines(Watcher):
    """One JSON object a line: ``{"event": …}``."""

    def __init__(self, write: Write = to_stdout, period: float = PERIOD) -> None:
        self._write, self._period = write, period
        self._count: Count | None = None
        self._told = time.monotonic()  # when something was said of the running trials

    def say(self, text: str) -> None:
        self._object("note", text=text)

    def begin(self, plan: Plan) -> None:
        self._count = Count(plan)
        content = asdict(replace(plan, best=None))
        content |= {"folder": str(plan.folder), "best": plan.best.number if plan.best else None}
        content |= {"done": len(plan.done), "failed": len(plan.failed), "seconds": sum(plan.done.values())}
        self._object("begin", **content)

    def launched(self, launch: Launch) -> None:
        self._object("launch", **asdict(launch))

    def finished(self, trial: Trial, best: Trial | None) -> None:
        assert self._count is not None
        self._count.add(trial, best)
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
            left=self._count.left(time.time()),
        )

    def finals(self, due: Sequence[Run]) -> None:
        assert self._count is not None
        self._count.finals = len(due)
        if due:
            self._object("finals", runs=[{"trial": trial, "repeat": repeat} for trial, repeat in due])

    def confirmed(self, run: Trial) -> None:
        assert self._count is not None
        self._count.confirmed()
        self._object(
            "confirmed",
            trial=run.number,
            repeat=run.repeat,
            status=run.status.value,
            score=run.score,
            seconds=run.seconds,
            error=run.error,
            left=self._count.left(time.time()),
        )

    def died(self, launch: Launch, died: Died) -> None:
        self._object("death", **asdict(died))

    def tick(self, jobs: Sequence[dict[str, Any]]) -> None:
        if jobs and time.monotonic() - self._told >= self._period:
            self._told = time.monotonic()
            self._object("running", trials=list(jobs))

    def end(self) -> None:
        self._object("end")

    def _object(self, event: str, **content: Any) -> None:
        line = {"event": event, **content}
        line.setdefault("time", round(time.time(), 3))
        self._write(json.dumps(finite(line), ensure_ascii=False, allow_nan=False, default=str))


def starting(launch: Launch, plan: Plan) -> str:
    """``trial 3 starts: units 64``; ``goes on after epoch 5`` where an earlier job has left its weights."""
    before = launch.reached or launch.first_epoch
    verb = f"goes on after epoch {before}" if before else "starts again" if launch.attempt > 1 else "starts"
    return f"{training(*launch.run, plan)} {verb}: {knobs(launch.values)}"


def training(trial: int, repeat: int, plan: Plan) -> str:
    """``trial 3``, ``trial 3, fold 2``, ``trial 3, seed 4``."""
    fold = f", fold {fold_of(repeat, plan.folds)}" if plan.folds > 1 else ""
    seed = f", seed {repeat}" if repeat > plan.folds else ""
    return f"trial {trial}{fold}{seed}"


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


def running(report: dict[str, Any], plan: Plan) -> str:
    """``trial 4: epoch 3 of 10, accuracy 0.7912``."""
    score = report.get("score")
    text = f"{training(report['trial'], report.get('repeat', 1), plan)}: {epoch(report)}"
    return text + (f", {plan.objective.name} {number(score)}" if score is not None else "")


def epoch(report: dict[str, Any]) -> str:
    """``epoch 3 of 10`` when the third has ended; whether the first still compiles cannot be known."""
    done = report.get("epoch", 0)
    return f"epoch {done} of {report.get('last_epoch', '?')}" if done else "first epoch"
