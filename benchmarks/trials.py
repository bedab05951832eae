"""The same twelve trials by gru-tune and by scripts of other tools, start-up and compilation included.

    python -m benchmarks.trials [--runs 3] [--data FOLDER] [--only NAME …] [--epochs 3]

A grid of GRUs (units, depth, batch size) forecasts ETTh1 a day ahead, 3 epochs each. Every
run is a process of its own, timed as a whole, with an empty cache; the tools take turns. The
other tools' scripts are in ``benchmarks/others``; one whose packages are not installed is
skipped. ``--data`` names the folder of ``etth1.csv``; without it a series of the same shape is
generated. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.others import etth1
from benchmarks.surroundings import environment, surroundings
from gru_tune.study import machine

ROOT = Path(__file__).resolve().parent.parent
TRIALS = len(etth1.UNITS) * len(etth1.DEPTH) * len(etth1.BATCH_SIZE)
CONFIG = f"""
task: forecasting
data:
  kind: timeline
  path: {{path}}
  time: date
  inputs: [{", ".join(etth1.COLUMNS)}]
  target: OT
  window: {etth1.WINDOW}
  horizon: {etth1.HORIZON}
  split: {{{{train: 8640, validation: 2880, test: 2880, by: time}}}}
model:
  units: {{{{choice: {list(etth1.UNITS)}}}}}
  depth: {{{{choice: {list(etth1.DEPTH)}}}}}
training:
  optimizer: adam
  learning_rate: 0.001
  batch_size: {{{{choice: {list(etth1.BATCH_SIZE)}}}}}
  loss: mse
  epochs: {{epochs}}
  early_stopping: null
search: {{{{strategy: grid, trials: null, objective: mse, seed: {{seed}}}}}}
winner: {{{{finalists: 0}}}}  # the other tools have no finals
"""


@dataclass(frozen=True)
class Work:
    """What a tool is given: the table, the epochs of every trial, a seed and a folder for its files."""

    csv: Path
    epochs: int
    seed: int
    folder: Path


@dataclass(frozen=True)
class Tool:
    """How a tool is run: returns its seconds and the best validation loss of every trial."""

    name: str
    packages: tuple[str, ...]
    run: Callable[[Work], tuple[float, list[float]]]


@dataclass
class Measured:
    """All runs of one tool."""

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def gru_tune(work: Work) -> tuple[float, list[float]]:
    """The search through the command line, with as many workers as it takes by itself."""
    config = work.folder / "etth1.yaml"
    config.write_text(
        CONFIG.format(path=json.dumps(str(work.csv)), epochs=work.epochs, seed=work.seed), encoding="utf-8"
    )
    seconds, _ = timed("gru_tune", "run", str(config), "--fresh", "--quiet", "--out", str(work.folder))
    with (work.folder / "etth1" / "trials.csv").open(encoding="utf-8") as table:
        return seconds, [float(row["mse"]) for row in csv.DictReader(table) if row["status"] == "completed"]


def script(module: str) -> Callable[[Work], tuple[float, list[float]]]:
    """A script of ``benchmarks/others``, whose last line says its losses."""

    def run(work: Work) -> tuple[float, list[float]]:
        given = [str(work.csv), "--epochs", str(work.epochs), "--seed", str(work.seed)]
        seconds, output = timed(f"benchmarks.others.{module}", *given)
        losses: list[float] = json.loads(output.splitlines()[-1])["losses"]
        return seconds, losses

    return run


REFERENCES = ("KerasTuner", "Optuna + PyTorch")
TOOLS = (
    Tool("gru-tune", (), gru_tune),
    Tool("KerasTuner", ("keras-tuner", "tensorflow", "tensorboard"), script("kerastuner_grid")),
    Tool("Optuna + Keras", ("optuna", "keras", "tensorflow"), script("optuna_keras")),
    Tool("Optuna + PyTorch", ("optuna", "torch"), script("optuna_torch")),
)


def timed(module: str, *arguments: str, core: int | None = None) -> tuple[float, str]:
    """The wall seconds and the output of ``python -m module …``, on one core where it is named.

    Its cache folder is empty: nothing is compiled before. Keras runs on TensorFlow, gru-tune
    chooses by itself. Ends this program with the last words of one that fails.
    """
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(cache, None if module == "gru_tune" else "tensorflow"),
            capture_output=True,
            text=True,
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
        )
        seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{module} failed:\n{done.stderr[-3000:]}")
    return seconds, done.stdout


def measure(tools: Collection[Tool], source: Path, runs: int, epochs: int) -> dict[str, Measured]:
    """Run 1 of every tool, then run 2 of every tool, …; the number of the run is the seed."""
    found = {tool.name: Measured() for tool in tools}
    for run in range(1, runs + 1):
        for tool in tools:
            with tempfile.TemporaryDirectory() as folder:
                seconds, losses = tool.run(Work(source, epochs, run, Path(folder)))
            if len(losses) != TRIALS:
                sys.exit(f"{tool.name} ended {len(losses)} trials of {TRIALS}")
            print(f"run {run} of {tool.name}: {seconds:.1f} s", file=sys.stderr, flush=True)
            found[tool.name].seconds.append(seconds)
            found[tool.name].losses += losses
    return found


def table(found: dict[str, Measured]) -> str:
    """The Markdown table; a ratio below 1 is faster than the reference."""
    heads = ["tool", "seconds of every run", "median", *(f"÷ {name}" for name in REFERENCES)]
    lines = [" | ".join([*heads, "mean best validation loss"]), "|".join(["---"] * (len(heads) + 1))]
    for name, measured in found.items():
        ratios = [f"{measured.median / found[r].median:.2f}" if r in found else "–" for r in REFERENCES]
        every = ", ".join(f"{seconds:.1f}" for seconds in measured.seconds)
        loss = f"{statistics.mean(measured.losses):.4f}"
        lines.append(" | ".join([name, every, f"{measured.median:.1f}", *ratios, loss]))
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [tool.name for tool in TOOLS]
    parser.add_argument("--runs", type=int, default=3, help="runs of every tool (default: 3)")
    parser.add_argument("--data", type=Path, help="folder of etth1.csv (default: a generated series)")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help="tools to run"
    )
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a trial; 1 for a quick look")
    options = parser.parse_args()
    tools = []
    for tool in (tool for tool in TOOLS if tool.name in options.only):
        missing = [package for package in tool.packages if machine.version(package) is None]
        if missing:
            print(f"{tool.name} is skipped: {', '.join(missing)} not installed", file=sys.stderr)
        else:
            tools.append(tool)
    with tempfile.TemporaryDirectory() as folder:
        source = (options.data or Path(folder)).resolve() / "etth1.csv"
        if options.data is None:
            etth1.generated().to_csv(source, index=False)
        elif not source.is_file():
            sys.exit(f"{source} is not there: name the folder of etth1.csv by --data")
        print(table(measure(tools, source, options.runs, options.epochs)))
    data = "a generated series" if options.data is None else "ETTh1"
    print(f"\n{TRIALS} trials of {options.epochs} epochs on {data}.  ")
    print(surroundings(sorted({package for tool in tools for package in tool.packages})))


if __name__ == "__main__":
    main()
