"""The sections of a config, each checked alone: words known, keys known, values allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from gru_tune import kinds, strategies
from gru_tune.config.problems import Remedy, allowed, validate
from gru_tune.errors import Path, Problem, dotted
from gru_tune.knobs import Knob, table
from gru_tune.language import Strict, with_knobs
from gru_tune.language.document import KeyProblem
from gru_tune.trial import COSTS
from gru_tune.wording import listed, nearest, remedy, show, suggest

TASK_NAMES = ("classification", "regression", "forecasting", "labelling")
KEYS = ("name", "task", "data", "model", "training", "search", "winner", "tracking", "metrics")
OPTIONS = ("workers", "out", "fresh")  # of gru-tune run, and no keys
DEFAULT_STRATEGY = "random"
DEVICES = r"(?i:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?"  # what Windows takes for no file
NAME = re.compile(rf"(?!{DEVICES}$)[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}}")


class ModelSection(Strict):
    """What is built: the recurrent layers and the head."""


class TrainingSection(Strict):
    """How every model is trained."""

    backend: Literal["auto", "tensorflow", "jax"] = Field(
        "auto",
        description="what Keras computes with; auto is tensorflow where there is a GPU (cuDNN), else jax (fastest on a CPU)",
    )


class WinnerSection(Strict):
    """What happens when the search is over: the best are trained again with fresh seeds, and one wins."""

    finalists: int = Field(
        3,
        ge=0,
        le=100,
        description="trials, the best ones, that are trained again; 0 takes the best as it is",
    )
    seeds: int = Field(3, ge=1, le=100, description="fresh seeds that each finalist is trained with")
    within: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="with two objectives: of the configurations whose score is within this share of the best, "
        "the cheapest wins",
    )
    retrain: Literal[False, "train+validation"] = Field(
        False,
        description="train+validation trains the winner once more on both splits, as many epochs as its finals needed, "
        "before the test; false leaves it as it is",
    )


class TrackingSection(Strict):
    """Other tools that are told of the study while it runs; none of them changes it, or keeps it from going on."""

    tensorboard: bool | str = Field(
        False, description="curves and a table for TensorBoard; a folder, or true for the study's own"
    )
    mlflow: bool | str = Field(
        False,
        description="an MLflow experiment; the URI of a server or a database, a folder, or true for the study's own",
    )
    optuna: bool | str = Field(
        False,
        description="an Optuna storage for optuna-dashboard; its URL, a file, or true for the study's own",
    )

    @field_validator("*")
    @classmethod
    def _place(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and (not value.strip() or remedy(value, bool)):
            raise ValueError(f"expected true, false or a place, got {show(value)}{remedy(value, bool)}")
        return value


@dataclass(frozen=True)
class Sections:
    """A config whose sections are good, each by itself."""

    name: str
    task: str
    kind: str
    data: kinds.DataSection
    model: Strict
    training: TrainingSection
    search: strategies.SearchSection
    winner: WinnerSection
    tracking: TrackingSection
    metrics: tuple[str, ...] | None

    def section(self, knob: Knob) -> Strict:
        """The section a knob stands in."""
        section: Strict = getattr(self, knob.section)
        return section

    @property
    def knobs(self) -> list[Knob]:
        """The knobs that apply to this kind of data and this task, in the order of the table."""
        return applicable(table().values(), self.kind, self.task)


def applicable(knobs: Iterable[Knob], kind: str | None, task: str | None) -> list[Knob]:
    """Those that apply to a kind and a task, as far as these are known."""
    return [
        knob
        for knob in knobs
        if (kind is None or not knob.kinds or kind in knob.kinds)
        and (task is None or not knob.tasks or task in knob.tasks)
    ]


def section_class(base: type[Strict], section: str, kind: str | None, task: str | None) -> type[Strict]:
    """The class of a section with the fields of all its knobs that apply."""
    return with_knobs(base, (k for k in applicable(table().values(), kind, task) if k.section == section))


def read(data: Any, stem: str) -> tuple[Sections | None, list[Problem]]:
    """The sections of plain data, or everything wrong with any of them; ``stem`` is the default name."""
    if data is None:
        return None, [Problem((), "the config is empty; it needs at least task: and data:")]
    if not isinstance(data, dict):
        return None, [Problem((), f"expected a mapping with the keys {', '.join(KEYS)}, got {show(data)}")]
    problems: list[Problem] = []
    task = _word(data, ("task",), TASK_NAMES, problems, required="what is to be learned")
    kind = _word(data, ("data", "kind"), tuple(kinds.KINDS), problems, required="how the data is arranged")
    strategy = _word(data, ("search", "strategy"), tuple(strategies.STRATEGIES), problems, DEFAULT_STRATEGY)
    remedy = _remedy(kind, task, strategy)
    problems += [KeyProblem((key,), remedy((key,), list(KEYS))) for key in data if key not in KEYS]
    bases: dict[str, type[Strict]] = {
        "data": kinds.KINDS[kind] if kind else kinds.DataSection,
        "model": ModelSection,
        "training": TrainingSection,
        "search": strategies.STRATEGIES[strategy] if strategy else strategies.SearchSection,
        "winner": WinnerSection,
        "tracking": TrackingSection,
    }
    told = {problem.path for problem in problems}
    done: dict[str, Any] = {}
    for section, base in bases.items():
        model = section_class(base, section, kind, task)
        raw = data.get(section)
        if section == "search" and (raw is None or isinstance(raw, dict)):
            raw = {"strategy": strategy, **(raw or {})}
        done[section], found = validate(model, raw, (section,), remedy)
        # Of an unknown kind or strategy only the keys that all members share can be checked.
        sure = (kind or section != "data") and (strategy or section != "search")
        problems += [
            p
            for p in found
            if p.path not in told
            and (sure or not isinstance(p, KeyProblem) or len(p.path) > len(("data", "kind")))
        ]
    name = _name(data.get("name"), stem, problems)
    metrics = _metrics(data.get("metrics"), problems)
    problems += _unknown_metrics(task, data, metrics)
    if task:
        problems += done["data"].problems(task) if kind and done["data"] else []
    if problems or not (task and kind and strategy):
        return None, problems
    return Sections(name=name, task=task, kind=kind, metrics=metrics, **done), []


def _unknown_metrics(
    task: str | None, data: dict[str, Any], metrics: tuple[str, ...] | None
) -> list[Problem]:
    """Metrics the task (where that is not known: any) does not have; the search section may have other faults."""
    wanted: dict[Path, str] = {("metrics", i): name for i, name in enumerate(metrics or ())}
    search = data.get("search")
    if isinstance(search, dict):
        if isinstance(search.get("objective"), str):
            wanted["search", "objective"] = search["objective"]
        two = search.get("objectives")
        if isinstance(two, list) and two and isinstance(two[0], str):
            wanted["search", "objectives", 0] = two[0]
    if not wanted:
        return []
    from gru_tune.tasks import TASKS  # imports numpy, so only where it is needed

    known = list(dict.fromkeys(m for name in ([task] if task else TASKS) for m in TASKS[name].metrics(None)))
    has_no = f"{task} has no metric" if task else "no task has a metric"
    it_has = f"it has {', '.join(known)}" if task else f"there are {', '.join(known)}"
    cost = "; a cost stands second in search.objectives, after a metric"
    return [
        Problem(
            path,
            f"{has_no} {show(name)}; {it_has}{cost if name in COSTS else _metric_meant(name, known)}",
        )
        for path, name in wanted.items()
        if name not in known
    ]


def _metric_meant(name: str, known: list[str]) -> str:
    """``f1`` is a part of the name of ``macro_f1``, and ``acc`` the beginning of one."""
    parts = [metric for metric in known if any(part.startswith(name) for part in metric.split("_"))]
    return f"; did you mean {listed(map(repr, parts))}?" if parts and len(name) > 1 else suggest(name, known)


def _word(
    data: dict[str, Any],
    path: tuple[str, ...],
    options: tuple[str, ...],
    problems: list[Problem],
    default: str | None = None,
    required: str = "",
) -> str | None:
    """One of the words that decide what else a config may say; None when it is missing or wrong."""
    value: Any = data
    for depth, key in enumerate(path):
        if value is None and required:
            value = {}
        if not isinstance(value, dict):
            if value is None:
                return default
            if required:  # other sections are validated, and complained of, in any case
                problems.append(Problem(path[:depth], f"expected a mapping, got {show(value)}"))
            return None if required else default
        if key not in value:
            if required:
                problems.append(Problem(path, f"is required: {required}, one of {', '.join(options)}"))
            return default
        value = value[key]
    if isinstance(value, str) and value in options:
        return value
    text = f"expected one of {', '.join(options)}, got {show(value)}{suggest(value, options)}"
    problems.append(Problem(path, text))
    return None


def _name(value: Any, stem: str, problems: list[Problem]) -> str:
    if value is None:
        return re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip(".-")[:100] or "study"
    if not isinstance(value, str):
        remedy = "; put it in quotes" if isinstance(value, bool | int | float) else ""
        problems.append(Problem(("name",), f"expected text, got {show(value)}{remedy}"))
    elif not NAME.fullmatch(value):
        rule = "letters, digits, '.', '_' and '-', at most 100, the first a letter or digit"
        problems.append(Problem(("name",), f"{show(value)} cannot name a folder; use {rule}"))
    return str(value)


def _metrics(value: Any, problems: list[Problem]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        remedy = f"; write [{value}]" if isinstance(value, str) else ""
        problems.append(Problem(("metrics",), f"expected a list of metrics, got {show(value)}{remedy}"))
        return None
    for index, entry in enumerate(value):
        if not isinstance(entry, str):
            problems.append(Problem(("metrics", index), f"expected the name of a metric, got {show(entry)}"))
        elif entry in value[:index]:
            problems.append(Problem(("metrics", index), f"{show(entry)} is listed twice; leave one out"))
    return tuple(str(entry) for entry in value)


_ALIASES = {
    name: entry.alias for name, entry in strategies.SearchSection.model_fields.items() if entry.alias
}  # what is called otherwise inside, as `from` is a word of Python


def _remedy(kind: str | None, task: str | None, strategy: str | None) -> Remedy:
    """What to say of a key that its section does not know."""

    def remedy(path: Path, known: list[str]) -> str:
        key = str(path[-1])
        knob = table().get(key)
        if knob is not None and knob.path == path:
            return _inapplicable(knob, kind, task)
        above = dotted(path[:-1])
        if owners := _owners(key, above, kind, strategy):
            return f"unknown key here; it belongs {owners}"
        if key in OPTIONS:
            return f"unknown key; it is an option of the command: gru-tune run --{key}"
        if (meant := _ALIASES.get(key)) in known:
            return f"unknown key; did you mean '{meant}'?"
        if hint := suggest(key, known):
            return f"unknown key{hint}"
        if elsewhere := nearest(key, _all_keys()):
            knob = table().get(elsewhere)
            if knob is not None and knob.path == (*path[:-1], elsewhere):
                return f"unknown key; '{elsewhere}' {_inapplicable(knob, kind, task)}"
            if owners := _owners(elsewhere, above, kind, strategy):
                return f"unknown key; did you mean '{elsewhere}', which belongs {owners}?"
        return "unknown key" + (f"; known here: {', '.join(known)}" if known else "")

    return remedy


def _all_keys() -> list[str]:
    last: list[type[Strict]] = [WinnerSection, TrackingSection]
    members = [*kinds.KINDS.values(), *strategies.STRATEGIES.values(), *last]
    knobs = [name for knob in table().values() for name in (knob.name, knob.group) if name]
    return [*KEYS, *knobs, *(key for member in members for key in allowed(member))]


def _inapplicable(knob: Knob, kind: str | None, task: str | None) -> str:
    if knob.kinds and kind not in knob.kinds:
        return f"applies to data of kind {listed(knob.kinds)}; this is {kind} data"
    return f"applies to {listed(knob.tasks, 'and')}; this is {task}"


def _owners(key: str, above: str, kind: str | None, strategy: str | None) -> str:
    """``under training``: where else a key is known, if anywhere."""
    places = [dotted(knob.path[:-1]) for knob in table().values() if key == knob.name]
    places += [knob.section for knob in table().values() if key == knob.group]
    places += ["at the top level"] if key in KEYS else []
    of_kinds = [name for name, model in kinds.KINDS.items() if key in allowed(model)]
    of_strategies = [name for name, model in strategies.STRATEGIES.items() if key in allowed(model)]
    if of_kinds and above == "data" and kind:
        return f"to data of kind {listed(of_kinds)}; this is {kind} data"
    if of_strategies and above == "search" and strategy:
        return f"to the strategy {listed(of_strategies)}; this is {strategy}"
    places += ["data"] if of_kinds else []
    places += ["search"] if of_strategies else []
    places += ["winner"] if key in allowed(WinnerSection) else []
    places += ["tracking"] if key in allowed(TrackingSection) else []
    texts = [p if p.startswith("at ") else f"under {p}" for p in dict.fromkeys(places) if p != above]
    return listed(texts)
