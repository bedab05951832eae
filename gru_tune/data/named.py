"""The columns that a config names, against those that are in the file."""

from __future__ import annotations

from gru_tune.data.frame import Frame, absent
from gru_tune.errors import DataError
from gru_tune.kinds.base import DataSection

KEYS = ("text", "tokens", "series", "time", "tags", "target")  # of all kinds, that name columns


def with_others(error: DataError, section: DataSection, frame: Frame) -> DataError:
    """The error for a column that is not there, told along with all others that are not."""
    if frame.table is None:
        return error
    there = list(map(str, frame.table.columns))
    wanted = [(f"data.{key}", name) for key in KEYS for name in _names(getattr(section, key, None))]
    plan = section.split_section
    wanted += [("data.split", name) for name in _names(plan.column)]
    wanted += [("data.split.group", name) for name in _names(plan.group)]
    lacking = [absent("column", name, there, frame.name, key) for key, name in wanted if name not in there]
    return DataError("\n".join(lacking)) if str(error) in lacking else error


def _names(given: str | list[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else given or []
