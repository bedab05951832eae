"""The folder of exports: of one model, in one or several formats, with its preprocessing and README."""

from __future__ import annotations

import shutil
from pathlib import Path

from gru_tune.errors import ExportError
from gru_tune.export.formats import FORMATS
from gru_tune.export.readme import Model
from gru_tune.study.results import replace_copy

README, PREPROCESSING = "README.txt", "preprocessing.json"


def refuse_others(folder: Path, model: Model) -> None:
    """Raises ``ExportError`` for a folder with files of another model, or of somebody else."""
    if folder.suffix in {Path(form.file).suffix for form in FORMATS.values()} - {""}:
        raise ExportError(
            f"{folder}: name a folder with -o, which gets the model, {PREPROCESSING} and {README}"
        )
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is a file: name a folder with -o")
    own = [README, PREPROCESSING, *(form.file for form in FORMATS.values())]
    if any((folder / name).exists() for name in own) and _first_line(folder / README) != model.line:
        raise ExportError(
            f"{folder} holds another model, or files that are no export: delete it, or name another folder with -o"
        )


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    except OSError:
        return ""


def place(source: Path, target: Path) -> None:
    """Put a copy of a file or a folder in the place of what was there."""
    if not source.is_dir():
        replace_copy(source, target)
        return
    beside = target.with_name(target.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def size(path: Path) -> str:
    """``412 KB``, of a folder with all its files."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    total = sum(file.stat().st_size for file in files)
    return f"{total / 1e6:.1f} MB" if total >= 1e6 else f"{total / 1e3:.0f} KB"
