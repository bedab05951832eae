"""What the tool itself costs in a search of very many trials, whose training takes no time.

    python -m benchmarks.scale [PLACE ...] [--trials 10000]

The places: ``in-process``, ``local`` (2 worker processes), ``hundred`` (100 workers, simulated by
threads whose jobs take half a second to three quarters) and ``ray`` (2 workers of a cluster of its
own on this machine). Every study is a process of its own and is the real one (its log with fsync,
its tables, its files), but for the data and the training; then it is run once more, finished as it
is, and once with the second half of its log gone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import standins
from benchmarks.surroundings import surroundings
from gru_tune import config
from gru_tune.executors.base import read_progress
from gru_tune.executors.in_process import InProcess
from gru_tune.study import study
from gru_tune.study.watch import Watcher
from gru_tune.trial import Epoch, Job, Outcome, Trial

PLACES = ("in-process", "local", "hundred", "ray")
ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
SLOTS = 100
STORE = 100_000_000  # bytes of the cluster's objects
STRETCH = 1_000  # trials over which the rates at the start and at the end are taken
MARKS = (100, 1_000, 10_000)  # trials after which the memory is looked at
CONFIG = """
name: scale
task: classification
data: {kind: arrays, path: "builtin:digits"}
model: {units: {int: [2, 400]}, depth: {int: [1, 3]}, dropout: {float: [0.0, 0.5]}}
training: {epochs: 3, learning_rate: {log: [1.0e-4, 1.0e-2]}}
search: {strategy: random, seed: 3, minutes: 600}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("places", nargs="*", metavar="PLACE", help=", ".join(PLACES))
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--study", type=Path, help=argparse.SUPPRESS)  # the folder; runs one place, once
    options = parser.parse_args()
    if unknown := set(options.places) - set(PLACES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; the places are {', '.join(PLACES)}")
    settings = (f"search.trials={options.trials}", *options.settings)
    if options.study is not None:
        print(json.dumps(measured(options.places[0], options.study, settings)))
        return
    print(surroundings(("ray",)) + "\n")
    first = True
    for place in options.places or PLACES:
        if place == "ray" and not find_spec("ray"):
            print("\nray is not installed: pip install 'gru-tune[ray]'")
            continue
        row = cells(place, options.trials, settings)
        if first:
            print(f"| {' | '.join(row)} |\n|{'---|' * len(row)}")
            first = False
        print(f"| {' | '.join(row.values())} |", flush=True)


def cells(place: str, trials: int, settings: tuple[str, ...]) -> dict[str, str]:
    """The row of one place: a whole study, the same again, and the second half of it again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scale.yaml").write_text(CONFIG, encoding="utf-8")
        whole = alone(place, folder, settings)
        again = alone(place, folder, settings)
        log = folder / "scale" / "trials.jsonl"
        lines, size = log.read_bytes().splitlines(keepends=True), log.stat().st_size
        log.write_bytes(b"".join(lines[: len(lines) // 2]))
        half = alone(place, folder, settings)
    memory = whole["memory"]
    return {
        "place": place,
        "trials": f"{trials:,}",
        "seconds": f"{whole['seconds']:.0f}",
        "trials a second": f"{trials / whole['searching']:.0f}",
        "the first 1,000": f"{whole['first']:.0f}",
        "the last 1,000": f"{whole['last']:.0f}",
        "the parent's CPU, ms a trial": f"{1000 * whole['cpu'] / trials:.2f}",
        "waiting for fsync": f"{100 * whole['syncing'] / whole['searching']:.0f}%",
        **{f"MB after {mark:,}": f"{memory[str(mark)]:.0f}" for mark in MARKS if str(mark) in memory},
        "log, MB": f"{size / 1e6:.1f}",
        "run again, s": f"{again['seconds']:.1f}",
        "until a half goes on, s": f"{half['before']:.1f}",
    }


def alone(place: str, folder: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    """``measured`` in a process of its own."""
    given = [argument for setting in settings for argument in ("--set", setting)]
    command = [sys.executable, "-m", "benchmarks.scale", place, "--study", str(folder), *given]
    own = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # the loopback
    own |= {"RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(place: str, folder: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    """Run the study; seconds, memory in MB and rates of it."""
    asked = config.load(folder / "scale.yaml", settings)
    watch = Marks()
    cpu, start = time.process_time(), time.perf_counter()
    with synced() as waits, executing(place) as options:
        study.run(asked, out=folder, watch=watch, parts=standins.parts(train), **options)
    end = time.perf_counter()
    times = watch.times
    rates = {}
    if len(times) > 1:
        stretch = min(STRETCH, len(times) - 1)
        rates = {
            "first": stretch / (times[stretch] - times[0]),
            "last": stretch / (times[-1] - times[-1 - stretch]),
            "searching": times[-1] - watch.began,
        }
    return {
        "seconds": end - start, "before": watch.began - start, "cpu": time.process_time() - cpu,
        "syncing": sum(waits), "memory": watch.memory, **rates,
    }  # fmt: skip


@contextmanager
def executing(place: str) -> Iterator[dict[str, Any]]:
    """The options of ``study.run`` for a place."""
    if place == "ray":
        from ray.cluster_utils import Cluster

        given: dict[str, Any] = {"num_cpus": WORKERS, "object_store_memory": STORE}
        given |= {"include_dashboard": False, "node_ip_address": "127.0.0.1"}
        # Its sockets lie in the folder, and their paths must be short.
        with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
            cluster: Any = Cluster(True, head_node_args={**given, "temp_dir": folder})
            try:
                yield {"ray": str(cluster.address)}
            finally:
                cluster.shutdown()
    elif place == "hundred":
        with patch.object(study, "Local", lambda train, starts: Threads(train, len(starts))):
            yield {"workers": SLOTS}
    else:
        yield {"workers": 0 if place == "in-process" else WORKERS}


@contextmanager
def synced() -> Iterator[list[float]]:
    """The seconds of every wait for the disk."""
    waits: list[float] = []
    real = os.fsync

    def timed(file: int) -> None:
        start = time.perf_counter()
        real(file)
        waits.append(time.perf_counter() - start)

    with patch.object(os, "fsync", timed):
        yield waits


class Marks(Watcher):
    """When every trial ended, and the memory of this process at some of them."""

    def __init__(self) -> None:
        self.began = 0.0
        self.times: list[float] = []
        self.memory: dict[int, float] = {}

    def begin(self, plan: Any) -> None:
        self.began = time.perf_counter()

    def finished(self, trial: Trial, best: Trial | None) -> None:
        self.times.append(time.perf_counter())
        if len(self.times) in MARKS:
            self.memory[len(self.times)] = resident()


class Threads(InProcess):
    """Many workers that a machine of two cores can bear: threads, whose jobs sleep a while."""

    blocking = False

    def __init__(self, train: Any, slots: int) -> None:
        super().__init__(train)
        self.slots = slots
        self._pool = ThreadPoolExecutor(slots)
        self._jobs: dict[Future[Outcome], Job] = {}

    def submit(self, job: Job) -> Future[Outcome]:
        future = self._pool.submit(partial(sleeping, self._train), job)
        self._jobs[future] = job
        return future

    def progress(self) -> list[dict[str, Any]]:
        self._jobs = {future: job for future, job in self._jobs.items() if not future.done()}
        return read_progress(self._jobs.values())

    def close(self, kill: bool = False) -> None:
        self._pool.shutdown()


def sleeping(train: Any, job: Job) -> Outcome:
    time.sleep(0.5 + 0.25 * (job.seed % 1_000) / 1_000)
    outcome: Outcome = train(job)
    return outcome


def train(job: Job) -> Outcome:
    """What a worker leaves behind, without the work: progress after every epoch, and a model."""
    epochs = []
    for number in range(job.first_epoch + 1, job.last_epoch + 1):
        score = round(job.settings.model.units[0] / 500 + job.seed % 9_973 / 99_730, 6)
        epochs.append(Epoch(number, {"loss": 1.0}, {"accuracy": score, "loss": 1 - score}, 0.001))
        report = {"trial": job.trial, "epoch": number, "last_epoch": job.last_epoch, "score": score}
        Path(job.progress or "").write_text(json.dumps(report), encoding="utf-8")
    (Path(job.folder) / "model.keras").write_text("a model", encoding="utf-8")
    return Outcome(job.trial, tuple(epochs), 1_000, 0.003, "plain")


def resident() -> float:
    """The memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
