"""A finished study as its folder tells it: what was fitted, and the models to use.

Everything is read as data (JSON, YAML, weights); nothing in a folder can run code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_tune import kinds
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.errors import StudyError
from gru_tune.knobs import Settings, settle, table
from gru_tune.study import log
from gru_tune.study.results import StudyFolder, read_json


@dataclass(frozen=True)
class Member:
    """A saved model and the settings it was built with."""

    file: Path
    settings: Settings


@dataclass(frozen=True)
class Finished:
    """``members`` are the winner alone, or the ensemble."""

    folder: StudyFolder
    fitted: Preprocessing
    members: tuple[Member, ...]
    metrics: tuple[str, ...]
    backend: str

    @property
    def window(self) -> int:
        """The rows of a timeline that a prediction looks at: as many as the longest member's."""
        return max(member.settings.data.window for member in self.members)


def open_study(path: Path, ensemble: bool = False) -> Finished:
    """Read what a study has left; a search that still runs will do, once there is a best model.

    Raises ``StudyError`` in one sentence for what is not there or is not what a study writes.
    """
    folder = StudyFolder(path)
    facts = read_json(folder.facts)
    if not facts:
        what = "there is no folder" if not path.is_dir() else "no study.json can be read in"
        raise StudyError(f"{what} {path}; give the folder of a study, like results/NAME")
    if not folder.best.exists():
        raise StudyError(f"{path} has no best.keras yet: let its search finish a trial, then come again")
    return Finished(
        folder=folder,
        fitted=fitted(folder),
        members=_ensemble(folder, facts) if ensemble else (Member(folder.best, _winner(folder, facts)),),
        metrics=tuple(facts.get("metrics", ())),
        backend=str(facts.get("backend", "tensorflow")),
    )


def fitted(folder: StudyFolder) -> Preprocessing:
    """What was fitted to the data of a study. Raises ``StudyError`` for what no study writes."""
    found = read_json(folder.preprocessing)
    try:
        section = kinds.KINDS[found["section"]["kind"]].model_validate(found["section"])
        known = Preprocessing.from_json(
            {**found, "section": section.model_dump(mode="json") | found["section"]}
        )
        if section.problems(known.task):
            raise ValueError("the section is not one of the task")
        return known
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
    ):  # ValueError: pydantic's own is one
        state = "is not what this version writes" if found else "cannot be read"
        raise StudyError(
            f"{folder.preprocessing} {state}; run the study again, which writes it anew and trains nothing twice"
        ) from None


def _winner(folder: StudyFolder, facts: Mapping[str, Any]) -> Settings:
    """The settings of ``best.keras``.

    ``study.json`` has them when the search is over; before that they may be those of an
    earlier winner, so the log and the config are asked.
    """
    if facts.get("state") == "finished" and "settings" in facts:
        return _settings(folder.facts, facts["settings"])
    from gru_tune import config

    launches = (event for event in log.read(folder.log).events if isinstance(event, log.Launch))
    values = next((launch.values for launch in launches if launch.trial == facts.get("best")), None)
    if values is None:
        raise StudyError(f"{folder.facts} does not say which trial best.keras is of; run the study again")
    return config.load(folder.resolved).settings(values)


def _ensemble(folder: StudyFolder, facts: Mapping[str, Any]) -> tuple[Member, ...]:
    found = facts.get("members")
    if not found:
        raise StudyError(
            f"{folder.path} has no ensemble: study.json names no members; predict without --ensemble"
        )
    try:
        members = tuple(
            Member(folder.path / member["file"], _settings(folder.facts, member["settings"]))
            for member in found
        )
    except (KeyError, TypeError):
        raise StudyError(f"{folder.facts}: members is not what a study writes") from None
    for member in members:
        if not member.file.resolve().is_relative_to(folder.path.resolve()):
            raise StudyError(f"{folder.facts}: the member {member.file} lies outside of the study")
        if not member.file.exists():
            raise StudyError(f"the member {member.file} of the ensemble is gone; predict without --ensemble")
    return members


def _settings(source: Path, sections: Any) -> Settings:
    """Settings as ``study.json`` has them; raises ``StudyError`` for values that no knob takes."""
    try:
        values = {**sections["data"], **sections["model"], **sections["training"]}
        units = list(values.pop("units"))
    except (KeyError, TypeError, ValueError):
        raise StudyError(f"{source}: settings is not what a study writes") from None
    values |= {f"units_{n}": size for n, size in enumerate(units, start=1)} | {"depth": len(units)}
    for name, value in values.items():
        knob = table().get("units" if name.startswith("units_") else name)
        if knob is not None and (problem := knob.problem(value)):
            raise StudyError(f"{source}: settings: {name}: {problem}")
    return settle(values)
