"""What configurations must satisfy to be tried: ``search.constraints`` and the limits on their models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from gru_tune.errors import Path, Problem
from gru_tune.knobs import knob_of, possible
from gru_tune.language.comparison import comparable, read
from gru_tune.learning.extremes import decides_size, extremes
from gru_tune.learning.sizes import parameters
from gru_tune.space import DRAWS, LISTABLE, Space, Values
from gru_tune.values import Scalar
from gru_tune.wording import listed, plural

if TYPE_CHECKING:
    from gru_tune.config import Config

Seconds = Callable[[Values], float | None]  # of one epoch of a configuration; None where it is not known
LITTLE = 0.05  # a share of configurations below which it is said what excludes most


@dataclass(frozen=True)
class Rule:
    """One constraint: where it stands, how it is named, whom it lets pass, and what those fail to do whom it does not."""

    path: Path
    text: str
    holds: Callable[[Values], bool]
    failing: Callable[[], str]  # completes "no configuration …"


def constrain(config: Config, info: Mapping[str, Any], seconds: Seconds | None = None) -> Config:
    """The config with only those configurations in its space that satisfy its constraints.

    ``info`` as in ``Dataset.info``; without ``seconds`` there is no limit on them. Raises
    ``ConfigError`` when nothing is left.
    """
    config = replace(config, space=Space(config.space.hyperparameters))
    found = rules(config, info, seconds)
    if not found:
        return config
    space = Space(config.space.hyperparameters, lambda values: all(rule.holds(values) for rule in found))
    if next(space.sample(), None) is None:
        raise config.error(_nothing_left(config.space, found))
    return replace(config, space=space)


def rules(config: Config, info: Mapping[str, Any], seconds: Seconds | None = None) -> list[Rule]:
    """The constraints of a config."""
    own = config.search
    found = [_comparison(config, index, text) for index, text in enumerate(own.constraints)]
    if own.max_parameters is not None:
        found.append(_max_parameters(config, info, own.max_parameters))
    if own.max_seconds_per_epoch is not None and seconds is not None:
        found.append(_max_seconds(config.space, seconds, own.max_seconds_per_epoch))
    return found


def describe(config: Config, info: Mapping[str, Any], seconds: Seconds | None = None) -> Iterator[str]:
    """How much of the space the constraints leave, and what excludes most where that is little.

    ``config`` is one that ``constrain`` has returned.
    """
    found = rules(config, info, seconds)
    if config.search.max_seconds_per_epoch is not None and seconds is None:
        yield "max_seconds_per_epoch excludes more, once the machine has been timed at the start of the search"
    if not found:
        return
    every = Space(config.space.hyperparameters)
    if every.size <= LISTABLE:
        left, total = int(config.space.size), int(every.size)
        text = f"{left:,} of {plural(total, 'configuration')} satisf{'ies' if left == 1 else 'y'} the constraints"
    else:
        left, total = sum(1 for _ in config.space.sample()), DRAWS
        text = f"about {_percent(left / total)} of the space satisfies the constraints"
    yield text + (f"; {_strictest(every, found)}" if left < LITTLE * total and len(found) > 1 else "")


def _nothing_left(space: Space, found: list[Rule]) -> list[Problem]:
    """Which constraints exclude everything: one alone, or all together."""
    whom = (
        "no configuration of the space"
        if space.size <= LISTABLE
        else f"none of {DRAWS:,} random configurations"
    )
    alone = [rule for rule in found if next(Space(space.hyperparameters, rule.holds).sample(), None) is None]
    if alone:
        return [Problem(rule.path, f"{whom} {rule.failing()}") for rule in alone]
    names = listed((rule.text for rule in found), "and")
    return [Problem(found[0].path, f"{whom} satisfies {names} together; {_strictest(space, found)}")]


def _strictest(space: Space, found: list[Rule]) -> str:
    """Which constraint excludes most, in words."""
    passed = [[rule.holds(values) for rule in found] for values in space.sample()]
    shares = [1 - sum(column) / len(passed) for column in zip(*passed, strict=True)]
    most = max(shares)
    return f"{found[shares.index(most)].text} alone excludes {_percent(most)}"


def _comparison(config: Config, index: int, text: str) -> Rule:
    depths = [d for d in possible(config.domain("depth")) or () if isinstance(d, int)]
    names = [*config.fixed, *(hp.name for hp in config.space.hyperparameters)]
    comparison = read(text, comparable(names, max(depths)))

    def holds(values: Values) -> bool:
        return comparison.holds(_in_force(comparison.names, {**config.fixed, **values}))

    return Rule(("search", "constraints", index), text, holds, lambda: f"satisfies {text}")


def _in_force(names: Collection[str], values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Those of some knobs that have an effect, with their values."""
    found: dict[str, Scalar] = {}
    for name in names:
        knob = knob_of(name)
        own = name if name in values else knob.name  # the layers may share their units
        missing = name != knob.name and int(name.rpartition("_")[2]) > values.get("depth", 1)  # type: ignore[operator]
        above = knob.when.parent if knob.when else ""
        idle = knob.when and not knob.when.test(values.get(above, knob_of(above).default))
        if own in values and not missing and not idle:
            found[name] = values[own]
    return found


def _max_parameters(config: Config, info: Mapping[str, Any], most: int) -> Rule:
    count = _of_few(lambda values: parameters(config.settings(values), info), decides_size)

    def holds(values: Values) -> bool:
        return count(values) <= most

    def failing() -> str:
        smallest = parameters(extremes(config, info)[0], info)
        return f"has at most {plural(most, 'weight')}; the smallest model of the space has {smallest:,}"

    return Rule(("search", "max_parameters"), f"max_parameters: {most}", holds, failing)


def _max_seconds(space: Space, seconds: Seconds, most: float) -> Rule:
    expected = _of_few(lambda values: seconds(values) or 0.0, _decides_seconds)

    def holds(values: Values) -> bool:
        return expected(values) <= most

    def failing() -> str:
        quickest = min(map(expected, space.sample()))
        return f"is expected to take {most:g} s an epoch or less on this machine; the quickest takes {quickest:.2g} s"

    return Rule(("search", "max_seconds_per_epoch"), f"max_seconds_per_epoch: {most:g}", holds, failing)


def _of_few(number: Callable[[Values], float], matters: Callable[[str], bool]) -> Callable[[Values], float]:
    """A number that depends on few hyperparameters, computed once for all configurations that share those."""

    @cache
    def once(*few: tuple[str, Scalar]) -> float:
        return number(dict(few))

    return lambda values: once(*(pair for pair in values.items() if matters(pair[0])))


def _decides_seconds(name: str) -> bool:
    """Whether the seconds of an epoch can depend on a hyperparameter: the model, the data, or the batches."""
    return decides_size(name) or knob_of(name).section == "data" or name in ("batch_size", "epochs")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if share < 0.995 else f"{100 * share:.5g} %"
