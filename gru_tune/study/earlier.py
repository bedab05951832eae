"""The trials of an earlier study of the same data, as observations to begin with (``search.from``).

They are taken once, when a study begins, and written into the head of its log: going on
needs the earlier study no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gru_tune.errors import ConfigError, Problem
from gru_tune.knobs import Settings, knob_of
from gru_tune.space import Values
from gru_tune.strategies.base import Observation
from gru_tune.study import log as logs
from gru_tune.study.aims import Aims
from gru_tune.study.history import History, repeats
from gru_tune.study.log import Record
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Objective, Trial
from gru_tune.wording import listed, plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared

SIZES = ("rows", "sequences", "inputs", "targets", "labels")  # facts by which data are told apart in words
ABSENT = object()  # no value: the units of a layer that a model does not have


@dataclass(frozen=True)
class Earlier:
    """What configurations of this search's space have come to."""

    known: tuple[Observation, ...] = ()
    said: str = ""

    def head(self) -> dict[str, Any]:
        """For the head of the log."""
        known = [one[:2] if one.cost is None else one for one in self.known]
        return {"known": known} if known else {}


def recall(record: Record) -> Earlier:
    """What a study that goes on was begun with."""
    return Earlier(tuple(Observation(*one) for one in record.header.get("known", ())))


def take(config: Config, aim: Aims, prepared: Prepared) -> Earlier:
    """What an earlier study knows of this search's space; nothing where none is named.

    Raises ``ConfigError`` for a study that asked something that is no answer here.
    """
    name = config.search.earlier
    if name is None:
        return Earlier()
    try:
        return _taken(config, name, aim, prepared)
    except _Refused as refused:
        raise config.error([Problem(("search", "from"), str(refused))]) from None


def refuse_itself(config: Config, own: Path) -> None:
    """Raise ``ConfigError`` for a search that is to learn from the folder it writes to."""
    name = config.search.earlier
    if name is not None and own.resolve() in [
        (base / name).resolve() for base in (config.folder, Path.cwd())
    ]:
        text = f"{name} is this study's own folder; leave from out, a study goes on by itself, or give this one another name"
        raise config.error([Problem(("search", "from"), text)])


def division(prepared: Prepared) -> str:
    """A hash of which rows train, validate and test, in every fold."""
    digest = hashlib.sha256()
    for dataset in (prepared.dataset, *prepared.others):
        digest.update(dataset.spans.tobytes())
    return digest.hexdigest()


class _Refused(Exception):
    """Why a study cannot be learned from, in words."""


def _taken(config: Config, name: str, aim: Aims, prepared: Prepared) -> Earlier:
    folder = _folder(config, name)
    record = logs.read(folder.log)
    header = record.header
    if not header:
        raise _Refused(f"{name} was stopped before it began; name another, or leave from out")
    if header["task"] != config.task:
        raise _Refused(
            f"{name} is a study of {header['task']}, this one is of {config.task}; name another, or leave from out"
        )
    objective = Objective(**header["objective"])
    if objective.name != aim.objective.name:
        raise _Refused(
            f"{name} ranks its trials by {objective.name}, this search by {aim.objective.name}; "
            f"write objective: {objective.name}, or leave from out"
        )
    if found := _differences(header, read_json(folder.facts).get("facts", {}), config, prepared):
        raise _Refused(
            f"{name} is a study of other data ({'; '.join(found)}); name another, or leave from out"
        )
    trials = _trials(record, aim.objective)
    if aim.objective.cost and all(trial.cost is None for trial in trials if trial.score is not None):
        raise _Refused(f"{name} has not measured the {aim.objective.cost}; name another, or leave from out")
    older = _older(folder, name)
    known = [
        Observation(values, trial.score, trial.cost)
        for trial in trials
        if (values := _values(config, older, trial)) is not None
    ]
    if not known:
        reason = f"none of the {plural(len(trials), 'trial')} of {name} lies in the space of this search"
        raise _Refused(
            f"{reason if trials else f'no trial of {name} has ended'}; name another, or leave from out"
        )
    count = (
        f"{len(known)} of the {plural(len(trials), 'trial')}"
        if len(known) < len(trials)
        else f"the {plural(len(trials), 'trial')}"
    )
    outside = ", the others lie outside the space of this one" if len(known) < len(trials) else ""
    fixed = "".join(f"; {text}" for text in _fixed_otherwise(config, older))
    return Earlier(tuple(known), f"learning from {count} of {name}{outside}{fixed}")


def _folder(config: Config, name: str) -> StudyFolder:
    """Relative to the config, else to the current directory."""
    places = [config.folder / name, Path.cwd() / name]
    for place in places:
        if (folder := StudyFolder(place)).log.is_file():
            return folder
    looked = listed(dict.fromkeys(str(place) for place in places), "and")
    raise _Refused(f"there is no study in {looked}; name the folder that holds its trials.jsonl")


def _differences(
    header: Mapping[str, Any], facts: Mapping[str, Any], config: Config, prepared: Prepared
) -> list[str]:
    """How the data and their splits differ from those of the study with this header, in words."""
    here = json.loads(json.dumps(prepared.facts))
    found = [
        f"{key} {_short(facts[key])} there, {_short(here[key])} here"
        for key in SIZES
        if key in facts and key in here and facts[key] != here[key]
    ]
    if found:
        return found
    if header["data"] != prepared.fingerprint:
        return ["the same columns with other values"]
    folds = repeats(header)[1]
    if folds != config.data.folds:
        return [f"{plural(folds, 'fold')} there, {config.data.folds} here"]
    # Scores on rows that test here would tell the search about the test.
    seed, own = header["seed"], division(prepared)
    if header.get("division") == own:
        return []
    if seed != config.search.seed:
        return [f"the splits were drawn with search.seed {seed} there, {config.search.seed} here"]
    for split, part in facts.get("splits", {}).items():
        if part["rows"] != here["splits"][split]["rows"]:
            return [
                f"{part['rows']:,} rows in the {split} split there, {here['splits'][split]['rows']:,} here"
            ]
    return ["the rows are divided into other splits"] if "division" in header else []


def _trials(record: Record, objective: Objective) -> list[Trial]:
    count, folds = repeats(record.header)
    history = History(objective, slim=True, repeats=count, folds=folds)
    for event in record.events:
        history.apply(event)
    return list(history.trials.values())


def _older(folder: StudyFolder, name: str) -> Config:
    from gru_tune import config as configs

    try:
        return configs.load(folder.resolved)
    except ConfigError as error:
        raise _Refused(f"{name} cannot be understood: {str(error).splitlines()[0]}") from None


def _values(config: Config, older: Config, trial: Trial) -> Values | None:
    """A trial in the space of this search; None where it lies outside.

    It also does where it was searched over and is fixed here at another value.
    """
    settings = older.settings(trial.values)
    searched = {knob_of(hp.name) for hp in older.space.hyperparameters}
    for name, value in config.fixed.items():
        if knob_of(name) in searched and _look(settings, name) not in (value, ABSENT):
            return None
    active: Values = {}
    for hp in config.space.hyperparameters:
        if hp.in_force(active):
            value = _look(settings, hp.name)
            if value is ABSENT or not hp.domain.contains(value):
                return None
            active[hp.name] = value
    return active if config.space.allows(active) else None


def _fixed_otherwise(config: Config, older: Config) -> list[str]:
    """Knobs that have one value in each study, but not the same: ``training.epochs 10 there, 30 here``."""
    searched = {knob_of(hp.name) for hp in older.space.hyperparameters}
    settings = older.settings({})
    return [
        f"{'.'.join(knob_of(name).path)} {_short(there)} there, {_short(value)} here"
        for name, value in config.fixed.items()
        if knob_of(name) not in searched and (there := _look(settings, name)) not in (value, ABSENT)
    ]


def _look(settings: Settings, name: str) -> Any:
    """The value of a flat name in the settings of a trial."""
    knob = knob_of(name)
    if knob.name != "units":
        return getattr(getattr(settings, knob.section), knob.name)
    units = settings.model.units
    if name == "units":
        return units[0] if len(set(units)) == 1 else ABSENT
    layer = int(name.removeprefix("units_"))
    return units[layer - 1] if layer <= len(units) else ABSENT


def _short(value: object) -> str:
    if isinstance(value, list):
        return listed(value[:5], "and") + (" …" if len(value) > 5 else "") if value else "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
