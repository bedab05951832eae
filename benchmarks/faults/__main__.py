"""Injects faults into running studies, and counts what was lost.

    python -m benchmarks.faults [--rounds N] [--seed N] [--only NAME …]

Every round injects each kind of fault into a study of its own (two workers, twelve trials of
stand-ins for training), runs the study to its end and compares: no finished trial may be lost,
changed or doubled, no worker may live on, and the table must be that of a study without faults.
Full and read-only disks need root. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.faults.inject import FAULTS, Fault
from benchmarks.faults.subject import Broken
from benchmarks.surroundings import surroundings

ONCE = {"torn record"}  # hundreds of faults in a round
ROOT_ONLY = {"full disk", "read-only disk"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    options = parser.parse_args()
    # What is ignored here, as by a shell for its background, the programs would ignore as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    injected: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for round_ in range(1, options.rounds + 1):
        for fault in (fault for fault in FAULTS if fault.name in options.only):
            if (fault.name in ONCE and round_ > 1) or (fault.name in ROOT_ONLY and os.geteuid() != 0):
                continue
            began = time.monotonic()
            count, problem = once(fault, options.seed * 1000 + round_)
            injected[fault.name] += count
            broken[fault.name] += bool(problem)
            took = time.monotonic() - began
            print(f"{round_} {fault.name}: {count} in {took:.0f} s {problem}", file=sys.stderr, flush=True)
    print("| fault | promised | injected | broken promises |\n|---|---|---|---|")
    for fault in FAULTS:
        if fault.name in injected:
            print(f"| {fault.name} | {fault.promise} | {injected[fault.name]} | {broken[fault.name]} |")
    once_only = sum(injected[name] for name in ONCE)
    print(
        f"\n{sum(injected.values())} faults, {sum(injected.values()) - once_only} without the torn records.  "
    )
    print(surroundings([]))
    sys.exit(bool(sum(broken.values())))


def once(fault: Fault, seed: int) -> tuple[int, str]:
    """How many faults were injected, and what was not kept ("" when all was)."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            return fault.inject(Path(folder), random.Random(f"{seed} {fault.name}")), ""
        except Broken as problem:
            return 1, f"BROKEN: {problem}"


main()
