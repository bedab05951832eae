"""Studies side by side: what they ask, how their searches went, their winners, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gru_tune.errors import StudyError
from gru_tune.report import read
from gru_tune.report.comparing import forms
from gru_tune.report.comparing.entries import Entry, labelled

MOST = 8  # columns that a reader can compare, and curves that can be told apart


def show(paths: Sequence[Path], form: str, width: int | None) -> str:
    """The comparison of all studies at or below ``paths``.

    ``form`` is terminal, csv, json or markdown; ``width`` the columns of the terminal (None: no
    limit, and no picture). Raises ``StudyError``.
    """
    entries = gathered(paths)
    if form == "terminal":
        return forms.text(entries, width)
    return {"csv": forms.csv, "json": forms.as_json, "markdown": forms.markdown}[form](entries)


def gathered(paths: Sequence[Path]) -> list[Entry]:
    """The studies at or below ``paths``, in their order. Raises ``StudyError``."""
    folders = [folder for path in paths for folder in read.find(path)]
    twice = [folder for place, folder in enumerate(folders) if _same(folder, folders[:place])]
    if twice:
        raise StudyError(f"{twice[0]}: this study is named twice; compare it with another one")
    if len(folders) < 2:
        raise StudyError(f"{folders[0]}: a comparison needs two studies; name another one beside it")
    if len(folders) > MOST:
        raise StudyError(
            f"{len(folders)} studies are too many to stand side by side; name at most {MOST} of them "
            "(`gru-tune report FOLDER` lists all)"
        )
    return labelled([read.study(folder) for folder in folders])


def _same(folder: Path, others: Sequence[Path]) -> bool:
    return any(folder.resolve() == other.resolve() for other in others)
