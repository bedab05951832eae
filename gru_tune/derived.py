"""``trials.csv`` and ``curves.csv`` while a search runs: made from the log, never read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gru_tune.report import plain, read
from gru_tune.results import StudyFolder, replace_text
from gru_tune.table import Table, curve_columns, curve_metrics, curve_rows, rank, to_csv
from gru_tune.trial import Outcome, Trial


class Derived:
    """Keeps both files up to date; the table is rewritten, the curves grow."""

    def __init__(self, folder: StudyFolder, table: Table) -> None:
        self._folder, self._table = folder, table
        self._metrics: Sequence[str] = ()
        self.rebuild()

    def rebuild(self) -> None:
        """Write both anew from the whole log."""
        study = read.study(self._folder.path)
        replace_text(self._folder.table, plain.csv(study))
        replace_text(self._folder.curves, plain.curves_csv(study))
        self._metrics = curve_metrics(study.ranked)

    def add(self, outcome: Outcome, trials: Iterable[Trial]) -> None:
        """A job ended; ``trials`` are all so far."""
        replace_text(self._folder.table, self._table.csv(rank(trials, self._table.objective)))
        names = {name for epoch in outcome.epochs for name in (*epoch.train, *epoch.validation)}
        if not names <= set(self._metrics) or not self._folder.curves.exists():
            self.rebuild()
            return
        rows = curve_rows(outcome.trial, outcome.epochs)
        with self._folder.curves.open("a", encoding="utf-8", newline="") as file:
            file.write(to_csv(curve_columns(self._metrics), rows, header=False))
