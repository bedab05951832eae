"""Studies side by side as one self-contained page: what ``gru-tune compare`` says, and how the searches went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gru_tune import page
from gru_tune.page.figure import Figure, label, styled
from gru_tune.page.made import Grid
from gru_tune.report.comparing import forms, gathered
from gru_tune.report.comparing.course import By, best_by
from gru_tune.report.comparing.entries import Entry, common
from gru_tune.report.comparing.sections import sections
from gru_tune.study.results import replace_text


def write(paths: Sequence[Path], file: Path) -> Path:
    """Write the comparison of the studies at or below ``paths``, and say where. Raises ``StudyError``."""
    entries = gathered(paths)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_text(file, html(entries))
    return file


def html(entries: Sequence[Entry]) -> str:
    """The whole page; it reaches for nothing outside itself."""
    labels = [entry.label for entry in entries]
    tables = [
        (Grid(section.title, ["", *labels], [[row.name, *row.texts] for row in section.rows]), section.note)
        for section in sections(entries)
    ]
    return page.document(
        "compared.html",
        ["script.js"],
        labels=labels,
        sentences=forms.sentences(entries),
        figures=figures(entries),
        tables=tables,
    )


def figures(entries: Sequence[Entry]) -> list[Figure]:
    """The best score so far against trainings and against time; [] where tasks, data or objectives differ."""
    shared = common(entries)
    if not (shared.related and shared.objective) or not any(entry.study.winner for entry in entries):
        return []
    objective = entries[0].study.objective.name
    caption = f"Every line is the best {objective} of a study's search so far; the higher line is ahead"
    if entries[0].study.objective.direction == "min":
        caption = caption.replace("higher", "lower")
    return [
        _figure(entries, "trainings", "Against trainings", "trainings that have ended", f"{caption}."),
        _figure(
            entries,
            "seconds",
            "Against time",
            "seconds at work",
            f"{caption} on machines that were equally fast.",
        ),
    ]


def _figure(entries: Sequence[Entry], by: By, title: str, axis: str, caption: str) -> Figure:
    import plotly.graph_objects as go

    plot = go.Figure()
    for entry in entries:
        points = best_by(entry.study, by)
        plot.add_scatter(
            x=[point.x for point in points],
            y=[point.score for point in points],
            name=label(entry.label),
            mode="lines",
            line={"shape": "hv", "width": 2.5},
            showlegend=True,
        )
    styled(plot)
    plot.update_xaxes(title_text=axis)
    plot.update_yaxes(title_text=label(entries[0].study.objective.name))
    return Figure(by, title, caption, plot, main=True)
