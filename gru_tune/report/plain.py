"""The report as CSV, JSON and Markdown."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from gru_tune.report import differences
from gru_tune.report.advice import advice
from gru_tune.report.numbers import number
from gru_tune.report.read import Study
from gru_tune.report.terminal import TOP, cells, front_cells
from gru_tune.report.words import sentences
from gru_tune.study.log import finite
from gru_tune.study.results import replace_text
from gru_tune.study.table import curve_columns, curve_rows, to_csv
from gru_tune.trial import Trial
from gru_tune.wording import visible


def csv(study: Study, top: int | None = None) -> str:
    """``trials.csv``: all trials, or the best ``top`` of them, and the baselines."""
    return study.table.csv(_best(study, top), study.baselines("validation"))


def curves_csv(study: Study) -> str:
    """``curves.csv``: every epoch of every run, by trial and repeat."""
    rows = (row for run in study.runs for row in curve_rows(run.number, run.repeat, run.epochs))
    return to_csv(curve_columns(study.runs), rows)


def restore(study: Study) -> None:
    """Make the tables of a study again that are not there; a folder that cannot be written is left."""
    for path, make in ((study.folder.table, csv), (study.folder.curves, curves_csv)):
        if not path.exists():
            with suppress(OSError):
                replace_text(path, make(study))


def as_json(study: Study, top: int | None = None) -> str:
    """One object: what was asked, the facts of the run, and the ranked trials with their curves."""
    content: dict[str, Any] = {
        "folder": str(study.folder.path),
        "asked": dict(study.asked),
        "facts": dict(study.facts),
        "summary": sentences(study),
        "advice": advice(study),
        "differences": [vars(one) for one in differences.differences(study)],
    }
    if study.front:
        content["pareto"] = [trial.number for trial in study.front]
    trials = (
        {**study.table.row(trial, rank), "values": dict(trial.values), "curves": _curves(trial)}
        for rank, trial in enumerate(_best(study, top), start=1)
    )
    # A trial a line: readable enough, and several times faster than a line a number.
    lines = ",\n".join(_json(trial) for trial in trials)
    return f'{_json(content)[:-1]}, "trials": [\n{lines}\n]}}\n'


def markdown(study: Study, top: int | None = None) -> str:
    """A heading, the sentences, and the table of the best."""
    lines = [f"# {escaped(study.name)}", ""]
    lines += [f"- {escaped(sentence)}" for sentence in sentences(study)]
    rows = cells(study, study.ranked if top == 0 else study.ranked[: top or TOP])
    if rows:
        lines += ["", *markdown_table(rows)]
    if front := front_cells(study):
        lines += ["", "## Pareto set, cheapest first", "", *markdown_table(front)]
    if tips := advice(study):
        lines += ["", "## What to try next", "", *(f"- {escaped(tip)}" for tip in tips)]
    if alike := differences.cells(study):
        lines += [
            "",
            "## What the best trials share, and where they differ",
            "",
            *markdown_table(alike, left=3),
        ]
    known = [
        {"baseline": name, study.objective.name: number(metrics.get(study.objective.name))}
        for name, metrics in study.baselines("validation").items()
    ]
    lines += ["", *markdown_table(known, left=1)] if known else []
    notes = [f"- Note: {escaped(note)}" for note in (*study.facts.get("notes", ()), *study.notes)]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def markdown_table(rows: list[dict[str, str]], left: int = 0) -> list[str]:
    """A GitHub table; the first ``left`` columns hold words."""
    lines = ["| " + " | ".join(escaped(name) for name in rows[0]) + " |"]
    lines.append("|" + "---|" * left + "---:|" * (len(rows[0]) - left))
    lines += ["| " + " | ".join(escaped(cell) for cell in row.values()) + " |" for row in rows]
    return lines


def _best(study: Study, top: int | None) -> tuple[Trial, ...]:
    return study.ranked[:top] if top else study.ranked


def _json(value: Any) -> str:
    return json.dumps(finite(value), ensure_ascii=False, allow_nan=False)


def _curves(trial: Trial) -> list[dict[str, Any]]:
    return [vars(epoch) for epoch in trial.epochs]


def escaped(text: str) -> str:
    """Text as Markdown that shows it as it is, on one line."""
    return visible(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
