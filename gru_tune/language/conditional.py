"""A space that is in force only where other knobs have certain values: the ``when`` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gru_tune.errors import Path
from gru_tune.values import Domain, Scalar
from gru_tune.wording import show


@dataclass(frozen=True)
class Conditional:
    """A space in force only where each knob of ``when``, by flat name, has one of the values."""

    domain: Domain
    when: Mapping[str, tuple[Scalar, ...]]

    def to_config(self) -> dict[str, object]:
        when = {name: list(values) if len(values) > 1 else values[0] for name, values in self.when.items()}
        return {**self.domain.to_config(), "when": when}


def under(domain: Domain, raw: dict[str, Any]) -> Domain | Conditional:
    """The domain, under its conditions if it has any."""
    if "when" not in raw:
        return domain
    lists = {name: value if isinstance(value, list) else [value] for name, value in raw["when"].items()}
    return Conditional(domain, {name: tuple(values) for name, values in lists.items()})


def faults(raw: Any) -> list[tuple[Path, str]]:
    """What is wrong with the form of a ``when``; whether knobs have these values is not known here."""
    if not isinstance(raw, dict) or not raw:
        return [(("when",), f"expected other knobs and their values, such as {{cell: gru}}, got {show(raw)}")]
    problems: list[tuple[Path, str]] = []
    for name, value in raw.items():
        if value == []:
            problems.append((("when", name), "an empty list never holds; give at least one value"))
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict | list):
                problems.append((("when", name), f"expected a value or a list of values, got {show(entry)}"))
    return problems
