"""The search space: named hyperparameters, some of them in force only under a condition."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gru_tune.values import Domain, Scalar

Values = dict[str, Scalar]


@dataclass(frozen=True)
class Condition:
    """In force only where hyperparameter ``parent`` is in force and has one of ``values``."""

    parent: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a space; ``condition`` names an earlier hyperparameter."""

    name: str
    domain: Domain
    condition: Condition | None = None

    def in_force(self, values: Mapping[str, Scalar]) -> bool:
        if self.condition is None:
            return True
        return self.condition.parent in values and values[self.condition.parent] in self.condition.values


@dataclass(frozen=True)
class Space:
    """Hyperparameters in the order of the table of knobs; a parent comes before its children."""

    hyperparameters: tuple[Hyperparameter, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for hp in self.hyperparameters:
            if hp.name in seen:
                raise ValueError(f"{hp.name} is declared twice")
            if hp.condition is not None and hp.condition.parent not in seen:
                raise ValueError(f"{hp.name} depends on {hp.condition.parent}, which comes later")
            seen.add(hp.name)

    @property
    def size(self) -> float:
        """The number of different configurations; ``inf`` with an unstepped float."""
        if any(math.isinf(hp.domain.size) for hp in self.hyperparameters):
            return math.inf
        return _count(self.hyperparameters, {})

    def grid(self) -> Iterator[Values]:
        """Every configuration once, the last hyperparameter changing fastest.

        Raises ``ValueError`` for an infinite space.
        """
        if math.isinf(self.size):
            raise ValueError("a space with an unstepped float has no grid")
        return _grid(self.hyperparameters, {})

    def restrict(self, values: Mapping[str, Scalar]) -> Values:
        """Only the hyperparameters in force, in order."""
        active: Values = {}
        for hp in self.hyperparameters:
            if hp.name in values and hp.in_force(active):
                active[hp.name] = values[hp.name]
        return active

    def contains(self, values: Mapping[str, Scalar]) -> bool:
        """Whether ``values`` has exactly the hyperparameters in force, each in its domain."""
        return set(self.restrict(values)) == set(values) and all(
            (hp.name in values and hp.domain.contains(values[hp.name])) or not hp.in_force(values)
            for hp in self.hyperparameters
        )


def key(values: Mapping[str, Scalar]) -> str:
    """A canonical text of a configuration: equal exactly for equal configurations."""
    return json.dumps(values, sort_keys=True)


def _count(rest: tuple[Hyperparameter, ...], values: Values) -> int:
    if not rest:
        return 1
    head, tail = rest[0], rest[1:]
    if not head.in_force(values):
        return _count(tail, values)
    if not any(hp.condition and hp.condition.parent == head.name for hp in tail):
        return int(head.domain.size) * _count(tail, values)
    return sum(_count(tail, {**values, head.name: v}) for v in head.domain.values())


def _grid(rest: tuple[Hyperparameter, ...], values: Values) -> Iterator[Values]:
    if not rest:
        yield dict(values)
        return
    head, tail = rest[0], rest[1:]
    if not head.in_force(values):
        yield from _grid(tail, values)
        return
    for value in head.domain.values():
        yield from _grid(tail, {**values, head.name: value})
