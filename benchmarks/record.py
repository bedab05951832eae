"""Trains every configuration of a small space once, and keeps every epoch as a table for `search_quality`.

    python -m benchmarks.record [NAME …] [--data FOLDER] [--out FOLDER]

Every table has its config in ``benchmarks/recorded``: a grid without early stopping and
finals. It is run by gru-tune, in one worker, and goes on where it was when it is interrupted;
then ``NAME.csv.gz`` (the table) and ``NAME.json`` (versions, machine, data) are written beside
the config. ``--data`` names the folder of the data sets, by default ``../shared/data/ready``
beside the repository; the tables are used without it.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gru_tune import config

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "benchmarks" / "recorded"
METRICS = ("loss", "accuracy", "mse")  # those of them that the study has go into the table
KEPT = ("gru_tune", "objective", "seed", "data", "versions", "devices", "backend", "started", "finished")


def run(name: str, data: Path, out: Path) -> Path:
    """The whole grid, trained through the command line; the folder of the study."""
    given = config.load(TABLES / f"{name}.yaml")
    command = [sys.executable, "-m", "gru_tune", "run", str(TABLES / f"{name}.yaml"), "--out", str(out)]
    source = str(given.data.path)
    if not source.startswith("builtin:"):
        command += ["--set", f"data.path={data / Path(source).name}"]
    subprocess.run([*command, "--workers", "1", "--quiet"], check=True, stdout=sys.stderr)
    return out / name


def lines(study: Path) -> Iterator[list[str]]:
    """The table of a study: a heading, then a line for every epoch of every trial, in the order of the trials.

    Seconds are those of training and validating; compiling is left out, because it happens
    once for many trials of one shape.
    """
    names: list[str] = json.loads((study / "study.json").read_text(encoding="utf-8"))["hyperparameters"]
    values = {
        row["trial"]: [row[name] for name in names]
        for row in _rows(study / "trials.csv")
        if row["status"] != "baseline"
    }
    curves = sorted(_rows(study / "curves.csv"), key=lambda row: (int(row["trial"]), int(row["epoch"])))
    metrics = [name for name in METRICS if f"validation_{name}" in curves[0]]
    yield [*names, "epoch", "seconds", *metrics]
    for row in curves:
        seconds = float(row["seconds"]) - float(row["seconds_compiling"])
        scores = [f"{float(row[f'validation_{name}']):.6g}" for name in metrics]
        yield [*values[row["trial"]], row["epoch"], f"{seconds:.4g}", *scores]


def write(study: Path, folder: Path) -> None:
    """``NAME.csv.gz`` and ``NAME.json`` in ``folder``; the same bytes for the same study."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines(study))
    packed = gzip.compress(text.getvalue().encode(), mtime=0)
    (folder / f"{study.name}.csv.gz").write_bytes(packed)
    facts: dict[str, Any] = json.loads((study / "study.json").read_text(encoding="utf-8"))
    about = {name: facts[name] for name in KEPT}
    (folder / f"{study.name}.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted(path.stem for path in TABLES.glob("*.yaml"))
    parser.add_argument("names", nargs="*", default=names, help="tables (default: all)")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "ready")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "recorded")
    options = parser.parse_args()
    for name in options.names:
        write(run(name, options.data, options.out), TABLES)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
