"""Functions with a known optimum, over logarithmic, integer, categorical and conditional hyperparameters.

Branin and Hartmann's function of six variables are the standard ones (Dixon and Szegö,
"Towards Global Optimisation 2", 1978), in the coordinates of a search for a GRU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.searching.problems import Curve, Problem
from gru_tune.space import Condition, Hyperparameter, Space, Values
from gru_tune.trial import Objective
from gru_tune.values import Choice, Float, Int

LOSS = Objective("loss", "min")
RATE = Hyperparameter("learning_rate", Float(1e-5, 1e-1, log=True))
UNITS = Hyperparameter("units", Int(8, 512, log=True))
DROPOUT = Hyperparameter("dropout", Float(0.0, 0.6))
EPOCHS = 27

HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_P = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)  # fmt: skip
HARTMANN_C = np.array([1.0, 1.2, 3.0, 3.2])


def functions() -> Iterator[Problem]:
    """All of them; the last one has learning curves, the others are of one epoch."""
    yield branin()
    yield hartmann()
    yield layers()
    yield curves()


def branin() -> Problem:
    """Branin over a logarithmic float and a float, 5 worse with each further one of three optimizers."""
    optimizer = Hyperparameter("optimizer", Choice(("sgd", "adam", "rmsprop")))
    penalty = {"adam": 0.0, "rmsprop": 5.0, "sgd": 10.0}

    def loss(values: Values) -> float:
        x, y = 15 * _unit(RATE, values) - 5, 15 * _unit(DROPOUT, values)
        a = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
        b = 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10
        return a**2 + b + penalty[str(values["optimizer"])]

    return _flat("Branin, 3 optimizers", (DROPOUT, optimizer, RATE), loss, 0.397887)


def hartmann() -> Problem:
    """Hartmann's function of six variables, two of them logarithmic and two of them integers."""
    space = (
        UNITS,
        Hyperparameter("depth", Int(1, 8)),
        DROPOUT,
        RATE,
        Hyperparameter("weight_decay", Float(1e-6, 1e-2, log=True)),
        Hyperparameter("warmup", Float(0.0, 5.0)),
    )

    def loss(values: Values) -> float:
        x = np.array([_unit(hp, values) for hp in space])
        return -float(HARTMANN_C @ np.exp(-(HARTMANN_A * (x - HARTMANN_P) ** 2).sum(1)))

    return _flat("Hartmann 6", space, loss, -3.32237)


def layers() -> Problem:
    """One to three layers, each with units of its own; every depth has its own best learning rate."""
    depth = Hyperparameter("depth", Int(1, 3))
    first = Hyperparameter("units_1", UNITS.domain)
    second = Hyperparameter("units_2", UNITS.domain, (Condition("depth", (2, 3)),))
    third = Hyperparameter("units_3", UNITS.domain, (Condition("depth", (3,)),))
    wanted = (0.8, 0.6, 0.3)

    def loss(values: Values) -> float:
        count = values["depth"]
        assert isinstance(count, int)
        rate = (_unit(RATE, values) - 0.8 + 0.15 * count) ** 2
        misfits = [
            (_unit(hp, values) - best) ** 2
            for hp, best in zip((first, second, third), wanted, strict=True)
            if hp.name in values
        ]
        return 0.1 * abs(count - 2) + 4 * rate + sum(misfits) / len(misfits)

    return _flat("layers", (depth, first, second, third, RATE), loss, 0.0)


def curves() -> Problem:
    """Learning curves that cross: dropout and low learning rates are slow, and the best are not the fastest.

    Seconds grow with the units, and with small batches.
    """
    space = Space(
        (
            UNITS,
            DROPOUT,
            Hyperparameter("optimizer", Choice(("adam", "rmsprop", "sgd"))),
            RATE,
            Hyperparameter("momentum", Float(0.0, 0.95), (Condition("optimizer", ("rmsprop", "sgd")),)),
            Hyperparameter("batch_size", Choice((32, 64, 128))),
        )
    )
    shift = {"adam": 0.0, "rmsprop": 0.05, "sgd": 0.25}

    def train(values: Values) -> Curve:
        epoch = np.arange(1, EPOCHS + 1)
        units, dropout = _unit(UNITS, values), _unit(DROPOUT, values)
        batch = {32: 0.0, 64: 0.5, 128: 1.0}[int(str(values["batch_size"]))]
        momentum = float(str(values.get("momentum", 0.0)))
        rate = _unit(RATE, values) + 0.2 * momentum - 0.1 * batch - shift[str(values["optimizer"])]
        final = 0.3 + (units - 0.7) ** 2 + 0.5 * (dropout - 0.5) ** 2 + 2 * (rate - 0.5) ** 2
        final += {"adam": 0.0, "rmsprop": 0.02, "sgd": 0.05}[str(values["optimizer"])]
        pace = 0.6 * math.exp(3 * (rate - 0.5)) * (1 - 0.6 * dropout)
        start = 2.0 if rate < 0.8 else 4.0
        scores = final + (start - final) * np.exp(-pace * epoch)
        seconds = (0.2 + 2 * units**2) * (1.5 - 0.5 * batch)
        return Curve(scores, np.full(EPOCHS, seconds))

    return Problem("learning curves", space, LOSS, EPOCHS, train, 0.3)


def _flat(
    name: str, space: tuple[Hyperparameter, ...], loss: Callable[[Values], float], optimum: float
) -> Problem:
    """A function without learning curves: one epoch of one second."""

    def train(values: Values) -> Curve:
        return Curve(np.array([loss(values)]), np.ones(1))

    return Problem(name, Space(space), LOSS, 1, train, optimum)


def _unit(hp: Hyperparameter, values: Values) -> float:
    return hp.domain.to_unit(values[hp.name])
