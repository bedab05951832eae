"""The traps of published data sets, on excerpts of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.prepare import Prepared
from gru_tune.errors import DataError
from tests.data.preparing import has
from tests.data.preparing import prepared as prepare

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "data" / "tiny"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER.exists(), reason=f"the published data sets are not in {FOLDER}"),
]


def prepared(task: str, kind: str, path: str, **keys: Any) -> Prepared:
    return prepare(FOLDER, task, kind, path=path, **keys)


def lines(name: str) -> int:
    return len((FOLDER / name).read_bytes().strip().split(b"\n")) - 1


def test_sms_spam_loses_no_row_to_bare_quotes() -> None:
    data = prepared("classification", "text", "sms_spam.tsv", text="SMS", target="Label")
    assert data.facts["sequences"] == lines("sms_spam.tsv")
    assert has(data.notes, "test sequences occur in training as well")


def test_sms_spam_can_be_split_by_text() -> None:
    data = prepared(
        "classification", "text", "sms_spam.tsv", text="SMS", target="Label", split={"group": "SMS"}
    )
    assert sum(data.facts["duplicates"].values()) == 0


def test_mr_is_sorted_by_class_and_shuffled() -> None:
    data = prepared("classification", "text", "mr.csv", target="label")
    for part in data.facts["splits"].values():
        negative, positive = part["classes"].values()
        assert abs(negative - positive) <= 1


@pytest.mark.parametrize("path", ["imdb.csv", "imdb.parquet"])
def test_imdb(path: str) -> None:
    data = prepared("classification", "text", path, target="label", split="split")
    assert data.dataset.info["labels"] == ["neg", "pos"]
    assert "br" not in data.preprocessing["vocabulary"]
    train = np.concatenate(
        [data.dataset.x[s : s + n] for s, n, _ in data.dataset.spans[data.dataset.of("train")]]
    )
    counts = np.bincount(train, minlength=data.dataset.info["vocabulary"])
    assert counts[0] == counts[1] == 0
    assert (np.diff(counts[2:]) <= 0).all()


def test_imdb_in_a_folder_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="imdb_dir is a folder; name one file"):
        prepared("classification", "text", "imdb_dir", target="label")


def test_integer_labels_and_given_validation() -> None:
    data = prepared("classification", "text", "sst5.csv", target="label", split="split")
    assert data.dataset.info["labels"] == ["0", "1", "2", "3", "4"]
    assert not has(data.notes, "carved")


def test_names_are_characters_and_have_two_labels() -> None:
    data = prepared(
        "classification", "text", "names18.csv", text="name", target="language", level="character"
    )
    assert data.facts["words"] < 100
    assert len(data.dataset.info["labels"]) == 18
    assert has(data.notes, "occur in training as well")


def test_trec_has_six_classes_and_a_split() -> None:
    data = prepared("classification", "text", "trec.csv", target="label", split="split")
    assert len(data.dataset.info["labels"]) == 6
    assert data.facts["inputs"] == ["text"]


def test_atis_tags_that_training_lacks() -> None:
    data = prepared("labelling", "tokens", "atis.jsonl", tags="tags", split="split")
    assert (data.dataset.y >= len(data.dataset.info["labels"])).sum() == 7
    assert has(data.notes, "7 classes occur only outside training")


def test_atis_intents() -> None:
    data = prepared("classification", "tokens", "atis.jsonl", target="intent", split="split")
    assert "atis_flight" in data.dataset.info["labels"]


def test_ud_sentences_of_one_word_and_of_many() -> None:
    data = prepared("labelling", "tokens", "ud_ewt.jsonl", tags="tags", split="split", lowercase=True)
    assert data.facts["lengths"]["min"] == 1
    assert len(data.dataset.info["labels"]) == 17
    assert len(data.dataset.x) == len(data.dataset.y)


def test_occupancy_with_a_header_one_name_short() -> None:
    keys = {"time": "date", "target": "Occupancy"}
    data = prepared(
        "labelling", "timeline", "occupancy_datatraining.txt", split={"test": 0.3, "validation": 0.3}, **keys
    )
    assert data.facts["inputs"] == ["Temperature", "Humidity", "Light", "CO2", "HumidityRatio"]
    assert has(data.notes, "the header is one name short")


def test_occupancy_test1_lies_before_training() -> None:
    keys = {"time": "date", "target": "Occupancy"}
    split = {"column": "split", "validation": "test1", "test": "test2"}
    data = prepared("labelling", "timeline", "occupancy.csv", split=split, **keys)
    assert [code for _, _, code in data.dataset.spans] == [1, 0, 2]
    assert has(data.notes, "the validation split begins before the training split")
    with pytest.raises(DataError, match="1,000 rows have 'test1' in the split column"):
        prepared("labelling", "timeline", "occupancy.csv", split="split", **keys)


def test_beijing_misses_targets_and_has_no_date_column() -> None:
    keys = {"time": ["year", "month", "day", "hour"], "target": "pm2.5"}
    with pytest.raises(DataError, match=r"column 'pm2.5' misses 95 of 2,000 values; set data.missing"):
        prepared("forecasting", "timeline", "beijing_pm25.csv", **keys)
    data = prepared("forecasting", "timeline", "beijing_pm25.csv", missing="forward", **keys)
    assert data.dataset.info["season"] == 24
    assert (~data.dataset.valid).sum() == 95
    assert not data.dataset.valid[:24].any()
    assert has(data.notes, "'No' only counts the rows")
    inputs = ["pm2.5", "TEMP", "cbwd"]
    data = prepared("forecasting", "timeline", "beijing_pm25.csv", missing="forward", inputs=inputs, **keys)
    assert data.dataset.info["inputs"] == ["pm2.5", "TEMP", "cbwd=NE", "cbwd=NW", "cbwd=SE", "cbwd=cv"]


def test_nyc_taxi_has_a_hash_in_a_name() -> None:
    data = prepared("forecasting", "timeline", "nyc_taxi.csv", time="time", target="#Passengers")
    assert data.dataset.info["targets"] == ["#Passengers"]
    assert data.dataset.info["season"] == 48


def test_exchange_rates_without_a_date_column() -> None:
    targets = [f"rate_{n}" for n in range(8)]
    info = prepared("forecasting", "timeline", "exchange_rate.csv", target=targets).dataset.info
    assert info["target_inputs"] == list(range(8))
    assert info["season"] is None
    assert info["input_scale"] == info["target_scale"]


def test_etth1_is_hourly() -> None:
    data = prepared("forecasting", "timeline", "etth1.csv", time="date", target="OT", horizon=24)
    assert data.dataset.info["season"] == 24
    assert data.dataset.info["target_inputs"] == [6]


def test_airline_passengers_are_few() -> None:
    keys = {"time": "Month", "target": "Passengers", "horizon": 12}
    with pytest.raises(
        DataError, match="too few for a window of 48 and a horizon of 12; the largest window possible is 10"
    ):
        prepared("forecasting", "timeline", "airline_passengers.csv", **keys)
    data = prepared("forecasting", "timeline", "airline_passengers.csv", knobs={"window": 10}, **keys)
    assert data.dataset.info["season"] == 12


def test_two_days_of_melbourne_are_missing() -> None:
    data = prepared("forecasting", "timeline", "daily_min_temperatures.csv", time="Date", target="Temp")
    assert has(data.notes, "2 gaps in 'Date' (rows are 1 day apart, the longest gap is 2 days)")


def test_sunspots_with_a_season_of_their_own() -> None:
    data = prepared("forecasting", "timeline", "sunspots.csv", time="Month", target="Sunspots", season=132)
    assert data.dataset.info["season"] == 132


def test_japanese_vowels_as_a_table_and_as_arrays() -> None:
    keys = {"series": "series_id", "time": "time", "target": "label", "split": "split"}
    table = prepared("classification", "series", "japanese_vowels_long.csv", **keys).dataset
    arrays = prepared("classification", "arrays", "japanese_vowels.npz").dataset
    assert table.info["labels"] == arrays.info["labels"] == [str(n) for n in range(1, 10)]
    assert table.info["features"] == arrays.info["features"] == 12
    assert arrays.spans[:, 1].min() >= 7
    assert arrays.spans[:, 1].max() <= 29


def test_basic_motions_named_like_keras() -> None:
    data = prepared("classification", "arrays", "basic_motions.npz")
    assert data.dataset.info["labels"] == ["Badminton", "Running", "Standing", "Walking"]
    assert data.facts["splits"]["test"]["sequences"] == 20


@pytest.mark.parametrize("path", ["italy_power_demand.csv", "gunpoint.csv"])
def test_labels_from_1(path: str) -> None:
    data = prepared("classification", "wide", path, target="label", split="split").dataset
    assert data.info["labels"] == ["1", "2"]
    assert set(data.y.tolist()) == {0, 1}


def test_indoor_movement_has_a_leak_and_environments() -> None:
    keys = {"series": "series_id", "time": "time", "target": "label"}
    data = prepared("classification", "series", "indoor_movement_long.csv", **keys)
    assert data.dataset.info["labels"] == ["-1", "1"]
    assert has(data.notes, "'path' never changes within a sequence and tells 'label' by itself")
    split = {"by": "group", "group": "environment"}
    data = prepared("classification", "series", "indoor_movement_long.csv", split=split, **keys)
    assert "environment" not in data.facts["inputs"]
    assert all(part["sequences"] for part in data.facts["splits"].values())


def test_cmapss_has_constant_columns_and_a_cap() -> None:
    keys = {
        "series": "series_id",
        "time": "cycle",
        "target": "rul",
        "split": "split",
        "clip_target": [0, 125],
    }
    data = prepared("labelling", "series", "cmapss_fd001.csv", **keys)
    assert data.dataset.target == "numbers"
    assert has(data.notes, "each of 7 inputs (op3, s1, s5, s10, s16, s18, s19) never changes")
    scale = data.dataset.info["target_scale"]
    assert data.dataset.y.max() * scale["std"][0] + scale["mean"][0] == pytest.approx(125)
    assert np.isfinite(data.dataset.x).all()


def test_shakespeare_is_no_table() -> None:
    with pytest.raises(DataError, match=r"tinyshakespeare\.txt"):
        prepared("classification", "text", "tinyshakespeare.txt", target="label")
