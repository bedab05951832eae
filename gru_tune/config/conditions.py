"""Which knobs are in force only under conditions: the knobs' own, and those that the user wrote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from gru_tune.config.draft import Draft
from gru_tune.errors import Path, Problem
from gru_tune.knobs import Knob, knob_of, possible
from gru_tune.language.tunable import problem
from gru_tune.space import LISTABLE, Condition, Hyperparameter, Space
from gru_tune.values import Scalar
from gru_tune.wording import listed, show, suggest

SHOWN = 8  # values of a knob that a message lists


def add(draft: Draft, knobs: Sequence[Knob]) -> None:
    """Put the conditions of all knobs into the draft, and what is wrong with them."""
    for knob in knobs:
        _own(draft, knob)
    for name in draft.whens:
        if refused := _always_needed(draft, name):
            draft.problems.append(Problem((*draft.paths[name], "when"), refused))
            continue
        for parent, wanted in draft.whens[name].items():
            _wish(draft, name, parent, wanted)
    if not draft.problems:
        draft.problems += _cycle(draft) or _contradictions(draft)


def ordered(draft: Draft) -> tuple[Hyperparameter, ...]:
    """Hyperparameters in the order of the table, a parent before its children."""
    order: dict[str, Hyperparameter] = {}

    def place(name: str) -> None:
        conditions = draft.conditions.get(name, ())
        for condition in conditions:
            place(condition.parent)
        order.setdefault(name, Hyperparameter(name, draft.domains[name], conditions))

    for name in draft.domains:
        place(name)
    return tuple(order.values())


def _own(draft: Draft, knob: Knob) -> None:
    """The condition that a knob has by itself."""
    when = knob.when
    if when is None or knob.name not in draft.domains or when.parent not in draft.paths:
        return
    values = _values(draft, knob.name, when.parent)
    if values is None:
        return
    passing = tuple(value for value in values if when.test(value))
    if not passing:
        text = f"has no effect: {when.parent} is {_any_of(values)}; it is in force when {when.text}"
        draft.problems.append(Problem(knob.path, text))
    elif len(passing) < len(values) or when.parent in draft.whens:
        draft.depend(knob.name, Condition(when.parent, passing))


def _always_needed(draft: Draft, name: str) -> str | None:
    """Why a knob cannot be left out of any trial."""
    if knob_of(name).section == "data":
        return (
            "the data are prepared once for all trials, so a knob of the data has no conditions; leave it out"
        )
    if name == "epochs":
        return "every trial has its epochs, so they have no conditions; leave it out"
    return None


def _wish(draft: Draft, name: str, parent: str, wanted: tuple[Scalar, ...]) -> None:
    """A condition that the user wrote."""
    path: Path = (*draft.paths[name], "when", parent)
    if parent not in draft.paths:
        text = f"is no knob of this config{suggest(parent, draft.paths)}"
        draft.problems.append(Problem(path, text))
        return
    values = _values(draft, name, parent)
    if values is None:
        return
    passing: list[Scalar] = []
    for value in wanted:
        same = [v for v in values if _same(v, value)]
        if not same:
            never = f"{parent} is never {show(value)} in this config; it is {_any_of(values)}"
            draft.problems.append(Problem(path, problem(knob_of(parent), value) or never))
        passing += same
    always = len(set(passing)) == len(values)
    if always and parent in draft.domains and parent not in draft.whens and parent not in draft.conditions:
        text = f"always holds, as {parent} is {_any_of(values)} in every configuration; leave it out"
        draft.problems.append(Problem(path, text))
    if parent in draft.domains:
        draft.depend(name, Condition(parent, tuple(dict.fromkeys(passing))))


def _values(draft: Draft, name: str, parent: str) -> tuple[Scalar, ...] | None:
    """All that the parent can be; where that cannot be listed, a problem."""
    values = possible(draft.value(parent))
    if values is None:
        text = f"needs a finite list of values, as {name} depends on it; give it a step or a choice"
        draft.problems.append(Problem(draft.paths[parent], text))
    return values


def _cycle(draft: Draft) -> list[Problem]:
    """What depends on itself."""
    parents = {name: [c.parent for c in conditions] for name, conditions in draft.conditions.items()}
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        around = error.args[1]
        name = next(name for name in around if name in draft.whens)
        text = f"depends on itself: {' -> '.join(reversed(around))}; leave one of these conditions out"
        return [Problem((*draft.paths[name], "when"), text)]
    return []


def _contradictions(draft: Draft) -> list[Problem]:
    """What is in force nowhere, because its conditions never come together."""
    space = {hp.name: hp for hp in ordered(draft)}
    problems = []
    for name in draft.whens:
        above: set[str] = set()
        waiting = [name]
        while waiting:
            parents = [condition.parent for condition in space[waiting.pop()].conditions]
            waiting += parents
            above.update(parents)
        parents_only = Space(tuple(hp for hp in space.values() if hp.name in above))
        if not any(space[name].in_force(values) for values in islice(parents_only.grid(), LISTABLE)):
            texts = (f"{c.parent} {_any_of(c.values)}" for c in space[name].conditions)
            text = f"never holds: no configuration has {listed(texts, 'and')}"
            problems.append(Problem((*draft.paths[name], "when"), text))
    return problems


def _same(a: Scalar, b: Scalar) -> bool:
    numbers = isinstance(a, float) and isinstance(b, int | float) and not isinstance(b, bool)
    return math.isclose(a, b, abs_tol=1e-12) if numbers else type(a) is type(b) and a == b  # type: ignore[arg-type]


def _any_of(values: Sequence[Scalar]) -> str:
    if len(values) == 1:
        return show(values[0])
    texts = [show(value) for value in values]
    return listed(texts if len(texts) <= SHOWN else [*texts[: SHOWN - 1], f"… {texts[-1]}"])
