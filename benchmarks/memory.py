"""The memory of one worker in the course of 100 trials, and what a trial costs beyond its epochs.

    python -m benchmarks.memory [--trials 100]

Small GRUs forecast a generated series, an epoch each, in a process of its own on one core: once
every trial has other units than all before, so that each is compiled anew (the worst case), and
once nothing but the learning rate differs. The memory is what belongs to the process alone
(``RssAnon``, Linux only); the folder of compiled programs is empty at the start. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.surroundings import environment, surroundings
from gru_tune.learning.training import configure, train, warm
from gru_tune.trial import Job
from gru_tune.values import Scalar

ROOT = Path(__file__).resolve().parent.parent
MARKS = (1, 10, 50, 100)
LATER = 5  # the first trials load the libraries
BACKENDS = ("jax", "tensorflow")
# The values of trial 0, 1, …; units in an order that does not rise, so that memory is not a matter of size.
CASES: dict[str, Callable[[int], dict[str, Scalar]]] = {
    "other units every time": lambda place: {"units": 8 + 37 * place % 100},
    "another learning rate every time": lambda place: {"units": 32, "learning_rate": 1e-3 * 1.02**place},
}


def jobs(folder: Path, trials: int) -> dict[str, list[Job]]:
    """The jobs of every case, on data that are prepared here."""
    from gru_tune import config  # here: a worker does not load what a config needs
    from gru_tune.data.prepare import prepare
    from gru_tune.study.aims import aims

    asked = config.load(ROOT / "configs" / "mackey_glass.yaml")
    prepared = prepare(asked)
    prepared.dataset.save(folder / "prepared")
    aim = aims(asked, prepared.dataset.target)
    fixed: dict[str, Scalar] = {"window": 16, "depth": 1, "epochs": 1, "learning_rate": 1e-3}
    return {
        label: [
            Job(
                trial=place + 1,
                settings=asked.settings({**fixed, **values(place)}),
                seed=place,
                objective=aim.objective,
                metrics=aim.metrics,
                data=str(folder / "prepared"),
                folder=str(folder / "trials" / str(place + 1)),
                first_epoch=0,
                last_epoch=1,
            )
            for place in range(trials)
        ]
        for label, values in CASES.items()
    }


def worker(backend: str) -> None:
    """The child: trains the jobs it reads, and says memory and seconds after each."""
    done: list[Job] = pickle.load(sys.stdin.buffer)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    configure(backend, 1)
    warm()
    for job in done:
        outcome = train(job)
        if outcome.error:
            sys.exit(f"trial {job.trial}: {outcome.error}")
        beyond = outcome.seconds - sum(epoch.seconds for epoch in outcome.epochs)
        print(json.dumps([anonymous(), beyond]), flush=True)


def anonymous() -> float:
    """This process's resident memory that is no file's, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    sys.exit("the system does not tell RssAnon")


def measured(backend: str, work: list[Job]) -> list[tuple[float, float]]:
    """MB after each job, and its seconds beyond its epochs."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", "--worker", backend],
            cwd=ROOT,
            env=environment(cache),
            input=pickle.dumps(work),
            capture_output=True,
        )
    if done.returncode:
        sys.exit(f"the worker on {backend} failed:\n{done.stderr.decode()[-3000:]}")
    return [(memory, beyond) for memory, beyond in map(json.loads, done.stdout.splitlines())]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100, help="of every case (default: 100)")
    parser.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
        return
    if options.trials <= LATER:
        parser.error(f"--trials must be more than {LATER}")
    marks = [mark for mark in MARKS if mark <= options.trials]
    heads = ["backend", "trials", *(f"MB after {mark}" for mark in marks)]
    heads.append(f"ms of a trial beyond its epochs, trials {LATER + 1} to {options.trials}")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for label in CASES:
        for backend in BACKENDS:
            with tempfile.TemporaryDirectory() as folder:
                found = measured(backend, jobs(Path(folder), options.trials)[label])
            beyond = statistics.median(seconds for _, seconds in found[LATER:])
            cells = [backend, label, *(f"{found[mark - 1][0]:.0f}" for mark in marks), f"{beyond * 1e3:.0f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{surroundings([])}")


if __name__ == "__main__":
    main()
