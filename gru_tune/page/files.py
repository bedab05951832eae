"""The pages and the pictures of the studies below a folder."""

from __future__ import annotations

from pathlib import Path

from gru_tune import page, report
from gru_tune.errors import StudyError
from gru_tune.report import read
from gru_tune.study.files import unwritable


def pages(path: Path, top: int | None) -> tuple[list[Path], list[str]]:
    """Write ``report.html`` into the folder of every study at or below ``path``; say where, and what was left out.

    Raises ``StudyError``.
    """
    studies, left_out = report.several(read.find(path))
    try:
        return [page.write(study, top) for study in studies], [
            *left_out,
            *(s.doubt for s in studies if s.doubt),
        ]
    except OSError as error:
        raise StudyError(
            f"{unwritable(error, Path(error.filename or path))} and run the same command again"
        ) from error


def pictures(path: Path, folder: Path) -> tuple[list[Path], list[str]]:
    """Write the main pictures of the one study at or below ``path``. Raises ``StudyError``."""
    from gru_tune.page import png

    found = read.find(path)
    if len(found) > 1:
        raise StudyError(f"--png shows one study: name its folder, such as {found[0]}")
    return png.write(read.study(found[0]), folder), []
