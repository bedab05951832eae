"""The display of a running search on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gru_tune.executors.base import begun
from gru_tune.report.numbers import duration, knobs, number
from gru_tune.study.count import Count, FinalsCount
from gru_tune.study.faults import again
from gru_tune.study.log import Died, Launch, Run
from gru_tune.study.progress import ended, epoch, training
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Trial
from gru_tune.wording import plural, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PERIOD = 0.5  # seconds between two pictures
WIDEST = 100  # columns; a longer bar says no more
OTHER_LINES = 6  # of the display, besides those of the running trials

Report = dict[str, Any]  # what is known of a running job, as ``begun`` has it


class Live(Watcher):
    """A bar for the study and one for every running trial, the best so far, and when it will be over."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._count: Count | None = None
        self._finals: FinalsCount | None = None
        self._running: Sequence[Report] = ()
        self._since: dict[Run, float] = {}  # when the jobs began, in time.time()
        self._drawn = 0.0

    def say(self, text: str) -> None:
        self._console.print(visible(text), highlight=False, markup=False, emoji=False)

    def begin(self, plan: Plan) -> None:
        self._count, self._finals, self._running = Count(plan), None, ()
        self._live.start()
        self._draw()

    def launched(self, launch: Launch) -> None:
        self._since[launch.run] = launch.time
        self._running = [*self._running, begun(launch)]
        self._draw()

    def finished(self, trial: Trial, best: Trial | None) -> None:
        assert self._count is not None
        self._count.add(trial, best)
        self._running = [job for job in self._running if job["trial"] != trial.number]
        # The display has the best one; here it is named only when it is this one.
        self.say(ended(trial, best if best is not None and best.number == trial.number else None))
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
        self._running = [job for job in self._running if _run(job) != (run.number, run.repeat)]
        self.say(self._finals.ended(run))
        self._draw()

    def died(self, launch: Launch, died: Died) -> None:
        self._running = [job for job in self._running if _run(job) != launch.run]
        self.say(again(launch, died))

    def tick(self, running: Sequence[Report]) -> None:
        self._running = running
        if time.monotonic() - self._drawn >= PERIOD:
            self._draw()

    def end(self) -> None:
        self._live.stop()

    def _draw(self) -> None:
        if self._count is None:
            return
        self._drawn, now = time.monotonic(), time.time()
        elapsed = [max(now - self._since.get(_run(job), now), 0.0) for job in self._running]
        room = max(self._console.height - OTHER_LINES, 1)
        shown = picture(self._count, self._finals, list(zip(self._running, elapsed, strict=True)), now, room)
        self._live.update(shown, refresh=True)


def possible() -> bool:
    """Whether standard output is a terminal that such a display can be drawn on."""
    from rich.console import Console

    console = Console()
    return console.is_terminal and not console.is_dumb_terminal


def picture(
    count: Count, finals: FinalsCount | None, jobs: Sequence[tuple[Report, float]], now: float, room: int
) -> RenderableType:
    """What the display shows at one moment: ``jobs`` with the seconds each has taken, ``room`` of them at most."""
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    lines: list[RenderableType] = [_bars(count, finals, jobs[:room])]
    if len(jobs) > room:
        lines.append(Text(f"and {plural(len(jobs) - room, 'more training')}", style="dim"))
    left = count.left(now, [elapsed for _, elapsed in jobs])
    if left:
        lines.append(_line(f"about {duration(left)} left, until {clock(now + left, now)}"))
    if (best := _best(count, finals)) is not None:
        trial, told = best
        lines.append(_line(told, "green"))
        lines += [_line(f"  {knobs(trial.values)}", "green")] if trial.values else []
    return Constrain(Group(*lines), WIDEST)


def _best(count: Count, finals: FinalsCount | None) -> tuple[Trial, str] | None:
    """The trial that leads, and in words by what: by its fresh seeds as soon as there are some."""
    name = count.plan.objective.name
    if finals is not None and (leader := finals.leader()) is not None:
        trial, mean, seeds = leader
        fresh = plural(seeds, "fresh seed")
        return trial, f"leads the finals: trial {trial.number}, {name} {number(mean)} with {fresh}"
    if count.best is None:
        return None
    when = "best so far" if finals is None else "best of the search"
    return count.best, f"{when}: trial {count.best.number}, {name} {number(count.best.score)}"


def _bars(count: Count, finals: FinalsCount | None, jobs: Sequence[tuple[Report, float]]) -> RenderableType:
    """A row for the study, and one for each job: name, bar, how far, objective, time taken."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    def row(name: str, bar: ProgressBar, *cells: str, style: str = "") -> None:
        texts = [Text(visible(cell)) for cell in cells]  # a string would be taken for markup
        table.add_row(Text(visible(name)), bar, *texts, style=style)

    plan = count.plan
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for column in ({}, {"ratio": 1}, {}, {}, {"justify": "right"}):
        table.add_column(no_wrap=True, overflow="ellipsis", **column)
    if finals is not None and finals.due:
        due = len(finals.due)
        row(plan.name, ProgressBar(due, finals.done), f"finals {finals.done:,} of {due:,}")
    else:
        done = f"{count.done:,} of {plan.total:,} trials" if plan.total else plural(count.done, "trial")
        failed = f"{count.failed:,} failed" if count.failed else ""
        row(plan.name, ProgressBar(plan.total, count.done, pulse=not plan.total), done, failed)
    for job, elapsed in jobs:
        score = job.get("score")
        told = f"{plan.objective.name} {number(score)}" if score is not None else ""
        bar = ProgressBar(job.get("last_epoch"), job.get("epoch", 0))
        row(training(*_run(job), plan), bar, epoch(job), told, stopwatch(elapsed), style="dim")
    return table


def _line(text: str, style: str = "") -> RenderableType:
    """One line, cut where the terminal ends."""
    from rich.text import Text

    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")


def clock(moment: float, now: float) -> str:
    """``22:07``; ``Tue 03:12`` where it is more than half a day away, ``2026-12-03`` where it is a week."""
    away = moment - now
    form = "%H:%M" if away < 12 * 3600 else "%a %H:%M" if away < 6 * 86400 else "%Y-%m-%d"
    return time.strftime(form, time.localtime(moment))


def stopwatch(seconds: float) -> str:
    """``0:07``, ``12:34``, ``1:02:03``."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _run(job: Report) -> Run:
    return job["trial"], job.get("repeat", 1)
