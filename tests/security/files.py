"""Hostile files, each a few kilobytes."""

from __future__ import annotations

import os
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np

from gru_tune import sources
from gru_tune.data.frame import Frame


@dataclass(frozen=True)
class Section:
    """The keys that say how to read a data file."""

    path: str
    kind: str = "unknown"
    format: str = "auto"
    delimiter: str | None = None
    quotes: str = "auto"


def read(file: Path) -> Frame:
    return sources.read(Section(file.name), file.parent)


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where something takes longer, as reading a pipe does that nobody writes to."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pipe(file: Path) -> Path:
    os.mkfifo(file)
    return file


def zip_bomb(file: Path, member: str = "x.npy", gigabytes: int = 2) -> Path:
    """Some megabytes of zeros, of which the archive says that they are gigabytes more often than it has them."""
    shape = (gigabytes * 2**30 // 8,)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(member, "w") as packed:
        np.lib.format.write_array_header_1_0(packed, {"descr": "<f8", "fortran_order": False, "shape": shape})
        packed.write(bytes(2**20))
    raw = bytearray(file.read_bytes())
    at = raw.rfind(b"PK\1\2") + 24  # the size in the archive's own table
    raw[at : at + 4] = (gigabytes * 2**30 - 1).to_bytes(4, "little")
    file.write_bytes(raw)
    return file
