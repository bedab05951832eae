"""A comparison as text for a terminal, CSV, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gru_tune.report.columns import layout, wrapped
from gru_tune.report.comparing.course import By, best_by
from gru_tune.report.comparing.entries import Entry, cautions, common
from gru_tune.report.comparing.sections import Section, sections, trainings
from gru_tune.report.comparing.significance import differences
from gru_tune.report.numbers import duration
from gru_tune.report.plain import escaped, markdown_table
from gru_tune.report.progress_plot import Curve, drawn, staircase
from gru_tune.study.log import finite
from gru_tune.study.table import Row, to_csv


def sentences(entries: Sequence[Entry]) -> list[str]:
    """What keeps the studies from being compared, or how sure the difference of their winners is."""
    known = differences(entries)
    found = [f"{e.label} is not certain: {e.study.doubt}." for e in entries if e.study.doubt]
    found += [*cautions(entries), *(one.sentence for one in known)]
    missing = [entry.label for entry in entries if not entry.study.winner]
    found += [f"{label} has no completed trial (yet)." for label in missing]
    if sum(one.interval is not None for one in known) > 1:
        found.append("Every interval holds for itself: of many comparisons one may seem sure by chance.")
    return found


def text(entries: Sequence[Entry], width: int | None) -> str:
    """Sentences, then the tables, with pictures of the search where the width is known."""
    lines = [line for sentence in sentences(entries) for line in wrapped(sentence, width)]
    labels = [entry.label for entry in entries]
    for section in sections(entries):
        table = layout(
            _cells(section, labels),
            width,
            droppable=labels[:1:-1],
            left=1 + len(labels),
            see="--csv",
        )
        lines += ["", f"{section.title}:", *table]
        lines += wrapped(section.note, width) if section.note else []
        if section.key == "course" and width and common(entries).objective:
            lines += [line for by in ("trainings", "seconds") for line in ["", *_picture(entries, by, width)]]
    return "\n".join(lines).lstrip("\n") + "\n"


def csv(entries: Sequence[Entry]) -> str:
    """A line a matter, a column a study."""
    labels = [entry.label for entry in entries]
    rows: list[Row] = []
    for section in sections(entries):
        for matter in section.rows:
            values = [json.dumps(v) if isinstance(v, list | dict) else v for v in matter.values]
            rows.append(
                {"section": section.key, "row": matter.name, **dict(zip(labels, values, strict=True))}
            )
    return to_csv(["section", "row", *labels], rows)


def as_json(entries: Sequence[Entry]) -> str:
    """One object: the studies, what can be said of them, the tables, and the differences of the winners."""
    labels = [entry.label for entry in entries]
    content = {
        "studies": [{"label": e.label, "folder": str(e.study.folder.path)} for e in entries],
        "summary": sentences(entries),
        "common": vars(common(entries)),
        "differences": [vars(one) for one in differences(entries)],
        "sections": {
            section.key: {row.name: dict(zip(labels, row.values, strict=True)) for row in section.rows}
            for section in sections(entries)
        },
    }
    return json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(entries: Sequence[Entry]) -> str:
    """Headings and GitHub tables."""
    labels = [entry.label for entry in entries]
    lines = [f"# {escaped(', '.join(labels))}", "", *(f"- {escaped(text)}" for text in sentences(entries))]
    for section in sections(entries):
        lines += [
            "",
            f"## {section.title}",
            "",
            *markdown_table(_cells(section, labels), left=1 + len(labels)),
            *(["", section.note] if section.note else []),
        ]
    return "\n".join(lines) + "\n"


def _cells(section: Section, labels: Sequence[str]) -> list[dict[str, str]]:
    return [{"": row.name, **dict(zip(labels, row.texts, strict=True))} for row in section.rows]


def _picture(entries: Sequence[Entry], by: By, width: int) -> list[str]:
    curves: list[Curve] = []
    for entry in entries:
        points = best_by(entry.study, by)
        if points:
            curves.append((entry.label, *staircase([p.x for p in points], [p.score for p in points])))
    if not curves:
        return []
    return drawn(curves, width, trainings if by == "trainings" else duration)
