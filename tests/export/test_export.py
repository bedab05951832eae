"""The command: its files, and what it says."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gru_tune import export
from gru_tune.cli import main
from gru_tune.errors import ExportError, StudyError
from gru_tune.executors.in_process import InProcess
from gru_tune.export import worker
from gru_tune.export.convert import Checked, Order
from gru_tune.export.formats import FORMATS
from gru_tune.export.readme import Model, readme
from gru_tune.learning.training import train
from gru_tune.study.results import read_json, replace_json
from tests.export.studies import study

SAME = Checked(100, 3.1e-7, "", (None, None), (None, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished study."""
    return shutil.copytree(study("text").path, tmp_path / "toy")


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converting writes a few bytes and finds them good."""
    stand_in(monkeypatch, lambda order: order.file.write_bytes(b"model" * 1000) and SAME)


def stand_in(monkeypatch: pytest.MonkeyPatch, convert: Any) -> None:
    monkeypatch.setattr(worker, "convert", convert)
    monkeypatch.setattr(worker, "start", lambda: InProcess(train))


@pytest.mark.slow
def test_an_export_is_a_folder_with_all_that_it_takes(folder: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(folder), "--format", "saved_model"])
    assert result.exit_code == 0, result.output
    first, second = result.output.splitlines()
    assert first.startswith(f"{folder}/exports/saved_model: SavedModel, ")
    assert " KB; on 10 rows of the validation split it differs from Keras by at most " in first
    assert second == "serve_text takes the documents themselves"
    names = sorted(file.name for file in (folder / "exports").iterdir())
    assert names == ["README.txt", "preprocessing.json", "saved_model"]


@pytest.mark.usefixtures("no_worker")
def test_formats_of_one_model_share_a_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "somewhere" / "else"
    assert export.run(folder, "tflite", out) == (
        f"{out}/model.tflite: TFLite, 5 KB; on 100 rows of the validation split it differs from Keras by at most 3.1e-07"
    )
    for _ in range(2):
        export.run(folder, "keras", out)
    assert sorted(os.listdir(out)) == ["README.txt", "model.keras", "model.tflite", "preprocessing.json"]
    assert (out / "preprocessing.json").read_bytes() == (folder / "preprocessing.json").read_bytes()


@pytest.mark.usefixtures("no_worker")
def test_two_models_do_not(folder: Path) -> None:
    export.run(folder, "keras")
    replace_json(folder / "study.json", {**read_json(folder / "study.json"), "best": 2})
    with pytest.raises(ExportError) as refused:
        export.run(folder, "tflite")
    assert str(refused.value) == (
        f"{folder}/exports holds another model, or files that are no export: delete it, or name another folder with -o"
    )
    assert not (folder / "exports" / "model.tflite").exists()


@pytest.mark.usefixtures("no_worker")
def test_the_files_of_others_are_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError, match="files that are no export"):
        export.run(folder, "keras", tmp_path)
    assert (tmp_path / "README.txt").read_text(encoding="utf-8") == "mine"
    with pytest.raises(ExportError) as refused:
        export.run(folder, "keras", tmp_path / "model.onnx")
    assert str(refused.value) == (
        f"{tmp_path}/model.onnx: name a folder with -o, which gets the model, preprocessing.json and README.txt"
    )
    with pytest.raises(ExportError) as refused:
        export.run(folder, "keras", tmp_path / "README.txt" / "exports")
    assert str(refused.value) == (
        f"{tmp_path}/README.txt/exports cannot be written (Not a directory): name another folder with -o"
    )


def test_a_failed_conversion_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(order: Order) -> None:
        order.file.write_bytes(b"half")
        raise NotImplementedError("no such operation\nand pages of details")

    stand_in(monkeypatch, fail)
    with pytest.raises(ExportError) as failed:
        export.run(folder, "tflite")
    assert str(failed.value) == (
        "TFLite: the conversion failed (NotImplementedError: no such operation), and nothing was written; "
        "try another --format: keras, saved_model or onnx"
    )
    assert not (folder / "exports").exists()


def test_a_missing_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "onnx" in name and name != "onnx" else there("json")
    )
    with pytest.raises(ExportError) as refused:
        export.run(folder, "onnx")
    assert str(refused.value) == (
        "ONNX needs onnxruntime and tf2onnx, not installed here: pip install 'gru-tune[onnx]'"
    )


@pytest.mark.parametrize("name", ["best.keras", "sample.npz", "preprocessing.json", "study.json"])
def test_a_study_that_has_nothing_to_export(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(StudyError) as refused:
        export.run(folder, "keras")
    assert str(refused.value) == (
        f"{folder / name} is not there; a search writes it at its end: `gru-tune run` goes on with the study"
    )


def test_a_study_whose_winner_is_not_known(folder: Path) -> None:
    facts = read_json(folder / "study.json")
    replace_json(folder / "study.json", {key: facts[key] for key in facts if key != "settings"})
    with pytest.raises(StudyError) as refused:
        export.run(folder, "keras")
    assert str(refused.value).startswith(f"{folder}/study.json does not say 'settings'; a search writes it")


def test_one_study_must_be_named(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "toy2")
    with pytest.raises(StudyError) as refused:
        export.run(folder.parent, "keras")
    assert str(refused.value) == (
        f"{folder.parent}: 2 studies lie below it; name one of them, such as {folder}"
    )


def test_the_command_knows_the_formats() -> None:
    option = next(p for p in main.commands["export"].params if p.name == "form")
    assert list(option.type.choices) == list(FORMATS)  # type: ignore[attr-defined]


def described(**facts: Any) -> Model:
    preprocessing = {"labels": [], "targets": [], "features": ["a", "b"], **facts.pop("preprocessing")}
    data = {"vocabulary": 5000, "max_length": 200, "keep": "start"}
    return Model(
        **{"name": "toy", "trial": 7, "sha256": "ab12", "data": data, "preprocessing": preprocessing, **facts}
    )


def test_the_readme_of_a_text_model() -> None:
    fitted = {"vocabulary": ["the", "a"], "labels": ["neg", "pos"]}
    text = readme(
        described(task="classification", kind="text", preprocessing=fitted), (None, None), (None, 1)
    )
    lines = text.splitlines()
    assert lines[0] == "Trial 7 of the study toy by gru-tune; best.keras has the SHA-256 ab12"
    assert 'INPUT "words": int32 (batch, time).' in lines
    assert lines[4] == (
        "5,000 or more, and words that are not there, are 1. 0 is padding, at the end. "
        "Only the start of a longer sequence is read, 200 steps."
    )
    assert "OUTPUT: float32 (batch, 1)." in lines
    assert "The probability of 'pos', not of 'neg'." in lines
    assert 'run(None, {"words": x})' in text
    assert "serve_text" in text


def test_the_readme_of_a_forecast() -> None:
    model = described(task="forecasting", kind="timeline", preprocessing={"targets": ["load"]})
    text = readme(model, (None, 48, 2), (None, 24, 1))
    assert 'INPUT "numbers": float32 (batch, 48 steps, 2).' in text
    assert "OUTPUT: float32 (batch, 24 steps ahead, 1)." in text
    assert (
        'load, as output * std + mean of preprocessing.json "target_scale" in the units of the data.' in text
    )
    assert "serve_text" not in text
