"""``trials.csv`` and ``curves.csv`` while a search runs: made from the log, never read back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gru_tune.report import plain, read
from gru_tune.study.history import History
from gru_tune.study.pareto import members
from gru_tune.study.results import StudyFolder, replace_text
from gru_tune.study.table import Table, curve_columns, curve_rows, to_csv
from gru_tune.trial import Outcome

SHARE = 0.05  # of the time, that writing the table may take: it has a line for every trial
LATEST = 5.0  # seconds after which it is written all the same


class Derived:
    """Keeps both files up to date; the table is rewritten, the curves grow.

    A table that takes long to write is behind for a moment; ``refresh`` is to be called now and then.
    """

    def __init__(
        self,
        folder: StudyFolder,
        table: Table,
        history: History,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``history`` is the one that goes on with the search."""
        self._folder, self._table, self._history, self._clock = folder, table, history, clock
        self._columns: list[str] = []
        self._behind = False  # whether the table lacks an outcome
        self._due = 0.0  # when it may be written again
        self.rebuild()

    def rebuild(self) -> read.Study:
        """Write both anew from the whole log; returns what it says."""
        start = self._clock()
        study = read.study(self._folder.path)
        replace_text(self._folder.table, plain.csv(study))
        replace_text(self._folder.curves, plain.curves_csv(study))
        self._columns = curve_columns(study.runs)
        self._written(start)
        return study

    def add(self, outcome: Outcome, repeat: int) -> None:
        """A job of a run ended, and the history has taken it."""
        self._behind = True
        rows = curve_rows(outcome.trial, repeat, outcome.epochs)
        known = not rows or rows[0].keys() <= set(self._columns)
        if not known or not self._folder.curves.exists():
            self.rebuild()
            return
        with self._folder.curves.open("a", encoding="utf-8", newline="") as file:
            file.write(to_csv(self._columns, rows, header=False))
        self.refresh()

    def refresh(self, now: bool = False) -> None:
        """Write the table if it is behind, and, but for ``now``, was not written a moment ago."""
        start = self._clock()
        if not self._behind or (start < self._due and not now):
            return
        ranked, objective = self._history.ranked, self._table.objective
        table = replace(self._table, pareto=members(ranked, objective))
        replace_text(self._folder.table, table.csv(ranked), durable=False)
        self._written(start)

    def _written(self, start: float) -> None:
        """The table is up to date, which took the time since ``start``."""
        end = self._clock()
        self._behind, self._due = False, end + min((end - start) / SHARE, LATEST)
