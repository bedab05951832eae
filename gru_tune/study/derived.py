"""``trials.csv`` and ``curves.csv`` while a search runs: made from the log, never read back."""

from __future__ import annotations

from dataclasses import replace

from gru_tune.report import plain, read
from gru_tune.study.history import History
from gru_tune.study.pareto import members
from gru_tune.study.results import StudyFolder, replace_text
from gru_tune.study.table import Table, curve_columns, curve_rows, rank, to_csv
from gru_tune.trial import Outcome


class Derived:
    """Keeps both files up to date; the table is rewritten, the curves grow."""

    def __init__(self, folder: StudyFolder, table: Table) -> None:
        self._folder, self._table = folder, table
        self._columns: list[str] = []
        self.rebuild()

    def rebuild(self) -> None:
        """Write both anew from the whole log."""
        study = read.study(self._folder.path)
        replace_text(self._folder.table, plain.csv(study))
        replace_text(self._folder.curves, plain.curves_csv(study))
        self._columns = curve_columns(study.runs)

    def add(self, outcome: Outcome, repeat: int, history: History) -> None:
        """A job of a run ended; ``history`` has taken it."""
        trials = history.trials.values()
        table = replace(self._table, pareto=members(trials, self._table.objective))
        replace_text(self._folder.table, table.csv(rank(trials, table.objective)))
        rows = curve_rows(outcome.trial, repeat, outcome.epochs)
        known = not rows or rows[0].keys() <= set(self._columns)
        if not known or not self._folder.curves.exists():
            self.rebuild()
            return
        with self._folder.curves.open("a", encoding="utf-8", newline="") as file:
            file.write(to_csv(self._columns, rows, header=False))
