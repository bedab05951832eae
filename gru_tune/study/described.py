"""What a study writes about itself: the head of its log, and the files that describe it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import yaml

from gru_tune import __version__
from gru_tune.executors.places import cores, gpus
from gru_tune.study import machine
from gru_tune.study.aims import Aims
from gru_tune.study.log import finite
from gru_tune.study.results import StudyFolder, read_json, replace_json, replace_text

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.prepare import Prepared


def header(config: Config, aims: Aims, fingerprint: str) -> dict[str, Any]:
    """What the study asks: enough for the reports, and to know it again when it goes on."""
    return {
        "name": config.name,
        "gru_tune": __version__,
        "task": config.task,
        "kind": config.data.kind,
        "strategy": config.search.strategy,
        "objective": {key: value for key, value in asdict(aims.objective).items() if value is not None},
        "hyperparameters": [hp.name for hp in config.space.hyperparameters],
        "space": {hp.name: hp.domain.to_config() for hp in config.space.hyperparameters},
        "seed": config.search.seed,
        "data": fingerprint,
        "question": question(config),
    }


def question(config: Config) -> dict[str, Any]:
    """The config's question as it looks after a round through JSON."""
    return plain(config.question())


def describe(
    folder: StudyFolder, config: Config, aims: Aims, prepared: Prepared, slots: int, backend: str
) -> None:
    """Write the config as given and as understood, the preprocessing, and the facts of this run."""
    replace_text(folder.config, config.text)
    resolved = yaml.safe_dump(plain(config.resolved()), sort_keys=False, allow_unicode=True)
    replace_text(folder.resolved, resolved)
    replace_json(folder.preprocessing, finite(prepared.preprocessing))
    note(
        folder,
        **header(config, aims, prepared.fingerprint),
        metrics=list(aims.metrics),
        versions=machine.versions(),
        devices=machine.devices(len(cores()), len(gpus())),
        facts=prepared.facts,
        info=prepared.dataset.info,
        notes=list(prepared.notes),
        planned=config.search.limit(config.space),
        workers=slots,
        backend=backend,
        within=config.winner.within if aims.objective.cost else None,
        state="running",
        ended=None,
        started=read_json(folder.facts).get("started", time.time()),
    )


def note(folder: StudyFolder, **facts: Any) -> None:
    """Set some keys of ``study.json``, keeping the others."""
    replace_json(folder.facts, finite({**read_json(folder.facts), **facts}))


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, as JSON would have them."""
    result: dict[str, Any] = json.loads(json.dumps(finite(value), ensure_ascii=False))
    return result
