"""``gru-tune check``: what a config and its data were understood to say, before any training."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gru_tune import config as configs
from gru_tune import constraints, strategies, trackers
from gru_tune.config import first
from gru_tune.data.dataset import SPLITS
from gru_tune.errors import Problem
from gru_tune.knobs import Settings, possible
from gru_tune.learning import sizes
from gru_tune.learning.extremes import corners, ends, extremes
from gru_tune.space import Space, Values
from gru_tune.strategies import rungs
from gru_tune.study import pareto, room
from gru_tune.trial import Objective
from gru_tune.values import Choice, Scalar
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared

SHOWN_CLASSES = 8


def run(path: Path, overrides: Sequence[str] = (), time: bool = False) -> str:
    """Check the config and its data; returns the text to show. Loads no framework without ``time``.

    Raises ``ConfigError`` or ``DataError`` for what would keep the search from starting.
    """
    from gru_tune.data.prepare import prepare
    from gru_tune.study import earlier
    from gru_tune.study.aims import aims

    config = configs.load(path, overrides)
    trackers.refuse_unusable(config)
    prepared = prepare(config)
    config = constraints.constrain(config, prepared.dataset.info)
    refuse_contradictions(config, prepared)
    known = earlier.take(config, aims(config, prepared.dataset.target), prepared)
    lines = [*describe(config, prepared), *([known.said] if known.said else []), ""]
    if time:
        from gru_tune import timing

        lines += [*timing.describe(config, prepared), ""]
    options = [word for override in overrides for word in ("--set", override)]
    return "\n".join([*lines, "all good: " + shlex.join(["gru-tune", "run", str(path), *options])])


def refuse_contradictions(config: Config, prepared: Prepared) -> None:
    """Raise ``ConfigError`` for what only shows once the data are known (a loss, a metric that does not fit)."""
    from gru_tune.study.aims import aims
    from gru_tune.tasks import TASKS

    dataset = prepared.dataset
    known = TASKS[config.task].metrics(dataset.target)
    words = {"label": "classes", "labels": "classes"}.get(dataset.target, "numbers")
    problems = []
    for place, name in [config.search.metric, *_chosen(config)]:
        if name is not None and name not in known:
            problems.append(
                Problem(place, f"{name} does not fit targets that are {words}; use {', '.join(known)}")
            )
    told = (
        text for settings in _trainings(config) for text in sizes.impossible(settings, words == "classes")
    )
    for text in dict.fromkeys(told):
        problems.append(Problem(("training", text.split()[0]), text))
    problems += first.excluded(config.search.try_first, config.space, _rules(config, dataset.info))
    problems = problems or unreachable(config, aims(config, dataset.target).objective)
    if problems:
        raise config.error(problems)


def _rules(config: Config, info: Mapping[str, Any]) -> dict[str, Callable[[Values], bool]]:
    """The constraints that the space of ``config`` keeps, by how they are named."""
    rules = {rule.text: rule.holds for rule in constraints.rules(config, info)}
    if (most := config.search.max_seconds_per_epoch) is not None:
        others = tuple(rules.values())
        # Only the space knows what the machine was timed at: what no other constraint excludes, this one does.
        rules[f"max_seconds_per_epoch: {most:g}"] = lambda values: (
            config.space.allows(values) or not all(holds(values) for holds in others)
        )
    return rules


def unreachable(config: Config, objective: Objective) -> list[Problem]:
    """A score to stop at that the objective cannot have."""
    score = config.search.stop_when.score
    least, most = objective.bounds
    if score is None or least <= score <= most:
        return []
    limit = f"at most {most:g}" if score > most else f"at least {least:g}"
    remedy = f"; write {score / 100:g}" if 10 <= score <= 100 and most == 1 else ""
    text = f"{objective.name} is {limit}, got {score:g}{remedy}"
    return [Problem(("search", "stop_when", "score"), text)]


def _trainings(config: Config) -> Iterator[Settings]:
    """Every combination of the knobs of training that may contradict the data or each other."""
    return map(config.settings, corners(config.space, ("loss", "clip_norm", "clip_value")))


def describe(config: Config, prepared: Prepared) -> Iterator[str]:
    """What was understood, a line each: data, splits, search, sizes of the models, warnings."""
    facts = prepared.facts
    yield f"{config.name}: {config.task} of {config.data.kind} data"
    yield ""
    yield from _columns("data", _data(config, facts))
    yield from _columns("splits", _splits(facts))
    yield from _columns("search", _search(config, prepared.dataset.info))
    yield from _columns("models", _models(config, prepared))
    found = [f"{check['level']}: {check['text']}" for check in facts["checks"]]
    found += [
        f"note: {note}"
        for note in (
            *config.source.notes,
            *without_effect(config),
            *hopeless_stopper(config),
            *lost_fast_path(config),
        )
    ]
    found += [f"warning: {doubt}" for doubt in room.doubts(config, prepared.dataset)]
    if found:
        yield ""
        yield from found


def without_effect(config: Config) -> list[str]:
    """Knob values of this study that do nothing beside the others, a sentence each."""
    found = []
    if "adamw" in _ends(config, "optimizer") and _ends(config, "weight_decay") == (0.0,):
        found.append("adamw with a weight_decay of 0 is adam; set training.weight_decay (0.004 is usual)")
    if "within" in config.winner.model_fields_set and not config.search.objectives:
        found.append(
            "winner.within weighs score against cost, and there is one objective; give search.objectives"
        )
    return found


def hopeless_stopper(config: Config) -> list[str]:
    """Why ending trials early can hardly help in this study, a sentence or none."""
    doubt = rungs.doubt(config.search, config.search.limit(config.space), config.epochs)
    return [doubt] if doubt else []


def lost_fast_path(config: Config) -> list[str]:
    """Knob values of this study that cuDNN cannot run, a sentence each."""
    sentences = []
    for name in ("cell", "activation", "recurrent_dropout"):
        domain = config.domain(name)
        values = possible(domain) or (domain.high if not isinstance(domain, Choice) else None,)  # type: ignore[union-attr]
        for value in values:
            settings = config.settings({name: value})
            if reasons := sizes.loses_cudnn(settings.model):
                sentences.append(f"on a GPU, trials are several times slower where {' and '.join(reasons)}")
                break
    return list(dict.fromkeys(sentences))


def _data(config: Config, facts: Mapping[str, Any]) -> Iterator[str]:
    many = "rows" if facts["layout"] == "timeline" else "steps"
    of = "timeline" if facts["layout"] == "timeline" else "sequence"
    yield f"{config.data.path}: {plural(facts['sequences'], of)}, {facts['rows']:,} {many}"
    if facts["layout"] == "sequences":
        length = facts["lengths"]
        same = length["min"] == length["max"]
        spread = (
            f"{length['min']}"
            if same
            else f"{length['min']} to {length['max']}, half of them up to {length['p50']}"
        )
        yield f"length {spread}" + ("" if same else f", 95 % up to {length['p95']}")
    inputs = facts["inputs"]
    if facts["words"]:
        yield f"{facts['words']:,} different words in training"
    else:
        yield f"{plural(facts['features'], 'input')} from {_few(inputs)}"
    labels = facts["labels"]
    target = ", ".join(facts["targets"])
    yield f"target {target}" + (f": {len(labels)} classes ({_few(labels)})" if labels else ": numbers")


def _splits(facts: Mapping[str, Any]) -> Iterator[str]:
    for split in SPLITS:
        part = facts["splits"][split]
        if not part["rows"]:
            yield f"{split:<11} none"
            continue
        size = (
            f"{part['rows']:,} rows"
            if facts["layout"] == "timeline"
            else plural(part["sequences"], "sequence")
        )
        yield f"{split:<11} {size:<18} {_of_target(part)}".rstrip()
    if facts["folds"] > 1:
        yield f"that is the first of {facts['folds']} folds: every configuration is trained on each, its score is the mean"


def _of_target(part: Mapping[str, Any]) -> str:
    if "classes" in part:
        ranked = sorted(part["classes"].items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name} {count:,}" for name, count in ranked[:SHOWN_CLASSES])
        return shown + (f" and {len(ranked) - SHOWN_CLASSES} more" if len(ranked) > SHOWN_CLASSES else "")
    few = list(part.get("target", {}).items())[:3]
    return ", ".join(f"{name} {t['mean']:.4g} ± {t['std']:.3g}" for name, t in few)


def _search(config: Config, info: Mapping[str, Any]) -> Iterator[str]:
    size = Space(config.space.hyperparameters).size
    searched = plural(len(config.space.hyperparameters), "hyperparameter")
    if math.isinf(size):
        yield f"space of {searched}, not countable (a range without a step)"
    else:
        yield f"space of {searched}: {plural(int(size), 'configuration')}"
    yield from constraints.describe(config, info)
    yield strategies.describe(config.search, config.space, config.epochs)
    if config.search.objectives:
        metric, cost = config.search.objectives
        yield f"two objectives: the winner is {pareto.rule(metric, cost, config.winner.within)}"
    if config.search.minutes:
        yield f"at most {config.search.minutes:g} minute" + ("" if config.search.minutes == 1 else "s")
    if ends := config.search.stop_when.model_dump(exclude_none=True):
        yield "ends early: " + " or ".join(f"{key} {value:g}" for key, value in ends.items())


def _models(config: Config, prepared: Prepared) -> Iterator[str]:
    small, large = extremes(config, prepared.dataset.info)
    for word, settings in (("smallest", small), ("largest", large)):
        model = settings.model
        units = " + ".join(str(u) for u in model.units)
        both = ", both directions" if model.bidirectional else ""
        count = sizes.parameters(settings, prepared.dataset.info)
        yield f"{word:<8} {count:>12,} parameters  ({model.cell} {units}{both})"
        if small == large:
            break


def _ends(config: Config, name: str) -> tuple[Scalar, ...]:
    """All options of a knob, or the ends of its range."""
    return ends(config.domain(name))


def _chosen(config: Config) -> list[tuple[tuple[str | int, ...], str]]:
    return [(("metrics", index), name) for index, name in enumerate(config.metrics or ())]


def _columns(title: str, lines: Iterator[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"{title if index == 0 else '':<8}{line}"


def _few(names: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in names[:SHOWN_CLASSES])
    return shown + (" …" if len(names) > SHOWN_CLASSES else "")
