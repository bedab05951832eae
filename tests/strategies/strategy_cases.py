"""Spaces to search, and a driver that plays the study: asks, scores, tells."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from gru_tune import strategies
from gru_tune.space import Condition, Hyperparameter, Space, Values
from gru_tune.strategies import Proposal, Strategy
from gru_tune.trial import Objective
from gru_tune.values import Choice, Float, Int

LOSS, ACCURACY = Objective("loss", "min"), Objective("accuracy", "max")
EPOCHS = 9
Score = float | None


def space(*hps: Hyperparameter) -> Space:
    return Space(hps)


EMPTY = space()
SINGLE = space(Hyperparameter("units", Choice((64,))), Hyperparameter("dropout", Float(0.2, 0.2)))
SMALL = space(Hyperparameter("depth", Int(1, 5)), Hyperparameter("cell", Choice(("gru", "lstm", "rnn"))))
LAYERS = space(  # 2 + 4 + 8, and twice that where dropout is on: conditions on two levels
    Hyperparameter("depth", Int(1, 3)),
    Hyperparameter("units_1", Choice((32, 64))),
    Hyperparameter("units_2", Choice((32, 64)), (Condition("depth", (2, 3)),)),
    Hyperparameter("units_3", Choice((32, 64)), (Condition("depth", (3,)),)),
    Hyperparameter("pooling", Choice(("last", "mean"))),
)
MIXED = space(
    Hyperparameter("learning_rate", Float(1e-5, 1e-1, log=True)),
    Hyperparameter("units", Int(8, 512, log=True)),
    Hyperparameter("dropout", Float(0.0, 0.5, step=0.1)),
    Hyperparameter("optimizer", Choice(("adam", "rmsprop", "sgd"))),
    Hyperparameter("momentum", Float(0.0, 0.9), (Condition("optimizer", ("rmsprop", "sgd")),)),
    Hyperparameter("bidirectional", Choice((True, False))),
    Hyperparameter("batch_size", Choice((128, 32, 64))),
    Hyperparameter("max_length", Choice((None, 100, 200))),
)
CONDITIONAL = space(  # two conditions on one, and one that depends on it
    Hyperparameter("cell", Choice(("gru", "lstm"))),
    Hyperparameter("depth", Int(1, 2)),
    Hyperparameter("units_2", Choice((8, 16)), (Condition("depth", (2,)), Condition("cell", ("gru",)))),
    Hyperparameter("dropout", Float(0.0, 0.2, step=0.1), (Condition("units_2", (16,)),)),
)


def narrowing(values: Values) -> bool:
    """No layer has more units than the one before it."""
    units = [int(str(values[name])) for name in ("units_1", "units_2", "units_3") if name in values]
    return units == sorted(units, reverse=True)


def scarce(values: Values) -> bool:
    """True of some 2 % of MIXED."""
    return int(str(values["units"])) < 12 and values["batch_size"] == 128 and values["optimizer"] != "adam"


CONSTRAINED = Space(LAYERS.hyperparameters, narrowing)
SCARCE = Space(MIXED.hyperparameters, scarce)
BIG = space(Hyperparameter("units", Int(1, 200)), Hyperparameter("batch_size", Int(1, 200)))
FINITE = {
    "empty": EMPTY,
    "single": SINGLE,
    "small": SMALL,
    "layers": LAYERS,
    "conditional": CONDITIONAL,
    "constrained": CONSTRAINED,
}


def create(
    name: str, where: Space, objective: Objective = LOSS, epochs: int = EPOCHS, **keys: Any
) -> Strategy:
    return strategies.create(strategies.STRATEGIES[name](**keys), where, objective, epochs)


def drive(
    strategy: Strategy, score: Callable[[Proposal], Score], most: int = 10_000, in_flight: int = 1
) -> list[Proposal]:
    """Run a search to its end (or ``most`` proposals), the oldest in flight finishing first."""
    made: list[Proposal] = []
    flying: list[Proposal] = []
    while len(made) < most:
        proposal = strategy.ask() if len(flying) < in_flight else strategies.WAIT
        if proposal is None:
            assert not flying
            break
        if isinstance(proposal, Proposal):
            made.append(proposal)
            flying.append(proposal)
        else:
            assert flying, "told to wait with nothing in flight"
            done = flying.pop(0)
            strategy.tell(done.trial, score(done))
    return made


def new(made: list[Proposal]) -> list[Proposal]:
    return [proposal for proposal in made if proposal.first_epoch == 0]


def bowl(proposal: Proposal) -> float:
    """A loss with its minimum inside MIXED; falls with the epochs."""
    return loss(proposal.values) + 0.1 / proposal.last_epoch


def loss(v: Values) -> float:
    value = 0.0
    if "learning_rate" in v:
        value += 0.2 * (math.log10(float(v["learning_rate"] or 0)) + 2.5) ** 2
    if "units" in v:
        value += 0.05 * (math.log2(float(v["units"] or 0)) - 7) ** 2
    if "dropout" in v:
        value += (float(v["dropout"] or 0) - 0.2) ** 2
    value += {"sgd": 0.3, "rmsprop": 0.05}.get(str(v.get("optimizer")), 0.0)
    value += 0.0 if v.get("bidirectional", True) else 0.1
    return value + 0.01 * float(v.get("depth") or 0)


def noise(proposal: Proposal) -> float:
    return random.Random(f"{proposal.trial} {proposal.last_epoch}").random()
