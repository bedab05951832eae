"""One step of training (forward, backward, Adam's update) on one core, over many sizes.

    python -m benchmarks.step [--quick]

A GRU reads 8 features, a dense layer makes one number of its last state. Every path is a process
of its own, pinned to one core; only one computes at a time, and they take turns: a case is built
and warmed up once, then timed in several rounds. A time is the median of the rounds' medians.

The arithmetic of a step is that of its matrix products, 6·B·T·3H·(E+H) a layer (E: what it reads
a step). The limit is the best rate at which this core multiplied [B, H] by [H, 3H], in a loop
compiled by XLA or called from NumPy, whichever was faster. The share is how much of this limit
gru-tune's step reaches. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.surroundings import environment, surroundings
from gru_tune.executors.births import LARGE, PAGES

ROOT = Path(__file__).resolve().parent.parent
FEATURES = 8
RUN = 16  # batches that gru-tune is given at once
SECONDS = 0.4  # that a path is timed for in one round, and
LEAST = 3  # steps at least


class Case(NamedTuple):
    """The sizes of a model and its batches."""

    time: int = 48
    units: int = 64
    batch: int = 64
    depth: int = 1

    @property
    def operations(self) -> float:
        """Additions and multiplications of a step's matrix products."""
        inputs = [FEATURES, *[self.units] * (self.depth - 1)]
        return sum(6.0 * self.batch * self.time * 3 * self.units * (e + self.units) for e in inputs)

    @property
    def product(self) -> float:
        """Additions and multiplications of one recurrent product."""
        return 2.0 * self.batch * self.units * 3 * self.units


CASES = (
    *(Case(time=time) for time in (24, 48, 100, 200, 500)),
    *(Case(units=units) for units in (16, 32, 128, 256)),
    *(Case(batch=batch) for batch in (16, 128, 256)),
    *(Case(depth=depth) for depth in (2, 3)),
    Case(units=128, depth=2),
    Case(units=128, batch=128, depth=2),
    Case(time=200, units=100),
    Case(time=500, units=100),
)
QUICK = (Case(), Case(time=100), Case(units=16, batch=16), Case(units=128, depth=2))


class Work(NamedTuple):
    """What is timed: one call takes so many steps."""

    call: Callable[[], object]
    steps: int = 1


def data(case: Case, batches: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Inputs (samples, time, features) and targets (samples, 1)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batches * case.batch, case.time, FEATURES), np.float32)
    return x, rng.standard_normal((len(x), 1), np.float32)


def gru_tune(case: Case) -> Work:
    """Many steps are one execution; the time to hand over their batches is in it."""
    from gru_tune.data.dataset import Dataset
    from gru_tune.knobs import settle
    from gru_tune.learning import training
    from gru_tune.learning.batches import batches
    from gru_tune.learning.engines import make_engine, make_model
    from gru_tune.learning.samples import Samples

    if "keras" not in sys.modules:
        training.configure("jax", 1)
    x, y = data(case, RUN)
    count = len(x)
    spans = np.stack([np.arange(count) * case.time, np.full(count, case.time), np.zeros(count)], axis=1)
    info = {
        "task": "regression", "kind": "arrays", "features": FEATURES, "targets": ["y"], "labels": [],
        "inputs": [f"x{place}" for place in range(FEATURES)], "vocabulary": 0, "target_inputs": [None],
        "input_scale": {"mean": [0.0] * FEATURES, "std": [1.0] * FEATURES},
        "target_scale": {"mean": [0.0], "std": [1.0]},
    }  # fmt: skip
    rows = x.reshape(-1, FEATURES)
    dataset = Dataset("sequences", "number", rows, y, np.ones(count, bool), spans.astype(np.int64), info)
    settings = settle({"units": case.units, "depth": case.depth, "batch_size": case.batch})
    samples = Samples(dataset, "train", settings.data)
    engine = make_engine(make_model(settings, samples, "jax"), settings, samples, "jax")
    some = list(batches(samples, case.batch, np.random.default_rng(0)))
    assert len(some) == RUN
    return Work(lambda: list(engine.learn(some, lambda place: 0.001)), RUN)


def keras_on(backend: str, jit: bool | str) -> Callable[[Case], Work]:
    """Keras' own layers and its ``train_on_batch``."""

    def make(case: Case) -> Work:
        os.environ["KERAS_BACKEND"] = backend
        import keras
        from keras import layers

        keras.backend.clear_session()
        x, y = data(case)
        model = keras.Sequential([keras.Input((case.time, FEATURES))])
        for layer in range(1, case.depth + 1):
            model.add(layers.GRU(case.units, return_sequences=layer < case.depth))
        model.add(layers.Dense(1))
        model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse", jit_compile=jit)
        return Work(lambda: model.train_on_batch(x, y))

    return make


def pytorch(case: Case) -> Work:
    """``nn.GRU`` and Adam in one thread."""
    import torch  # type: ignore[import-not-found,unused-ignore]
    from torch import nn

    torch.set_num_threads(1)
    x, y = (torch.from_numpy(part) for part in data(case))
    gru = nn.GRU(FEATURES, case.units, case.depth, batch_first=True)
    head = nn.Linear(case.units, 1)
    optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=0.001)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(head(gru(x)[0][:, -1]), y)
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
        optimizer.step()
        return float(loss.item())

    return Work(step)


def products_of_xla(case: Case) -> Work:
    """The recurrent product alone, over and over; a step is one product."""
    import jax
    from jax import lax

    state, recurrent = factors(case)
    count = repeats(case)

    def loop(products: Any, recurrent: Any) -> Any:
        # The whole product goes from round to round: none of it can be left out.
        return lax.fori_loop(0, count, lambda _, products: products[:, : case.units] @ recurrent, products)

    start = jax.numpy.asarray(state @ recurrent)
    run = jax.jit(loop)
    return Work(lambda: run(start, recurrent).block_until_ready(), count)


def products_of_numpy(case: Case) -> Work:
    """The same by NumPy, which calls the BLAS it was built with."""
    state, recurrent = factors(case)
    products, count = state @ recurrent, repeats(case)

    def loop() -> None:
        for _ in range(count):
            np.matmul(state, recurrent, out=products)

    return Work(loop, count)


def factors(case: Case) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A state and recurrent weights, orthogonal ones: what they are applied to neither grows nor vanishes."""
    rng = np.random.default_rng(0)
    parts = [np.linalg.qr(rng.standard_normal((case.units, case.units)))[0] for _ in range(3)]
    state = rng.standard_normal((case.batch, case.units), np.float32)
    return state, np.concatenate(parts, axis=1).astype(np.float32)


def repeats(case: Case) -> int:
    """As many products as take some hundredths of a second."""
    return max(8, round(1e9 / case.product))


PATHS: dict[str, Callable[[Case], Work]] = {
    "gru-tune": gru_tune,
    "Keras on JAX": keras_on("jax", "auto"),
    "Keras on TensorFlow": keras_on("tensorflow", False),
    "Keras on TensorFlow, XLA": keras_on("tensorflow", True),
    "PyTorch": pytorch,
}
LIMITS: dict[str, Callable[[Case], Work]] = {"XLA": products_of_xla, "NumPy": products_of_numpy}


def serve(name: str) -> None:
    """A child: for every line of stdin, a case or null for the same once more, the seconds of its steps."""
    make = {**PATHS, **LIMITS}[name]
    work = Work(lambda: None)
    for line in sys.stdin:
        if (sizes := json.loads(line)) is not None:
            work = make(Case(*sizes))
            for _ in range(2 if work.steps == 1 else 1):  # the first call compiles
                work.call()
        print(json.dumps(times(work)), flush=True)


def times(work: Work) -> list[float]:
    """Seconds of a step, of every call."""
    found: list[float] = []
    while sum(found) * work.steps < SECONDS or len(found) * work.steps < LEAST:
        start = time.perf_counter()
        work.call()
        found.append((time.perf_counter() - start) / work.steps)
    return found


class Child:
    """A process that computes one path when it is asked, on ``cores`` alone where they are named."""

    def __init__(self, name: str, cores: Collection[int]) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name) / "stderr"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.step", "--child", name],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors.open("w"),
            text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        )

    def _environment(self) -> dict[str, str]:
        own = {**environment(self._folder.name), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
        if self.name == "gru-tune":  # as its workers are started
            own.setdefault(PAGES, LARGE)
        return own

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def ask(self, case: Case | None) -> list[float]:
        """Seconds of a step of ``case``, or of the case before; ends this program where the child fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(case), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            sys.exit(f"{self.name} failed:\n{self._errors.read_text(encoding='utf-8')[-3000:]}")
        found: list[float] = json.loads(answer)
        return found


def measure(case: Case, children: Sequence[Child], rounds: int) -> dict[str, list[list[float]]]:
    """The seconds of a step in every round, by the child's name; in every round each has its turn."""
    found: dict[str, list[list[float]]] = {child.name: [] for child in children}
    for number in range(rounds):
        for child in children:
            found[child.name].append(child.ask(None if number else case))
    return found


def lines(cases: Sequence[Case], paths: Sequence[str], rounds: int) -> Iterator[str]:
    """The rows of the table."""
    heads = ["T", "H", "B", "layers", *(f"{name}, ms" for name in paths)]
    heads += ["arithmetic, GFLOP", "limit, GFLOP/s", "gru-tune's share of it"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    core = [max(os.sched_getaffinity(0))] if hasattr(os, "sched_setaffinity") else []
    with ExitStack() as stack:
        children = [stack.enter_context(Child(name, core)) for name in (*paths, *LIMITS)]
        for case in cases:
            found = measure(case, children, rounds)
            steps = {name: statistics.median(map(statistics.median, found[name])) for name in paths}
            rates = {name: case.product / min(map(min, found[name])) for name in LIMITS}
            best = max(rates, key=lambda name: rates[name])
            share = case.operations / steps["gru-tune"] / rates[best]
            cells = [*map(str, case), *(f"{seconds * 1e3:.2f}" for seconds in steps.values())]
            cells += [f"{case.operations / 1e9:.3f}", f"{rates[best] / 1e9:.0f} ({best})", f"{share:.0%}"]
            yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="four cases, one round")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        serve(options.child)
        return
    paths = [name for name in PATHS if name != "PyTorch" or importlib.util.find_spec("torch")]
    rounds = 1 if options.quick else 3
    for line in lines(QUICK if options.quick else CASES, paths, rounds):
        print(line, flush=True)
    print(f"\n{FEATURES} inputs a step, {rounds} {'round' if rounds == 1 else 'rounds'}, on one core.  ")
    print(surroundings(["torch"] if "PyTorch" in paths else []))


if __name__ == "__main__":
    main()
