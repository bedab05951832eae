"""A config: what a YAML file asks for, checked as a whole before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gru_tune.config import assembly as config_space
from gru_tune.config import defaults
from gru_tune.config import overrides as config_overrides
from gru_tune.config import sections as config_sections
from gru_tune.config.schema import json_schema
from gru_tune.config.sections import Sections, TrackingSection, WinnerSection
from gru_tune.errors import ConfigError, Problem
from gru_tune.kinds import DataSection
from gru_tune.knobs import Settings, settle, table
from gru_tune.language import Strict, document, given, is_given
from gru_tune.language.document import Document
from gru_tune.language.tunable import write
from gru_tune.space import Space
from gru_tune.strategies import SearchSection
from gru_tune.values import Choice, Domain, Float, Int, Scalar

__all__ = ["Config", "json_schema", "load"]

UNASKED = ("name", "metrics", "winner", "tracking")  # may change while a study goes on


@dataclass(frozen=True)
class Config:
    """A checked config. ``data`` and ``search`` are the sections' own models, with their static keys."""

    name: str
    task: str
    data: DataSection
    search: SearchSection
    winner: WinnerSection
    tracking: TrackingSection
    metrics: tuple[str, ...] | None  # what the user chose to see; None: all of the task's
    fixed: Mapping[str, Scalar]  # knobs with one value, by flat name (units, or units_1, units_2 …)
    space: Space  # knobs with several, by flat name
    folder: Path  # of the file; paths in it are relative to this
    text: str  # the file as it is
    sections: Sections
    source: Document

    def error(self, problems: Sequence[Problem]) -> ConfigError:
        """The error for problems found later (in the data, say), each with its place in the file."""
        return self.source.error(problems)

    @property
    def backend(self) -> str:
        """What Keras computes with: auto, tensorflow or jax."""
        return str(self.sections.training.backend)

    @property
    def epochs(self) -> int:
        """The most epochs a trial may have."""
        domain = self.domain("epochs")
        values = domain.values() if isinstance(domain, Choice | Int | Float) else (domain,)
        return max(value for value in values if isinstance(value, int))

    def settings(self, values: Mapping[str, Scalar]) -> Settings:
        """All knobs of the trial whose hyperparameters are ``values``."""
        return settle({**self.fixed, **values})

    def domain(self, name: str) -> Scalar | Domain:
        """What a knob is in this study: its one value, or the range it is searched over.

        ``units_2`` is that of layer 2 however units were given; a knob that does not apply
        here has its default. Raises ``KeyError`` for a name that is no knob.
        """
        for known in (name, "units") if name.startswith("units_") else (name,):
            for hyperparameter in self.space.hyperparameters:
                if hyperparameter.name == known:
                    return hyperparameter.domain
            if known in self.fixed:
                return self.fixed[known]
        default: Scalar = table()[name].default
        return default

    def resolved(self) -> dict[str, Any]:
        """The whole config with every default filled in; loading it gives the same study."""
        metrics = None if self.metrics is None else list(self.metrics)
        return {
            "name": self.name,
            "task": self.task,
            "data": self._section("data", self.sections.data),
            "model": self._section("model", self.sections.model),
            "training": self._section("training", self.sections.training),
            "search": self._section("search", self.sections.search),
            "winner": self._section("winner", self.sections.winner),
            "tracking": self._section("tracking", self.sections.tracking),
            "metrics": metrics,
        }

    def question(self) -> dict[str, Any]:
        """What a study must not change when it goes on: all but name, metrics, winner, tracking and the budget.

        Nor where the data lie: the fingerprint of what is read tells whether they are the same.
        """
        asked = self.resolved()
        asked["data"] = {key: v for key, v in asked["data"].items() if key != "path"}
        split = asked["data"]["split"]
        if (
            isinstance(split, dict) and split["folds"] is None
        ):  # as studies begun before there was the key have it
            asked["data"]["split"] = {key: v for key, v in split.items() if key != "folds"}
        if asked["training"]["backend"] == "auto":  # as studies begun before there was a choice have it
            del asked["training"]["backend"]
        asked["search"] = {key: v for key, v in asked["search"].items() if key not in self.search.BUDGET}
        for key in self.search.unasked():  # likewise
            del asked["search"][key]
        return {key: value for key, value in asked.items() if key not in UNASKED}

    def _section(self, name: str, section: Strict) -> dict[str, Any]:
        knobs = [knob for knob in self.sections.knobs if knob.section == name]
        own = {knob.group or knob.name for knob in knobs}
        dump = section.model_dump(mode="json", by_alias=True, exclude=own)
        for knob in knobs:
            place = dump.setdefault(knob.group, {}) if knob.group else dump
            place[knob.name] = write(given(section, knob))
        layers = "units" in own and isinstance(given(section, table()["units"]), tuple)
        if layers and not is_given(section, table()["depth"]):
            # Its default is the length of the list, which the section alone does not know.
            dump["depth"] = write(self.domain("depth"))
        return dump


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read and check a config; ``overrides`` are ``key=value`` with a YAML value.

    Raises ``ConfigError`` with every problem at once, each with its place.
    """
    # Twice: --set may change one of the defaults, or ask for them.
    source = config_overrides.apply(defaults.expand(document.read(path)), overrides)
    source = defaults.expand(source)
    sections, problems = config_sections.read(source.data, path.stem)
    if sections is None or source.faults:
        raise source.error([_commented(source, problem) for problem in problems])
    fixed, space, problems = config_space.assemble(sections)
    if problems:
        raise source.error(problems)
    return Config(
        name=sections.name,
        task=sections.task,
        data=sections.data,
        search=sections.search,
        winner=sections.winner,
        tracking=sections.tracking,
        metrics=sections.metrics,
        fixed=fixed,
        space=space,
        folder=path.resolve().parent,
        text=source.text,
        sections=sections,
        source=source,
    )


def _commented(source: Document, problem: Problem) -> Problem:
    """The problem, with the reason for a value that a ``#`` made vanish."""
    if not source.commented(problem.path):
        return problem
    return replace(problem, message=f"{problem.message}; a value that begins with # must be quoted")
