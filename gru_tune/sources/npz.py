"""NPZ files: named arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section


def read(path: Path, section: Section, form: str) -> Frame:
    """Read every array. Pickled objects are refused, because reading them can run code.

    Raises ``DataError`` for those, and for a file that is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path.name} holds one bare array; save x and y together with np.savez")
            arrays = {name: _array(path, archive, name) for name in archive.files}
    except (BadZipFile, OSError, EOFError) as error:
        raise DataError(f"{path.name} is not an npz file, or is damaged ({error})") from error
    except ValueError as error:
        raise DataError(f"{path.name} is not an npz file, or is damaged") from error
    if not arrays:
        raise DataError(f"{path.name} holds no arrays")
    return Frame(path.name, arrays=arrays)


def _array(path: Path, archive: Any, name: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = archive[name]
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise DataError(
            f"{path.name}: array {name!r} holds Python objects, which are not read because they can run code; "
            "save rows of unequal length padded, with an array of their lengths"
        ) from error
    return array.astype(str) if array.dtype.kind == "S" else array
