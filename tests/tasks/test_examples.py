"""Examples of what a model says: the right ones, in words and units of the data, and not too many."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import DataKnobs
from gru_tune.learning.samples import Samples
from gru_tune.tasks import TASKS, _examples
from tests.learning.learning_data import sequences, timeline

WINDOW = DataKnobs(window=4)
CASES = {
    "classes": sequences(classes=3, count=600),
    "words": sequences(words=True, count=600),
    "regression": sequences("regression", count=600),
    "regression of words": sequences("regression", words=True, count=600),
    "numbers at steps": sequences("labelling", count=600),
    "tags": sequences("labelling", words=True, classes=3, tags=["O", "B-x", "I-x"], count=600),
    "forecasting": timeline(rows=3000, horizon=4, season=5),
    "short forecasts": timeline(rows=3000, horizon=1, season=5),
    "windows": timeline("classification", rows=3000, classes=2),
    "steps of a timeline": timeline("labelling", rows=3000, classes=2),
    "numbers of a timeline": timeline("labelling", rows=3000),
}


def truth_of(data: Dataset, knobs: DataKnobs = WINDOW) -> Any:
    return Samples(data, "test", knobs).truth()


def perfect(data: Dataset, knobs: DataKnobs = WINDOW) -> np.ndarray:
    y = truth_of(data, knobs).y
    return np.eye(len(data.info["labels"]))[y] if data.info["labels"] else np.array(y, np.float64)


def examples(data: Dataset, y_pred: np.ndarray, knobs: DataKnobs = WINDOW) -> dict[str, Any]:
    samples = Samples(data, "test", knobs)
    return TASKS[data.info["task"]].examples(samples, samples.truth(), y_pred)


@pytest.mark.parametrize("case", CASES)
def test_examples_are_small_plain_data(case: str) -> None:
    data = CASES[case]
    guess = np.roll(perfect(data), 1, axis=0)  # the answers of the neighbours: often wrong
    found = examples(data, guess)
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert len(text) < 100_000
    assert found["samples"] == len(guess)
    assert len(found) > 1


@pytest.mark.parametrize("case", CASES)
def test_a_perfect_model_makes_no_mistakes(case: str) -> None:
    found = examples(CASES[case], perfect(CASES[case]))
    assert found.get("mistakes", []) == found.get("misses", []) == []
    assert found.get("wrong", 0) == 0
    assert all(
        piece["rank"] == "for comparison" for piece in (*found.get("tagged", ()), *found.get("strips", ()))
    )


def test_the_surest_mistakes_come_first() -> None:
    data = sequences(count=120)
    guess = perfect(data) * 0.8 + 0.1
    guess[[3, 7, 11]] = guess[[3, 7, 11], ::-1]
    wrong = 1 - truth_of(data).y[7]
    guess[7] = np.where(np.arange(2) == wrong, 0.99, 0.01)
    found = examples(data, guess)
    assert (found["samples"], found["wrong"]) == (20, 3)
    assert [one["where"] for one in found["mistakes"]] == ["sequence 8", "sequence 4", "sequence 12"]
    first = found["mistakes"][0]
    assert first["chance"] == pytest.approx(0.99)
    assert first["chance_of_true"] == pytest.approx(0.01)
    assert first["predicted"] == f"class {wrong}"
    assert first["true"] == f"class {1 - wrong}"


def test_inputs_are_in_the_units_of_the_data() -> None:
    data = sequences(count=120)
    scale = {"mean": [100.0, -5.0], "std": [10.0, 2.0]}
    data = replace(data, info={**data.info, "input_scale": scale})
    guess = perfect(data)
    guess[4] = guess[4, ::-1]
    one = examples(data, guess)["mistakes"][0]
    start, length = data.spans[data.of("test")[4], :2]
    assert one["length"] == length
    assert one["at"] == list(range(1, length + 1))
    assert [feature["name"] for feature in one["series"]] == ["a", "b"]
    x = data.x[start : start + length] * [10.0, 2.0] + [100.0, -5.0]
    for n, feature in enumerate(one["series"]):
        assert feature["values"] == pytest.approx(x[:, n].tolist(), rel=1e-4)


def test_words_are_those_that_the_model_saw() -> None:
    """Rare words are unknown to it, and only the first ones reach it."""
    data = sequences(words=True, count=120)
    guess = perfect(data)
    guess[2] = guess[2, ::-1]
    one = examples(data, guess, DataKnobs(window=4, vocabulary=5, max_length=2))["mistakes"][0]
    start = data.spans[data.of("test")[2], 0]
    assert one["words"] == [word if word < 5 else 1 for word in data.x[start : start + 2].tolist()]


def test_a_class_that_training_lacks_has_no_chance() -> None:
    data = sequences(count=120)
    y = np.array(data.y)
    y[data.of("test")[5]] = 2
    data = replace(data, y=y)
    guess = np.eye(2)[np.minimum(truth_of(data).y, 1)]
    (one,) = examples(data, guess)["mistakes"]
    assert (one["where"], one["true"], one["chance_of_true"]) == ("sequence 6", "(not in training)", None)


def test_windows_that_overlap_are_one_mistake() -> None:
    data = CASES["windows"]
    found = examples(data, 1 - perfect(data))
    rows = [int(one["where"].removeprefix("row ").replace(",", "")) for one in found["mistakes"]]
    assert found["wrong"] == found["samples"]
    assert len(rows) == 12
    assert np.diff(sorted(rows)).min() >= WINDOW.window
    assert found["mistakes"][0]["length"] == WINDOW.window


def test_numbers_are_thinned_and_in_the_units_of_the_data() -> None:
    data = sequences("regression", count=9000)
    data = replace(data, info={**data.info, "target_scale": {"mean": [50.0], "std": [10.0]}})
    guess = perfect(data)
    guess[17] += 3
    found = examples(data, guess)
    (points,) = found["points"]
    assert len(points["true"]) == len(points["predicted"]) == 1000
    assert set(points["true"]) == {40.0, 60.0}
    (miss,) = found["misses"]
    assert miss["where"] == "sequence 18"
    (of,) = miss["targets"]
    assert of["predicted"][0] - of["true"][0] == pytest.approx(30)


def test_forecasts_are_shown_with_what_was_and_what_is_naive() -> None:
    data = timeline(rows=600, horizon=4, season=12)
    data = replace(data, info={**data.info, "target_scale": {"mean": [10.0, 0.0], "std": [2.0, 1.0]}})
    truth = truth_of(data)
    guess = perfect(data)
    guess[:, 0, 0] += np.linspace(0.1, 0.5, len(guess))
    guess[30] += 5
    windows = examples(data, guess)["windows"]
    by_rank = {window["which"]: window for window in windows}
    assert by_rank["worst"]["where"] == f"row {truth.rows[30] + 1}"
    assert by_rank["best"]["where"] == f"row {truth.rows[0] + 1}"
    assert len(windows) == 6
    worst = by_rank["worst"]
    assert worst["back"] == [-3, -2, -1, 0]
    assert worst["ahead"] == [1, 2, 3, 4]
    first = worst["targets"][0]
    origin = truth.rows[30]
    values = (10 + 2 * data.y[:, 0]).tolist()
    assert first["history"] == pytest.approx(values[origin - 4 : origin], rel=1e-4)
    assert first["true"] == pytest.approx(values[origin : origin + 4], rel=1e-4)
    assert first["predicted"][1] - first["true"][1] == pytest.approx(10, rel=1e-3)
    assert first["naive"]["last value"] == pytest.approx([values[origin - 1]] * 4, rel=1e-4)
    season = first["naive"]["same step of the last season (12)"]
    assert season == pytest.approx(values[origin - 12 : origin - 8], rel=1e-4)
    assert [one["target"] for one in worst["targets"]] == ["b", "c"]


@pytest.mark.parametrize("horizon", [1, 3])
def test_short_forecasts_are_shown_in_a_row(horizon: int) -> None:
    """A window with one step ahead is a single point."""
    data = timeline(rows=1800, horizon=horizon, season=12)
    data = replace(data, info={**data.info, "target_scale": {"mean": [10.0, 0.0], "std": [2.0, 1.0]}})
    truth = truth_of(data)
    found = examples(data, perfect(data) + 1)
    assert "windows" not in found
    rows = found["stretch"]["rows"]
    assert len(rows) == 150
    assert rows == list(range(rows[0], rows[0] + 150))
    before, after = rows[0] - 1 - truth.rows[0], truth.rows[-1] + 1 - rows[-1]
    assert abs(before - after) <= 1  # the middle of the split
    first = found["stretch"]["targets"][0]
    values = (10 + 2 * data.y[:, 0]).tolist()
    start = rows[0] - 1
    assert first["true"] == pytest.approx(values[start : start + 150], rel=1e-4)
    assert first["predicted"] == pytest.approx([value + 2 for value in first["true"]], rel=1e-4)
    assert first["naive"]["last value"] == pytest.approx(values[start - 1 : start + 149], rel=1e-4)
    season = first["naive"]["same step of the last season (12)"]
    assert season == pytest.approx(values[start - 12 : start + 138], rel=1e-4)


def test_forecasts_in_a_row_are_of_one_series() -> None:
    data = timeline(rows=600, horizon=1)
    start, length, split = data.spans[data.of("test")[0]]
    halves = [[start, length // 3, split], [start + length // 3, length - length // 3, split]]
    others = [span for span in data.spans.tolist() if span[2] != split]
    data = replace(data, spans=np.array([*others, *halves]))
    rows = examples(data, perfect(data))["stretch"]["rows"]
    assert rows[0] > start + length // 3
    assert np.diff(rows).tolist() == [1] * (len(rows) - 1)


@pytest.mark.parametrize(("count", "told", "steps"), [(4, 4, 100), (8, 8, 100), (64, 64, 25), (200, 64, 25)])
def test_many_inputs_are_told_of_fewer_steps(count: int, told: int, steps: int) -> None:
    data = sequences(count=60)
    spans = np.array([[n * 120, 120, split] for n, split in enumerate(data.spans[:, 2])])
    x = np.tile(np.arange(float(count)), (60 * 120, 1))
    info = {
        **data.info,
        "inputs": [f"x{n}" for n in range(count)],
        "input_scale": {"mean": [0.0] * count, "std": [1.0] * count},
    }
    data = replace(data, x=x, spans=spans, info=info)
    one = examples(data, 1 - perfect(data))["mistakes"][0]
    assert one["features"] == count
    assert (len(one["series"]), len(one["at"])) == (told, steps)
    assert one["series"][-1]["name"] == f"x{count - 1}"
    assert set(one["series"][-1]["values"]) == {count - 1}


def test_gaps_in_the_truth_stay_gaps() -> None:
    data = timeline(rows=600, horizon=4)
    valid = np.ones(600, bool)
    valid[::5] = False
    data = replace(data, valid=valid)
    windows = examples(data, perfect(data))["windows"]
    known = [value is None for window in windows for value in window["targets"][0]["true"]]
    assert 0 < sum(known) < len(known)


def test_a_long_horizon_is_thinned() -> None:
    data = timeline(rows=9000, horizon=500, max_window=1000)
    found = examples(data, perfect(data, DataKnobs(window=1000)), DataKnobs(window=1000))
    window = found["windows"][0]
    assert len(window["back"]) == len(window["ahead"]) == 100
    assert window["ahead"][-1] == 500
    assert window["back"][0] == -999


def test_the_sentences_with_most_errors_come_first_and_others_follow() -> None:
    data = CASES["tags"]
    truth, guess = truth_of(data), perfect(data)
    ends = np.cumsum(truth.lengths)
    longest = int(truth.lengths.argmax())
    steps = slice(ends[longest] - truth.lengths[longest], ends[longest])
    guess[steps] = np.roll(guess[steps], 1, axis=1)
    found = examples(data, guess)
    first, *rest = found["tagged"]
    assert first["where"] == f"sequence {longest + 1}"
    assert first["rank"] == "most wrong"
    assert first["wrong"] == first["length"] == truth.lengths[longest] == found["wrong"]
    assert {one["rank"] for one in rest} == {"for comparison"}
    assert len(rest) == 9
    assert all(one["true"] == one["predicted"] and len(one["words"]) == one["length"] for one in rest)


def test_long_sequences_are_cut_into_pieces() -> None:
    data = timeline("labelling", rows=3000)
    found = examples(data, np.zeros_like(perfect(data)))
    assert sorted(strip["where"] for strip in found["strips"]) == ["row 2,501", "row 2,751"]
    assert [len(strip["targets"][0]["true"]) for strip in found["strips"]] == [250, 250]


def test_where_a_piece_is() -> None:
    spans = np.array([[0, 300, 2], [300, 100, 0], [400, 90, 2]])
    base = sequences("labelling", count=60)
    y = np.zeros((490, 1), np.float32)
    data = replace(base, x=np.zeros((490, 2), np.float32), y=y, valid=np.ones(490, bool), spans=spans)
    data = replace(data, target="labels", y=np.zeros(490, np.int32), info={**data.info, "labels": ["a", "b"]})
    places = [one["where"] for one in examples(data, perfect(data))["tagged"]]
    assert sorted(places) == [
        "sequence 1, steps 1 to 75", "sequence 1, steps 151 to 225", "sequence 1, steps 226 to 300",
        "sequence 1, steps 76 to 150", "sequence 2, steps 1 to 45", "sequence 2, steps 46 to 90",
    ]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_long_names_are_cut(case: str) -> None:
    data = CASES[case]
    lists = ("labels", "inputs", "targets")
    names = {key: [f"{name} {'<b>' * 9000}" for name in data.info.get(key) or ()] for key in lists}
    data = replace(data, info={**data.info, **names})
    found = examples(data, np.roll(perfect(data), 1, axis=0))
    assert len(json.dumps(found)) < 200_000


def test_some_of_many_are_evenly_spread() -> None:
    assert _examples.spread(3, 10).tolist() == [0, 1, 2]
    assert _examples.spread(101, 3).tolist() == [0, 50, 100]
    assert _examples.spread(0, 3).tolist() == []
    assert _examples.spread(1, 3).tolist() == [0]
