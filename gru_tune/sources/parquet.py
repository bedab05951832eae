"""Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gru_tune import bounds
from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import Section

BATCH = 65_536  # rows that are looked at together
REPEATED = 200  # cells a byte: a whole column may be of one value, a whole file is not


def read(path: Path, section: Section, form: str) -> Frame:
    """Read a table; raises ``DataError`` for a file that is damaged or has no rows, ``Refused`` for a bomb."""
    import pandas as pd

    try:
        _look(path)
        table = pd.read_parquet(path)
    except (bounds.Refused, MemoryError):
        raise
    except Exception as error:  # the reader's own classes differ from version to version
        reason = str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read as parquet ({reason})") from error
    if table.empty:
        raise DataError(f"{path.name} has no rows")
    return Frame(path.name, table.reset_index(drop=isinstance(table.index, pd.RangeIndex)))


def _look(path: Path) -> None:
    """Raises for texts that are none, and for a bomb: few bytes may say that a text stands in a billion rows."""
    import pyarrow.parquet as pq

    size, facts = path.stat().st_size, pq.read_metadata(path)
    bounds.cells(facts.num_rows, facts.num_columns, REPEATED * size)
    leaves = [facts.schema.column(number) for number in range(facts.num_columns)]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    count = 0
    with pq.ParquetFile(path, read_dictionary=texts) as file:  # every distinct text once
        for batch in file.iter_batches(BATCH, columns=texts) if texts else ():
            batch.validate(full=True)  # what is not UTF-8 would be found out much later
            count += sum(map(_bytes, batch.columns))
            bounds.unpacked(size, count, "save it as csv")


def _bytes(column: Any) -> int:
    """Of the texts in a column, or in the lists in one, as many times as they stand there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.flatten()
    if not pa.types.is_dictionary(column.type):
        return 0
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0
