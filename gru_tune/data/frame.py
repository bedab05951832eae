"""What a file holds, as read: a table or named arrays, before any kind of data looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.errors import DataError
from gru_tune.wording import suggest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Frame:
    """One file (or one a split) as read.

    ``split`` names the split of every row where files tell it (None elsewhere), ``numbers``
    its place in the file, from 0 (None: that in the table). ``words`` are columns of words,
    whatever they look like; ``notes`` are sentences about how the file was read.
    """

    name: str
    table: pd.DataFrame | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    split: NDArray[np.object_] | None = None
    numbers: NDArray[np.int64] | None = None
    words: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def need_table(self, kind: str) -> pd.DataFrame:
        """The table; raises ``DataError`` for arrays."""
        if self.table is None:
            raise DataError(
                f"{self.name} holds arrays, not a table with columns: use kind: arrays, not {kind}"
            )
        return self.table

    def column(self, name: str, key: str) -> pd.Series[Any]:
        """One column of the table; ``key`` is where the config names it.

        Raises ``DataError`` with the nearest name when it is not there.
        """
        table = self.need_table("this one")
        if name not in table.columns:
            raise DataError(absent("column", name, map(str, table.columns), self.name, key))
        return table[name]

    def with_table(self, table: pd.DataFrame) -> Frame:
        """The same file with its rows in another order; ``split`` and ``numbers`` follow the index of ``table``."""
        order = np.asarray(table.index)
        split = None if self.split is None else self.split[order]
        numbers = self.row_numbers[order]
        return replace(self, table=table.reset_index(drop=True), split=split, numbers=numbers)

    @property
    def row_numbers(self) -> NDArray[np.int64]:
        """The place in the file, from 0, of every row of the table."""
        return np.arange(len(self.need_table("this one"))) if self.numbers is None else self.numbers

    def rows(self, keep: NDArray[np.bool_]) -> Frame:
        """Only the rows of the table where ``keep`` is true."""
        return self.with_table(self.need_table("this one").reset_index(drop=True)[keep])


def absent(what: str, name: str, there: Iterable[str], where: str, key: str) -> str:
    """The sentence for a column or array that ``where`` does not have."""
    names = list(there)
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    near = suggest(name, names) or f": it has {listed}"
    return f"{key}: there is no {what} {name!r} in {where}{near}"
