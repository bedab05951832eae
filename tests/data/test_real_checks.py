"""What the checks find in excerpts of published data sets: their known traps, and nothing in clean ones."""

from __future__ import annotations

from typing import Any

import pytest

from gru_tune.data.prepare import Prepared
from tests.data.checking import found
from tests.data.preparing import prepared
from tests.data.test_real_data import FOLDER

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER.exists(), reason=f"the published data sets are not in {FOLDER}"),
]

INDOOR: dict[str, Any] = {
    "path": "indoor_movement_long.csv",
    "series": "series_id",
    "time": "time",
    "target": "label",
}


def warned(data: Prepared) -> list[str]:
    return [finding["check"] for finding in data.facts["checks"] if finding["level"] == "warning"]


@pytest.mark.parametrize(
    ("task", "kind", "keys"),
    [
        ("classification", "wide", {"path": "gunpoint.csv", "target": "label"}),
        ("classification", "wide", {"path": "italy_power_demand.csv", "target": "label"}),
        ("classification", "text", {"path": "mr.csv", "target": "label"}),
        ("classification", "text", {"path": "sst2.csv", "target": "label", "split": "split"}),
        ("forecasting", "timeline", {"path": "nyc_taxi.csv", "time": "time", "target": "#Passengers"}),
        ("forecasting", "timeline", {"path": "sunspots.csv", "time": "Month", "target": "Sunspots"}),
        ("forecasting", "timeline", {"path": "daily_min_temperatures.csv", "time": "Date", "target": "Temp"}),
    ],
    ids=lambda value: value["path"] if isinstance(value, dict) else "",
)
def test_clean_data_raise_no_alarm(task: str, kind: str, keys: dict[str, Any]) -> None:
    data = prepared(FOLDER, task, kind, **keys)
    assert set(warned(data)) <= {"duplicates", "validation"}, data.notes
    assert len(data.notes) <= 8


def test_indoor_movement_has_a_leak_and_groups() -> None:
    data = prepared(FOLDER, "classification", "series", **INDOOR)
    (leak,) = found(data, "leak")
    assert "'path' never changes within a sequence and tells 'label' by itself" in leak
    (groups,) = found(data, "groups")
    assert "share their 'environment' with training" in groups


def test_occupancy_tests_before_it_trains() -> None:
    split = {"column": "split", "validation": "test1", "test": "test2"}
    keys = {"path": "occupancy.csv", "time": "date", "target": "Occupancy"}
    data = prepared(FOLDER, "labelling", "timeline", split=split, **keys)
    (time,) = found(data, "time")
    assert time.startswith("the validation split begins before the training split in time: ")


def test_names_have_two_languages() -> None:
    keys = {"path": "names18.csv", "text": "name", "target": "language", "level": "character"}
    data = prepared(FOLDER, "classification", "text", **keys)
    assert len(found(data, "contradictions")) == 1
    assert (
        "keep equal ones together with data.split: {by: group, group: name}" in found(data, "duplicates")[0]
    )


def test_intents_have_one_example() -> None:
    keys = {"path": "atis.jsonl", "target": "intent", "split": "split"}
    texts = found(prepared(FOLDER, "classification", "tokens", **keys), "classes")
    assert any("fewer than 5 training examples" in text for text in texts)


def test_exchange_rates_are_another_level() -> None:
    targets = [f"rate_{n}" for n in range(8)]
    (text,) = found(
        prepared(FOLDER, "forecasting", "timeline", path="exchange_rate.csv", target=targets), "shift"
    )
    assert text.startswith("the splits differ: 'rate_")
