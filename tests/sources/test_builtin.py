from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.errors import DataError
from gru_tune.sources.builtin import BUILTINS, downloaded, read
from tests.data.preparing import prepared

DOWNLOADED = {"imdb", "reuters"}
USES: dict[str, dict[str, Any]] = {
    "digits": {"task": "classification"},
    "mackey_glass": {"task": "forecasting", "target": "value", "knobs": {"window": 16}},
    "sine": {
        "task": "forecasting",
        "target": ["load", "temperature"],
        "time": "time",
        "knobs": {"window": 24},
    },
    "adding": {"task": "regression", "series": "series", "time": "step", "target": "sum"},
    "motifs": {"task": "classification", "series": "series", "time": "step", "target": "motif"},
    "echo": {"task": "labelling", "tags": "tags"},
}


def test_every_builtin_is_tested_or_downloaded() -> None:
    assert set(USES) | DOWNLOADED == set(BUILTINS)


@pytest.mark.parametrize("name", USES)
def test_builtin_can_be_prepared(name: str, tmp_path: Path) -> None:
    keys = {"path": f"builtin:{name}", "kind": BUILTINS[name].kind, **USES[name]}
    data = prepared(tmp_path, **keys)
    assert np.isfinite(np.asarray(data.dataset.x, np.float64)).all()
    assert not data.notes
    assert data.fingerprint == prepared(tmp_path, **keys).fingerprint


@pytest.mark.parametrize("name", sorted(set(BUILTINS) - {"digits"} - DOWNLOADED))
def test_seed_changes_a_generated_set(name: str, tmp_path: Path) -> None:
    keys = {"kind": BUILTINS[name].kind, **USES[name]}
    one, two = (prepared(tmp_path, path=f"builtin:{name}?seed={seed}", **keys) for seed in (1, 2))
    assert one.fingerprint != two.fingerprint


def test_parameters_set_the_size() -> None:
    assert len(read("mackey_glass?length=50&seed=3", "timeline").need_table("")) == 50


def test_the_sum_of_the_adding_problem() -> None:
    table = read("adding?sequences=5", "series").need_table("")
    for _, rows in table.groupby("series"):
        assert rows["marker"].sum() == 2
        assert rows["sum"].iloc[0] == pytest.approx((rows["value"] * rows["marker"]).sum())


def test_the_tags_of_echo() -> None:
    table = read("echo?sequences=3&delay=2", "tokens").need_table("")
    for tokens, tags in zip(table["tokens"], table["tags"], strict=True):
        assert tags == ["none", "none", *tokens[:-2]]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("digit", "arrays", "data.path: there is no builtin:digit; did you mean 'digits'?"),
        ("digits", "text", "data.kind: builtin:digits is of kind arrays, not text"),
        ("sine?lenght=5", "timeline", "builtin:sine has no parameter 'lenght'; it takes length, seed"),
        ("sine?length=many", "timeline", "length of builtin:sine must be a whole number above 0, got 'many'"),
    ],
)
def test_refused(text: str, kind: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read(text, kind)
    assert message in str(error.value)


@pytest.mark.parametrize("name", BUILTINS)
def test_parameters_are_whole_numbers(name: str) -> None:
    entry = BUILTINS[name]
    function = getattr(import_module(f"gru_tune.sources.builtin.{entry.module}"), entry.function)
    assert all(isinstance(p.default, int) for p in inspect.signature(function).parameters.values())


def test_imdb_once_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, path: Path) -> None:
        np.savez(path, ids=[1, 2, 0, 2], lengths=[2, 2], labels=[1, 0], train=1, words=["", "the", "film"])

    monkeypatch.setattr(downloaded, "_fetch", fetch)
    frame = read("imdb", "tokens")
    assert frame.need_table("")["tokens"].tolist() == [["the", "film"], ["film"]]
    assert frame.need_table("")["label"].tolist() == ["positive", "negative"]
    assert frame.split is not None
    assert frame.split.tolist() == ["train", "test"]


def test_failed_download_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloaded, "FETCH", "import sys; sys.exit('no network here')")
    with pytest.raises(DataError, match=r"builtin:imdb is downloaded .*no network here.*check the network"):
        read("imdb", "tokens")
