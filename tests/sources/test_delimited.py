from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError
from gru_tune.sources import read
from gru_tune.sources.delimited import bare_quotes, sniff
from tests.data.preparing import section


def load(folder: Path, text: str | bytes, name: str = "data.csv", **keys: object) -> Frame:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(section("text", target="label", path=name, **keys), folder)


def columns(frame: Frame) -> dict[str, list[object]]:
    return frame.need_table("text").to_dict("list")


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    frame = load(tmp_path, 'text,label\n"a, ""b""",1\n"two\nlines",2\n')
    assert columns(frame) == {"text": ['a, "b"', "two\nlines"], "label": [1, 2]}


def test_bare_quotes_swallow_no_rows(tmp_path: Path) -> None:
    """Standard quoting reads two rows of these four, and says nothing."""
    text = 'label\ttext\nham\t"oh\nspam\tb\nham\tc"\nham\td\n'
    frame = load(tmp_path, text, "data.tsv")
    assert columns(frame)["text"] == ['"oh', "b", 'c"', "d"]


def test_bare_quotes_in_a_csv(tmp_path: Path) -> None:
    frame = load(tmp_path, 'text,label\n"oh no,1\nfine,2\n')
    assert columns(frame)["text"] == ['"oh no', "fine"]


def test_quotes_can_be_told(tmp_path: Path) -> None:
    text = 'text,label\n"a",1\n"b",2\n'
    assert columns(load(tmp_path, text))["text"] == ["a", "b"]
    assert columns(load(tmp_path, text, quotes="none"))["text"] == ['"a"', '"b"']


def test_well_formed_quotes_are_not_bare() -> None:
    assert not bare_quotes('a,b\n"x ""y""",1\n"z",2\n', ",")
    assert not bare_quotes('a,b\n"x, ""y",1\n"z",2\n', ",")
    assert bare_quotes('a,b\n"x" said he,1\n', ",")


def test_header_one_name_short(tmp_path: Path) -> None:
    frame = load(tmp_path, '"text","label"\n"1","a",1\n"2","b",2\n', "data.txt")
    assert columns(frame) == {"text": ["a", "b"], "label": [1, 2]}
    assert "one name short" in frame.notes[0]


def test_first_column_without_a_name(tmp_path: Path) -> None:
    frame = load(tmp_path, ",text,label\n0,a,1\n1,b,2\n")
    assert list(columns(frame)) == ["text", "label"]
    assert "no name" in frame.notes[0]


def test_delimiters_at_the_end_of_rows(tmp_path: Path) -> None:
    assert columns(load(tmp_path, "text,label\na,1,\nb,2,\n")) == {"text": ["a", "b"], "label": [1, 2]}


def test_hash_in_a_column_name(tmp_path: Path) -> None:
    assert columns(load(tmp_path, "time,#Passengers\n1,5\n")) == {"time": [1], "#Passengers": [5]}


def test_na_may_be_a_word(tmp_path: Path) -> None:
    assert columns(load(tmp_path, "text,label\nNA,1\nnull,2\n"))["text"] == ["NA", "null"]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_byte_order_mark_and_windows_line_ends(tmp_path: Path, mark: bytes) -> None:
    assert columns(load(tmp_path, mark + b"text,label\r\na,1\r\n")) == {"text": ["a"], "label": [1]}


def test_utf_16(tmp_path: Path) -> None:
    assert columns(load(tmp_path, "text,label\ncafé,1\n".encode("utf-16")))["text"] == ["café"]


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    frame = load(tmp_path, "text,label\nplain,1\ncafé,2\n".encode("latin-1"))
    assert columns(frame)["text"] == ["plain", "café"]
    assert frame.notes == ("data.csv is not UTF-8 (line 3) and was read as Latin-1",)


@pytest.mark.parametrize(
    ("header", "mark"), [("a,b", ","), ("a;b;c", ";"), ("a\tb", "\t"), ("a|b", "|"), ("a", ",")]
)
def test_sniff(header: str, mark: str) -> None:
    assert sniff(header) == mark


def test_delimiter_can_be_told(tmp_path: Path) -> None:
    assert columns(load(tmp_path, "text:label\na:1\n", delimiter=":")) == {"text": ["a"], "label": [1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "data.csv is empty"),
        ("\n \n", "data.csv is empty"),
        ("text,label\n", "data.csv has a header but no rows"),
        ("text,label", "data.csv has a header but no rows"),
        ("text,label\n\n\n", "data.csv has a header but no rows"),
        ("text,label\na,1\nb,2,3\n", "data.csv line 3: 3 cells where the header has 2; put quotes"),
        ("text\na,1\n", "data.csv line 2: 2 cells where the header has 1; put quotes"),
        ('text,label\na,1\n"b,2\nc,d,3\n', "data.csv line 3: a quote is opened there and never closed"),
        ("a,b,a\n1,2,3\n", "data.csv has two columns 'a'; rename one"),
        (b"\x00\x01\x02", "data.csv is not a text file"),
    ],
)
def test_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as error:
        load(tmp_path, text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
