"""CSV and TSV files, with the traps that real ones hold.

Nothing is guessed about missing values here: only empty cells are, because ``NA`` may be
a word of a text. Columns of numbers read ``NA`` later.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

from gru_tune import bounds
from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section
from gru_tune.sources.encoded import decode


def read(path: Path, section: Section, form: str) -> Frame:
    """Read a table with a header line.

    Raises ``DataError`` for an empty file, a header without rows, and rows that do not fit it.
    """
    import pandas as pd

    text, notes = decode(path)
    text = text.lstrip("\n")
    header_line = text.split("\n", 1)[0]
    delimiter = section.delimiter or ("\t" if form == "tsv" else sniff(header_line))
    quoting = csv.QUOTE_NONE if section.quotes == "none" else csv.QUOTE_MINIMAL
    if section.quotes == "auto" and bare_quotes(text, delimiter):
        quoting = csv.QUOTE_NONE
        if '"' in header_line:
            notes.append(f"{path.name}: double quotes are read as ordinary characters (data.quotes)")
    header = _cells(header_line, delimiter, quoting)
    first = _cells(text.partition("\n")[2].lstrip("\n").split("\n", 1)[0], delimiter, quoting)
    if not first:
        raise DataError(f"{path.name} has a header but no rows")
    names, blank, more = _names(path, header, first)
    bounds.cells(text.count("\n"), len(names), len(text))
    ids = getattr(section, "series", None)  # names, even where they look like numbers: 007 is not 7
    try:
        table = pd.read_csv(
            io.StringIO(text), sep=delimiter, quoting=cast(Any, quoting), keep_default_na=False,
            na_values=[""], low_memory=False, header=None, skiprows=1, names=names, index_col=False,
            dtype={ids: str} if ids in names else None,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        raise DataError(f"{path.name} {_reason(str(error))}") from error
    if table.empty:
        raise DataError(f"{path.name} has a header but no rows")
    if blank is not None:
        table = table.drop(columns=[names[blank]])
    return Frame(path.name, table, notes=(*notes, *more))


def _names(path: Path, header: list[str], first: list[str]) -> tuple[list[str], int | None, list[str]]:
    """The columns' names, which column has none and is left out, and notes.

    pandas would take the first column of a file whose header is one name short as an
    index, and lose the last where told not to, both without a word.
    """
    header = [name.strip() for name in header]
    over = len(first) - len(header)
    if over > 1 or (over == 1 and len(header) == 1):
        raise DataError(f"{path.name} {_too_many(2, len(first), len(header))}")
    names, blank, notes = header, None, []
    if over == 1 and first[-1] == "":  # every row ends with a delimiter
        names, blank = [*header, ""], len(header)
    elif over == 1:
        names, blank = ["", *header], 0
        notes = [f"{path.name}: the header is one name short; the first column, which has none, is left out"]
    elif not header[0] and len(header) > 1:
        blank = 0
        notes = [f"{path.name}: the first column has no name and is left out"]
    counts = Counter(names)
    if twice := next((name for name in names if name and counts[name] > 1), None):
        raise DataError(f"{path.name} has two columns {twice!r}; rename one")
    nameless = [name or f"unnamed_{n}" for n, name in enumerate(names, start=1)]
    return nameless, blank, notes


def sniff(header: str) -> str:
    """The delimiter that a header line uses most (a comma when it uses none)."""
    return max(",\t;|", key=lambda mark: (header.count(mark), mark == ","))


def bare_quotes(text: str, delimiter: str) -> bool:
    """Whether double quotes are ordinary characters in ``text``, not marks around cells.

    They are when every line has as many delimiters as the header (so no cell hides one),
    yet some cell begins with a quote that does not end it. Reading such a file with
    standard quoting would swallow rows without a word.
    """
    if '"' not in text:
        return False
    lines = [line for line in text.split("\n") if line]
    expected = lines[0].count(delimiter)
    if any(line.count(delimiter) != expected for line in lines):
        return False
    return any(
        not _closed(cell)
        for line in lines
        if '"' in line
        for cell in line.split(delimiter)
        if cell[:1] == '"'
    )


def _closed(cell: str) -> bool:
    inner = cell.rstrip(" ")[1:-1]
    return len(cell.rstrip(" ")) > 1 and cell.rstrip(" ").endswith('"') and '"' not in inner.replace('""', "")


def _cells(line: str, delimiter: str, quoting: int) -> list[str]:
    if quoting == csv.QUOTE_NONE:
        return line.split(delimiter) if line else []
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell longer than the standard library allows
        return line.split(delimiter)


def _too_many(line: int, saw: int, expected: int) -> str:
    return (
        f"line {line}: {saw} cells where the header has {expected}; "
        "put quotes around cells with delimiters, or set data.delimiter or data.quotes"
    )


def _reason(message: str) -> str:
    counts = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if counts:
        expected, line, saw = counts.groups()
        return _too_many(int(line), int(saw), int(expected))
    inside = re.search(r"EOF inside string starting at row (\d+)", message)
    if inside:
        return (
            f"line {int(inside.group(1)) + 1}: a quote is opened there and never closed; "
            "if quotes are ordinary characters, set data.quotes: none"
        )
    return f"cannot be read as a table ({message.strip().splitlines()[-1]})"
