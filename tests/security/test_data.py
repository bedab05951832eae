"""Data files that somebody made to hang, to fill the memory, or to run code; and those that fuzzing has found."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.fuzzing.targets import TARGETS
from gru_tune import bounds, kinds, sources
from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from tests.security.files import Section, pipe, read, within, zip_bomb


def refused(file: Path) -> str:
    with within(20), pytest.raises(DataError) as error:
        read(file)
    return str(error.value)


def understood(file: Path, task: str, **keys: Any) -> Any:
    section = kinds.KINDS[keys["kind"]].model_validate({"path": file.name, **keys})
    return kinds.read(section, read(file), task)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "npz"])
def test_a_pipe_is_refused_before_it_is_waited_for(suffix: str, tmp_path: Path) -> None:
    assert refused(pipe(tmp_path / f"data.{suffix}")) == (
        f"data.path: data.{suffix} is a pipe or a device; copy what it holds into a file, and name that"
    )


def test_a_link_to_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").symlink_to("/dev/zero")
    assert "is a pipe or a device" in refused(tmp_path / "data.csv")


@pytest.mark.parametrize("name", ["~nobody-of-this-name/a.csv", "a\0.csv", "x" * 300 + ".csv", "a.csv/b.csv"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"^data\.path: "):
        sources.existing(name, tmp_path)


def test_an_npz_that_unpacks_to_gigabytes_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    message = refused(zip_bomb(tmp_path / "data.npz"))
    assert message.startswith(
        "data.npz unpacks from 1.2 kB to 2 GB, as files do that are made to fill a memory"
    )
    assert message.endswith("if it is meant so, save it without compression (np.savez)")


def test_an_npz_whose_header_promises_more_than_follows_is_refused(tmp_path: Path) -> None:
    for name, shape in (("large", (10**9,)), ("absurd", (10**14,)), ("beyond", (10**30,)), ("below", (-5,))):
        file = tmp_path / f"{name}.npz"
        with zipfile.ZipFile(file, "w") as archive, archive.open("x.npy", "w") as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "<f8", "fortran_order": False, "shape": shape}
            )
        assert f"{name}.npz " in refused(file)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_npz_packed_in_a_way_that_numpy_does_not_is_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w", method) as archive:
        archive.writestr("x.npy", b"")
    assert "is packed in another way than NumPy and Keras do" in refused(tmp_path / "data.npz")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


def test_no_pickle_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "objects.npz", x=np.array([Bomb()], dtype=object))
    np.save(tmp_path / "bare.npy", np.array([Bomb()], dtype=object))
    (tmp_path / "bare.npy").rename(tmp_path / "bare.npz")
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Bomb()))
    for name in ("objects", "bare", "plain"):
        assert refused(tmp_path / f"{name}.npz")
    assert not (tmp_path / "ran").exists()


def test_large_arrays_that_compress_well_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "data.npz", x=np.zeros((1000, 1000)))
    assert read(tmp_path / "data.npz").arrays["x"].shape == (1000, 1000)


def test_a_long_text_in_every_row_of_a_parquet_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = 20_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"text": text}), tmp_path / "data.parquet", store_schema=False)
    message = refused(tmp_path / "data.parquet")
    assert (
        " to 1.86 GB, as files do that are made to fill a memory; if it is meant so, save it as csv"
        in message
    )


def test_a_parquet_of_many_millions_of_equal_rows_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"c": np.zeros(60_000_000, np.int8)}), tmp_path / "data.parquet")
    assert "would be a table of 60,000,000 rows and 1 columns, of which its" in refused(
        tmp_path / "data.parquet"
    )


def test_a_parquet_with_bytes_that_are_no_text_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken = pa.array([b"2024-\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"time": broken}), tmp_path / "data.parquet")
    assert refused(tmp_path / "data.parquet").startswith("data.parquet cannot be read as parquet (")


def test_a_header_of_many_columns_over_many_short_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(",".join(f"c{n}" for n in range(5000)) + "\n" + "1\n" * 20_000)
    assert refused(tmp_path / "data.csv") == (
        "data.csv would be a table of 20,001 rows and 5,000 columns, of which its 67.3 kB fill only a few; "
        "split it by its columns"
    )


def test_objects_that_have_no_key_in_common_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text("".join(f'{{"k{n}":1}}\n' for n in range(10_000)))
    assert "would be a table of 10,000 rows and 10,000 columns" in refused(tmp_path / "data.jsonl")


def test_names_of_many_columns_are_compared_in_no_time(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(50_000))
    (tmp_path / "data.csv").write_text(f"{names}\n{'1,' * 49_999}1\n")
    with within(15):
        assert read(tmp_path / "data.csv").need_table("wide").shape == (1, 50_000)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_json_that_is_nested_too_deeply_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(text)
    assert refused(tmp_path / "data.jsonl").endswith("not JSON (nested too deeply)")


def test_half_a_character_in_json_becomes_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"text":"a\\ud800b","k\\udfff":["\\ud83d\\ude00"]}\n{"text":"c"}\n')
    table = read(tmp_path / "data.jsonl").need_table("text")
    assert table["text"].tolist() == ["a\ufffdb", "c"]
    assert table["k\ufffd"][0] == ["\N{GRINNING FACE}"]


def test_utf_16_that_ends_in_the_middle_of_a_character_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"\xff\xfea\0,\0b")
    assert refused(tmp_path / "data.csv") == "data.csv begins as UTF-16 text and is none; save it as UTF-8"


def test_what_does_not_fit_into_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr(pd, "read_csv", full)
    assert refused(tmp_path / "data.csv").startswith("data.csv does not fit into the memory of this machine")


TIMES = {"kind": "timeline", "time": "time", "target": "value", "horizon": 1}


@pytest.mark.parametrize(
    "times",
    [
        ["0224-01-03", "0224-01-04", "9999-12-31"],
        ["2024-03-31T00:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"],
    ],
    ids=["beyond nanoseconds", "two time zones"],
)
def test_dates_of_all_kinds_are_read(times: list[str], tmp_path: Path) -> None:
    rows = "".join(f"{time},{n}\n" for n, time in enumerate(times))
    (tmp_path / "data.csv").write_text(f"time,value\n{rows}")
    raw = understood(tmp_path / "data.csv", "forecasting", **TIMES)
    assert raw.lengths.tolist() == [3]
    assert (np.diff(raw.origin.stamps.values) > 0).all()


@pytest.mark.parametrize("year", ["20240", "-4000", "0000"])
def test_a_year_that_no_calendar_has_is_read_or_refused(year: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(f"time,value\n{year}-01-01,1\n{year}-01-02,2\n")
    assert TARGETS["csv"]((tmp_path / "data.csv").read_bytes(), tmp_path) is False


@pytest.mark.parametrize("digits", [30, 400, 4000])
def test_a_whole_number_of_hundreds_of_digits_is_none(digits: int, tmp_path: Path) -> None:
    small = digits == 30
    (tmp_path / "data.csv").write_text(f"time,value\n1,0.5\n2,{'9' * digits}\n")
    assert understood(tmp_path / "data.csv", "forecasting", **TIMES).y.known.tolist() == [True, small]
    (tmp_path / "data.jsonl").write_text(f'{{"time":1,"value":1}}\n{{"time":2,"value":{"9" * digits}}}\n')
    if small:
        assert understood(tmp_path / "data.jsonl", "forecasting", **TIMES).y.known.all()
    else:
        with pytest.raises(DataError, match=r"column 'value' of data.jsonl holds 9999"):
            understood(tmp_path / "data.jsonl", "forecasting", **TIMES)


def test_what_python_takes_for_a_number_and_pandas_does_not_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("time,value\n1,1_000\n2,2\n")
    with pytest.raises(DataError, match=r"holds '1_000'$"):
        understood(tmp_path / "data.csv", "forecasting", **TIMES)


def test_lists_in_the_place_of_names_are_refused(tmp_path: Path) -> None:
    rows = [{"id": {"a": 1}, "time": n, "value": n, "text": ["a"] * n} for n in range(4)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match=r"data.series: column 'id' of data.jsonl holds lists"):
        understood(tmp_path / "data.jsonl", "regression", kind="series", series="id", target="value")
    pd.DataFrame(rows)[["text", "value"]].to_parquet(tmp_path / "data.parquet")
    with pytest.raises(DataError, match=r"data.text: column 'text' of data.parquet holds lists of tokens"):
        understood(tmp_path / "data.parquet", "regression", kind="text", text="text", target="value")


X, Y = np.zeros((3, 4, 2)), np.array([0, 1, 0])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.array(5.0), "y": Y}, "x must have an entry a sequence, got shape ()"),
        ({"x": X, "y": np.array(1)}, "y must have an entry a sequence, got shape ()"),
        ({"x": np.zeros((0, 4)), "y": np.zeros(0)}, "x holds nothing (its shape is (0, 4))"),
        ({"x": X, "y": Y, "lengths": np.array(3)}, "lengths must have an entry a sequence, got shape ()"),
        ({"x": X, "y": Y, "lengths": np.array(["1", "2", "3"])}, "lengths must be whole numbers, got <U1"),
        ({"x": X, "y": Y, "lengths": np.array([np.nan, 1, 2])}, "lengths must be whole numbers, got float64"),
        ({"x": X, "y": Y, "lengths": np.array([2**63, 1, 1], np.uint64)}, "lengths must be 1 to 4, got 1 to 2147483647"),
        ({"x": X, "y": Y, "split": np.zeros((3, 2))}, "split must have an entry a sequence, got shape (3, 2)"),
        ({"x_train": X, "y_train": np.array(1)}, "y and lengths must have an entry a sequence in every split"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_by_name(arrays: dict[str, Any], message: str) -> None:
    section = kinds.KINDS["arrays"].model_validate({"kind": "arrays", "path": "a.npz"})
    with pytest.raises(DataError) as error:
        kinds.read(section, Frame("a.npz", arrays=arrays), "classification")
    assert str(error.value) == f"a.npz: {message}"


def test_every_reader_looks_at_the_file_first() -> None:
    """``existing`` is the only way to a file, and it refuses what is none."""
    with pytest.raises(bounds.Refused, match=r"is a pipe or a device"):
        bounds.regular(Path("/dev/null"))
    with pytest.raises(bounds.Refused, match=r"is a folder"):
        bounds.regular(Path("/"))
    assert Section("a.csv").format == "auto"
