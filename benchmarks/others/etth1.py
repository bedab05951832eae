"""ETTh1 in windows, one and the same for every script of this folder: 48 hours in, OT of the next 24 out.

Every script takes ``etth1.csv`` (without it a stand-in is generated), the epochs and a seed,
and prints one line of JSON at the end: the best validation loss of each of its trials.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
ROWS = 17_420
TRAIN, VALIDATION = slice(0, 8640), slice(8640, 11520)  # and 11520–14400 is test, which no trial sees
WINDOW, HORIZON = 48, 24
UNITS, DEPTH, BATCH_SIZE = (32, 64, 128), (1, 2), (64, 128)

Floats = NDArray[np.float32]


class Windows(NamedTuple):
    """``x`` (windows, 48, 7) and ``y`` (windows, 24), both standardised, in time order."""

    x: Floats
    y: Floats


class Options(NamedTuple):
    """The command line of every script."""

    csv: Path | None
    epochs: int
    seed: int


def options(description: str | None) -> Options:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("csv", type=Path, nargs="?", help="etth1.csv (default: a generated stand-in)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    return Options(given.csv, given.epochs, given.seed)


def load(csv: Path | None) -> tuple[Windows, Windows]:
    """The windows of training and of validation; none crosses from one into the other."""
    table = generated() if csv is None else pd.read_csv(csv)
    values = table[list(COLUMNS)].to_numpy(np.float64)
    train = values[TRAIN]
    scaled = ((values - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
    return _windows(scaled[TRAIN]), _windows(scaled[VALIDATION])


def tell(losses: list[float]) -> None:
    """Print the result, as the last line."""
    print(json.dumps({"losses": losses}), flush=True)


def generated(seed: int = 1) -> pd.DataFrame:
    """A stand-in of the same shape: a daily cycle, a yearly one, a drift and noise in every column."""
    rng = np.random.default_rng(seed)
    hours = np.arange(ROWS)[:, None]
    size, shift = rng.uniform(0.5, 2.0, (3, len(COLUMNS))), rng.uniform(0, 2 * np.pi, (2, len(COLUMNS)))
    values = (
        size[0] * np.sin(2 * np.pi * hours / 24 + shift[0])
        + size[1] * np.sin(2 * np.pi * hours / (24 * 365) + shift[1])
        + np.cumsum(rng.normal(0, 0.02, (ROWS, len(COLUMNS))), axis=0)
        + rng.normal(0, 0.2, (ROWS, len(COLUMNS)))
    )
    table = pd.DataFrame(values, columns=list(COLUMNS))
    table.insert(0, "date", pd.date_range("2016-07-01", periods=ROWS, freq="h"))
    return table


def _windows(rows: Floats) -> Windows:
    starts = np.arange(len(rows) - WINDOW - HORIZON + 1)[:, None]
    ahead = rows[:, COLUMNS.index("OT")]
    return Windows(rows[starts + np.arange(WINDOW)], ahead[starts + WINDOW + np.arange(HORIZON)])
