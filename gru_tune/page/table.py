"""All trials as the page's script sorts and filters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gru_tune.report.read import Study
from gru_tune.values import Scalar

DIGITS = 5  # of numbers that are not whole; trials.csv has all of them


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
    columns = [
        name for name in study.table.columns(shown) if any(row.get(name) not in (None, "") for row in rows)
    ]
    cells = [[_shown(row.get(name)) for name in columns] for row in rows]
    return Rows(columns, cells, len(study.ranked) - len(shown))


def _shown(cell: Scalar) -> Scalar:
    return float(f"{cell:.{DIGITS}g}") if isinstance(cell, float) else cell
