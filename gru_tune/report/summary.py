"""Several studies side by side, newest first."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from gru_tune.report.columns import layout, wrapped
from gru_tune.report.numbers import number
from gru_tune.report.plain import markdown_table
from gru_tune.report.read import Study
from gru_tune.study.table import Row, to_csv

COLUMNS = (
    "study", "state", "task", "strategy", "trials", "failed", "objective", "validation", "baseline", "test",
    "winner", "seconds", "updated",
)  # fmt: skip
DROPPABLE = ("seconds", "winner", "strategy", "failed", "updated", "task", "state", "objective")
LONGEST = 40  # columns of a folder


def rows(studies: Sequence[Study]) -> list[Row]:
    """A row a study, newest first."""
    return [_row(study) for study in sorted(studies, key=lambda s: (-s.updated, str(s.folder.path)))]


def text(studies: Sequence[Study], below: Path, width: int | None) -> str:
    """The table for a terminal; ``below`` is the folder that all of them are in."""
    table = [_shown(row) | {"study": os.path.relpath(str(row["study"]), below)} for row in rows(studies)]
    count = f"{len(studies):,} {'study' if len(studies) == 1 else 'studies'} in {below}"
    example = shlex.quote(str(below / table[0]["study"]))
    head = f"{count}, newest first; `gru-tune report {example}` shows the first."
    return "\n".join(
        [*wrapped(head, width), "", *layout(table, width, DROPPABLE, left=1, longest=LONGEST, see="--csv")]
    )


def csv(studies: Sequence[Study]) -> str:
    """A line a study."""
    return to_csv(COLUMNS, rows(studies))


def as_json(studies: Sequence[Study]) -> str:
    """A list of objects, one a study."""
    return json.dumps(rows(studies), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(studies: Sequence[Study]) -> str:
    """A GitHub table."""
    return "\n".join(markdown_table([_shown(row) for row in rows(studies)])) + "\n"


def _row(study: Study) -> Row:
    winner, baseline, test = study.winner, study.best_baseline("validation"), study.test
    return {
        "study": str(study.folder.path),
        "state": "finished" if study.finished else "unfinished",
        "task": study.asked.get("task"),
        "strategy": study.asked.get("strategy"),
        "trials": len(study.ranked),
        "failed": study.failed,
        "objective": study.objective.name,
        "validation": winner.score if winner else None,
        "baseline": baseline[1] if baseline else None,
        "test": test["metrics"].get(study.objective.name) if test else None,
        "winner": winner.number if winner else None,
        "seconds": round(study.seconds, 1),
        "updated": time.strftime("%Y-%m-%d %H:%M", time.localtime(study.updated)),
    }


def _shown(row: Row) -> dict[str, str]:
    return {
        name: number(v) if isinstance(v, float) and name != "seconds" else "–" if v is None else str(v)
        for name, v in row.items()
    }
