"""The formats of files: each a file here with ``read(path, section) -> Frame``.

A new format is one file, one line in ``READERS`` and its suffixes in ``SUFFIXES``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gru_tune import bounds
from gru_tune.errors import DataError
from gru_tune.wording import suggest

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame

READERS = {
    "csv": "delimited",
    "tsv": "delimited",
    "jsonl": "jsonl",
    "parquet": "parquet",
    "npz": "npz",
}
SUFFIXES = {
    ".csv": "csv", ".txt": "csv", ".data": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".pq": "parquet", ".npz": "npz",
}  # fmt: skip
BUILTIN = "builtin:"


class Section(Protocol):
    """The keys of a data section that say how to read its file."""

    @property
    def kind(self) -> str: ...
    @property
    def path(self) -> Any: ...
    @property
    def format(self) -> str: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def quotes(self) -> str: ...


def read(section: Section, folder: Path) -> Frame:
    """Read the file (or the files, one a split) that ``section.path`` names, relative to ``folder``.

    Raises ``DataError`` in one sentence for whatever cannot be read.
    """
    if isinstance(section.path, str):
        return _one(section.path, section, folder)
    from gru_tune.sources.joined import join

    names = {split: getattr(section.path, split) for split in ("train", "validation", "test")}
    return join({split: _one(name, section, folder) for split, name in names.items() if name is not None})


def _one(name: str, section: Section, folder: Path) -> Frame:
    if name.startswith(BUILTIN):
        from gru_tune.sources import builtin

        return builtin.read(name[len(BUILTIN) :], section.kind)
    path = existing(name, folder)
    form = section.format if section.format != "auto" else _by_suffix(path)
    try:
        frame: Frame = import_module(f"gru_tune.sources.{READERS[form]}").read(path, section, form)
    except bounds.Refused as refused:
        raise DataError(f"{path.name} {refused}") from None
    except MemoryError:
        raise DataError(
            f"{path.name} does not fit into the memory of this machine; read fewer rows or columns of it"
        ) from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}") from None
    return frame


def existing(name: str, folder: Path) -> Path:
    """The file ``name`` in ``folder``; raises ``DataError`` with the nearest name when it is not there."""
    try:
        path = (folder / Path(name).expanduser()).absolute()
        bounds.regular(path)
    except bounds.Refused as refused:
        if path.is_dir():
            raise DataError(
                f"data.path: {name} is a folder; name one file (or one a split: path: {{train: …, test: …}})"
            ) from None
        raise DataError(f"data.path: {name} {refused}") from None
    except (FileNotFoundError, NotADirectoryError):
        around = path.parent.iterdir() if path.parent.is_dir() else ()
        # A config lies beside its data, often under the same name: it is not what was meant.
        beside = [p.name for p in around if p.is_file() and p.suffix not in (".yaml", ".yml")]
        near = suggest(path.name, beside) or f" (looked for {path})"
        raise DataError(f"data.path: there is no file {name}{near}") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~ of nobody
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"data.path: {name} cannot be read: {reason}") from None
    return path


def _by_suffix(path: Path) -> str:
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        known = ", ".join(sorted(SUFFIXES))
        raise DataError(
            f"data.path: {path.name} has a suffix that is not known ({known}); say what it is with data.format"
        )
    return form
