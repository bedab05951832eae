"""The readers of files: each lets through only what it may raise, and says whether all was well."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.seeds import good_log
from gru_tune.errors import ConfigError, DataError, StudyError

Target = Callable[
    [bytes, Path], bool
]  # reads the bytes, by way of a file in the folder; whether all was well


@dataclass(frozen=True)
class File:
    """What the readers want to know of a data file."""

    path: str
    kind: str = "unknown"
    format: str = "auto"
    delimiter: str | None = None
    quotes: str = "auto"


def config(raw: bytes, folder: Path) -> bool:
    """A config: whatever is wrong with it is a ``ConfigError``, with a place inside the file."""
    from gru_tune import config as configs

    file = _written(raw, folder / "config.yaml")
    try:
        configs.load(file)
    except ConfigError as error:
        text = str(error)
    else:
        return True
    lines = len(raw.decode("utf-8", "replace").splitlines()) + 1
    for found in re.finditer(re.escape(str(file)) + r":(\d+)", text):
        assert 1 <= int(found[1]) <= lines, text
    return False


def log(raw: bytes, folder: Path) -> bool:
    """The record of a study, and the study that it tells of: as it is, and as if a stranger had meant it so."""
    from gru_tune.report import read
    from gru_tune.study import log as logs

    file = folder / "trials.jsonl"
    read_all = 0
    for content in (raw, b"\n".join(map(_sealed, raw.split(b"\n")))):
        _written(content, file)
        with suppress(StudyError):
            logs.read(file)
            read_all += bool(read.study(folder).ranked)
    return read_all == 2


def repair(raw: bytes, folder: Path) -> bool:
    """A damaged record: what is made of it can be read, or it is refused."""
    from gru_tune.study import log as logs
    from gru_tune.study.repair import repair as mended

    file = folder / "trials.jsonl"
    for kept in folder.glob("trials.jsonl.damaged*"):
        kept.unlink()
    whole = 0
    for content in (raw, b"\n".join(map(_sealed, raw.split(b"\n")))):
        _written(content, file)
        with suppress(StudyError):
            whole += any("nothing to repair" in line for line in mended(folder))
            logs.read(file)
    return whole == 2


def _sealed(line: bytes) -> bytes:
    """The line with the checksum of what stands in it now."""
    from gru_tune.study.lines import MARK, SEAL

    if line[-SEAL : len(MARK) - SEAL] != MARK:
        return line
    return line[:-SEAL] + b'%b%08x"}' % (MARK, zlib.crc32(line[:-SEAL]))


def facts(raw: bytes, folder: Path) -> bool:
    """``study.json`` beside a good record."""
    from gru_tune.report import read

    _written(good_log(), folder / "trials.jsonl")
    _written(raw, folder / "study.json")
    with suppress(StudyError):
        return read.study(folder).winner is not None
    return False


def preprocessing(raw: bytes, folder: Path) -> bool:
    """``preprocessing.json``, as ``predict`` reads it."""
    from gru_tune.study.results import StudyFolder
    from gru_tune.using.finished import fitted

    _written(raw, folder / "preprocessing.json")
    with suppress(StudyError):
        return bool(fitted(StudyFolder(folder)).info())
    return False


def _data(suffix: str, sections: list[tuple[dict[str, Any], str]]) -> Target:
    def target(raw: bytes, folder: Path) -> bool:
        from gru_tune import kinds, sources

        file = _written(raw, folder / f"data.{suffix}")
        understood = 0
        with suppress(DataError):
            frame = sources.read(File(file.name), folder)
            for keys, task in sections:
                section = kinds.KINDS[keys["kind"]].model_validate({"path": file.name, **keys})
                with suppress(DataError):
                    kinds.read(section, frame, task)
                    understood += 1
        return understood > 1

    return target


_TABLE: list[tuple[dict[str, Any], str]] = [
    ({"kind": "text", "text": "text", "target": "label"}, "classification"),
    ({"kind": "text", "text": "list", "target": "value"}, "regression"),
    ({"kind": "tokens", "tokens": "text", "tags": "label"}, "labelling"),
    ({"kind": "tokens", "tokens": "list", "target": "label"}, "classification"),
    ({"kind": "timeline", "target": "value", "time": "time", "horizon": 1}, "forecasting"),
    ({"kind": "series", "series": "id", "time": "time", "target": "value"}, "regression"),
]
TARGETS: dict[str, Target] = {
    "config": config,
    "log": log,
    "repair": repair,
    "facts": facts,
    "preprocessing": preprocessing,
    "csv": _data("csv", _TABLE),
    "jsonl": _data("jsonl", _TABLE),
    "parquet": _data("parquet", _TABLE),
    "npz": _data("npz", [({"kind": "arrays"}, "classification"), ({"kind": "arrays"}, "regression")]),
}


def _written(raw: bytes, file: Path) -> Path:
    file.write_bytes(raw)
    return file
