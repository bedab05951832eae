"""The search space: named hyperparameters, some of them in force only under conditions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from gru_tune.values import Domain, Scalar

Values = dict[str, Scalar]

LISTABLE = 200_000  # spaces up to this size may be listed in full
DRAWS = 10_000  # configurations that stand for a space too large for that


@dataclass(frozen=True)
class Condition:
    """In force only where hyperparameter ``parent`` is in force and has one of ``values``."""

    parent: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a space, in force where all its conditions hold; they name earlier ones."""

    name: str
    domain: Domain
    conditions: tuple[Condition, ...] = ()

    def in_force(self, values: Mapping[str, Scalar]) -> bool:
        return all(c.parent in values and values[c.parent] in c.values for c in self.conditions)


@dataclass(frozen=True)
class Space:
    """Hyperparameters in the order of the table of knobs; a parent comes before its children.

    With ``accepts`` only the configurations it is true of belong to the space.
    """

    hyperparameters: tuple[Hyperparameter, ...] = ()
    accepts: Callable[[Values], bool] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for hp in self.hyperparameters:
            if hp.name in seen:
                raise ValueError(f"{hp.name} is declared twice")
            for condition in hp.conditions:
                if condition.parent not in seen:
                    raise ValueError(f"{hp.name} depends on {condition.parent}, which comes later")
            seen.add(hp.name)

    @cached_property
    def size(self) -> float:
        """The number of different configurations; ``inf`` with an unstepped float.

        Those accepted are counted one by one, so in a space too large to be listed it is
        the number of all: an upper bound.
        """
        if any(math.isinf(hp.domain.size) for hp in self.hyperparameters):
            return math.inf
        every = _count(self.hyperparameters, {})
        if self.accepts is None or every > LISTABLE:
            return every
        return sum(1 for _ in self.grid())

    def grid(self) -> Iterator[Values]:
        """Every configuration once, the last hyperparameter changing fastest.

        Raises ``ValueError`` for an infinite space.
        """
        if any(math.isinf(hp.domain.size) for hp in self.hyperparameters):
            raise ValueError("a space with an unstepped float has no grid")
        return filter(self.allows, _grid(self.hyperparameters, {}))

    def sample(self) -> Iterator[Values]:
        """What stands for the whole space: every configuration, or always the same draws of a large one."""
        if Space(self.hyperparameters).size <= LISTABLE:
            return self.grid()
        rng = Random(1)
        return filter(self.allows, (self.draw(rng, {}) for _ in range(DRAWS)))

    def allows(self, values: Values) -> bool:
        """Whether a configuration of these hyperparameters is accepted."""
        return self.accepts is None or self.accepts(values)

    def restrict(self, values: Mapping[str, Scalar]) -> Values:
        """Only the hyperparameters in force, in order."""
        active: Values = {}
        for hp in self.hyperparameters:
            if hp.name in values and hp.in_force(active):
                active[hp.name] = values[hp.name]
        return active

    def contains(self, values: Mapping[str, Scalar]) -> bool:
        """Whether ``values`` has exactly the hyperparameters in force, each in its domain."""
        inside = set(self.restrict(values)) == set(values) and all(
            (hp.name in values and hp.domain.contains(values[hp.name])) or not hp.in_force(values)
            for hp in self.hyperparameters
        )
        return inside and self.allows(dict(values))

    def draw(self, rng: Random, given: Mapping[str, Scalar]) -> Values:
        """A configuration with the values ``given``, all others at random; it may be one that is not accepted."""
        active: Values = {}
        for hp in self.hyperparameters:
            if hp.in_force(active):
                active[hp.name] = given[hp.name] if hp.name in given else hp.domain.from_unit(rng.random())
        return active


def key(values: Mapping[str, Scalar]) -> str:
    """A canonical text of a configuration: equal exactly for equal configurations."""
    return json.dumps(values, sort_keys=True)


def _count(rest: tuple[Hyperparameter, ...], values: Values) -> int:
    if not rest:
        return 1
    head, tail = rest[0], rest[1:]
    if not head.in_force(values):
        return _count(tail, values)
    asked = [c.values for hp in tail for c in hp.conditions if c.parent == head.name]
    if not asked:
        return int(head.domain.size) * _count(tail, values)
    alike: dict[tuple[bool, ...], list[Scalar]] = {}  # values under which the same others are in force
    for value in head.domain.values():
        alike.setdefault(tuple(value in passing for passing in asked), []).append(value)
    return sum(len(group) * _count(tail, {**values, head.name: group[0]}) for group in alike.values())


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
