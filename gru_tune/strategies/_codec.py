"""A configuration in the form keras-tuner draws it, and back: nothing is lost either way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gru_tune.space import Space, Values
from gru_tune.values import Choice, Domain, Float, Int, Scalar


def index_size(domain: Domain) -> int | None:
    """The number of values of a domain that is drawn by index; None for one that is not.

    A logarithmic int range could be listed, but an index would draw its values evenly.
    """
    if domain.size == float("inf") or (isinstance(domain, Int) and domain.log and domain.size > 1):
        return None
    return int(domain.size)


def encode(space: Space, values: Mapping[str, Scalar]) -> dict[str, Any]:
    """Every hyperparameter of the space in keras-tuner's form; 0 (or the lower end) where not in force."""
    raw: dict[str, Any] = {}
    for hp in space.hyperparameters:
        if hp.name in values:
            raw[hp.name] = _encode(hp.domain, values[hp.name])
        else:
            endless = isinstance(hp.domain, Float) and index_size(hp.domain) is None
            raw[hp.name] = hp.domain.low if endless and isinstance(hp.domain, Float) else 0
    return raw


def decode(space: Space, raw: Mapping[str, Any]) -> Values:
    """The hyperparameters in force, in order."""
    active: Values = {}
    for hp in space.hyperparameters:
        if hp.in_force(active):
            active[hp.name] = _decode(hp.domain, raw[hp.name])
    return active


def _encode(domain: Domain, value: Any) -> int | float:
    count = index_size(domain)
    if count is None:
        return domain.to_unit(value) if isinstance(domain, Int) else float(value)
    if isinstance(domain, Choice):
        return next(i for i, option in enumerate(domain.options) if _same(option, value))
    if isinstance(domain, Int):
        return (int(value) - domain.low) // domain.step
    return 0 if domain.step is None else round((value - domain.low) / domain.step)


def _decode(domain: Domain, raw: int | float) -> Scalar:
    count = index_size(domain)
    if count is not None:
        return domain.from_unit((raw + 0.5) / count)
    if isinstance(domain, Float):
        return min(max(float(raw), domain.low), domain.high)
    return domain.from_unit(raw)


def _same(option: Scalar, value: Scalar) -> bool:
    return option == value and isinstance(option, bool) == isinstance(value, bool)
