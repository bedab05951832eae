"""How to share the cores of this machine among workers: one core each, or several.

    python -m benchmarks.cores

The same model is trained by as many processes at once as there are shares, on JAX as the tool
does it: by one process a core, by one for two cores, and so on up to one for all. The layouts
take turns. Told are the sequences a second of all processes together, forward, backward and
Adam's update, and how they compare with a core each. Prints a Markdown table. Linux only.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from benchmarks.step import Case, Child
from benchmarks.surroundings import surroundings

CASES = (
    Case(units=32),
    Case(units=64),
    Case(units=128, depth=2),
    Case(units=256, batch=256),
    Case(time=500, units=100),
)
ROUNDS = 5


def layouts(cores: Sequence[int]) -> dict[int, list[Sequence[int]]]:
    """By the number of cores a worker: those of each. Cores that are left over are not used."""
    sizes = [size for size in (1, 2, 4, 8, 16, 32, 64) if size < len(cores)] + [len(cores)]
    return {
        size: [cores[first : first + size] for first in range(0, len(cores) - size + 1, size)]
        for size in sizes
    }


def rates(case: Case, children: Sequence[Child], again: bool) -> float:
    """Sequences a second of all ``children`` at once."""
    with ThreadPoolExecutor(len(children)) as pool:
        steps = list(pool.map(lambda child: child.ask(None if again else case), children))
    return float(sum(case.batch / statistics.median(seconds) for seconds in steps))


def lines(cases: Sequence[Case]) -> Iterator[str]:
    """The rows of the table."""
    shares = layouts(sorted(os.sched_getaffinity(0)))
    names = {size: f"{len(parts)} × {size}" for size, parts in shares.items()}
    yield f"| T | H | B | layers | {' | '.join(f'{name}, sequences/s' for name in names.values())} | best |"
    yield f"|{'---|' * (5 + len(names))}"
    with ExitStack() as stack:
        children = {
            size: [stack.enter_context(Child("gru-tune", part)) for part in parts]
            for size, parts in shares.items()
        }
        for case in cases:
            found: dict[int, list[float]] = {size: [] for size in shares}
            for number in range(ROUNDS + 1):  # the first one compiles
                for size, some in children.items():
                    found[size].append(rates(case, some, again=number > 0))
            medians = {size: statistics.median(seen[1:]) for size, seen in found.items()}
            cells = [f"{rate:,.0f} ({rate / medians[1]:.2f})" for rate in medians.values()]
            best = names[max(medians, key=lambda size: medians[size])]
            yield f"| {' | '.join([*map(str, case), *cells, best])} |"


def main() -> None:
    for line in lines(CASES):
        print(line, flush=True)
    print(f"\nWorkers × cores of each; medians of {ROUNDS} rounds.  ")
    print(surroundings([]))


if __name__ == "__main__":
    main()
