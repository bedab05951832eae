"""Files that somebody else may have written, read within bounds.

A name may lead to a device or a pipe, which never ends; a few kilobytes may unpack to
terabytes. What is large because it holds much is read: the bounds ask whether a file is far
larger in memory than on the disk.
"""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Any

MB = 1024 * 1024
JSON = 512 * MB  # bytes of a JSON file of a study: the vocabulary of a large one takes some 20 MB
UNPACKED = 1024 * MB  # bytes that any archive may unpack to, however small it is
EXPANSION = 100  # times its own size that an archive beyond that may unpack to
CELLS = 50_000_000  # of a table, most of them written nowhere: 400 MB of numbers
# What NumPy and Keras write. The others unpack a piece at once, whatever the archive says of its size.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Refused(ValueError):
    """A file that is not read; the text goes on behind its name: ``is a pipe or a device …``."""


def regular(path: Path) -> int:
    """The size of a plain file in bytes. Raises ``OSError`` without one, ``Refused`` for a pipe or a device."""
    try:
        facts = path.stat()
    except ValueError:  # a NUL in the name, which no file has
        raise FileNotFoundError(2, "there is no such file", str(path)) from None
    if stat.S_ISDIR(facts.st_mode):
        raise Refused("is a folder; name a file")
    if not stat.S_ISREG(facts.st_mode):
        raise Refused("is a pipe or a device; copy what it holds into a file, and name that")
    return facts.st_size


def whole(path: Path, most: int) -> bytes:
    """All bytes of a plain file. Raises ``OSError``, and ``Refused`` beyond ``most`` bytes."""
    size = regular(path)
    if size <= most:
        with path.open("rb") as file:
            raw = file.read(most + 1)  # some files of the system say that they are empty, and are not
        if len(raw) <= most:
            return raw
        size = len(raw)
    raise Refused(f"has more than {_size(most)}")


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises ``OSError``, and ``ValueError`` for anything else than a JSON object."""
    try:
        value = json.loads(whole(path, JSON).decode("utf-8"))
    except RecursionError:
        raise Refused("is nested too deeply") from None
    if not isinstance(value, dict):
        raise Refused("holds no JSON object")
    return value


def archive(path: Path) -> None:
    """Look at a ZIP archive before it is unpacked.

    Raises ``OSError``, ``zipfile.BadZipFile``, and ``Refused`` for one that unpacks to far
    more than it is, or that nobody writes for NumPy or Keras.
    """
    size = regular(path)
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
    except (NotImplementedError, ValueError, OverflowError, RuntimeError) as error:
        raise zipfile.BadZipFile(str(error)) from None
    for member in members:
        if member.compress_type not in METHODS or member.flag_bits & 1:
            raise Refused("is packed in another way than NumPy and Keras do, or has a password; save it anew")
    unpacked(size, sum(member.file_size for member in members), "save it without compression (np.savez)")


def unpacked(size: int, count: int, remedy: str) -> None:
    """Raises ``Refused`` for a file of ``size`` bytes that becomes ``count`` bytes when it is read."""
    if count > UNPACKED and count > EXPANSION * size:
        raise Refused(
            f"unpacks from {_size(size)} to {_size(count)}, as files do that are made to fill a memory; "
            f"if it is meant so, {remedy}"
        )


def cells(rows: int, columns: int, size: int) -> None:
    """Raises ``Refused`` for a table that is nearly all holes: a file of ``size`` bytes does not hold its cells."""
    if rows * columns > CELLS and rows * columns > size:
        raise Refused(
            f"would be a table of {rows:,} rows and {columns:,} columns, of which its {_size(size)} fill only a few; "
            "split it by its columns"
        )


def _size(count: int) -> str:
    for unit, power in (("TB", 4), ("GB", 3), ("MB", 2), ("kB", 1)):
        if count >= 1024**power:
            return f"{count / 1024**power:,.3g} {unit}"
    return f"{count} bytes"
