"""Bytes to text."""

from __future__ import annotations

from pathlib import Path

from gru_tune.errors import DataError


def decode(path: Path) -> tuple[str, list[str]]:
    """The text of a file, with line ends as ``\\n``, and notes on its encoding.

    UTF-8 (with or without a byte order mark) and UTF-16 with one; what is neither is read
    as Latin-1, and a note says so. Raises ``DataError`` for an empty or a binary file.
    """
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError(f"{path.name} is empty")
    notes = []
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            text = raw.decode("utf-16")
        except UnicodeDecodeError:
            raise DataError(f"{path.name} begins as UTF-16 text and is none; save it as UTF-8") from None
    elif b"\0" in raw[:4096]:
        raise DataError(f"{path.name} is not a text file; say what it is with data.format")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            notes.append(f"{path.name} is not UTF-8 (line {line}) and was read as Latin-1")
            text = raw.decode("latin-1")
    if "\r" in text:
        # A carriage return of its own ends a line only where nothing else does.
        text = text.replace("\r\n", "\n")
        text = text.replace("\r", " " if "\n" in text else "\n")
    return text, notes
