"""Hostile files for whatever reads one: ``python -m benchmarks.fuzz csv --minutes 3``.

Inputs are mutated by coverage where atheris is installed (``pip install atheris``), blindly else.
A target lets through only what its reader may raise: anything else ends the run, and the input
stays in the folder of the crashes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from benchmarks.fuzzing.mutation import mutated
from benchmarks.fuzzing.seeds import seeds
from benchmarks.fuzzing.targets import TARGETS

SLOW = 5.0  # seconds for a file of some kilobytes


def fuzz(name: str, minutes: float, crashes: Path, seed: int) -> int:
    """Blind mutation for so many minutes; returns how many inputs were tried."""
    target, good, dice = TARGETS[name], seeds(name), random.Random(seed)
    end, tried = time.monotonic() + 60 * minutes, 0
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < end:
            raw = mutated(dice.choice(good), dice)
            tried += 1
            began = time.monotonic()
            try:
                target(raw, Path(scratch))
            except Exception:
                _keep(name, raw, crashes)
                traceback.print_exc()
                raise SystemExit(f"{name}: a crash after {tried:,} inputs") from None
            if time.monotonic() - began > SLOW:
                print(f"slow: {time.monotonic() - began:.1f} s, {_keep(name, raw, crashes)}")
    return tried


def _keep(name: str, raw: bytes, crashes: Path) -> Path:
    crashes.mkdir(parents=True, exist_ok=True)
    file = crashes / f"{name}-{hashlib.sha256(raw).hexdigest()[:16]}"
    file.write_bytes(raw)
    return file


def guided(name: str, minutes: float, crashes: Path, seed: int) -> None:
    """By coverage, with atheris, which ends the process itself and says what it tried."""
    import atheris

    with atheris.instrument_imports(include=["gru_tune", "yaml", "json", "zipfile"]):
        target = TARGETS[name]
        with tempfile.TemporaryDirectory() as first:
            for raw in seeds(name):  # now everything is imported
                target(raw, Path(first))
    crashes.mkdir(parents=True, exist_ok=True)
    corpus, scratch = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    for number, raw in enumerate(seeds(name)):
        (corpus / str(number)).write_bytes(raw)
    options = [
        f"-max_total_time={round(60 * minutes)}", f"-artifact_prefix={crashes}/{name}-", f"-seed={seed}", "-rss_limit_mb=6000",
        "-timeout=20", "-print_final_stats=1", "-verbosity=0", "-max_len=20000",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda raw: target(raw, scratch))
    atheris.Fuzz()


def main() -> None:
    """One target for a bounded time."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("target", choices=sorted(TARGETS))
    options.add_argument("--minutes", type=float, default=3.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--crashes", type=Path, default=Path("build/crashes"))
    options.add_argument("--blind", action="store_true", help="mutate without looking at the coverage")
    given = options.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    warnings.simplefilter("ignore")
    try:
        import atheris  # noqa: F401
    except ImportError:
        given.blind = True
        print("atheris is not installed (pip install atheris): mutating blindly")
    if not given.blind:
        guided(given.target, given.minutes, given.crashes, given.seed)
    tried = fuzz(given.target, given.minutes, given.crashes, given.seed)
    print(f"{given.target}: {tried:,} inputs tried, no crash")


if __name__ == "__main__":
    main()
