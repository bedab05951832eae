from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.data.dataset import Dataset
from gru_tune.errors import ConfigError, DataError
from gru_tune.values import Choice, Int
from tests.data.checking import found, levels
from tests.data.preparing import has, prepared


def write(folder: Path, columns: dict[str, list[Any]], name: str = "data.csv") -> None:
    import pandas as pd

    pd.DataFrame(columns).to_csv(folder / name, index=False)


def reviews(folder: Path, rows: int = 40, **more: list[Any]) -> None:
    texts = [f"{'good' if n % 2 else 'bad'} film number {n}" for n in range(rows)]
    write(folder, {"text": texts, "label": ["pos" if n % 2 else "neg" for n in range(rows)], **more})


def hours(folder: Path, rows: int = 200, **more: list[Any]) -> None:
    load = np.sin(np.arange(rows) / 4) * 3 + 100
    write(folder, {"load": load.tolist(), "other": (load**2).tolist(), **more})


TEXT: dict[str, Any] = {"task": "classification", "kind": "text", "target": "label"}
LINE: dict[str, Any] = {"task": "forecasting", "kind": "timeline", "target": "load", "knobs": {"window": 8}}


def test_texts(tmp_path: Path) -> None:
    reviews(tmp_path)
    data = prepared(tmp_path, **TEXT)
    dataset = data.dataset
    assert (dataset.layout, dataset.target) == ("sequences", "label")
    assert dataset.x.dtype == dataset.y.dtype == np.int32
    assert dataset.spans.dtype == np.int64
    assert dataset.info["labels"] == ["neg", "pos"]
    assert dataset.info["features"] == 0
    words = data.preprocessing["vocabulary"]
    assert words[:4] == ["film", "number", "bad", "good"]
    assert dataset.info["vocabulary"] == len(words) + 2
    assert [len(dataset.of(split)) for split in ("train", "validation", "test")] == [28, 6, 6]  # type: ignore[arg-type]
    assert len(data.notes) == 1  # that 6 are few


def test_what_is_prepared_survives_saving(tmp_path: Path) -> None:
    reviews(tmp_path)
    data = prepared(tmp_path, **TEXT)
    data.dataset.save(tmp_path / "prepared")
    loaded = Dataset.load(tmp_path / "prepared")
    assert loaded.info == json.loads(json.dumps(dict(data.dataset.info)))
    json.dumps(data.facts)
    json.dumps(data.preprocessing)


def test_words_of_the_test_split_stay_unknown(tmp_path: Path) -> None:
    reviews(tmp_path, part=["train"] * 30 + ["test"] * 10)
    data = prepared(tmp_path, split="part", **TEXT)
    assert "39" not in data.preprocessing["vocabulary"]
    assert (data.dataset.x[data.dataset.spans[-1, 0] :] == 1).sum() == 1


def test_regression_on_texts_scales_the_target(tmp_path: Path) -> None:
    reviews(tmp_path, stars=list(range(40)))
    dataset = prepared(tmp_path, "regression", "text", target="stars").dataset
    assert dataset.target == "number"
    assert dataset.y.shape == (40, 1)
    train = dataset.y[dataset.of("train")]
    assert abs(train.mean()) < 1e-6
    assert abs(train.std() - 1) < 1e-6
    assert dataset.info["labels"] == []


def test_a_timeline(tmp_path: Path) -> None:
    hours(tmp_path)
    data = prepared(tmp_path, horizon=3, **LINE)
    dataset = data.dataset
    assert (dataset.layout, dataset.target) == ("timeline", "numbers")
    assert dataset.spans.tolist() == [[0, 140, 0], [140, 30, 1], [170, 30, 2]]
    assert dataset.x.shape == (200, 2)
    assert dataset.info["target_inputs"] == [0]
    assert {"horizon": 3, "stride": None, "max_window": 8, "season": None}.items() <= dict(
        dataset.info
    ).items()
    np.testing.assert_allclose(dataset.x[:140].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(dataset.x[:, :1], dataset.y, atol=1e-6)
    assert data.facts["splits"]["train"]["rows"] == 140


def test_the_largest_window_counts(tmp_path: Path) -> None:
    hours(tmp_path)
    for knob in (Choice((4, 12)), Int(4, 12)):
        assert prepared(tmp_path, **{**LINE, "knobs": {"window": knob}}).dataset.info["max_window"] == 12


def test_a_window_longer_than_a_split(tmp_path: Path) -> None:
    hours(tmp_path)
    with pytest.raises(DataError) as error:
        prepared(tmp_path, horizon=10, **{**LINE, "knobs": {"window": Int(10, 30)}})
    assert str(error.value) == (
        "data.window: the validation split has 30 rows in a row, too few for a window of 30 and a horizon of 10; "
        "the largest window possible is 20"
    )
    prepared(tmp_path, horizon=10, **{**LINE, "knobs": {"window": 20}})
    with pytest.raises(DataError, match="give more rows, a shorter horizon"):
        prepared(tmp_path, horizon=40, **LINE)


def test_no_span_crosses_a_split_or_a_timeline(tmp_path: Path) -> None:
    hours(
        tmp_path,
        shop=["a"] * 80 + ["b"] * 120,
        part=(["train"] * 40 + ["test"] * 20 + ["train"] * 20) + ["train"] * 120,
    )
    dataset = prepared(tmp_path, series="shop", split={"column": "part", "validation": 15}, **LINE).dataset
    assert dataset.spans.tolist() == [
        [0, 40, 0], [40, 20, 2], [65, 15, 1], [80, 105, 0], [185, 15, 1],
    ]  # fmt: skip


def test_short_stretches_are_left_out(tmp_path: Path) -> None:
    hours(tmp_path, part=["train"] * 5 + ["test"] * 20 + ["train"] * 175)
    data = prepared(tmp_path, split={"column": "part"}, **LINE)
    assert [0, 5, 0] not in data.dataset.spans.tolist()
    assert has(data.notes, "1 of 4 stretches are shorter than 9 rows")


def test_missing_targets_are_not_valid(tmp_path: Path) -> None:
    hours(tmp_path, flow=["NA"] * 3 + [1.5] * 197)
    keys = {**LINE, "target": "flow", "inputs": ["load", "flow"]}
    with pytest.raises(
        DataError, match=r"column 'flow' misses 3 of 200 values; set data.missing to mean or forward"
    ):
        prepared(tmp_path, **keys)
    data = prepared(tmp_path, missing="forward", **keys)
    assert data.dataset.valid.tolist() == [False] * 3 + [True] * 197
    assert np.isfinite(data.dataset.x).all()
    assert has(data.notes, "3 of 200 rows miss their target")
    assert data.facts["missing"] == {"flow": 3}


@pytest.mark.parametrize(
    ("scale", "mean", "std"),
    [("standard", 104.5, None), ("last", 104.5, None), ("minmax", 35, 139), ("none", 0, 1)],
)
def test_scales(tmp_path: Path, scale: str, mean: float, std: float | None) -> None:
    write(tmp_path, {"v": list(range(35, 235))})
    data = prepared(
        tmp_path, "forecasting", "timeline", target="v", knobs={"window": 8, "scale": scale}
    ).dataset
    assert data.info["input_scale"]["mean"] == [mean]
    assert std is None or data.info["input_scale"]["std"] == [std]
    assert data.info["target_scale"] == data.info["input_scale"]


def test_scales_that_need_other_arrays_cannot_be_searched(tmp_path: Path) -> None:
    hours(tmp_path)
    with pytest.raises(ConfigError, match="minmax and none cannot be searched over"):
        prepared(tmp_path, **{**LINE, "knobs": {"scale": Choice(("standard", "minmax"))}})
    prepared(tmp_path, **{**LINE, "knobs": {"window": 8, "scale": Choice(("standard", "window", "last"))}})


def test_classes_that_training_lacks(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "text": ["a b"] * 30,
            "label": (["x", "y"] * 14) + ["z", "x"],
            "part": ["train"] * 28 + ["test"] * 2,
        },
    )
    data = prepared(tmp_path, split="part", **TEXT)
    assert data.dataset.info["labels"] == ["x", "y"]
    assert data.dataset.y[28] == 2
    assert has(data.notes, "1 class occurs only outside training (z; 1 targets)")


def test_duplicates_across_splits_are_counted(tmp_path: Path) -> None:
    texts = [f"film {n}" for n in range(20)] + ["film 3", "film 4", "new"]
    write(
        tmp_path,
        {
            "text": texts,
            "label": (["x", "y"] * 12)[:23],
            "part": ["train"] * 10 + ["dev"] * 10 + ["test"] * 3,
        },
    )
    data = prepared(tmp_path, split="part", **TEXT)
    assert data.facts["duplicates"] == {"validation": 0, "test": 2}
    assert has(data.notes, "2 of 3 test sequences occur in training")


def test_imbalance_is_noted(tmp_path: Path) -> None:
    write(tmp_path, {"text": [f"a {n}" for n in range(100)], "label": ["ham"] * 90 + ["spam"] * 10})
    fact = "90% of the training targets are 'ham'"
    little, weigh = "accuracy says little, look at macro_f1", "try class_weights: balanced"
    for objective, weights, text, level in (
        (None, "none", f"{fact}: {little} and {weigh}", "warning"),
        ("macro_f1", "none", f"{fact}: {weigh}", "warning"),
        ("accuracy", Choice(("none", "balanced")), f"{fact}: {little}", "warning"),
        ("macro_f1", "balanced", fact, "note"),
    ):
        data = prepared(tmp_path, objective=objective, knobs={"class_weights": weights}, **TEXT)
        assert (found(data, "imbalance"), levels(data, "imbalance")) == ([text], [level])


def test_all_columns_that_are_not_there_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"SMS": [f"a {n}" for n in range(20)], "Label": ["ham", "spam"] * 10})
    keys: dict[str, Any] = {"task": "classification", "kind": "text", "text": "sms", "target": "label"}
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, split={"group": "user"}, **keys)
    assert str(caught.value).splitlines() == [
        "data.text: there is no column 'sms' in data.csv; did you mean 'SMS'?",
        "data.target: there is no column 'label' in data.csv; did you mean 'Label'?",
        "data.split.group: there is no column 'user' in data.csv: it has SMS, Label",
    ]


def test_a_validation_split_that_ranks_by_chance_is_noted(tmp_path: Path) -> None:
    reviews(tmp_path, rows=200)
    assert not has(prepared(tmp_path, **TEXT).notes, "data.split")
    reviews(tmp_path, rows=60)
    assert has(prepared(tmp_path, **TEXT).notes, "only 9 of the sequences validate", "data.split")
    reviews(tmp_path, rows=60, part=(["dev", "train"] * 20) + ["train"] * 20)
    assert has(prepared(tmp_path, split="part", **TEXT).notes, "all 20 validation targets are 'neg'")


def test_a_target_of_long_texts_is_shown_cut(tmp_path: Path) -> None:
    write(tmp_path, {"text": ["a"] * 12, "label": ["word " * 100] * 12})
    with pytest.raises(DataError, match="needs numbers") as caught:
        prepared(tmp_path, **{**TEXT, "task": "regression"})
    assert len(str(caught.value)) < 200


def test_columns_that_tell_nothing_or_everything(tmp_path: Path) -> None:
    ids = np.repeat(np.arange(30), 4)
    write(tmp_path, {
        "id": ids.tolist(), "v": np.random.default_rng(1).random(120).tolist(), "flat": [7] * 120,
        "row": list(range(1, 121)), "path": (ids % 4).tolist(), "label": (ids % 2).tolist(),
    })  # fmt: skip
    notes = prepared(tmp_path, "classification", "series", series="id", target="label").notes
    assert has(notes, "input 'flat' never changes in training")
    assert has(notes, "input 'row' only counts the rows")
    assert has(notes, "input 'path' never changes within a sequence and tells 'label'")
    assert has(notes, "only 4 of the sequences validate")
    assert len(notes) == 4


def test_a_split_that_lies_before_training(tmp_path: Path) -> None:
    hours(tmp_path, part=["test"] * 60 + ["train"] * 140)
    assert has(
        prepared(tmp_path, split="part", **LINE).notes,
        "the test split begins before the training split in time",
    )


def test_a_split_without_a_known_target(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"text": ["a"] * 12, "label": ["x", "y"] * 5 + [None] * 2, "part": ["train"] * 10 + ["test"] * 2},
    )
    with pytest.raises(DataError, match="the test split has no known target"):
        prepared(tmp_path, split="part", **TEXT)


def test_left_out_sequences_leave_no_trace(tmp_path: Path) -> None:
    reviews(tmp_path, part=["train"] * 20 + ["dev"] * 5 + ["spare"] * 10 + ["test"] * 5)
    data = prepared(tmp_path, split={"column": "part", "validation": "dev", "test": "test"}, **TEXT)
    assert len(data.dataset.y) == len(data.dataset.spans) == 30
    assert data.dataset.spans[:, 1].sum() == len(data.dataset.x)
    assert data.dataset.spans[-5:, 2].tolist() == [2] * 5
    assert has(data.notes, "10 of 40 sequences are in no split")


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    reviews(tmp_path)
    first = prepared(tmp_path, **TEXT).fingerprint
    assert prepared(tmp_path, seed=2, **TEXT).fingerprint == first
    (tmp_path / "other.csv").write_bytes((tmp_path / "data.csv").read_bytes())
    assert prepared(tmp_path, path="other.csv", **TEXT).fingerprint == first
    (tmp_path / "other.csv").write_text((tmp_path / "data.csv").read_text().replace("number 7", "number 8"))
    assert prepared(tmp_path, path="other.csv", **TEXT).fingerprint != first


def test_a_task_the_kind_cannot_do(tmp_path: Path) -> None:
    reviews(tmp_path)
    with pytest.raises(ConfigError, match="kind: text cannot be used for forecasting"):
        prepared(tmp_path, **{**TEXT, "task": "forecasting"})
