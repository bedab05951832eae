"""What comes out for every task, and that it is what the search saw."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gru_tune import config as configs
from gru_tune.data.dataset import Dataset
from gru_tune.errors import StudyError
from gru_tune.using.predict import predict, save
from tests.using.studies import change, finished, save_model

DATES = pd.date_range("2020-01-01", periods=60, freq="MS")
MONTHS = pd.DataFrame(
    {"date": DATES, "sold": 100 + 20 * np.sin(np.arange(60.0)), "rain": np.cos(np.arange(60.0))}
)
TEXTS = pd.DataFrame({"text": ["a good film", "a bad film"] * 20, "label": ["p", "n"] * 20})
MACHINES = pd.DataFrame(
    {
        "machine": [f"m{n // 4}" for n in range(120)],
        "second": [n % 4 for n in range(120)],
        "heat": np.sin(np.arange(120.0)),
        "state": [["ok", "worn", "gone"][n // 4 % 3] for n in range(120)],
    }
)


def predicted(study: Path, file: Path, skip: bool = False, ensemble: bool = False) -> pd.DataFrame:
    text, _ = predict(study, file, skip=skip, ensemble=ensemble)
    return pd.read_csv(io.StringIO(text))


def written(folder: Path, name: str, table: pd.DataFrame) -> Path:
    table.to_csv(folder / name, index=False)
    return folder / name


def test_classes_of_texts(tmp_path: Path) -> None:
    written(tmp_path, "data.csv", TEXTS)
    study = finished(tmp_path, "classification", {"kind": "text", "path": "data.csv", "target": "label"})
    found = predicted(study, written(tmp_path, "new.csv", TEXTS[["text"]].head(3)))
    assert list(found) == ["row", "prediction", "probability_n", "probability_p"]
    assert found["row"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(found["probability_n"] + found["probability_p"], 1, atol=1e-6)
    likelier = np.where(found["probability_n"] > found["probability_p"], "n", "p")
    assert found["prediction"].tolist() == likelier.tolist()


def test_the_rows_of_a_split_are_predicted_as_the_search_saw_them(tmp_path: Path) -> None:
    from gru_tune.knobs import settle
    from tests.learning.scoring import predict as of_the_search

    written(tmp_path, "data.csv", MACHINES)
    data = {"kind": "series", "path": "data.csv", "series": "machine", "time": "second", "inputs": ["heat"]}
    study = finished(tmp_path, "classification", {**data, "target": "state"})
    dataset = Dataset.load(study / "prepared")
    ids = [f"m{n}" for n in dataset.of("validation")]
    rows = MACHINES[MACHINES["machine"].isin(ids)]

    found = predicted(study, written(tmp_path, "new.csv", rows.sample(frac=1, random_state=1)))
    searched = of_the_search(study / "best.keras", study / "prepared", settle({"units": 4}), "validation")
    chances = found.set_index("machine").loc[ids, ["probability_gone", "probability_ok", "probability_worn"]]
    np.testing.assert_allclose(chances.to_numpy(), searched.y_pred, atol=1e-6)


def test_tags_of_tokens(tmp_path: Path) -> None:
    rows = [{"tokens": ["to", "Rome"][: 1 + n % 2], "tags": ["O", "B-c"][: 1 + n % 2]} for n in range(30)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    study = finished(tmp_path, "labelling", {"kind": "tokens", "path": "data.jsonl", "tags": "tags"})
    (tmp_path / "new.jsonl").write_text('{"tokens": ["to", "Oslo"]}\n{"tokens": ["Rome"]}', encoding="utf-8")
    found = predicted(study, tmp_path / "new.jsonl")
    assert list(found) == ["row", "step", "token", "prediction", "probability"]
    assert found[["row", "step", "token"]].to_numpy().tolist() == [
        [1, 1, "to"],
        [1, 2, "Oslo"],
        [2, 1, "Rome"],
    ]
    assert found["probability"].between(0.5, 1).all()


@pytest.fixture
def months(tmp_path: Path) -> Path:
    written(tmp_path, "data.csv", MONTHS)
    data = {
        "kind": "timeline",
        "path": "data.csv",
        "time": "date",
        "inputs": ["sold", "rain"],
        "target": ["sold", "rain"],
    }
    return finished(tmp_path, "forecasting", {**data, "horizon": 3, "window": 6})


def test_forecasts_beyond_the_end(months: Path) -> None:
    new = written(months.parent, "new.csv", MONTHS.tail(8))
    found = predicted(months, new)
    assert list(found) == ["date", "step", "sold", "rain"]
    assert found["date"].tolist() == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert found["sold"].between(60, 140).all()  # in the units of the data
    # The same window, and the horizon that really followed it, as the search meets them.
    from gru_tune.knobs import settle
    from tests.learning.scoring import predict as of_the_search

    searched = of_the_search(
        months / "best.keras", months / "prepared", settle({"units": 4, "window": 6}), "test"
    )
    earlier = predicted(months, written(months.parent, "new.csv", MONTHS.iloc[:-3]))
    scale = Dataset.load(months / "prepared").info["target_scale"]
    expected = searched.y_pred[-1] * scale["std"] + np.array(scale["mean"])
    np.testing.assert_allclose(earlier[["sold", "rain"]].to_numpy(), expected, rtol=1e-5)


def test_ids_and_times_are_written_as_the_file_has_them(tmp_path: Path) -> None:
    table = MONTHS.assign(date=DATES.strftime("%Y-%m"), shop="007")
    written(tmp_path, "data.csv", table)
    data = {"kind": "timeline", "path": "data.csv", "time": "date", "series": "shop", "target": "sold"}
    study = finished(tmp_path, "forecasting", {**data, "horizon": 2, "window": 6})
    text, _ = predict(study, tmp_path / "data.csv", skip=False, ensemble=False)
    assert [line.split(",")[:3] for line in text.splitlines()] == [
        ["shop", "date", "step"], ["007", "2025-01", "1"], ["007", "2025-02", "2"]
    ]  # fmt: skip


def test_members_of_an_ensemble_are_averaged_each_with_its_own_window(months: Path) -> None:
    config, dataset = configs.load(months.parent / "config.yaml"), Dataset.load(months / "prepared")
    alone, members = [], []
    for number, window in enumerate((4, 6), start=1):
        settings = config.settings({"window": window})
        save_model(months / f"{number}.keras", settings, dataset, seed=number)
        members.append(
            {"file": f"{number}.keras", "settings": asdict(settings), "trial": number, "repeat": 1}
        )
        change(months, members=members[-1:])
        alone.append(predicted(months, months.parent / "data.csv", ensemble=True)["sold"])
    change(months, members=members)
    both = predicted(months, months.parent / "data.csv", ensemble=True)["sold"]
    assert not np.allclose(alone[0], alone[1])
    np.testing.assert_allclose(both, (alone[0] + alone[1]) / 2, rtol=1e-6)


def test_every_row_of_a_timeline(tmp_path: Path) -> None:
    table = pd.concat([MONTHS.assign(shop="x"), MONTHS.assign(shop="y")])
    table["high"] = np.where(table["sold"] > 100, "yes", "no")
    written(tmp_path, "data.csv", table)
    data = {"kind": "timeline", "path": "data.csv", "time": "date", "series": "shop", "inputs": ["rain"]}
    new = written(tmp_path, "new.csv", table.drop(columns="high").groupby("shop").head(8))

    study = finished(tmp_path, "classification", {**data, "target": "high", "window": 6})
    found = predicted(study, new)
    assert list(found) == ["shop", "row", "date", "prediction", "probability_no", "probability_yes"]
    assert found["row"].tolist() == [6, 7, 8, 14, 15, 16]  # where a window of 6 rows ends
    assert found["date"][0] == "2020-06-01"

    study = finished(tmp_path, "labelling", {**data, "target": "high", "window": 6})
    assert predicted(study, new)["row"].tolist() == list(range(1, 17))

    study = finished(tmp_path, "regression", {**data, "target": "sold", "window": 6})
    assert list(predicted(study, new)) == ["shop", "row", "date", "sold"]


def test_lengths_that_training_never_had(tmp_path: Path) -> None:
    """Trained on sequences of one length, a model has no mask; for others it gets one, and says the same."""
    x = np.random.default_rng(1).normal(size=(30, 5, 2))
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(30) % 3)
    model = {"units": 3, "depth": 2, "bidirectional": True, "pooling": "mean"}
    study = finished(tmp_path, "classification", {"kind": "arrays", "path": "data.npz"}, model)
    longer = np.concatenate([x, np.ones((30, 4, 2))], axis=1)
    np.savez(tmp_path / "new.npz", x=longer, lengths=np.array([5] * 29 + [9]))
    columns = ["probability_0", "probability_1", "probability_2"]
    same, other = (predicted(study, tmp_path / name)[columns].to_numpy() for name in ("data.npz", "new.npz"))
    np.testing.assert_allclose(other[:-1], same[:-1], atol=1e-6)
    assert not np.allclose(other[-1], same[-1])


def test_new_arrays_need_no_split(tmp_path: Path) -> None:
    x, y = np.random.default_rng(1).normal(size=(30, 5, 2)), np.arange(30) % 3
    part = np.array(["train"] * 20 + ["validation"] * 5 + ["test"] * 5)
    np.savez(tmp_path / "data.npz", x=x, y=y, part=part)
    data = {"kind": "arrays", "path": "data.npz", "split_key": "part"}
    study = finished(tmp_path, "classification", data, {"units": 3})
    np.savez(tmp_path / "new.npz", x=x[:4])
    assert len(predicted(study, tmp_path / "new.npz")) == 4


def test_weights_of_another_study(months: Path) -> None:
    config, dataset = configs.load(months.parent / "config.yaml"), Dataset.load(months / "prepared")
    save_model(months / "best.keras", config.settings({"units": 5}), dataset, seed=1)
    with pytest.raises(StudyError, match=r"best\.keras does not hold the weights of its settings \("):
        predict(months, months.parent / "data.csv", skip=False, ensemble=False)


def test_a_file_that_is_no_model(months: Path) -> None:
    (months / "best.keras").write_bytes(b"no model")
    with pytest.raises(
        StudyError, match=r"best\.keras does not hold the weights of its settings \(File is not"
    ):
        predict(months, months.parent / "data.csv", skip=False, ensemble=False)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    out = tmp_path / "no" / "folder.csv"
    with pytest.raises(StudyError) as error:
        save("row\n", out)
    assert str(error.value) == f"{out} cannot be written: No such file or directory; choose another --out"
