"""All trials as the page's script sorts and filters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gru_tune.page import thin
from gru_tune.report.read import Study
from gru_tune.report.words import confirmed
from gru_tune.study.table import AFTER, CONFIRMED
from gru_tune.values import Scalar

JOINED = {"confirmed_spread", "confirmed_low", "confirmed_high", "confirmed_runs"}  # all in one column here


@dataclass(frozen=True)
class Rows:
    """Columns, and the cells of every trial, best first."""

    columns: list[str]
    cells: list[list[Scalar]]
    left_out: int  # trials that are not shown

    @property
    def content(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": self.cells}


def rows(study: Study, top: int | None) -> Rows:
    """The table of the best ``top`` trials (None or 0: of all), without columns that are empty throughout."""
    shown = study.ranked[:top] if top else study.ranked
    rows = [study.table.row(trial, rank) for rank, trial in enumerate(shown, start=1)]
    for row, trial in zip(rows, shown, strict=True):
        row["confirmed"] = confirmed(study, trial) or None
    columns = [
        name
        for name in _order(study.table.columns(shown))
        if any(row.get(name) not in (None, "") for row in rows)
    ]
    cells = [[_shown(row.get(name)) for name in columns] for row in rows]
    return Rows(columns, cells, len(study.ranked) - len(shown))


def _order(columns: list[str]) -> list[str]:
    """The knobs before what the finals say."""
    finals = [name for name in columns if name in CONFIRMED and name not in JOINED]
    others = [name for name in columns if name not in CONFIRMED]
    place = others.index(AFTER[0])
    return [*others[:place], *finals, *others[place:]]


def _shown(cell: Scalar) -> Scalar:
    return thin.short(cell) if isinstance(cell, float) else cell
