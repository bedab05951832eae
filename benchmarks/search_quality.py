"""How good a configuration each search has found after how much training.

    python -m benchmarks.search_quality [PROBLEM …] [--seeds 10] [--only NAME …] [--processes 1]

The searches of gru-tune with each stopper, and those of KerasTuner and Optuna with their
pruners, are replayed on recorded tables of real trainings (``benchmarks/recorded``, written by
``benchmarks.record``) and on functions with a known optimum. Nothing is trained, and no data set
is needed. All are measured against 60 random trials, trained to their end: their median over
100 seeds is the target. Prints Markdown.

Scores are the best a search had been told, the score in hand. Epochs and seconds count when a
proposal is done, that is for a whole rung at once.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from scipy import stats

from benchmarks.searching.functions import functions
from benchmarks.searching.problems import TABLES, Problem
from benchmarks.searching.replay import Contender, Trace, at, contenders, named, needed, run
from benchmarks.surroundings import surroundings
from gru_tune.wording import plural

TRIALS = 60  # of the random search that sets the target
SHARE = 6  # the part of its epochs in which others should get there
RANDOM = Contender("", "random")
TARGET_SEEDS = 100


@dataclass(frozen=True)
class Target:
    """60 random trials: what they find (a cost), and what that takes."""

    cost: float
    epochs: float
    seconds: float  # the median, one trial at a time


def main() -> None:
    options = _options()
    print(surroundings(("optuna", "torch")))
    # Spawned and single-threaded: the cores belong to the processes, and seconds are recorded ones.
    os.environ.update(OMP_NUM_THREADS="1", KERAS_BACKEND="jax")
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for name in options.problems:
            problem = named(name)
            target = random_target(problem)
            searches = [c for c in contenders(problem) if not options.only or c.label in options.only]
            traces = {
                workers: {
                    contender: pool.map(
                        partial(run, name, contender, epochs=TRIALS * problem.epochs, workers=workers),
                        range(1, options.seeds + 1),
                    )
                    for contender in {RANDOM: None, **dict.fromkeys(searches)}
                }
                for workers in (options.workers if problem.epochs > 1 else [1])
            }
            done = {w: {c: list(found) for c, found in each.items()} for w, each in traces.items()}
            print(f"\n## {problem.name}\n")
            for line in report(problem, target, done):
                print(line, flush=True)


def random_target(problem: Problem) -> Target:
    """What 60 random trials reach, in the median of 100 seeds."""
    epochs = TRIALS * problem.epochs
    traces = [run(problem.name, RANDOM, seed, epochs, 1) for seed in range(1, TARGET_SEEDS + 1)]
    return Target(
        float(np.median([trace.cost[-1] for trace in traces])),
        epochs,
        float(np.median([trace.seconds[-1] for trace in traces])),
    )


def report(
    problem: Problem, target: Target, traces: dict[int, dict[Contender, list[Trace]]]
) -> Iterator[str]:
    """The tables of one problem."""
    size = problem.space.size
    yield (
        f"{plural(len(problem.space.hyperparameters), 'hyperparameter')}, "
        f"{'endless' if math.isinf(size) else f'{int(size):,} configurations'}, {plural(problem.epochs, 'epoch')}. "
        f"The target, the median of {TRIALS} random trials: {_score(problem, target.cost)} after {target.epochs:,} epochs"
        + (f", {target.seconds:,.0f} s of training" if problem.epochs > 1 else "")
        + f"; the best there is: {problem.optimum:.4g}.\n"
    )
    alone = traces[1]
    yield from by_epochs(problem, target, alone)
    if problem.epochs > 1:
        yield "\nBy recorded seconds:\n"
        yield from by_seconds(problem, target, traces)
        yield "\nHow well few epochs rank the configurations by their score in the end:\n"
        yield from rankings(problem)


def by_epochs(problem: Problem, target: Target, traces: dict[Contender, list[Trace]]) -> Iterator[str]:
    """Best score at a sixth and at the end, epochs until the target, and the paired difference from random."""
    yield (
        f"| search | stopper | best at 1/{SHARE} | best in the end | epochs to the target | of random's "
        f"| cost against random at 1/{SHARE} [95 %] | in the end [95 %] |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    sixth = target.epochs / SHARE
    for contender, own in traces.items():
        reached = needed(own, "epochs", target.cost)
        cells = [
            *_names(contender),
            *(_score(problem, float(np.median(at(own, "epochs", b)))) for b in (sixth, target.epochs)),
            *_share(reached, target.epochs),
            *(against(own, traces[RANDOM], b) if contender != RANDOM else "" for b in (sixth, target.epochs)),
        ]
        yield f"| {' | '.join(cells)} |"


def by_seconds(
    problem: Problem, target: Target, traces: dict[int, dict[Contender, list[Trace]]]
) -> Iterator[str]:
    """The same by the clock, one trial at a time and two; of random's own time with as many workers."""
    heads = [
        f"{plural(workers, 'worker')}: best at 1/{SHARE} | seconds to the target | of random's"
        for workers in traces
    ]
    yield f"| search | stopper | {' | '.join(heads)} |"
    yield "|---|---|" + "---|---|---|" * len(heads)
    budgets = {w: float(np.median([t.seconds[-1] for t in each[RANDOM]])) for w, each in traces.items()}
    for contender in traces[1]:
        cells = [*_names(contender)]
        for workers, each in traces.items():
            own, budget = each[contender], budgets[workers]
            cells.append(_score(problem, float(np.median(at(own, "seconds", budget / SHARE)))))
            cells += _share(needed(own, "seconds", target.cost), budget)
        yield f"| {' | '.join(cells)} |"


def against(own: Sequence[Trace], random: Sequence[Trace], budget: float) -> str:
    """The mean difference in cost from random with the same seeds (lower is better), marked where it is noise-free."""
    one, other = at(own, "epochs", budget), at(random, "epochs", budget)
    difference = one - other
    if not np.all(np.isfinite(difference)):
        return "–"
    if np.ptp(difference) == 0:
        return f"{difference[0]:+.3g}"
    interval = stats.ttest_rel(one, other).confidence_interval()
    text = f"{difference.mean():+.3g} [{interval.low:+.3g}, {interval.high:+.3g}]"
    return f"{text} **worse**" if interval.low > 0 else text


def rankings(problem: Problem) -> Iterator[str]:
    """Spearman's rank correlation of the scores after few epochs with those in the end: of all, and of the best."""
    every = list(problem.space.sample())
    sign = -1 if problem.objective.direction == "max" else 1
    last = sign * np.array([problem.best(values, problem.epochs) for values in every])
    good = last <= np.quantile(last, 0.25)
    yield "| epochs | of all | of the best quarter | of the best tenth, in the best third |"
    yield "|---|---|---|---|"
    for epochs in (1, 3, 9):
        early = sign * np.array([problem.best(values, epochs) for values in every])
        kept = np.mean(early[last <= np.quantile(last, 0.1)] <= np.quantile(early, 1 / 3))
        whole, top = (stats.spearmanr(early[part], last[part]).statistic for part in (slice(None), good))
        yield f"| {epochs} | {whole:.2f} | {top:.2f} | {kept:.0%} |"


def _names(contender: Contender) -> list[str]:
    name = f"{contender.tool}'s {contender.name}" if contender.tool == "KerasTuner" else contender.name
    if contender.tool == "Optuna":
        return ["Optuna's TPE", contender.name]
    return [name, contender.stopper or "–"]


def _score(problem: Problem, cost: float) -> str:
    return f"{abs(cost) if problem.objective.direction == 'max' else cost:.4g}"


def _share(spent: float, budget: float) -> list[str]:
    return [f"{spent:,.0f}", f"{spent / budget:.2f}"] if math.isfinite(spent) else ["never", "–"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = sorted(path.name.removesuffix(".csv.gz") for path in TABLES.glob("*.csv.gz"))
    known = [*tables, *(function.name for function in functions())]
    parser.add_argument("problems", nargs="*", default=known, help=f"default: {'; '.join(known)}")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="*", help="such as tpe tpe+asha 'Optuna median'")
    parser.add_argument(
        "--workers", type=int, nargs="*", default=[1, 2], help="trials side by side, 1 and others"
    )
    parser.add_argument("--processes", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
