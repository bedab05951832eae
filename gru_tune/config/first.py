"""``search.try_first`` against the search space: what keeps a configuration from being tried."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random

from gru_tune.errors import Problem
from gru_tune.knobs import knob_of
from gru_tune.space import Hyperparameter, Space, Values
from gru_tune.values import Choice, Domain, Float, Scalar
from gru_tune.wording import listed, remedy, show, suggest

DRAWS = 1_000  # of what an entry leaves out

Entry = Mapping[str, Scalar]


def problems(entries: Sequence[Entry], fixed: Mapping[str, Scalar], space: Space) -> list[Problem]:
    """All that is wrong with any of the entries, which may leave out hyperparameters."""
    found: list[Problem] = []
    seen: list[Entry] = []
    for index, entry in enumerate(entries):
        path = ("search", "try_first", index)
        wrong = {name: _wrong(name, entry, fixed, space) for name in entry}
        found += [Problem((*path, name), text) for name, text in wrong.items() if text]
        searched = {name: value for name, value in entry.items() if name not in fixed}
        if searched in seen:
            text = f"is the same configuration as try_first[{seen.index(searched)}]; leave one of them out"
            found.append(Problem(path, text))
        seen.append(searched)
    return found


def _wrong(name: str, entry: Entry, fixed: Mapping[str, Scalar], space: Space) -> str | None:
    value = entry[name]
    if name in fixed:
        same = value == fixed[name] and isinstance(value, bool) == isinstance(fixed[name], bool)
        return (
            None
            if same
            else f"is fixed at {_word(fixed[name])} in this config, so it cannot be {_word(value)}"
        )
    searched = {hp.name: hp for hp in space.hyperparameters}
    if name not in searched:
        return f"is no hyperparameter of this search{_instead(name, searched)}"
    if not searched[name].domain.contains(value):
        advice = remedy(value, knob_of(name).type)
        return f"{show(value)} lies outside the space, which is {_range(searched[name].domain)}{advice}"
    return _out_of_force(searched[name], entry)


def _instead(name: str, searched: Collection[str]) -> str:
    """What may have been meant by a name that is not searched over, else all that is."""
    layers = [own for own in searched if own.startswith(f"{name}_")]
    if layers:
        return f", as every layer has its own; write {listed(layers, 'and')}"
    return suggest(name, searched) or f"; searched over: {listed(searched, 'and') or 'nothing'}"


def _out_of_force(hyperparameter: Hyperparameter, entry: Entry) -> str | None:
    for condition in hyperparameter.conditions:
        passing = f"{condition.parent} is {listed(_word(v) for v in condition.values)}"
        if condition.parent not in entry:
            return f"is in force only where {passing}; say so here as well"
        if entry[condition.parent] not in condition.values:
            here = f"{condition.parent} is {_word(entry[condition.parent])}"
            return f"is not in force, as {here} here; it is where {passing}"
    return None


def _range(domain: Domain) -> str:
    if isinstance(domain, Choice):
        return listed(_word(option) for option in domain.options)
    coarse = domain.step is not None and (isinstance(domain, Float) or domain.step > 1)
    step = f" in steps of {domain.step:g}" if coarse else ""
    return f"{_word(domain.low)} to {_word(domain.high)}{step}"


def _word(value: Scalar) -> str:
    """A value as a config writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def excluded(
    entries: Sequence[Entry], space: Space, rules: Mapping[str, Callable[[Values], bool]]
) -> list[Problem]:
    """Entries that the constraints of ``space`` leave no configuration of, as far as draws can tell.

    ``rules`` are these constraints one by one, as they are named.
    """
    rng = Random(1)
    found = []
    for index, entry in enumerate(entries):
        drawn = []
        for _ in range(DRAWS):
            drawn.append(space.draw(rng, entry))
            if space.allows(drawn[-1]):
                break
        else:
            alone = [text for text, holds in rules.items() if not any(map(holds, drawn))]
            some = [text for text, holds in rules.items() if not all(map(holds, drawn))]
            names = listed(alone, "or") or f"{listed(some, 'and')} together"
            text = f"no configuration with these values satisfies {names}; change one"
            found.append(Problem(("search", "try_first", index), text))
    return found
