from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gru_tune.errors import ConfigError, Problem
from gru_tune.language import document
from gru_tune.language.document import KeyProblem, parse, read

SCALARS = [
    ("1e-4", 1e-4), ("1.e-3", 1e-3), ("1E5", 1e5), ("-.5", -0.5), ("3.", 3.0), ("+7", 7), ("010", 10),
    ("true", True), ("True", True), ("FALSE", False),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("Off", "Off"), ("y", "y"),
    ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("0o7", "0o7"), ("0x1F", "0x1F"), ("1_000", 1000), ("-500_000", -500_000), ("1__0", "1__0"), ("_1", "_1"), ("1_", "1_"), ("1_0.5", "1_0.5"),
    ("2020-01-01", "2020-01-01"), ("2020-01-01 10:00:00", "2020-01-01 10:00:00"), ("1.2.3", "1.2.3"),
    ("=", "="), ("~", None), ("null", None), ("", None), ("none", "none"),
    ('"1e-4"', "1e-4"), ("'true'", "true"), ('""', ""), ("!!str 5", "5"), ("!!float 3", 3.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars(text: str, value: object) -> None:
    found = parse(f"key: {text}", "c.yaml").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_infinities() -> None:
    data = parse("[.inf, -.INF, .NaN]", "c.yaml").data
    assert data[:2] == [float("inf"), -float("inf")]
    assert data[2] != data[2]


@pytest.mark.parametrize("word", ["yes", "no", "on", "off"])
def test_words_of_yaml_1_1_are_keys(word: str) -> None:
    assert parse(f"{word}: 1", "c.yaml").data == {word: 1}


def test_positions_of_keys_and_values() -> None:
    text = "task: x\nmodel:\n  units: [8, {choice: [1, 2]}]\n"
    doc = parse(text, "c.yaml")
    assert doc.locate(("task",)) == (1, 7)
    assert doc.locate(("task",), key=True) == (1, 1)
    assert doc.locate(("model", "units", 1, "choice", 1)) == (3, 27)
    assert doc.locate(("model", "units", 1, "choice"), key=True) == (3, 15)
    assert doc.locate(("model",)) == (2, 1)  # a block is found at its key
    assert doc.locate(("model", "depth")) == (2, 1)  # and so is what is missing in it
    assert doc.locate(("model", "units", 0, "int", 3)) == (3, 11)
    assert doc.locate(("data", "kind")) == (1, 1)


def test_merge_keys_and_aliases() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 9}\nd: *a\n"
    doc = parse(text, "c.yaml")
    assert doc.data["c"] == {"x": 9, "y": 2, "z": 4}
    assert doc.data["d"] == {"x": 1, "y": 2}
    assert doc.locate(("c", "x")) == (3, 22)
    assert doc.locate(("c", "z")) == (2, 17)
    assert parse('"<<": 1', "c.yaml").data == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<: 3", "<< takes a mapping or a list of mappings"),
        ("a: !thing 3", "the tag !thing does not fit here"),
        ("a: !!int x", "the tag !!int does not fit here"),
        ("a: !!set {x, y}", "the tag !!set does not fit here"),
        ("a: 1234567890123456789012", "the number is too large"),
        ('a: "\\ud800"', "half a character"),
        ("{? : 3}", "a key is empty"),
        ("~: 3", "the key ~ is not text"),
        ("{a: 1, b: 2, a: 3}", "the key 'a' is given twice, first at 1:2"),
    ],
)
def test_faults(text: str, message: str) -> None:
    faults = parse(text, "c.yaml").faults
    assert [message in fault.message for fault in faults] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a: "\\UFFFFFFFF"', "c.yaml: is not valid YAML"),
        ("a: b\x01", "c.yaml:1:5: the character U+0001 is not allowed"),
        ("a: `x`", "c.yaml:1:4: not valid YAML: a value that begins with ` must be quoted"),
        ("%YAML 9.0\n---\na: 1", "c.yaml:1:1: not valid YAML: found incompatible YAML document"),
        ("a:\n  b: 1\n c: 2", "c.yaml:3:2: not valid YAML: the indentation"),
        ("[" * 3000, "nested too deeply"),
        ("[" * 60 + "]" * 60, "nested more than 40 levels deep, and no config is"),
        ("x" * (document.MAX_BYTES + 1), "c.yaml: is larger than 256 kB"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.yaml")
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    with pytest.raises(ConfigError, match="there is no such file"):
        read(file)
    with pytest.raises(ConfigError, match="cannot be read: "):
        read(tmp_path)
    file.write_bytes("a: 1\nb: ü\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"c.yaml:2: is not UTF-8 text"):
        read(file)
    file.write_bytes(b"#" * (document.MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        read(file)
    file.write_bytes("\ufeffa: ü\r\n".encode())
    assert read(file).data == {"a": "ü"}


def test_render_sorts_and_counts() -> None:
    doc = parse("b: 1\na: {c: 2, c: 3}\n", "c.yaml")
    text = doc.render([Problem(("a", "c"), "bad c"), KeyProblem(("b",), "unknown"), Problem((), "all bad")])
    assert text.splitlines() == [
        "c.yaml:1:1: b: unknown",
        "c.yaml:1:1: all bad",
        "c.yaml:2:8: a.c: bad c",
        "c.yaml:2:11: the key 'c' is given twice, first at 2:5; keep one",
        "4 problems in c.yaml",
    ]
    assert parse("b: 1", "c.yaml").render([Problem(("b",), "bad")]).endswith("\n1 problem in c.yaml")


def test_set_replaces_and_labels() -> None:
    doc = parse("a: {b: 1, c: 2}", "c.yaml")
    changed = doc.set(("a", "b"), 5, "--set a.b=5").set(("n", "m"), 6, "--set n.m=6")
    assert changed.data == {"a": {"b": 5, "c": 2}, "n": {"m": 6}}
    assert doc.data == {"a": {"b": 1, "c": 2}}
    lines = changed.render([Problem(("a", "b"), "x"), Problem(("a", "c"), "y"), KeyProblem(("n",), "z")])
    assert lines.splitlines()[:3] == ["c.yaml:1:14: a.c: y", "--set n.m=6: n: z", "--set a.b=5: a.b: x"]
    with pytest.raises(ConfigError, match=r"--set a.b.x=1: a.b is not a mapping, so it has no key 'x'"):
        doc.set(("a", "b", "x"), 1, "--set a.b.x=1")


def test_commented() -> None:
    doc = parse("a: #b\nc:\nd: 1 # e\ne: [\n 1, #x\n]", "c.yaml")
    assert [doc.commented((key,)) for key in "acdx"] == [True, False, False, False]


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>'\"%@`#,?\n\t 1.<~\\", max_size=60))
@settings(max_examples=250, deadline=None)
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        doc = parse(text, "c.yaml")
    except ConfigError:
        return
    doc.render([Problem(("a", 0), "x")])


KEYS = st.text("abcdefgh_ -:#é'1", min_size=1, max_size=8)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("ab:# '\"", max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, TREES, max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_positions_point_at_the_key(data: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=1000)
    doc = parse(text, "c.yaml")
    assert doc.data == data
    lines = text.splitlines()
    for path, (line, column) in doc.keys.items():
        rest = lines[line - 1][column - 1 :]
        spelled = [str(path[-1]), "'" + str(path[-1]).replace("'", "''"), f'"{path[-1]}']
        assert rest.startswith((*spelled, "? "))
