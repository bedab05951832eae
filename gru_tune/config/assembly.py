"""The checks of values against each other, and the search space that comes out of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gru_tune.config.sections import Sections
from gru_tune.errors import Path, Problem
from gru_tune.knobs import Knob, possible, table
from gru_tune.language import given, is_given
from gru_tune.language.tunable import PER_LAYER
from gru_tune.space import Condition, Hyperparameter, Space
from gru_tune.strategies import SearchSection
from gru_tune.strategies.hyperband import HyperbandSearch
from gru_tune.values import Choice, Domain, Float, Int, Scalar
from gru_tune.wording import listed, show


@dataclass
class Draft:
    """What the knobs of a config say, by flat name, while it is being put together."""

    fixed: dict[str, Scalar] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str, value: Scalar | Domain, path: Path) -> None:
        self.paths[name] = path
        if isinstance(value, Choice | Int | Float):
            self.domains[name] = value
        else:
            self.fixed[name] = value

    def value(self, name: str) -> Scalar | Domain:
        return self.domains[name] if name in self.domains else self.fixed[name]


def assemble(sections: Sections) -> tuple[dict[str, Scalar], Space, list[Problem]]:
    """The fixed knobs and the search space, and whatever does not go together."""
    draft = Draft()
    for knob in sections.knobs:
        value = given(sections.section(knob), knob)
        if isinstance(value, tuple):
            _layers(draft, sections, value)
        elif knob.name != "depth" or "depth" not in draft.paths:
            draft.add(knob.name, value, knob.path)
    for knob in sections.knobs:
        if knob.when is not None:
            _condition(draft, knob)
    problems = draft.problems + _unequal_losses(sections, draft)
    problems += _endless(draft) if sections.search.strategy == "grid" else []
    if problems:
        return draft.fixed, Space(), problems
    space = Space(_ordered(draft))
    return draft.fixed, space, sections.search.problems(space) or _epoch_problems(sections.search, draft)


def _layers(draft: Draft, sections: Sections, entries: tuple[Scalar | Domain, ...]) -> None:
    """Units given layer by layer: a layer's own are in force where the model is that deep."""
    knob, depth = table()[PER_LAYER], table()["depth"]
    stacked = given(sections.model, depth) if is_given(sections.model, depth) else len(entries)
    assert not isinstance(stacked, tuple)
    draft.add("depth", stacked, depth.path)
    depths = [d for d in possible(stacked) or () if isinstance(d, int)]
    if max(depths) != len(entries):
        layers = f"{len(entries)} layer{'s' * (len(entries) != 1)}"
        more = f"units are given for {layers}, but depth goes to {max(depths)}; make them agree"
        draft.problems.append(Problem(knob.path, more))
    for layer, entry in enumerate(entries, 1):
        name = f"{PER_LAYER}_{layer}"
        draft.add(name, entry, (*knob.path, layer - 1))
        deep = tuple(d for d in depths if d >= layer)
        if len(deep) < len(depths) and name in draft.domains:
            draft.conditions[name] = Condition("depth", deep)


def _condition(draft: Draft, knob: Knob) -> None:
    when = knob.when
    if when is None or knob.name not in draft.domains or when.parent not in draft.paths:
        return
    parent = draft.value(when.parent)
    values = possible(parent)
    if values is None:
        text = f"needs a finite list of values, as {knob.name} depends on it; give it a step or a choice"
        draft.problems.append(Problem(draft.paths[when.parent], text))
        return
    passing = tuple(value for value in values if when.test(value))
    if not passing:
        is_now = show(values[0]) if len(values) == 1 else listed(show(v) for v in values)
        text = f"has no effect: {when.parent} is {is_now}; it is in force when {when.text}"
        draft.problems.append(Problem(knob.path, text))
    elif len(passing) < len(values):
        draft.conditions[knob.name] = Condition(when.parent, passing)


def _ordered(draft: Draft) -> tuple[Hyperparameter, ...]:
    """Hyperparameters in the order of the table, a parent before its children."""
    order: dict[str, None] = {}
    for name in draft.domains:
        if name in draft.conditions:
            order[draft.conditions[name].parent] = None
        order[name] = None
    return tuple(Hyperparameter(n, draft.domains[n], draft.conditions.get(n)) for n in order)


def _unequal_losses(sections: Sections, draft: Draft) -> list[Problem]:
    """What makes the loss of one trial no measure for another's."""
    if sections.search.objective != "loss":
        return []
    return [
        Problem(
            ("search", "objective"),
            f"trials cannot be ranked by their loss while training.{name} is searched over, as it changes "
            "what the loss measures; name another metric",
        )
        for name in ("loss", "label_smoothing")
        if name in draft.domains and draft.domains[name].size > 1
    ]


def _endless(draft: Draft) -> list[Problem]:
    """What keeps a grid from being listed, knob by knob."""
    return [
        Problem(draft.paths[name], f"a grid needs a finite list of values; {_finite(domain)}")
        for name, domain in draft.domains.items()
        if math.isinf(domain.size)
    ]


def _finite(domain: Domain) -> str:
    if isinstance(domain, Float) and domain.log:
        return "write choice: [...]"
    return "give it a step, or write choice: [...]"


def _epoch_problems(search: SearchSection, draft: Draft) -> list[Problem]:
    epochs = draft.value("epochs")
    if isinstance(search, HyperbandSearch) and isinstance(epochs, int) and epochs < search.factor:
        text = f"hyperband needs at least {search.factor} epochs (its factor), got {epochs}"
        return [Problem(table()["epochs"].path, text)]
    return []
