"""The display of a running search on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gru_tune.report.words import duration, knobs, number
from gru_tune.study.log import Run
from gru_tune.study.progress import Count, FinalsCount, ended, running
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Trial

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PERIOD = 0.5  # seconds between two pictures


class Live(Watcher):
    """A bar, the best so far and its knobs, and a line for every running trial."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._count: Count | None = None
        self._finals: FinalsCount | None = None
        self._running: Sequence[dict[str, Any]] = ()
        self._drawn = 0.0

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def begin(self, plan: Plan) -> None:
        self._count = Count(plan)
        self._live.start()
        self._draw()

    def finished(self, trial: Trial, best: Trial | None) -> None:
        assert self._count is not None
        self._count.add(trial, best)
        self._running = [job for job in self._running if job["trial"] != trial.number]
        if trial.score is None or (best is not None and best.number == trial.number):
            self.say(ended(trial, best))
        self._draw()

    def finals(self, due: Sequence[Run]) -> None:
        assert self._count is not None
        self._finals = FinalsCount(due)
        self._count.finals = len(due)
        if due:
            self.say(self._finals.words())

    def confirmed(self, run: Trial) -> None:
        assert self._count is not None
        assert self._finals is not None
        self._count.confirmed()
        self._running = [job for job in self._running if job["trial"] != run.number]
        self.say(self._finals.ended(run))
        self._draw()

    def died(self, launch: Any, reason: str) -> None:
        self.say(f"trial {launch.trial}: {reason}; it is tried again")

    def tick(self, running: Sequence[dict[str, Any]]) -> None:
        self._running = running
        if time.monotonic() - self._drawn >= PERIOD:
            self._draw()

    def end(self) -> None:
        self._live.stop()

    def _draw(self) -> None:
        if self._count is not None:
            self._drawn = time.monotonic()
            self._live.update(picture(self._count, self._running, time.time()), refresh=True)


def picture(count: Count, jobs: Sequence[dict[str, Any]], now: float) -> RenderableType:
    """What the display shows at one moment."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    plan = count.plan
    head = Table.grid(padding=(0, 2))
    done = f"{count.done}" + (f" of {plan.total}" if plan.total else "") + " trials"
    done += f" ({count.failed} failed)" if count.failed else ""
    left = count.left(now)
    bar = ProgressBar(total=plan.total or None, completed=count.done, width=30, pulse=not plan.total)
    head.add_row(
        Text(plan.name, style="bold"), bar, done, f"about {duration(left)} left" if left is not None else ""
    )
    lines: list[RenderableType] = [head]
    if count.best is not None:
        best = f"best: {plan.objective.name} {number(count.best.score)} (trial {count.best.number}): "
        lines.append(Text(best + knobs(count.best.values), style="green"))
    lines += [Text("  " + running(job, plan.objective), style="dim") for job in jobs]
    return Group(*lines)
