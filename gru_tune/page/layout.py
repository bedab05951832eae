"""What stands on the page, in its order."""

from __future__ import annotations

from dataclasses import dataclass

from gru_tune.page import costs, knobs, made, search, summary, table, task, winner
from gru_tune.page.figure import Figure
from gru_tune.page.importance import Importances, importances
from gru_tune.page.made import Grid
from gru_tune.report import words
from gru_tune.report.read import Study

NAMED = 20  # trials that failed for one reason; the others are counted
UNSCORED = "No trial has a score (yet), so there is nothing to draw."


@dataclass(frozen=True)
class Section:
    """A chapter of pictures; without any, ``missing`` says why."""

    key: str
    title: str
    figures: list[Figure]
    missing: str


@dataclass(frozen=True)
class Failure:
    """The numbers of the trials that failed for the same reason."""

    reason: str
    trials: list[int]

    @property
    def which(self) -> str:
        shown = ", ".join(map(str, self.trials[:NAMED]))
        more = len(self.trials) - NAMED
        return f"{shown} and {more:,} more" if more > 0 else shown


@dataclass(frozen=True)
class Page:
    """What the template shows, in its order."""

    name: str
    state: str
    best: str  # the title of the chapter on the best trial
    about: list[str]
    contents: list[tuple[str, str]]
    tiles: list[summary.Tile]
    groups: list[summary.Group]
    winner: bool
    searched: Grid | None
    fixed: Grid | None
    curves: list[Figure]
    missing: str  # why there is no winner
    sections: list[Section]
    failures: list[Failure]
    notes: list[str]
    rows: table.Rows
    made: list[Grid]
    config: str


def page(study: Study, top: int | None) -> Page:
    """The page of a study; ``top`` limits the table."""
    found = importances(study)
    chapters = sections(study, found)
    failures = _failures(study)
    notes = [*study.facts.get("notes", ()), *study.notes]
    return Page(
        name=study.name,
        state=_state(study),
        about=_about(study),
        best=_best(study),
        contents=_contents(study, chapters, bool(failures or notes)),
        tiles=summary.tiles(study),
        groups=summary.groups(study, found),
        winner=study.winner is not None,
        searched=winner.searched(study),
        fixed=winner.fixed(study),
        curves=winner.curves(study),
        missing=UNSCORED,
        sections=chapters,
        failures=failures,
        notes=notes,
        rows=table.rows(study, top),
        made=made.grids(study),
        config=_config(study),
    )


def sections(study: Study, found: Importances | None) -> list[Section]:
    """The pictures by chapter; a chapter without any says why."""
    if study.winner is None:
        return [Section("search", "The search", [], UNSCORED)]
    unknown = "The study's folder does not hold what the winner does on the data"
    later = "." if study.finished else ": it is written when the study has finished."
    few = "Too few trials have a score, or they do not differ, so there is no picture of this."
    return [
        Section("task", f"The {winner.called(study)} on the data", task.figures(study), unknown + later),
        Section("search", "The search", search.figures(study), few),
        Section("knobs", "The knobs", knobs.figures(study, found), few),
        Section("cost", "Cost", costs.figures(study), few),
    ]


def figures(study: Study) -> list[Figure]:
    """All pictures, in the order of the page."""
    chapters = sections(study, importances(study))
    return [*winner.curves(study), *(figure for chapter in chapters for figure in chapter.figures)]


def _best(study: Study) -> str:
    return "The winner" if study.finished else "The leader so far"


def _state(study: Study) -> str:
    """What became of the study; one that says it is running, and that nobody is at work on, was killed."""
    state = "unfinished" if study.lost else str(study.facts.get("state") or "")
    return "killed" if state == "running" and not study.folder.in_use() else state


def _contents(study: Study, chapters: list[Section], troubled: bool) -> list[tuple[str, str]]:
    """Anchors and titles of the page's chapters."""
    return [
        ("summary", "Summary"),
        ("winner", _best(study)),
        *((chapter.key, chapter.title) for chapter in chapters),
        *([("failures", "Failures and notes")] if troubled else []),
        ("trials", "All trials"),
        ("made", "How it was made"),
    ]


def _about(study: Study) -> list[str]:
    asked = study.asked
    kind = asked.get("kind")
    return [
        str(asked.get("task", "unknown task")),
        *([f"{kind} data"] if kind else []),
        f"{asked.get('strategy', 'unknown')} search",
        f"last change {made.moment(study.updated)}",
    ]


def _failures(study: Study) -> list[Failure]:
    """The reasons, the most frequent first."""
    return [Failure(reason, trials) for reason, trials in words.by_reason(study)]


def _config(study: Study) -> str:
    try:
        return study.folder.config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
