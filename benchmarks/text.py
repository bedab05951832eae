"""An epoch of IMDB by gru-tune and by plain Keras, on one core each.

    python -m benchmarks.text [--data FOLDER] [--reviews N] [--epochs 3] [--runs 1]

5,000 words, up to 500 of a review, an embedding of 100, one GRU of 100 units, batches of 64.
Both read one table with the same words and splits: validation is 5,000 of the 25,000 training
reviews. Every run is a process of its own on one core; the two take turns. ``--data`` names the
folder of ``imdb.parquet`` (columns text, label, split); without it reviews of the same lengths are
generated. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.surroundings import surroundings
from benchmarks.trials import timed

VALIDATION = 0.2  # of the training reviews
CONFIG = """
task: classification
data:
  kind: text
  path: reviews.parquet
  text: text
  target: label
  split: split
  vocabulary: 5000
  max_length: 500
  keep: end
model: {{units: 100, embedding: 100}}
training:
  optimizer: adam
  learning_rate: 0.001
  batch_size: 64
  epochs: {epochs}
  early_stopping: null
search: {{strategy: random, trials: 1, objective: accuracy, seed: {seed}}}
winner: {{finalists: 0}}  # plain Keras trains once
"""


@dataclass
class Measured:
    """All runs of one tool: seconds of every epoch and of the process, accuracy on test."""

    training: list[float] = field(default_factory=list)  # without validation, where that is told
    whole: list[float] = field(default_factory=list)
    process: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


def gru_tune(folder: Path, epochs: int, seed: int, core: int, into: Measured) -> None:
    """A search of one trial through the command line."""
    config = folder / "reviews.yaml"
    config.write_text(CONFIG.format(epochs=epochs, seed=seed), encoding="utf-8")
    given = ("run", str(config), "--workers", "1", "--fresh", "--quiet", "--out", str(folder))
    into.process.append(timed("gru_tune", *given, core=core)[0])
    with (folder / "reviews" / "curves.csv").open(encoding="utf-8") as table:
        into.whole += [float(row["seconds"]) for row in csv.DictReader(table)]
    study = json.loads((folder / "reviews" / "study.json").read_text(encoding="utf-8"))
    into.accuracy.append(study["test"][-1]["metrics"]["accuracy"])


def keras(folder: Path, epochs: int, seed: int, core: int, into: Measured) -> None:
    """The script ``benchmarks/others/reviews_keras.py``."""
    given = (str(folder / "reviews.parquet"), "--epochs", str(epochs), "--seed", str(seed))
    seconds, output = timed("benchmarks.others.reviews_keras", *given, core=core)
    told = json.loads(output.splitlines()[-1])
    into.process.append(seconds)
    into.training += told["training"]
    into.whole += told["whole"]
    into.accuracy.append(told["accuracy"])


TOOLS = {"Keras": keras, "gru-tune": gru_tune}


def prepared(data: Path | None, reviews: int | None) -> pd.DataFrame:
    """The reviews, with validation carved out of training; ``reviews`` of train and of test at most."""
    rng = np.random.default_rng(1)
    table = generated(rng) if data is None else pd.read_parquet(data / "imdb.parquet")
    train, test = (rng.permutation(np.flatnonzero(table["split"] == name)) for name in ("train", "test"))
    train, test = train[:reviews], test[:reviews]
    kept = table.iloc[np.concatenate([train, test])][["text", "label"]].reset_index(drop=True)
    validation = round(VALIDATION * len(train))
    counts = [len(train) - validation, validation, len(test)]
    return kept.assign(split=np.repeat(["train", "validation", "test"], counts))


def generated(rng: np.random.Generator, rows: int = 50_000, words: int = 20_000) -> pd.DataFrame:
    """Reviews of made-up words, about as frequent and as long as real ones; some words tell the label."""
    lengths = np.maximum(rng.lognormal(np.log(173), np.log(590 / 173) / 1.645, rows).astype(np.int64), 10)
    positive = rng.random(rows) < 0.5
    chances = 1 / np.arange(10, words + 10)
    ids = rng.choice(words, int(lengths.sum()), p=chances / chances.sum())
    # Of every 20 words one is seldom found in a positive review, which has the next word instead.
    changed = np.repeat(positive, lengths) & (ids % 20 == 1) & (rng.random(len(ids)) < 0.8)
    ids[changed] += 1
    vocabulary = np.array([f"w{number}" for number in range(words + 1)], dtype=object)
    texts = [" ".join(vocabulary[part]) for part in np.split(ids, np.cumsum(lengths)[:-1])]
    split = np.repeat(["train", "test"], [rows // 2, rows - rows // 2])
    return pd.DataFrame({"text": texts, "label": np.where(positive, "pos", "neg"), "split": split})


def report(found: dict[str, Measured]) -> str:
    """The Markdown table; the ratio is of epochs with validation, below 1 is faster than Keras."""
    lines = [
        "| tool | seconds an epoch, training alone | with validation | ÷ Keras | accuracy on test | whole process |",
        "|---|---|---|---|---|---|",
    ]
    reference = statistics.median(found["Keras"].whole)
    for name, measured in found.items():
        whole = statistics.median(measured.whole)
        cells = [
            name,
            f"{statistics.median(measured.training):.1f}" if measured.training else "–",
            f"{whole:.1f}",
            f"{whole / reference:.2f}",
            ", ".join(f"{accuracy:.4f}" for accuracy in measured.accuracy),
            ", ".join(f"{seconds:.0f} s" for seconds in measured.process),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of imdb.parquet (default: generated reviews)")
    parser.add_argument("--reviews", type=int, help="only so many of train and of test, for a quick look")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=1, help="runs of both tools (default: 1)")
    options = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("this system cannot bind a process to one core")
    if options.data is not None and not (options.data / "imdb.parquet").is_file():
        sys.exit(f"{options.data / 'imdb.parquet'} is not there: name its folder by --data")
    core = min(os.sched_getaffinity(0))
    found = {name: Measured() for name in TOOLS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = prepared(options.data, options.reviews)
        table.to_parquet(folder / "reviews.parquet", index=False)
        for run in range(1, options.runs + 1):
            for tool, measure in TOOLS.items():
                measure(folder, options.epochs, run, core, found[tool])
                seconds = found[tool].process[-1]
                print(f"run {run} of {tool}: {seconds:.1f} s", file=sys.stderr, flush=True)
    print(report(found))
    counts = ", ".join(
        f"{count:,} {split}" for split, count in table["split"].value_counts(sort=False).items()
    )
    data = "generated reviews" if options.data is None else "IMDB"
    print(f"\n{data}: {counts}; medians of {len(found['Keras'].whole)} epochs, each run on one core.  ")
    print(surroundings(()))


if __name__ == "__main__":
    main()
