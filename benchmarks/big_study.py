"""Made-up studies of any size, with all a report can meet: what its time and size are measured on.

    python -m benchmarks.big_study FOLDER TRIALS

The same arguments give the same log, to the byte.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from gru_tune import config
from gru_tune.strategies.rungs import rungs
from gru_tune.study import finals
from gru_tune.study.aims import Aims
from gru_tune.study.described import header
from gru_tune.study.history import History
from gru_tune.study.log import Ended, Event, Finished, Header, Launch, Started, encode
from gru_tune.study.results import StudyFolder, replace_json, replace_text
from gru_tune.trial import Epoch, Objective, Outcome

CONFIG = """\
task: classification
data:
  kind: text
  path: reviews.csv
  text: text
  target: label
model:
  depth: {int: [1, 2]}
  units: [{int: [8, 128], step: 8}, {int: [8, 128], step: 8}]
  dropout: {float: [0.0, 0.6]}
  pooling: {choice: [last, mean, max]}
training:
  learning_rate: {log: [0.0001, 0.1]}
  schedule: {choice: [constant, cosine]}
  decay_to: {log: [0.001, 1.0]}
  epochs: 20
search:
  strategy: random
  stopper: asha
  trials: 100
  seed: 1
"""
START = 1_700_000_000.0
WORKERS = 4
FINALISTS, SEEDS = 3, 3
BROKEN = (
    "ResourceExhaustedError: out of memory while allocating a tensor of shape [64,120,256]",
    "the worker died (exit code -9), 3 attempts",
)


def write(folder: Path, trials: int, seed: int = 1) -> StudyFolder:
    """A finished study of so many trials, as a run would have left it, without its model.

    Of eight hyperparameters two are in force only in some trials, a few hardly matter, and the
    learning rate matters most; one trial in fifty fails, and most stop early.
    """
    made = StudyFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(made.config, CONFIG)
    asked = config.load(made.config)
    aims = Aims(Objective("accuracy", "max"), ("accuracy", "macro_f1", "loss"))
    head = {**header(asked, aims, "made up"), "name": folder.name, "seed": seed}
    study = _Study(asked, Random(seed), rungs(asked.search, asked.epochs))
    events: list[Event] = [Header(head, START), Started(WORKERS, START)]
    history = History(aims.objective)
    for number in range(1, trials + 1):
        events += study.trial(number)
    for event in events:
        history.apply(event)
    chosen = finals.Finals(FINALISTS, SEEDS).chosen(history)
    for trial in chosen:
        for repeat in range(2, SEEDS + 2):
            events += study.job(trial.number, trial.values, 0, asked.epochs, repeat)
            for event in events[-2:]:
                history.apply(event)
    events.append(Ended(f"all {trials:,} trials are done", None, max(study.free)))
    made.log.write_text("".join(encode(event) + "\n" for event in events), encoding="utf-8")
    verdict = finals.decide(history.trials, history.finals(), aims.objective)
    replace_json(made.facts, {**head, **_facts(trials), **_judged(verdict)})
    return made


class _Study:
    """Where the made-up trials come from; ``free`` is when each worker has time again."""

    def __init__(self, asked: config.Config, rng: Random, steps: list[int]) -> None:
        self.space, self.rng, self.steps = asked.space, rng, steps
        self.free = [START] * WORKERS

    def trial(self, number: int) -> list[Event]:
        """A trial that climbs from rung to rung as far as it is any good."""
        values = self.space.draw(self.rng, {})
        found: list[Event] = []
        for first, last in pairwise([0, *self.steps]):
            stretch, ended = self.job(number, values, first, last)
            found += [stretch, ended]
            if ended.outcome.error or _level(values) + self.rng.gauss(0, 0.02) < 0.83:
                break
        return found

    def job(
        self, number: int, values: Mapping[str, Any], first: int, last: int, repeat: int = 1
    ) -> tuple[Launch, Finished]:
        """The launch of one stretch of epochs, and its outcome."""
        rng = self.rng
        worker = self.free.index(min(self.free))
        begin = self.free[worker]
        size = _parameters(values)
        error = None
        if repeat == 1 and rng.random() < 0.02:
            error = rng.choice(BROKEN)
        elif values["learning_rate"] > 0.06 and rng.random() < 0.2:
            error = f"loss became nan in epoch {first + 1}"
        pace = 0.2 + size / 1e5
        level = _level(values) + rng.gauss(0, 0.01)
        due = range(0) if error else range(first + 1, last + 1)
        epochs = tuple(_epoch(epoch, values, level, pace, rng) for epoch in due)
        seconds = 1.5 + sum(epoch.seconds for epoch in epochs)
        self.free[worker] = begin + seconds
        more = repeat == 1 and last < self.steps[-1]
        launch = Launch(number, 1, dict(values), rng.randrange(2**31), first, last, more, begin, repeat)
        outcome = Outcome(number, epochs, size, seconds, "jax", error)
        return launch, Finished(1, outcome, begin + seconds, repeat)


def _level(values: Mapping[str, Any]) -> float:
    """The accuracy a configuration reaches in the long run."""
    off = math.log10(values["learning_rate"]) + 2.3
    level: float = 0.86 - 0.05 * off**2 - 0.02 * abs(math.log2(values["units_1"] / 64))
    level -= (
        0.08 * (values["dropout"] - 0.2) ** 2 - {"last": 0.0, "mean": 0.01, "max": 0.02}[values["pooling"]]
    )
    return max(level + (0.01 if values["depth"] == 2 else 0.0), 0.3)


def _parameters(values: Mapping[str, Any]) -> int:
    width, total = 64, 0
    for layer in range(1, values["depth"] + 1):
        units = values[f"units_{layer}"]
        total += 3 * units * (units + width + 2)
        width = units
    return total


def _epoch(number: int, values: Mapping[str, Any], level: float, pace: float, rng: Random) -> Epoch:
    speed = 0.3 + min(values["learning_rate"] * 60, 1.0)
    share = 1 - math.exp(-speed * number)
    fits = (0.15 - 0.2 * values["dropout"]) * number / 20  # what it learns by heart
    validation = round(min(0.25 + (level - 0.25) * share - 0.2 * fits**2 + rng.gauss(0, 0.004), 1.0), 6)
    train = round(min(validation + fits, 1.0), 6)
    return Epoch(
        number,
        {"accuracy": train, "loss": round(1.6 * (1 - train), 6)},
        {
            "accuracy": validation,
            "macro_f1": round(validation - 0.02, 6),
            "loss": round(1.7 * (1 - validation), 6),
        },
        round(pace * rng.uniform(0.9, 1.1), 5),
        round(2 * pace, 5) if number == 1 else 0.0,
    )


def _facts(trials: int) -> dict[str, Any]:
    return {
        "metrics": ["accuracy", "macro_f1", "loss"],
        "planned": trials,
        "workers": WORKERS,
        "state": "finished",
        "ended": f"all {trials:,} trials are done",
        "baselines": {
            "validation": {"majority class": {"accuracy": 0.52}, "TF-IDF + linear model": {"accuracy": 0.79}}
        },
        "notes": ["12 of 4,000 validation sequences occur in training as well"],
    }


def _judged(verdict: finals.Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    mean = next(one.mean for one in verdict.finalists if one.trial == verdict.winner)
    against = {
        "name": "TF-IDF + linear model", "difference": mean - 0.79, "interval": [mean - 0.81, mean - 0.77],
        "beaten": mean > 0.81, "objective": {"name": "accuracy", "direction": "max"}, "score": mean, "rival": 0.79,
    }  # fmt: skip
    validation = {
        "split": "validation", "samples": 4000, "metrics": {"accuracy": mean}, "against": against,
        "intervals": {"accuracy": [mean - 0.01, mean + 0.01]}, "resamples": 1000, "unit": "sequences", "units": 4000,
    }  # fmt: skip
    return {
        "finals": verdict.facts(),
        "best": verdict.winner,
        "best_repeat": verdict.repeat,
        "validation": validation,
    }


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
