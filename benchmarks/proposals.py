"""Milliseconds of one proposal after so many trials, for every strategy, beside KerasTuner's own Bayesian oracle.

    python -m benchmarks.proposals

One core; scores are made up; medians of five asks for a new configuration. Prints Markdown. What
learns from the scores is also asked behind a stopper (the counts are configurations then), in a
space with conditions and a constraint, and with two objectives.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from typing import Any

from gru_tune import strategies
from gru_tune.space import Condition, Hyperparameter, Space, Values
from gru_tune.strategies import Proposal
from gru_tune.trial import Objective
from gru_tune.values import Choice, Float, Int

COUNTS = (10, 100, 200, 500)
ASKS = 5
SPACE = Space(
    (
        Hyperparameter("units", Int(16, 512, log=True)),
        Hyperparameter("depth", Int(1, 3)),
        Hyperparameter("bidirectional", Choice((True, False))),
        Hyperparameter("dropout", Float(0.0, 0.5)),
        Hyperparameter("optimizer", Choice(("adam", "rmsprop", "sgd"))),
        Hyperparameter("learning_rate", Float(1e-4, 1e-2, log=True)),
    )
)
BOUND = Space(
    (
        *SPACE.hyperparameters,
        Hyperparameter("attention", Choice((True, False))),
        Hyperparameter("heads", Int(1, 8), (Condition("attention", (True,)),)),
        Hyperparameter("momentum", Float(0.0, 0.99), (Condition("optimizer", ("sgd",)),)),
    ),
    accepts=lambda values: float(values["units"] or 0) * float(values["depth"] or 0) <= 600,
)
LOSS = Objective("loss", "min")
TWO = Objective("loss", "min", "parameters")
VARIANTS: dict[str, tuple[dict[str, Any], Space, Objective]] = {
    "": ({}, SPACE, LOSS),
    ", asha": ({"stopper": "asha"}, SPACE, LOSS),
    ", constraint and `when`": ({}, BOUND, LOSS),
    ", two objectives": ({}, SPACE, TWO),
    ", all three": ({"stopper": "asha"}, BOUND, TWO),
}


def main() -> None:
    print("| strategy | " + " | ".join(f"{n} trials" for n in COUNTS) + " |")
    print("|---" * (1 + len(COUNTS)) + "|")
    for name, section in strategies.STRATEGIES.items():
        if name != "grid":  # its proposals are a list; and this space has none
            for variant, (keys, space, objective) in VARIANTS.items():
                asked_for = not variant or (section.LEARNS and (section.WEIGHS or not objective.cost))
                if asked_for and not (name == "hyperband" and keys):  # it has its own rungs
                    made = section(strategy=name, trials=None, minutes=1.0, **keys)
                    search = strategies.create(made, space, objective, 27)
                    row(name + variant, lambda search=search: one(search))
    row("KerasTuner's Bayesian", stock(), COUNTS[:3])  # on the way to 500 it takes many minutes


def row(name: str, step: Any, counts: tuple[int, ...] = COUNTS) -> None:
    """Ask and tell up to every count, timing the asks there."""
    cells, done = [], 0
    for count in counts:
        while done < count:
            step()
            done += 1
        times = [step() for _ in range(ASKS)]
        done += ASKS
        cells.append(f"{statistics.median(times) * 1000:.1f}")
    cells += ["–"] * (len(COUNTS) - len(counts))
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def one(search: strategies.Strategy) -> float:
    """Ask for a new configuration, telling a score of every stretch; returns the seconds of the last ask."""
    while True:
        start = time.perf_counter()
        proposal = search.ask()
        seconds = time.perf_counter() - start
        assert isinstance(proposal, Proposal)
        cost = float(proposal.values["units"] or 0) ** 2 * float(proposal.values["depth"] or 0)
        search.tell(proposal.trial, score(proposal.values) + 1 / proposal.last_epoch, cost)
        if proposal.first_epoch == 0:
            return seconds


def score(values: Values | dict[str, Any]) -> float:
    """A smooth function of the space with some noise."""
    rate = math.log10(float(values["learning_rate"] or 1.0)) + 2.7
    return rate**2 + abs(float(values["dropout"] or 0.0) - 0.2) + random.Random(str(values)).gauss(0, 0.05)


def stock() -> Any:
    """The same space in KerasTuner's own oracle; its files go to a temporary folder."""
    import tempfile

    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Int("units", 16, 512, sampling="log")
    hp.Int("depth", 1, 3)
    hp.Boolean("bidirectional")
    hp.Float("dropout", 0.0, 0.5)
    hp.Choice("optimizer", ["adam", "rmsprop", "sgd"])
    hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    goal = keras_tuner.Objective("loss", "min")
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=goal,
        max_trials=10_000,
        hyperparameters=hp,
        allow_new_entries=False,
        tune_new_entries=False,
        seed=1,
    )
    oracle._set_project_dir(tempfile.mkdtemp(), "stock")
    oracle.verbose = 0

    def step() -> float:
        start = time.perf_counter()
        trial = oracle.create_trial("one")
        seconds = time.perf_counter() - start
        oracle.update_trial(trial.trial_id, {"loss": score(trial.hyperparameters.values)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
        return seconds

    return step


if __name__ == "__main__":
    main()
