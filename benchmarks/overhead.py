"""What the tool itself costs: its commands, the parent's memory, and a trial beyond its training.

    python -m benchmarks.overhead

Wall times are of whole processes, medians over several runs; prints Markdown.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import big_study
from gru_tune import config, trial
from gru_tune.space import Values
from gru_tune.study import log, study
from gru_tune.study.results import StudyFolder, replace_json
from gru_tune.study.watch import Watcher

ROOT = Path(__file__).resolve().parent.parent
RUNS = 9
HEAVY = ("tensorflow", "keras", "jax", "torch")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| what | measured |\n|---|---|", flush=True)
        for line in (*commands(folder), *memory(folder), *beyond_training(folder)):
            print(f"| {line[0]} | {line[1]} |", flush=True)


def commands(folder: Path) -> Iterator[tuple[str, str]]:
    """Seconds of each light command, and the heavy packages it imports."""
    many = folder / "thousand"
    write_study(many, 1000)
    most = big_study.write(folder / "ten thousand", 10_000).path
    for number in range(50):
        big_study.write(folder / "fifty" / str(number), 100, seed=number)
    cases = {
        "`gru-tune --help`": ["--help"],
        "`gru-tune schema`": ["schema"],
        "`gru-tune report`, 1,000 trials": ["report", str(many)],
        "`gru-tune report`, 10,000 trials": ["report", str(most)],
        "`gru-tune report`, 50 studies of 100 trials": ["report", str(folder / "fifty")],
        "`gru-tune check configs/smoke.yaml`": ["check", str(ROOT / "configs" / "smoke.yaml")],
    }
    for label, arguments in cases.items():
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "gru_tune", *arguments], stdout=subprocess.DEVNULL, check=True
            )
            times.append(time.perf_counter() - start)
        yield label, f"{statistics.median(times):.2f} s, imports {imported(arguments)}"


def imported(arguments: list[str]) -> str:
    """Which of the heavy packages a command has loaded at its end."""
    code = (
        "import sys\nfrom gru_tune.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stderr.strip().splitlines()[-1]
    return "none of " + ", ".join(HEAVY) if found == "[]" else found


def memory(folder: Path) -> Iterator[tuple[str, str]]:
    """The parent's resident memory in the course of 100 trials in two workers."""
    seen = _Memory()
    asked = config.load(ROOT / "configs" / "smoke.yaml", [*SMALL, "search.trials=100"])
    study.run(asked, out=folder / "memory", workers=2, watch=seen)
    after, end = seen.sizes[9], seen.sizes[99]
    yield "the parent's memory after 10 trials, after 100", f"{after:.0f} MB, {end:.0f} MB"


def beyond_training(folder: Path) -> Iterator[tuple[str, str]]:
    """Wall time of a trial in one worker, less its epochs: in the loop, and in all."""
    asked = config.load(ROOT / "configs" / "smoke.yaml", [*SMALL, "search.trials=30"])
    marks = _Marks()
    study.run(asked, out=folder / "overhead", workers=1, watch=marks)
    later = marks.trials[5:]  # the first ones load the libraries
    loop = statistics.median(wall - job for wall, job, _ in later)
    build = statistics.median(job - epochs for _, job, epochs in later)
    yield "a trial: proposing, logging, tables and sending it to its worker", f"{loop * 1000:.0f} ms"
    yield "a trial: building its model, saving the best weights, clearing up", f"{build * 1000:.0f} ms"


SMALL = (
    "training.epochs=1",
    "model.units={int: [2, 200]}",
    "model.depth=1",
    "search.trials=null",
    "search.keep=3",
)


class _Memory(Watcher):
    def __init__(self) -> None:
        self.sizes: list[float] = []

    def finished(self, trial: trial.Trial, best: trial.Trial | None) -> None:
        self.sizes.append(_resident())


class _Marks(Watcher):
    """(wall seconds since the last trial ended, seconds of the job, seconds of its epochs)."""

    def __init__(self) -> None:
        self.trials: list[tuple[float, float, float]] = []
        self._last = time.perf_counter()

    def finished(self, trial: trial.Trial, best: trial.Trial | None) -> None:
        now = time.perf_counter()
        self.trials.append((now - self._last, trial.seconds, sum(e.seconds for e in trial.epochs)))
        self._last = now


def write_study(path: Path, trials: int) -> None:
    """A study of made-up trials, as a run would have left it."""
    folder = StudyFolder(path)
    path.mkdir(parents=True)
    rng = random.Random(0)
    facts: dict[str, Any] = {
        "name": path.name, "task": "classification", "kind": "text", "strategy": "random",
        "objective": {"name": "accuracy", "direction": "max"}, "hyperparameters": ["units", "learning_rate"],
    }  # fmt: skip
    with log.Log(folder.log, 0) as record:
        record.append(log.Header(facts, 0.0))
    lines = []
    for number in range(1, trials + 1):
        values: Values = {"units": rng.choice([32, 64, 128]), "learning_rate": rng.uniform(1e-4, 1e-2)}
        launch = log.Launch(number, 1, values, number, 0, 10, False, 0.0)
        epochs = tuple(
            trial.Epoch(e, {"loss": rng.random()}, {"loss": rng.random(), "accuracy": rng.random()}, 1.0)
            for e in range(1, 11)
        )
        outcome = trial.Outcome(number, epochs, 10_000, 12.0, "xla")
        lines += [log.encode(launch) + "\n", log.encode(log.Finished(1, outcome, 0.0)) + "\n"]
    with folder.log.open("a", encoding="utf-8") as file:
        file.writelines(lines)
    replace_json(folder.facts, {"name": path.name})


def _resident() -> float:
    """This process's resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
