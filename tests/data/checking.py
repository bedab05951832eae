"""Tables with something planted in them, and what the checks say about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.prepare import Prepared


def write(folder: Path, **columns: Any) -> None:
    """``data.csv`` with these columns."""
    import pandas as pd

    pd.DataFrame(columns).to_csv(folder / "data.csv", index=False)


def noise(count: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(count)


def found(data: Prepared, check: str) -> list[str]:
    """What one check has found, a sentence each."""
    return [finding["text"] for finding in data.facts["checks"] if finding["check"] == check]


def levels(data: Prepared, check: str) -> list[str]:
    return [finding["level"] for finding in data.facts["checks"] if finding["check"] == check]
