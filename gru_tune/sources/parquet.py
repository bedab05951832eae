"""Parquet files."""

from __future__ import annotations

from pathlib import Path

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section


def read(path: Path, section: Section, form: str) -> Frame:
    """Read a table; raises ``DataError`` for a file that is damaged or has no rows."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except Exception as error:  # the reader's own classes differ from version to version
        reason = str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read as parquet ({reason})") from error
    if table.empty:
        raise DataError(f"{path.name} has no rows")
    return Frame(path.name, table.reset_index(drop=isinstance(table.index, pd.RangeIndex)))
