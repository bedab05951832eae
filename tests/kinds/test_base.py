from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from gru_tune.kinds import KINDS
from gru_tune.kinds.base import SplitSection
from tests.data.preparing import section


def test_importing_the_kinds_is_light() -> None:
    code = (
        "import sys, gru_tune.kinds; print([m for m in ('numpy', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_know_their_name_and_tasks(kind: str) -> None:
    assert KINDS[kind].model_fields["kind"].annotation.__args__ == (kind,)  # type: ignore[union-attr]
    assert KINDS[kind].TASKS


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
        ({"validation": 0}, "validation must be above 0"),
        ({"validation": -0.1}, "expected a share below 1 or a whole number of rows, got -0.1"),
        ({"validation": 2.5}, "expected a share below 1 or a whole number of rows, got 2.5"),
        ({"test": "test1"}, "test: 'test1' names values of a column, so say which"),
        ({"by": "group"}, "by: group needs group"),
        ({"by": "time", "group": "plant"}, "group and by: time exclude each other"),
    ],
)
def test_splits_that_make_no_sense(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplitSection(**keys)


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("timeline", {"target": "v", "split": {"by": "random"}}, "cannot be split at random"),
        ("timeline", {"target": "v", "missing": "drop"}, "cannot drop rows"),
        ("arrays", {"missing": "drop"}, "no rows to drop"),
        ("wide", {"target": "v", "clip_target": [2.0, 1.0]}, r"expected \[low, high\]"),
    ],
)
def test_sections_that_make_no_sense(kind: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        section(kind, **keys)


@pytest.mark.parametrize(
    ("kind", "task", "keys", "message"),
    [
        ("text", "labelling", {"target": "v"}, "needs kind: tokens"),
        ("series", "forecasting", {"target": "v", "series": "s"}, "use kind: timeline with series"),
        ("tokens", "labelling", {"target": "v"}, "labelling needs tags"),
        ("tokens", "classification", {"tags": "v"}, "classification needs target"),
        ("wide", "classification", {"target": ["v", "w"]}, "one target column, got 2"),
        ("timeline", "forecasting", {"target": "v", "calendar": ["hour"]}, "calendar needs time"),
        ("timeline", "regression", {"target": "v", "inputs": ["v"]}, "'v' is the target of the same row"),
    ],
)
def test_what_does_not_go_with_a_task(kind: str, task: str, keys: dict[str, Any], message: str) -> None:
    problems = section(kind, **keys).problems(task)
    assert len(problems) == 1
    assert message in problems[0].message
