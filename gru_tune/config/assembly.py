"""The checks of values against each other, and the search space that comes out of them."""

from __future__ import annotations

import math

from gru_tune.config import conditions, first
from gru_tune.config.draft import Draft
from gru_tune.config.sections import Sections
from gru_tune.errors import Problem
from gru_tune.knobs import possible, table
from gru_tune.language import given, is_given
from gru_tune.language.comparison import comparable, read
from gru_tune.language.conditional import Conditional
from gru_tune.language.tunable import PER_LAYER, Bad, Tunable
from gru_tune.space import Condition, Space
from gru_tune.strategies import SearchSection, rungs
from gru_tune.strategies.hyperband import HyperbandSearch
from gru_tune.values import Domain, Float, Scalar


def assemble(sections: Sections) -> tuple[dict[str, Scalar], Space, list[Problem]]:
    """The fixed knobs and the search space, and whatever does not go together."""
    draft = Draft()
    for knob in sections.knobs:
        value = given(sections.section(knob), knob)
        if isinstance(value, tuple):
            _layers(draft, sections, value)
        elif knob.name != "depth" or "depth" not in draft.paths:
            draft.add(knob.name, value, knob.path)
    conditions.add(draft, sections.knobs)
    problems = draft.problems + _constraints(draft, sections.search.constraints)
    problems += _unequal_losses(sections, draft)
    problems += _endless(draft) if sections.search.strategy == "grid" else []
    if problems:
        return draft.fixed, Space(), problems
    space = Space(conditions.ordered(draft))
    problems = sections.search.problems(space) or _epoch_problems(sections.search, draft)
    problems += first.problems(sections.search.try_first, draft.fixed, space)
    return draft.fixed, space, problems


def _layers(draft: Draft, sections: Sections, entries: tuple[Tunable, ...]) -> None:
    """Units given layer by layer: a layer's own are in force where the model is that deep."""
    knob, depth = table()[PER_LAYER], table()["depth"]
    stacked = given(sections.model, depth) if is_given(sections.model, depth) else len(entries)
    assert not isinstance(stacked, tuple)
    draft.add("depth", stacked, depth.path)
    stacks = stacked.domain if isinstance(stacked, Conditional) else stacked
    depths = [d for d in possible(stacks) or () if isinstance(d, int)]
    if max(depths) != len(entries):
        layers = f"{len(entries)} layer{'s' * (len(entries) != 1)}"
        more = f"units are given for {layers}, but depth goes to {max(depths)}; make them agree"
        draft.problems.append(Problem(knob.path, more))
    for layer, entry in enumerate(entries, 1):
        name = f"{PER_LAYER}_{layer}"
        draft.add(name, entry, (*knob.path, layer - 1))
        deep = tuple(d for d in depths if d >= layer)
        if layer > 1 and (len(deep) < len(depths) or "depth" in draft.whens) and name in draft.domains:
            draft.depend(name, Condition("depth", deep))


def _constraints(draft: Draft, texts: list[str]) -> list[Problem]:
    """Constraints that say nothing, or of knobs that the config does not have."""
    depths = [d for d in possible(draft.value("depth")) or () if isinstance(d, int)]
    known = comparable(draft.paths, max(depths))
    problems = []
    for index, text in enumerate(texts):
        try:
            read(text, known)
        except Bad as bad:
            problems += [Problem(("search", "constraints", index), found.message) for found in bad.problems]
    return problems


def _unequal_losses(sections: Sections, draft: Draft) -> list[Problem]:
    """What makes the loss of one trial no measure for another's."""
    place, metric = sections.search.metric
    if metric != "loss":
        return []
    return [
        Problem(
            place,
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
    # Epochs that are searched over are refused, however many.
    return rungs.problems(search, Space(conditions.ordered(draft)), epochs if isinstance(epochs, int) else 1)
