"""Finding files, and every format but the delimited ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gru_tune.errors import DataError
from gru_tune.sources import read
from tests.data.preparing import section


def load(folder: Path, path: Any, kind: str = "text", **keys: Any) -> Any:
    if kind == "text":
        keys.setdefault("target", "label")
    return read(section(kind, path=path, **keys), folder)


def refused(folder: Path, path: Any, kind: str = "text", **keys: Any) -> str:
    with pytest.raises(DataError) as error:
        load(folder, path, kind, **keys)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_jsonl(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "b"], "label": 1}, {"tokens": [], "label": None, "more": True}]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    table = load(tmp_path, "data.jsonl").need_table("tokens")
    assert table["tokens"].tolist() == [["a", "b"], []]
    assert table["more"].tolist() == [None, True]


def test_json_list(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('[{"text": "a"}, {"text": "b"}]')
    assert load(tmp_path, "data.json").need_table("text")["text"].tolist() == ["a", "b"]


def test_separators_inside_of_json_texts_end_no_line(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"text": "a\u2028b\x85c"}\n', encoding="utf-8")
    assert load(tmp_path, "data.jsonl").need_table("text")["text"].tolist() == ["a\u2028b\x85c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a"}\n{"text":\n', "data.jsonl, line 2: not JSON"),
        ('{"text": "a"}\n"b"\n', "data.jsonl, line 2: expected an object"),
        ("[1, 2]", "data.jsonl: expected a list of objects"),
        ("  \n", "data.jsonl is empty"),
    ],
)
def test_bad_jsonl(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "data.jsonl").write_text(text)
    assert refused(tmp_path, "data.jsonl").startswith(message)


def test_parquet(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["a"], "label": [1]}).to_parquet(tmp_path / "data.parquet")
    assert load(tmp_path, "data.parquet").need_table("text")["text"].tolist() == ["a"]


def test_bad_parquet(tmp_path: Path) -> None:
    (tmp_path / "data.parquet").write_bytes(b"PAR1 nothing")
    assert refused(tmp_path, "data.parquet").startswith("data.parquet cannot be read as parquet")
    pd.DataFrame({"text": []}).to_parquet(tmp_path / "none.parquet")
    assert refused(tmp_path, "none.parquet") == "none.parquet has no rows"


def test_npz_with_objects_is_refused_in_words(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.array([[1], [1, 2]], dtype=object))
    message = refused(tmp_path, "data.npz", "arrays")
    assert message.startswith("data.npz: array 'x' holds Python objects, which are not read")


def test_bad_npz(tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_bytes(b"nothing")
    assert "is not an npz file" in refused(tmp_path, "data.npz", "arrays")
    np.savez(tmp_path / "none.npz")
    assert refused(tmp_path, "none.npz", "arrays") == "none.npz holds no arrays"


def test_byte_strings_are_text(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((1, 2)), y=np.array([b"one"]))
    assert load(tmp_path, "data.npz", "arrays").arrays["y"].tolist() == ["one"]


def test_missing_file(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("text,label\na,1\n")
    assert refused(tmp_path, "review.csv") == (
        "data.path: there is no file review.csv; did you mean 'reviews.csv'?"
    )
    assert "looked for" in refused(tmp_path, "nowhere/else.csv")
    (tmp_path / "sensors.yaml").write_text("task: regression\n")
    assert "did you mean" not in refused(tmp_path, "sensors.csv")


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    assert refused(tmp_path, "texts").startswith("data.path: texts is a folder; name one file")


def test_unknown_suffix(tmp_path: Path) -> None:
    (tmp_path / "data.xyz").write_text("text,label\na,1\n")
    assert "has a suffix that is not known" in refused(tmp_path, "data.xyz")
    assert len(load(tmp_path, "data.xyz", format="csv").need_table("text")) == 1


def test_a_file_for_every_split(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,1\nb,2\n")
    (tmp_path / "b.csv").write_text("label,text\n1,c\n")
    frame = load(tmp_path, {"train": "a.csv", "test": "b.csv"})
    assert frame.need_table("text")["text"].tolist() == ["a", "b", "c"]
    assert frame.split is not None
    assert frame.split.tolist() == ["train", "train", "test"]


def test_files_of_a_study_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,1\nb,2\n")
    (tmp_path / "b.csv").write_text("text\nc\n")
    assert refused(tmp_path, {"train": "a.csv", "test": "b.csv"}) == (
        "data.path: b.csv lacks label, which a.csv has"
    )
