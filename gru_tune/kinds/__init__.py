"""The kinds of data: a class of config keys and a ``read`` each. Light to import.

A new kind is one file and one line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gru_tune.kinds.arrays import Arrays
from gru_tune.kinds.base import DataSection, Files, SplitSection
from gru_tune.kinds.series import Series
from gru_tune.kinds.text import Text
from gru_tune.kinds.timeline import Timeline
from gru_tune.kinds.tokens import Tokens
from gru_tune.kinds.wide import Wide

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw

KINDS: dict[str, type[DataSection]] = {
    "text": Text,
    "tokens": Tokens,
    "series": Series,
    "wide": Wide,
    "timeline": Timeline,
    "arrays": Arrays,
}


def read(section: DataSection, frame: Frame, task: str, labelled: bool = True) -> Raw:
    """What ``frame`` holds, as sequences with targets; nothing is fitted yet.

    Without ``labelled`` there are no targets: ``y`` is numbers of no column. Raises ``DataError`` in one sentence for whatever does not fit ``section``.
    """
    raw: Raw = import_module(f"gru_tune.kinds.{section.kind}").read(section, frame, task, labelled)
    return raw


__all__ = ["KINDS", "DataSection", "Files", "SplitSection", "read"]
