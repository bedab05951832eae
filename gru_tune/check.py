"""``gru-tune check``: what a config and its data were understood to say, before any training."""

from __future__ import annotations

import itertools
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gru_tune import config as configs
from gru_tune.data.dataset import SPLITS
from gru_tune.knobs import Settings, possible
from gru_tune.learning import sizes
from gru_tune.values import Choice, Domain, Scalar
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared

# The knobs that decide how large a model is; all others only change how it learns.
SIZE_KNOBS = ("cell", "depth", "bidirectional", "embedding", "dense", "vocabulary", "normalization")
SHOWN_CLASSES = 8


def run(path: Path, overrides: Sequence[str] = (), time: bool = False) -> str:
    """Check the config and its data; returns the text to show. Loads no framework without ``time``.

    Raises ``ConfigError`` or ``DataError`` for what would keep the search from starting.
    """
    from gru_tune.data.prepare import prepare

    config = configs.load(path, overrides)
    prepared = prepare(config)
    refuse_contradictions(config, prepared)
    lines = [*describe(config, prepared), ""]
    if time:
        from gru_tune import timing

        lines += [*timing.describe(config, prepared, *extremes(config, prepared)), ""]
    options = [word for override in overrides for word in ("--set", override)]
    return "\n".join([*lines, "all good: " + shlex.join(["gru-tune", "run", str(path), *options])])


def refuse_contradictions(config: Config, prepared: Prepared) -> None:
    """Raise ``ConfigError`` for what only shows once the data are known (a loss, a metric that does not fit)."""
    from gru_tune.errors import Problem
    from gru_tune.tasks import TASKS

    dataset = prepared.dataset
    known = TASKS[config.task].metrics(dataset.target)
    words = {"label": "classes", "labels": "classes"}.get(dataset.target, "numbers")
    problems = []
    for place, name in [(("search", "objective"), config.search.objective), *_chosen(config)]:
        if name is not None and name not in known:
            problems.append(
                Problem(place, f"{name} does not fit targets that are {words}; use {', '.join(known)}")
            )
    told = (
        text for settings in _trainings(config) for text in sizes.impossible(settings, words == "classes")
    )
    for text in dict.fromkeys(told):
        problems.append(Problem(("training", text.split()[0]), text))
    if problems:
        raise config.error(problems)


def _trainings(config: Config) -> Iterator[Settings]:
    """Every combination of the knobs of training that may contradict the data or each other."""
    names = ("loss", "clip_norm", "clip_value")
    for values in itertools.product(*(_ends(config, name) for name in names)):
        yield config.settings(dict(zip(names, values, strict=True)))


def describe(config: Config, prepared: Prepared) -> Iterator[str]:
    """What was understood, a line each: data, splits, search, sizes of the models, warnings."""
    facts = prepared.facts
    yield f"{config.name}: {config.task} of {config.data.kind} data"
    yield ""
    yield from _columns("data", _data(config, facts))
    yield from _columns("splits", _splits(facts))
    yield from _columns("search", _search(config))
    yield from _columns("models", _models(config, prepared))
    found = [f"{check['level']}: {check['text']}" for check in facts["checks"]]
    found += [f"note: {note}" for note in (*without_effect(config), *lost_fast_path(config))]
    if found:
        yield ""
        yield from found


def extremes(config: Config, prepared: Prepared) -> tuple[Settings, Settings]:
    """The settings with the fewest and with the most parameters in the space."""
    info = prepared.dataset.info
    usual = {hp.name: hp.domain.from_unit(0.5) for hp in config.space.hyperparameters}
    choices = [_ends(config, name) for name in SIZE_KNOBS]
    found = []
    for values in itertools.product(*choices):
        chosen = dict(zip(SIZE_KNOBS, values, strict=True))
        for end in (min, max):
            settings = config.settings({**usual, **chosen, **_units(config, end, int(chosen["depth"] or 1))})
            found.append((sizes.parameters(settings, info), settings))
    found.sort(key=lambda pair: pair[0])
    return found[0][1], found[-1][1]


def without_effect(config: Config) -> list[str]:
    """Knob values of this study that do nothing beside the others, a sentence each."""
    if "adamw" in _ends(config, "optimizer") and _ends(config, "weight_decay") == (0.0,):
        return ["adamw with a weight_decay of 0 is adam; set training.weight_decay (0.004 is usual)"]
    return []


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


def _of_target(part: Mapping[str, Any]) -> str:
    if "classes" in part:
        ranked = sorted(part["classes"].items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name} {count:,}" for name, count in ranked[:SHOWN_CLASSES])
        return shown + (f" and {len(ranked) - SHOWN_CLASSES} more" if len(ranked) > SHOWN_CLASSES else "")
    few = list(part.get("target", {}).items())[:3]
    return ", ".join(f"{name} {t['mean']:.4g} ± {t['std']:.3g}" for name, t in few)


def _search(config: Config) -> Iterator[str]:
    size = config.space.size
    count = "endless (a range without a step)" if math.isinf(size) else plural(int(size), "configuration")
    yield f"space of {plural(len(config.space.hyperparameters), 'hyperparameter')}: {count}"
    epochs = max(int(value or 1) for value in _ends(config, "epochs"))
    yield config.search.describe(config.space, epochs)
    if config.search.minutes:
        yield f"at most {config.search.minutes:g} minutes"


def _models(config: Config, prepared: Prepared) -> Iterator[str]:
    small, large = extremes(config, prepared)
    for word, settings in (("smallest", small), ("largest", large)):
        model = settings.model
        units = " + ".join(str(u) for u in model.units)
        both = ", both directions" if model.bidirectional else ""
        count = sizes.parameters(settings, prepared.dataset.info)
        yield f"{word:<8} {count:>12,} parameters  ({model.cell} {units}{both})"
        if small == large:
            break


def _ends(config: Config, name: str) -> tuple[Scalar, ...]:
    """The values of a knob that can matter for an extreme: all options, or the ends of a range."""
    return _of_domain(config.domain(name))


def _of_domain(domain: Scalar | Domain) -> tuple[Scalar, ...]:
    if isinstance(domain, Choice):
        return domain.options
    if domain is None or isinstance(domain, str | int | float | bool):
        return (domain,)
    return (domain.low, domain.high)


def _units(config: Config, end: Any, depth: int) -> dict[str, Scalar]:
    return {f"units_{n}": end(_of_domain(config.domain(f"units_{n}"))) for n in range(1, depth + 1)}


def _chosen(config: Config) -> list[tuple[tuple[str | int, ...], str]]:
    return [(("metrics", index), name) for index, name in enumerate(config.metrics or ())]


def _columns(title: str, lines: Iterator[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"{title if index == 0 else '':<8}{line}"


def _few(names: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in names[:SHOWN_CLASSES])
    return shown + (" …" if len(names) > SHOWN_CLASSES else "")
