from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune import kinds, sources
from gru_tune.data.preprocessing import Preprocessing
from tests.data.preparing import prepared, section

COUNT = 40
ROWS = np.arange(COUNT)
TABLE = pd.DataFrame(
    {
        "text": [f"good film {n}" if n % 2 else "bad evening" for n in ROWS],
        "id": ROWS // 4,
        "date": pd.date_range("2024-01-01", periods=COUNT, freq="D"),
        "v": np.where(ROWS % 7 == 3, np.nan, np.sin(ROWS)),
        "wind": [["N", "S", None][n % 3] for n in ROWS],
        "kind": ["a" if n // 4 % 2 else "b" for n in ROWS],
        "number": ROWS // 4 * 0.5,
    }
)
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("classification", "text", {"target": "kind"}),
    ("labelling", "tokens", {"tokens": "text", "tags": "text"}),
    ("regression", "series", {"series": "id", "inputs": ["v", "wind"], "target": "number", "missing": "forward"}),
    ("regression", "wide", {"inputs": ["number", "id"], "target": "number"}),
    ("forecasting", "timeline", {"time": "date", "inputs": ["v", "wind"], "target": "v", "missing": "mean",
                                 "calendar": ["weekday"], "horizon": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("task", "kind", "keys"), CASES, ids=[f"{case[1]} {case[0]}" for case in CASES])
def test_what_is_written_encodes_as_what_was_fitted(
    tmp_path: Path, task: str, kind: str, keys: dict[str, Any]
) -> None:
    TABLE.to_csv(tmp_path / "data.csv", index=False)
    made = prepared(tmp_path, task, kind, knobs={"window": 3}, **keys)
    read_back = Preprocessing.from_json(json.loads(json.dumps(made.preprocessing)))

    asked = section(kind, **keys)
    raw = kinds.read(asked, sources.read(asked, tmp_path), task)
    np.testing.assert_array_equal(read_back.inputs.apply(raw.x, raw.starts), made.dataset.x)
    np.testing.assert_array_equal(read_back.encode(raw.y), made.dataset.y)
    assert read_back.info() == made.dataset.info
    assert read_back.target == made.dataset.target
    assert read_back.to_json() == made.preprocessing


def test_the_usual_step_of_time_is_kept(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "data.csv", index=False)
    made = prepared(
        tmp_path,
        "forecasting",
        "timeline",
        knobs={"window": 3},
        time="date",
        inputs=["number"],
        target="number",
    )
    assert (made.preprocessing["step"], made.preprocessing["dates"]) == (86400.0, True)
