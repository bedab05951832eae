"""What a results folder says: as a table in the terminal, CSV, JSON, Markdown or a web page.

Everything is read from the log and ``study.json``; a study that still runs or was killed
can be reported like a finished one.
"""

from __future__ import annotations

from pathlib import Path

from gru_tune.errors import StudyError
from gru_tune.report import plain, read, summary, terminal
from gru_tune.study.results import replace_text


def show(path: Path, form: str, top: int | None, width: int | None) -> str:
    """The report of the one study at or below ``path``, or a summary of several.

    ``form`` is terminal, csv, json, markdown or html (which is written into the study's
    folder; the text then says where). Raises ``StudyError``.
    """
    found = read.find(path)
    if len(found) > 1:
        return _several(found, form, width)
    study = read.study(found[0])
    plain.restore(study)
    if form == "html":
        from gru_tune.report import html

        replace_text(study.folder.report, html.page(study, top))
        return f"{study.folder.report}\n"
    if form == "terminal":
        return terminal.text(study, top, width) + "\n"
    return {"csv": plain.csv, "json": plain.as_json, "markdown": plain.markdown}[form](study, top)


def _several(found: list[Path], form: str, width: int | None) -> str:
    """A line a study; one that cannot be read is named and does not hide the others."""
    studies, broken = [], []
    for folder in found:
        try:
            studies.append(read.study(folder))
        except StudyError as error:
            broken.append(str(error))
    if not studies:
        raise StudyError("\n".join(broken))
    left_out = "".join(f"Left out: {text}\n" for text in broken)
    if form == "html":
        raise StudyError("--html shows one study: name its folder, such as " + str(studies[0].folder.path))
    if form == "terminal":
        return summary.text(studies, width) + "\n" + left_out
    if form == "markdown":
        return summary.markdown(studies) + (f"\n{left_out}" if left_out else "")
    return {"csv": summary.csv, "json": summary.as_json}[form](studies)
