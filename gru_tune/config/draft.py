"""What the knobs of a config say, while the search space is being put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gru_tune.errors import Path, Problem
from gru_tune.language.conditional import Conditional
from gru_tune.language.tunable import Tunable
from gru_tune.space import Condition
from gru_tune.values import Choice, Domain, Float, Int, Scalar


@dataclass
class Draft:
    """Values and domains by flat name, with what they depend on and where they stand."""

    fixed: dict[str, Scalar] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    whens: dict[str, Mapping[str, tuple[Scalar, ...]]] = field(default_factory=dict)  # as the user wrote them
    conditions: dict[str, tuple[Condition, ...]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str, value: Tunable, path: Path) -> None:
        self.paths[name] = path
        if isinstance(value, Conditional):
            self.whens[name] = value.when
            value = value.domain
        if isinstance(value, Choice | Int | Float):
            self.domains[name] = value
        else:
            self.fixed[name] = value

    def value(self, name: str) -> Scalar | Domain:
        return self.domains[name] if name in self.domains else self.fixed[name]

    def depend(self, name: str, condition: Condition) -> None:
        self.conditions[name] = (*self.conditions.get(name, ()), condition)
