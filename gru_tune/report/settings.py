"""Settings of a config as the reports list them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gru_tune.report.numbers import value

DOMAINS = ("choice", "int", "float", "log")  # the words that make a space of a knob


def leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with the keys above it, dotted; a domain is one value."""
    for key, inner in config.items():
        if isinstance(inner, Mapping) and inner and not any(kind in inner for kind in DOMAINS):
            yield from leaves(inner, f"{above}{key}.")
        else:
            yield f"{above}{key}", inner


def listed_value(setting: Any) -> str:
    """A value, or the values of a list, as the config has them."""
    return ", ".join(map(listed_value, setting)) if isinstance(setting, list) else value(setting)
