"""Real searches on data that are known: what the end of a study says of noise, of a signal, of a leak."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.test_cli import invoke

CONFIG = """
task: classification
data: {kind: arrays, path: data.npz}
model: {units: {choice: [4, 8]}}
training: {epochs: 4, batch_size: 32, learning_rate: 0.02}
search: {strategy: grid, seed: 1}
winner: {finalists: 2, seeds: 2, retrain: RETRAIN}
"""


def search(folder: Path, x: np.ndarray, y: np.ndarray, retrain: str = "false") -> Path:
    split = np.array(["train", "validation", "test", "train"])[np.arange(len(y)) % 4]
    np.savez(folder / "data.npz", x=x.astype(np.float32), y=y, split=split)
    config = folder / "toy.yaml"
    config.write_text(CONFIG.replace("RETRAIN", retrain), encoding="utf-8")
    result = invoke("run", config, "--out", folder / "out", "--workers", 0, "--quiet")
    assert result.exit_code == 0, result.output
    return folder / "out" / "toy"


def first_sentence(study: Path) -> str:
    sentence: str = json.loads(invoke("report", study, "--json").output)["summary"][0]
    return sentence


@pytest.mark.slow
def test_of_noise_nothing_is_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    study = search(tmp_path, rng.normal(size=(400, 6, 2)), rng.integers(0, 2, 400))
    assert first_sentence(study).startswith(("Nothing was learned: the best model", "The best model"))
    assert "does not beat the baseline" in first_sentence(study)
    assert "on the test split" in first_sentence(study)


@pytest.mark.slow
def test_a_signal_is_learned_confirmed_tested_and_handed_over(tmp_path: Path) -> None:
    """The classes differ in the order of the steps alone, which no baseline of sums can tell."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    x = rng.normal(scale=0.1, size=(600, 6, 1))
    place = rng.integers(0, 5, 600)
    x[np.arange(600), place, 0] += np.where(y, 1.0, -1.0)
    x[np.arange(600), place + 1, 0] += np.where(y, -1.0, 1.0)
    study = search(tmp_path, x, y, retrain="train+validation")
    facts = json.loads((study / "study.json").read_text(encoding="utf-8"))
    winner = next(one for one in facts["finals"]["finalists"] if one["trial"] == facts["finals"]["winner"])
    assert len(winner["scores"]) == 2
    assert facts["retrained"]["epochs"] >= 1
    look = facts["test"][0]
    assert look["retrained"] is True
    assert look["intervals"]["accuracy"][0] <= look["metrics"]["accuracy"] <= look["intervals"]["accuracy"][1]
    assert look["metrics"]["accuracy"] > 0.9
    with (study / "trials.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert float(table[0]["confirmed"]) == pytest.approx(winner["mean"])
    assert {row["baseline"] for row in table if row["status"] == "baseline"} >= {
        "majority class",
        "1-nearest neighbour",
    }
    card = (study / "MODEL.md").read_text(encoding="utf-8")
    for part in (
        "## How good it is",
        "fresh seeds",
        "## Data",
        "## In detail, on the test split",
        "load_model",
    ):
        assert part in card
    with np.load(study / "sample.npz") as sample:
        assert sample["x"].shape[1:] == (6, 1)
    with np.load(study / "judged" / "test.npz") as drawn:
        assert len(drawn["accuracy"]) == look["resamples"] == 1000
        assert np.percentile(drawn["accuracy"], [2.5, 97.5]) == pytest.approx(look["intervals"]["accuracy"])
    examples = json.loads((study / "examples.json").read_text(encoding="utf-8"))
    assert set(examples) == {"validation", "test"}
    wrong = examples["test"]["wrong"]
    assert wrong == round((1 - look["metrics"]["accuracy"]) * look["samples"])
    assert len(examples["test"]["mistakes"]) == min(wrong, 12)


@pytest.mark.slow
def test_a_planted_leak_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    x = rng.normal(size=(400, 6, 2))
    x[:, :, 1] = y[:, None]
    x[2] = x[0]  # a test sequence that is in training
    study = search(tmp_path, x, y)
    notes = " ".join(json.loads((study / "study.json").read_text(encoding="utf-8"))["notes"])
    assert "leak" in notes
    assert "1 of 100 test sequences" in notes
