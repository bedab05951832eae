"""The studies of a comparison, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gru_tune.report.read import Study
from gru_tune.wording import listed


@dataclass(frozen=True)
class Entry:
    """A study, and what it is called in this comparison."""

    label: str
    study: Study


@dataclass(frozen=True)
class Common:
    """What is the same in all studies of a comparison."""

    task: bool
    data: bool
    split: bool  # which rows train, validate and test
    objective: bool

    @property
    def related(self) -> bool:
        """Whether there is anything to compare."""
        return self.task and self.data

    @property
    def scores(self) -> bool:
        """Whether their scores are of the same thing."""
        return self.related and self.split and self.objective


def labelled(studies: Sequence[Study]) -> list[Entry]:
    """Every study under its name; where two have the same one, under their folders."""
    names = Counter(study.name for study in studies)
    return [
        Entry(study.name if names[study.name] == 1 else str(study.folder.path), study) for study in studies
    ]


def common(entries: Sequence[Entry]) -> Common:
    """Compares what the studies ask, by the heads of their logs."""
    asked = [entry.study.asked for entry in entries]
    return Common(
        task=_same(head.get("task") for head in asked),
        data=_same(head.get("data") for head in asked),
        split=_same(map(_division, asked)),
        objective=_same((e.study.objective.name, e.study.objective.direction) for e in entries),
    )


def cautions(entries: Sequence[Entry]) -> list[str]:
    """What keeps these studies from being compared; empty when nothing does."""
    found = common(entries)
    different = [name for name in ("task", "data", "objective") if not getattr(found, name)]
    if different:
        return [
            f"These studies differ in their {listed(different, 'and')}: their scores are not of the same "
            "thing, and none is called better."
        ]
    if not found.split:
        return [
            "These studies have the same data, split in different ways: their scores are of different rows, "
            "and none is called better; give them the same data.split and search.seed to compare them."
        ]
    return []


def _division(asked: Any) -> Any:
    """The fingerprint of the split; a log of an earlier version has only what it was made of."""
    question = asked.get("question", {})
    return asked.get("division") or (question.get("data", {}).get("split"), asked.get("seed"))


def _same(values: Iterable[Any]) -> bool:
    first, *others = values
    return all(value == first for value in others)
