from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune import config as configs
from gru_tune.errors import StudyError
from gru_tune.study.log import Header, Launch, Log
from gru_tune.study.results import replace_text
from gru_tune.using.finished import open_study
from tests.using.studies import change, finished


@pytest.fixture
def study(tmp_path: Path) -> Path:
    table = pd.DataFrame({"a": np.arange(30.0), "b": 1.0, "y": np.arange(30.0)})
    table.to_csv(tmp_path / "data.csv", index=False)
    return finished(
        tmp_path, "regression", {"kind": "wide", "path": "data.csv", "inputs": ["a", "b"], "target": "y"}
    )


def refused(study: Path, ensemble: bool = False) -> str:
    with pytest.raises(StudyError) as error:
        open_study(study, ensemble)
    return str(error.value)


def test_a_study_tells_its_settings(study: Path) -> None:
    found = open_study(study)
    assert found.members[0].settings.model.units == (4,)
    assert found.members[0].settings == configs.load(study.parent / "config.yaml").settings({})
    assert "rmse" in found.metrics


def test_what_is_no_study(study: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == (
        f"there is no folder {tmp_path / 'nowhere'}; give the folder of a study, like results/NAME"
    )
    assert refused(tmp_path) == (
        f"no study.json can be read in {tmp_path}; give the folder of a study, like results/NAME"
    )
    (study / "best.keras").unlink()
    assert refused(study) == f"{study} has no best.keras yet: let its search finish a trial, then come again"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"task": "regression"}', '{"section": {"kind": "wide"}}']
)
def test_a_damaged_preprocessing(study: Path, text: str) -> None:
    (study / "preprocessing.json").write_text(text, encoding="utf-8")
    assert "run the study again, which writes it anew and trains nothing twice" in refused(study)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (None, "settings is not what a study writes"),
        ({"data": {}, "model": {}, "training": {}}, "settings is not what a study writes"),
        ({"data": {}, "model": {"units": [0]}, "training": {}}, "settings: units_1: expected a whole number"),
        ({"data": {"window": "9"}, "model": {"units": [4]}, "training": {}}, "settings: window: expected"),
    ],
)
def test_damaged_settings(study: Path, settings: Any, said: str) -> None:
    change(study, settings=settings)
    assert said in refused(study)


def test_a_search_that_still_runs_knows_its_best_model_by_the_log(study: Path) -> None:
    """The settings in study.json may be those of an earlier winner until the search is over."""
    config = configs.load(study.parent / "config.yaml", ["model.units={choice: [4, 8]}"])
    text = (study.parent / "config.yaml").read_text(encoding="utf-8")
    replace_text(study / "config.resolved.yaml", text.replace("units: 4", "units: {choice: [4, 8]}"))
    with Log(study / "trials.jsonl", 0) as log:
        log.append(Header({"name": "study"}, 0.0))
        for trial, units in ((1, 4), (2, 8)):
            log.append(Launch(trial, 1, {"units": units}, 7, 0, 1, False, 0.0))
    change(study, state="running", best=2, settings=asdict(config.settings({"units": 4})))
    assert open_study(study).members[0].settings.model.units == (8,)
    change(study, best=3)
    assert "does not say which trial best.keras is of" in refused(study)


def test_without_an_ensemble(study: Path) -> None:
    assert refused(study, ensemble=True) == (
        f"{study} has no ensemble: study.json names no members; predict without --ensemble"
    )


def test_members_lie_in_the_study(study: Path, tmp_path: Path) -> None:
    settings = json.loads((study / "study.json").read_text(encoding="utf-8"))["settings"]
    for file in ("../study/../data.csv", str(tmp_path / "data.csv")):
        change(study, members=[{"file": file, "settings": settings, "trial": 1, "repeat": 1}])
        assert "lies outside of the study" in refused(study, ensemble=True)
    change(study, members=[{"file": "members/1.keras", "settings": settings, "trial": 1, "repeat": 1}])
    assert "of the ensemble is gone; predict without --ensemble" in refused(study, ensemble=True)
    change(study, members=[{"settings": settings}])
    assert "members is not what a study writes" in refused(study, ensemble=True)
