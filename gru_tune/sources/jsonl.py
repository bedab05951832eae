"""JSON Lines: one object a line; a file with one JSON list of objects is read as well."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gru_tune import bounds
from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section
from gru_tune.sources.encoded import decode

HALF = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that is half a character, or one of two halves


def read(path: Path, section: Section, form: str) -> Frame:
    """Read one row a line; raises ``DataError`` with the number of a line that is not an object."""
    import pandas as pd

    text, notes = decode(path)
    rows = _list(path, text) if text.lstrip().startswith("[") else _lines(path, text)
    if not rows:
        raise DataError(f"{path.name} is empty")
    if HALF.search(text):
        rows = [{_whole(key): _whole(value) for key, value in row.items()} for row in rows]
    columns = dict.fromkeys(key for row in rows for key in row)
    bounds.cells(len(rows), len(columns), len(text))
    table = pd.DataFrame({key: pd.Series([row.get(key) for row in rows]) for key in columns})
    return Frame(path.name, table, notes=tuple(notes))


def _lines(path: Path, text: str) -> list[dict[str, Any]]:
    rows = []
    # Only real line ends: str.splitlines would also cut at separators inside of texts.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path.name}, line {number}: not JSON ({_why(error)})") from error
        if not isinstance(row, dict):
            raise DataError(
                f'{path.name}, line {number}: expected an object like {{"text": …}}, got {line[:40]}'
            )
        rows.append(row)
    return rows


def _list(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(text)
    except RecursionError as error:
        raise DataError(f"{path.name}: not JSON ({_why(error)})") from error
    except ValueError as error:
        raise DataError(f"{path.name}: not JSON ({error})") from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f'{path.name}: expected a list of objects like {{"text": …}}')
    return list(rows)


def _whole(value: Any) -> Any:
    """With U+FFFD in place of half a character, which no text may hold and JSON can write."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return {_whole(key): _whole(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).split(": line")[0]
