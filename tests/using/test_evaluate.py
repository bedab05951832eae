from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune import config as configs
from gru_tune.data.dataset import Dataset
from gru_tune.data.prepare import prepare
from gru_tune.knobs import settle
from gru_tune.using.evaluate import Evaluation, evaluate
from tests.using.studies import change, finished
from tests.using.test_predict import MACHINES, MONTHS, written


def evaluated(study: Path, file: Path, skip: bool = False) -> Evaluation:
    return evaluate(study, file, skip=skip, ensemble=False)


CASES: list[tuple[str, dict[str, Any]]] = [
    ("classification", {"kind": "series", "series": "machine", "inputs": ["heat"], "target": "state"}),
    ("labelling", {"kind": "series", "series": "machine", "inputs": ["heat"], "target": "state"}),
    ("labelling", {"kind": "series", "series": "machine", "inputs": ["second"], "target": "heat"}),
]


@pytest.mark.parametrize(("task", "data"), CASES, ids=["classes", "tags", "numbers at every step"])
def test_a_split_has_the_metrics_the_search_gave_it(tmp_path: Path, task: str, data: dict[str, Any]) -> None:
    from tests.learning.scoring import evaluate as of_the_search

    written(tmp_path, "data.csv", MACHINES)
    study = finished(tmp_path, task, {**data, "path": "data.csv"})
    ids = [f"m{n}" for n in Dataset.load(study / "prepared").of("validation")]
    file = written(tmp_path, "new.csv", MACHINES[MACHINES["machine"].isin(ids)])

    found = evaluated(study, file)
    names = list(found.metrics)
    searched = of_the_search(
        study / "best.keras", study / "prepared", settle({"units": 4}), "validation", names
    )
    assert {"loss"} < set(names)
    assert found.metrics == pytest.approx(searched, rel=1e-5)
    assert (found.count, found.unit) == (
        (len(ids), "sequence") if task == "classification" else (4 * len(ids), "step")
    )


@pytest.fixture
def months(tmp_path: Path) -> Path:
    written(tmp_path, "data.csv", MONTHS)
    data = {
        "kind": "timeline",
        "path": "data.csv",
        "time": "date",
        "target": "sold",
        "horizon": 3,
        "window": 4,
    }
    return finished(tmp_path, "forecasting", data)


def test_all_windows_of_a_forecast(months: Path) -> None:
    found = evaluated(months, written(months.parent, "new.csv", MONTHS.head(20)))
    assert (found.count, found.unit) == (20 - 4 - 3 + 1, "window")
    assert found.metrics["original_rmse"] > found.metrics["rmse"]
    assert found.notes == ("mase is left out: it is a share of an error on the training split",)


def test_the_rows_that_the_study_was_made_from_flatter_it(tmp_path: Path) -> None:
    machines = MACHINES.assign(plant=MACHINES["machine"])
    written(tmp_path, "data.csv", machines)
    data = {"kind": "series", "path": "data.csv", "series": "machine", "inputs": ["heat"], "target": "state"}
    study = finished(tmp_path, "classification", {**data, "split": {"by": "group", "group": "plant"}})
    config = configs.load(tmp_path / "config.yaml")
    change(study, data=prepare(config).fingerprint)
    warning = "copy.csv holds the rows that the study was made from, and most of them it was trained on: the numbers flatter"
    copy = written(tmp_path, "copy.csv", machines)
    assert evaluated(study, copy).notes == (warning,)
    change(study, test=[{"trial": 1}])
    report = f"; `gru-tune report {study}` has those of the test split"
    assert evaluated(study, copy).notes == (warning + report,)
    assert evaluated(study, written(tmp_path, "new.csv", machines.head(20))).notes == ()
    assert evaluated(study, written(tmp_path, "bare.csv", MACHINES)).notes == ()  # without the study's groups


def test_text_and_json(months: Path) -> None:
    found = evaluated(months, months.parent / "data.csv")
    lines = found.text().split("\n")
    assert lines[0] == f"{months} on 54 windows of data.csv"
    assert lines[1].split() == ["mse", f"{found.metrics['mse']:.6g}"]
    assert json.loads(found.json())["metrics"] == found.metrics


def test_an_unknown_class_counts_as_wrong(tmp_path: Path) -> None:
    written(tmp_path, "data.csv", MACHINES)
    data = {"kind": "series", "path": "data.csv", "series": "machine", "inputs": ["heat"], "target": "state"}
    study = finished(tmp_path, "classification", data)
    found = evaluated(study, written(tmp_path, "new.csv", MACHINES.assign(state="burnt")))
    assert found.metrics["accuracy"] == 0
    assert found.notes == (
        "30 targets of new.csv of a class that training lacks ('burnt'), counted as wrong where classes are counted",
    )


def test_bad_rows_and_missing_targets_are_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": np.arange(40.0), "b": np.ones(40), "y": np.arange(40.0)})
    written(tmp_path, "data.csv", table)
    study = finished(
        tmp_path, "regression", {"kind": "wide", "path": "data.csv", "inputs": ["a", "b"], "target": "y"}
    )
    table["y"] = table["y"].astype(object)
    table.loc[0, "y"], table.loc[1, "y"], table.loc[2, "a"] = "much", None, None
    found = evaluated(study, written(tmp_path, "new.csv", table), skip=True)
    assert found.count == 37
    assert found.notes == (
        "1 target of 38 missing in new.csv, not counted",
        "left out: 2 of 40 rows of new.csv cannot be used: a step inside of the sequence is missing (row 3); "
        "'y' holds 'much' where a number belongs (row 1)",
    )
