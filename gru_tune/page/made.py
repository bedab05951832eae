"""How a study was made: its data, its splits, its machine, its versions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gru_tune.report.numbers import duration
from gru_tune.report.read import Study

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Grid:
    """A small table; the first cell of a row is its head."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def grids(study: Study) -> list[Grid]:
    """Every small table that has something to say."""
    found = [_data(study), _splits(study), _run(study), _versions(study)]
    return [grid for grid in found if grid.rows]


def pairs(title: str, columns: list[str], found: Iterable[tuple[str, Any]]) -> Grid:
    """Names and values, without those that are not known."""
    known = ((name, value) for name, value in found if value not in (None, "", [], {}))
    return Grid(title, columns, [[name, _text(value)] for name, value in known])


def _data(study: Study) -> Grid:
    facts = study.facts.get("facts") or {}
    lengths = facts.get("lengths") or {}
    return pairs(
        "Data",
        ["fact", "value"],
        [
            ("kind", study.asked.get("kind")),
            ("rows", facts.get("rows")),
            ("sequences", facts.get("sequences")),
            ("features a step", facts.get("features") or None),
            ("words known", facts.get("words") or None),
            ("classes", len(facts.get("labels") or ()) or None),
            ("steps of a sequence", _lengths(lengths)),
            ("sha256 of what was read begins with", str(study.asked.get("data", ""))[:16]),
        ],
    )


def _lengths(lengths: Mapping[str, Any]) -> str:
    if not lengths:
        return ""
    if lengths["min"] == lengths["max"]:
        return _text(lengths["min"])
    return f"{_text(lengths['min'])} to {_text(lengths['max'])}, the middle one has {_text(lengths['p50'])}"


def _splits(study: Study) -> Grid:
    known = (study.facts.get("facts") or {}).get("splits") or {}
    sizes = ("sequences", "rows", "targets")
    rows = [
        [split, *(_text(known[split].get(size)) for size in sizes)] for split in SPLITS if known.get(split)
    ]
    return Grid("Splits", ["split", *sizes], rows)


def _run(study: Study) -> Grid:
    facts = study.facts
    devices = facts.get("devices") or {}
    return pairs(
        "Run",
        ["fact", "value"],
        [
            ("seed", study.asked.get("seed")),
            ("folds", study.folds if study.folds > 1 else None),
            ("began", moment(facts.get("started"))),
            ("last change", moment(study.updated)),
            ("at work", duration(study.seconds)),
            ("workers", facts.get("workers")),
            ("trained on", facts.get("backend")),
            ("processor", devices.get("processor")),
            ("cores", devices.get("cores")),
            ("GPUs", devices.get("gpus")),
            ("system", devices.get("system")),
        ],
    )


def _versions(study: Study) -> Grid:
    versions = study.facts.get("versions") or {"gru-tune": study.asked.get("gru_tune")}
    return pairs("Versions", ["package", "version"], versions.items())


def moment(seconds: float | None) -> str:
    """A time by the world's clock, so that the page is the same wherever it is made."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _text(value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else "" if value is None else str(value)
