from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gru_tune.errors import TrainingError
from gru_tune.learning.samples import PAD
from gru_tune.learning.sampling import write_sample
from tests.export.studies import STUDIES, sample, study
from tests.learning.learning_data import job, sequences
from tests.learning.scoring import predict


@pytest.mark.parametrize("name", ["text", "regression", "forecast"])
def test_a_sample_is_what_the_model_says_of_the_validation_split(name: str, tmp_path: Path) -> None:
    made, (data, knobs) = study(name), STUDIES[name]
    one = job(data, tmp_path, "loss", **knobs)
    write_sample(made.best, one.data, one.settings, tmp_path / "sample.npz", rows=1000)
    with np.load(tmp_path / "sample.npz", allow_pickle=False) as arrays:
        out = arrays["out"]
        assert (arrays["x"].dtype, arrays["lengths"].dtype, out.dtype) == (
            np.int32 if data.x.ndim == 1 else np.float32, np.int32, np.float32,
        )  # fmt: skip
    expected = predict(made.best, one.data, one.settings, "validation").y_pred
    if name == "text":
        expected = expected[:, 1:]
    assert out == pytest.approx(expected, abs=1e-5)


def test_sequences_are_padded_to_the_longest() -> None:
    words, numbers = sample(study("text")), sample(study("regression"))
    assert words["x"].shape[1] == words["lengths"].max() > words["lengths"].min()
    assert (words["x"] != 0).sum(axis=1).tolist() == words["lengths"].tolist()
    assert (numbers["x"] != PAD).all(axis=2).sum(axis=1).tolist() == numbers["lengths"].tolist()


def test_rows_come_from_all_over_the_split(tmp_path: Path) -> None:
    data, knobs = STUDIES["forecast"]
    one = job(data, tmp_path, "loss", **knobs)
    write_sample(study("forecast").best, one.data, one.settings, tmp_path / "sample.npz", rows=4)
    with np.load(tmp_path / "sample.npz", allow_pickle=False) as arrays:
        first, last = arrays["x"][0], arrays["x"][-1]
        assert len(arrays["x"]) == len(arrays["out"]) == 4
    start, rows, _ = data.spans[1]
    window, before = knobs["window"], data.info["max_window"] - knobs["window"]
    assert first.tolist() == data.x[start + before : start + before + window].tolist()
    end = start + rows - data.info["horizon"]
    assert last.tolist() == data.x[end - window : end].tolist()


def test_a_split_without_samples_is_refused(tmp_path: Path) -> None:
    data = sequences(words=True)
    data.valid[:] = False
    one = job(data, tmp_path, "loss", vocabulary=8)
    with pytest.raises(TrainingError):
        write_sample(study("text").best, one.data, one.settings, tmp_path / "sample.npz")
    assert not (tmp_path / "sample.npz").exists()
