"""The smallest and the largest model of a search space, told from settings alone."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gru_tune.knobs import Settings
from gru_tune.learning.sizes import parameters
from gru_tune.space import Space, Values
from gru_tune.values import Choice, Domain, Scalar

if TYPE_CHECKING:
    from gru_tune.config import Config

# The knobs that decide how large a model is, units aside; all others only change how it learns.
SIZE_KNOBS = ("cell", "depth", "bidirectional", "embedding", "dense", "vocabulary", "normalization")


def extremes(config: Config, info: Mapping[str, Any]) -> tuple[Settings, Settings]:
    """The settings with the fewest and with the most parameters; ``info`` as in ``Dataset.info``.

    Where some configurations are not accepted, those of the space's corners that are and of a
    sample of the space: exact where the space can be listed.
    """
    space = config.space
    units = [hp.name for hp in space.hyperparameters if hp.name.startswith("units")]
    every: Iterator[Values] = filter(space.allows, corners(space, SIZE_KNOBS, units))
    if space.accepts is not None:
        every = itertools.chain(every, space.sample())
    sized: dict[int, Settings] = {}
    for values in every:
        settings = config.settings(values)
        sized.setdefault(parameters(settings, info), settings)
    return sized[min(sized)], sized[max(sized)]


def ends(domain: Scalar | Domain) -> tuple[Scalar, ...]:
    """The values that can matter for an extreme: all options, or the ends of a range."""
    if isinstance(domain, Choice):
        return domain.options
    if domain is None or isinstance(domain, str | int | float | bool):
        return (domain,)
    return (domain.low, domain.high)


def decides_size(name: str) -> bool:
    """Whether the number of parameters can depend on this hyperparameter."""
    return name in SIZE_KNOBS or name.startswith("units")


def corners(space: Space, names: Collection[str], together: Collection[str] = ()) -> Iterator[Values]:
    """Configurations with every combination of the ends of some hyperparameters.

    What they depend on takes all its values, everything else the middle one. Those in
    ``together`` are all at their lower ends, or all at their upper ones.
    """
    parents: set[str] = set()
    for hp in reversed(space.hyperparameters):
        if hp.name in names or hp.name in together or hp.name in parents:
            parents.update(condition.parent for condition in hp.conditions)
    domains = {hp.name: hp.domain for hp in space.hyperparameters}
    moved = {name: ends(domain) for name, domain in domains.items() if name in names}
    moved |= {name: domains[name].values() for name in domains if name in parents}
    usual = {name: domain.from_unit(0.5) for name, domain in domains.items()}
    for values in itertools.product(*moved.values()):
        for end in (min, max):
            alike = {name: end(ends(domains[name])) for name in together}  # type: ignore[type-var]
            yield space.restrict({**usual, **alike, **dict(zip(moved, values, strict=True))})
