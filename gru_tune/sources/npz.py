"""NPZ files: named arrays."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gru_tune import bounds
from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section

KINDS = "biufSUmM"  # of NumPy's types
# What NumPy and zipfile raise for bytes that are not what they say they are.
DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    SyntaxError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
)


def read(path: Path, section: Section, form: str) -> Frame:
    """Read every array. Pickled objects are refused, because reading them can run code.

    Raises ``DataError`` for those, and for a file that is damaged; ``Refused`` for one that
    unpacks to far more than it is.
    """
    try:
        _refuse_bare(path)
        bounds.archive(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: _array(path, archive, name) for name in archive.files}
    except (bounds.Refused, MemoryError):
        raise
    except (BadZipFile, EOFError, OSError) as error:
        raise DataError(f"{path.name} is not an npz file, or is damaged ({error})") from error
    except DAMAGE as error:
        raise DataError(f"{path.name} is not an npz file, or is damaged") from error
    if not arrays:
        raise DataError(f"{path.name} holds no arrays")
    return Frame(path.name, arrays=arrays)


def _refuse_bare(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            raise DataError(f"{path.name} holds one bare array; save x and y together with np.savez")


def _array(path: Path, archive: Any, name: str) -> NDArray[Any]:
    try:
        array = archive[name]
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise DataError(
            f"{path.name}: array {name!r} holds Python objects, which are not read because they can run code; "
            "save rows of unequal length padded, with an array of their lengths"
        ) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in KINDS or not array.dtype.itemsize:
        raise DataError(f"{path.name}: {name!r} is no array of numbers, truth values, dates or text")
    return array.astype(str) if array.dtype.kind == "S" else array
