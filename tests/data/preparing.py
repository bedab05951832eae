"""A stand-in for a config, so that data can be prepared without a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gru_tune.data.frame import Frame
from gru_tune.data.prepare import Prepared, prepare
from gru_tune.data.raw import Raw
from gru_tune.kinds import KINDS, read
from gru_tune.kinds.base import DataSection
from gru_tune.knobs import table


@dataclass(frozen=True)
class Question:
    task: str
    data: DataSection
    folder: Path
    search: Any
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def domain(self, name: str) -> Any:
        return self.knobs.get(name, table()[name].default)


def section(kind: str, **keys: Any) -> DataSection:
    return KINDS[kind].model_validate({"kind": kind, "path": "data.csv", **keys})


def prepared(
    folder: Path,
    task: str,
    kind: str,
    *,
    seed: int = 1,
    objective: str | None = None,
    knobs: Mapping[str, Any] | None = None,
    **keys: Any,
) -> Prepared:
    """Prepare a file of ``folder`` (``data.csv`` unless ``path`` says otherwise)."""
    question = Question(
        task,
        section(kind, **keys),
        folder,
        SimpleNamespace(seed=seed, metric=(("search", "objective"), objective)),
        knobs or {},
    )
    return prepare(question)


def raw(task: str, kind: str, columns: Mapping[str, Any] | None = None, **keys: Any) -> Raw:
    """What a kind makes of a table with these columns (or of these arrays)."""
    import pandas as pd

    if kind == "arrays":
        return read(section(kind, **keys), Frame("data.npz", arrays=dict(columns or {})), task)
    return read(section(kind, **keys), Frame("data.csv", pd.DataFrame(columns)), task)


def has(notes: tuple[str, ...], *words: str) -> bool:
    """Whether one of the notes has all of these words."""
    return any(all(word in note for word in words) for note in notes)
