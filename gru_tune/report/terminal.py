"""The report for a terminal: sentences, then a table that fits its width."""

from __future__ import annotations

from collections.abc import Sequence

from gru_tune.report import differences
from gru_tune.report.advice import advice
from gru_tune.report.columns import GAP, layout, wrapped
from gru_tune.report.numbers import number, value
from gru_tune.report.numbers import progress as epochs
from gru_tune.report.progress_plot import progress
from gru_tune.report.read import Study
from gru_tune.report.words import confirmed, sentences
from gru_tune.study.table import COSTS
from gru_tune.trial import Trial

TOP = 20


def text(study: Study, top: int | None, width: int | None) -> str:
    """The whole report; ``top`` rows (None: ``TOP``, 0: all); ``width`` columns (None: no limit, and no picture)."""
    lines = [line for sentence in sentences(study) for line in wrapped(sentence, width)]
    shown = study.ranked if top == 0 else study.ranked[: top or TOP]
    if shown:
        head, *rows = layout(cells(study, shown), width, droppable=_droppable(study))
        lines += ["", head, *rows]
        rest = len(study.ranked) - len(shown)
        if rest:
            lines.append(f"… and {rest:,} more trial{'s' * (rest != 1)} (--top 0 shows all)")
        lines += _baselines(study, head, width)
    if front := front_cells(study):
        lines += ["", "Pareto set, cheapest first:", *layout(front, width, droppable=_droppable_knobs(study))]
    if alike := differences.cells(study):
        lines += ["", "What the best trials share, and where they differ:", *layout(alike, width, left=3)]
    if width and (picture := progress(study, width)):
        lines += ["", *picture]
    if tips := advice(study):
        lines += ["", "What to try next:", *(line for tip in tips for line in wrapped(f"- {tip}", width))]
    notes = [f"Note: {note}" for note in (*study.facts.get("notes", ()), *study.notes)]
    return "\n".join(
        [*lines, *([""] if notes else []), *(line for note in notes for line in wrapped(note, width))]
    )


def cells(study: Study, trials: Sequence[Trial]) -> list[dict[str, str]]:
    """What a reader compares: rank, trial, score, the knobs that vary, epochs, size, time."""
    rows = []
    for place, trial in enumerate(trials, start=1):
        score = number(trial.score) if trial.score is not None else "failed"
        row = {"rank": str(place), "trial": str(trial.number), study.objective.name: score}
        if any(t.spread is not None for t in trials):
            row["spread"] = "" if trial.spread is None else number(trial.spread, trial.score or 0.0)
        if study.finalists:
            row["confirmed"] = confirmed(study, trial)
        row |= _knobs(study, trial)
        row |= {"epoch": epochs(trial), "parameters": f"{trial.parameters:,}" if trial.parameters else "–"}
        rows.append(row | {"seconds": f"{trial.seconds:.1f}"})
    return rows


def front_cells(study: Study) -> list[dict[str, str]]:
    """With two objectives what a reader chooses from: of every trial of the Pareto set cost, score and knobs."""
    cost, objective = study.objective.cost, study.objective.name
    if cost is None:
        return []
    return [
        {
            COSTS[cost]: f"{trial.cost:,}" if cost == "parameters" else number(trial.cost),
            objective: number(trial.score),
            "trial": str(trial.number),
            **_knobs(study, trial),
        }
        for trial in study.front
    ]


def _knobs(study: Study, trial: Trial) -> dict[str, str]:
    return {
        study.table.column(name): value(trial.values[name]) if name in trial.values else ""
        for name in study.varied
    }


def _baselines(study: Study, head: str, width: int | None) -> list[str]:
    """A line each: the score below those of the trials, then the name; ``head`` is that of the table."""
    name = study.objective.name
    known = [(b, m[name]) for b, m in study.baselines("validation").items() if m.get(name) is not None]
    known.sort(key=lambda pair: study.objective.sort_key(pair[1]))
    end = head.index(f" {name}") + 1 + len(name)
    lines = [f"{number(score):>{end}}{GAP}baseline: {baseline}" for baseline, score in known]
    return [line for text in lines for line in wrapped(text, width)]


def _droppable(study: Study) -> list[str]:
    return ["seconds", "parameters", "epoch", *_droppable_knobs(study)]


def _droppable_knobs(study: Study) -> list[str]:
    return [study.table.column(name) for name in reversed(study.varied)]
