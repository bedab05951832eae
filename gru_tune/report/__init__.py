"""What a results folder says: as a table in the terminal, CSV, JSON or Markdown.

Everything is read from the log and ``study.json``; a study that still runs or was killed
can be reported like a finished one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gru_tune.errors import StudyError
from gru_tune.report import plain, read, summary, terminal
from gru_tune.report.columns import wrapped


def show(path: Path, form: str, top: int | None, width: int | None) -> str:
    """The report of the one study at or below ``path``, or a summary of several.

    ``form`` is terminal, csv, json or markdown. Raises ``StudyError``.
    """
    found = read.find(path)
    if len(found) > 1:
        return _several(path, found, form, width)
    study = read.study(found[0])
    if form == "terminal":
        return terminal.text(study, top, width) + "\n"
    if form == "csv":
        plain.restore(study)
    return {"csv": plain.csv, "json": plain.as_json, "markdown": plain.markdown}[form](study, top)


def doubts(path: Path) -> list[str]:
    """What is to be known of the studies at or below ``path`` whose study.json is lost, for forms without sentences."""
    return [text for folder in read.find(path) if (text := read.study(folder).doubt)]


def several(found: Sequence[Path]) -> tuple[list[read.Study], list[str]]:
    """The studies in these folders, and why others are left out. Raises ``StudyError`` when all are."""
    studies, broken = [], []
    for folder in found:
        try:
            studies.append(read.study(folder))
        except StudyError as error:
            broken.append(str(error))
    if not studies:
        raise StudyError("\n".join(broken))
    return studies, [f"Left out: {text}" for text in broken]


def _several(path: Path, found: Sequence[Path], form: str, width: int | None) -> str:
    """A line a study; one that cannot be read is named and does not hide the others."""
    studies, broken = several(found)
    left_out = "".join(f"{line}\n" for text in broken for line in wrapped(text, width))
    for study in studies:
        left_out += "".join(f"{line}\n" for line in wrapped(f"Note: {study.doubt}", width) if study.doubt)
    if form == "terminal":
        return summary.text(studies, path, width) + "\n" + left_out
    if form == "markdown":
        return summary.markdown(studies) + (f"\n{left_out}" if left_out else "")
    return {"csv": summary.csv, "json": summary.as_json}[form](studies)
