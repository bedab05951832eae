"""Files that are replaced whole, and what is said of a disk on which that cannot be done."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gru_tune.errors import StudyError

FULL = {errno.ENOSPC, errno.EDQUOT}
GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE}
SEALED = {errno.EROFS, errno.EACCES, errno.EPERM}
OF_DISK = FULL | GONE | SEALED | {errno.EIO}


BESIDE = "beside."


def beside_of(path: Path) -> Path:
    """Where the file is written that takes the place of ``path``."""
    return path.with_name(BESIDE + path.name)


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """A file beside ``path`` to write, which then takes its place in one step, or is gone after an error.

    ``durable``: it is on the disk before; without that a power cut may leave an empty file.
    An ``OSError`` names ``path``.
    """
    beside = beside_of(path)
    try:
        beside.unlink(missing_ok=True)  # were it a link, what is written would land elsewhere
        yield beside
        if durable:
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def in_part(error: OSError) -> bool:
    """Whether NumPy tells of an array that was written in part: it names neither the file nor the reason."""
    return error.errno is None and str(error).endswith(" written")


def unwritable(error: OSError, path: Path) -> str:
    """``study/trials.csv cannot be written: no space left on device; free some space``."""
    path = path.with_name(path.name.removeprefix(BESIDE))  # the file whose place it was to take
    reason = (error.strerror or str(error)).lower()
    if in_part(error):
        reason, way_out = f"only a part was written ({reason})", "free some space"
    elif error.errno in FULL:
        way_out = "free some space"
    elif error.errno in GONE:
        reason, way_out = f"it was moved or removed while it was in use ({reason})", "bring it back"
    elif error.errno in SEALED:
        way_out = "make it writable"
    else:
        way_out = "see to the disk"
    return f"{path} cannot be written: {reason}; {way_out}"


def refused(error: OSError, path: Path) -> StudyError:
    """What is said when ``path``, a file of a study, or its folder cannot be written any more."""
    return StudyError(
        f"{unwritable(error, path)} and run the same command again: "
        "it goes on, and what was finished is not trained again"
    )
