"""The rows of a new file that a study cannot read, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gru_tune.errors import DataError

SHOWN = 5  # row numbers of a reason
REASONS = 4  # that are told
REMEDY = "mend them, or leave them out with --skip-bad"

Mask = NDArray[np.bool_]


@dataclass
class Faults:
    """``count`` rows (or what ``unit`` says) of the file ``name``, some of them bad for a reason or two."""

    name: str
    count: int
    unit: str = "rows"
    reasons: dict[str, Mask] = field(default_factory=dict)

    def add(self, reason: str, bad: Mask) -> None:
        """Mark the rows where ``bad`` is true."""
        if bad.any():
            self.reasons[reason] = bad

    @property
    def bad(self) -> Mask:
        """(rows,) which are bad."""
        mask = np.zeros(self.count, np.bool_)
        for bad in self.reasons.values():
            mask |= bad
        return mask

    def told(self) -> str:
        """How many there are, why and where: rows are counted from 1, without the header."""
        why = [f"{reason} ({self._places(bad)})" for reason, bad in list(self.reasons.items())[:REASONS]]
        if len(self.reasons) > REASONS:
            why.append(f"and {len(self.reasons) - REASONS:,} more columns like these")
        share = f"{int(self.bad.sum()):,} of {self.count:,} {self.unit}"
        return f"{share} of {self.name} cannot be used: {'; '.join(why)}"

    def settle(self, skip: bool) -> list[str]:
        """What to tell of the rows that are left out; raises ``DataError`` unless they may be."""
        if not self.reasons:
            return []
        if not skip:
            raise DataError(f"{self.told()}; {REMEDY}")
        if self.bad.all():
            raise DataError(f"{self.told()}; nothing is left to read")
        return [f"left out: {self.told()}"]

    def _places(self, bad: Mask) -> str:
        rows = np.flatnonzero(bad)
        first = ", ".join(f"{row + 1:,}" for row in rows[:SHOWN].tolist())
        more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
        return f"{self.unit if len(rows) > 1 else self.unit[:-1]} {first}{more}"
