"""What it takes to begin: seconds to import the frameworks, of light commands, and until a first trial ends.

    python -m benchmarks.startup [--runs 5]

Wall seconds of whole processes, from their start; medians over the runs, in which all cases take
turns. The smallest real run is ``configs/smoke.yaml`` with one trial, first with an empty folder
of compiled programs, then with what that run has left there. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.surroundings import environment, surroundings

ROOT = Path(__file__).resolve().parent.parent
SMOKE = str(ROOT / "configs" / "smoke.yaml")
IMPORTS = {
    "`import tensorflow`": ("tensorflow", None),
    "`import keras`, on tensorflow": ("keras", "tensorflow"),
    "`import keras`, on jax": ("keras", "jax"),
    "`import jax`": ("jax", None),
    "`import torch`": ("torch", None),
}
COMMANDS = {
    "`gru-tune --help`": ["--help"],
    "`gru-tune check configs/smoke.yaml`": ["check", SMOKE],
}
BACKENDS = ("jax", "tensorflow")


def whole(arguments: list[str], env: dict[str, str]) -> float | None:
    """Wall seconds of a Python process; None for one that fails."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True)
    return None if done.returncode else time.perf_counter() - start


def first_trial(backend: str, cache: Path, out: Path) -> tuple[float, float]:
    """Seconds from the start of ``gru-tune run`` until its one trial has ended, and until all has."""
    command = [
        sys.executable, "-m", "gru_tune", "run", SMOKE, "--trials", "1", "--fresh", "--json-log",
        "--set", f"training.backend={backend}", "--out", str(out),
    ]  # fmt: skip
    trial = None
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "finished":
                trial = time.perf_counter() - start
    if trial is None or process.returncode:
        sys.exit(f"gru-tune failed on {backend}: {' '.join(command)}")
    return trial, time.perf_counter() - start


def once(folder: Path) -> Iterator[tuple[str, float]]:
    """Every case once, each with its name; those whose package is not installed are left out."""
    for label, (package, backend) in IMPORTS.items():
        seconds = whole(["-c", f"import {package}"], environment(folder, backend))
        if seconds is not None:
            yield label, seconds
    for label, arguments in COMMANDS.items():
        seconds = whole(["-m", "gru_tune", *arguments], environment(folder))
        if seconds is None:
            sys.exit(f"{label} failed")
        yield label, seconds
    for backend in BACKENDS:
        cache = folder / f"cache-{backend}"
        for state in ("empty", "filled"):
            trial, end = first_trial(backend, cache, folder / f"{backend}-{state}")
            yield f"a first trial has ended, on {backend}, {state} cache", trial
            yield f"its run has ended, on {backend}, {state} cache", end


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of every case (default: 5)")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            for label, seconds in once(Path(folder)):
                print(f"{label}: {seconds:.2f} s", file=sys.stderr, flush=True)
                found.setdefault(label, []).append(seconds)
    print("| from nothing until the end of | seconds, median | least to most |\n|---|---|---|")
    for label, times in found.items():
        print(f"| {label} | {statistics.median(times):.2f} | {min(times):.2f} to {max(times):.2f} |")
    print(f"\n{options.runs} {'run' if options.runs == 1 else 'runs'} of every case.  ")
    print(surroundings(["torch"]))


if __name__ == "__main__":
    main()
