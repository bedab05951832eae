from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from gru_tune.knobs import Knob, table
from gru_tune.language import KNOB_ERROR, Strict, given, is_given, tunable, tunable_schema, with_knobs
from gru_tune.language.conditional import Conditional
from gru_tune.language.tunable import Bad, read, write
from gru_tune.values import Choice, Float, Int

KNOBS = table()


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("depth", 2, 2),
        ("dropout", 0, 0.0),
        ("clip_norm", None, None),
        ("cell", "lstm", "lstm"),
        ("depth", {"int": [1, 3]}, Int(1, 3)),
        ("units", {"int": [16, 64], "step": 16}, Int(16, 64, 16)),
        ("units", {"int": [16, 64], "log": True}, Int(16, 64, log=True)),
        ("units", {"log": [1, 64]}, Int(1, 64, log=True)),
        ("learning_rate", {"log": [1e-4, 1]}, Float(1e-4, 1.0, log=True)),
        ("learning_rate", {"float": [1e-4, 1], "log": True}, Float(1e-4, 1.0, log=True)),
        ("dropout", {"float": [0, 0.5], "step": 0.1}, Float(0.0, 0.5, 0.1)),
        ("dropout", {"float": [0.1, 0.2], "log": False}, Float(0.1, 0.2)),
        ("warmup", {"int": [0, 5]}, Int(0, 5)),
        ("dropout", {"choice": [0, 0.5]}, Choice((0.0, 0.5))),
        ("clip_norm", {"choice": [None, 1]}, Choice((None, 1.0))),
        ("bidirectional", {"choice": [True, False]}, Choice((True, False))),
        ("depth", {"int": [2, 2]}, Int(2, 2)),
        ("units", [64, {"choice": [8, 16]}], (64, Choice((8, 16)))),
        ("depth", {"int": [1, 3], "when": {"cell": "gru"}}, Conditional(Int(1, 3), {"cell": ("gru",)})),
        (
            "dropout",
            {"choice": [0.1], "when": {"depth": [2, 3], "clip_norm": None}},
            Conditional(Choice((0.1,)), {"depth": (2, 3), "clip_norm": (None,)}),
        ),
        (
            "units",
            [{"log": [1, 64], "when": {"cell": "gru"}}],
            (Conditional(Int(1, 64, log=True), {"cell": ("gru",)}),),
        ),
    ],
)
def test_good_words(name: str, raw: Any, expected: Any) -> None:
    found = read(KNOBS[name], raw)
    assert found == expected
    assert type(found) is type(expected)
    assert read(KNOBS[name], write(found)) == found
    jsonschema.validate(raw, tunable_schema.schema(KNOBS[name]))


@pytest.mark.parametrize(
    ("name", "raw", "problems"),
    [
        ("depth", "2", [((), "write 2, without quotes")]),
        ("depth", 17, [((), "1 to 16, got 17")]),
        ("depth", True, [((), "got true")]),
        ("clip_norm", float("inf"), [((), "got inf")]),
        ("optimizer", "Adm", [((), "did you mean 'adam'?")]),
        ("depth", [1, 2], [((), "write {choice: [...]}")]),
        ("units", [], [((), "an entry a layer")]),
        ("depth", {}, [((), "an empty mapping is no space")]),
        ("depth", {"choise": [1]}, [(("choise",), "did you mean 'choice'?")]),
        ("depth", {"int": [1, 3], "choice": [1]}, [((), "got choice and int; keep one")]),
        ("depth", {"choice": 1}, [(("choice",), "expected a list of values, got 1")]),
        ("depth", {"choice": []}, [(("choice",), "nothing to choose")]),
        ("dropout", {"choice": [0, 0.0]}, [(("choice", 1), "0.0 is listed twice")]),
        ("depth", {"choice": [0, "a", 1], "step": 1}, [
            (("step",), "unknown key beside choice"), (("choice", 0), "got 0"), (("choice", 1), "got 'a'"),
        ]),
        ("depth", {"choice": [{"int": [1, 2]}]}, [(("choice", 0), "got a mapping")]),
        ("cell", {"log": [1, 2]}, [(("log",), "a range needs numbers")]),
        ("depth", {"float": [1, 2]}, [(("float",), "use int: [a, b]")]),
        ("warmup", {"int": [0.5, 2]}, [(("int", 0), "use float: [a, b]")]),
        ("depth", {"int": [1]}, [(("int",), "got a list of 1")]),
        ("depth", {"int": 3}, [(("int",), "got 3")]),
        ("depth", {"int": [None, 30]}, [(("int", 0), "got nothing"), (("int", 1), "got 30")]),
        ("depth", {"int": [3, 1], "stp": 1}, [(("stp",), "did you mean 'step'?"), (("int",), "int: [1, 3]")]),
        ("depth", {"int": [1, 3], "step": 9}, [(("step",), "larger than the range")]),
        ("depth", {"int": [1, 3], "step": 0}, [(("step",), "above 0, got 0")]),
        ("dropout", {"float": [0.0, 0.5], "step": 1e-9}, [(("step",), "more than 100,000 values")]),
        ("dropout", {"float": [0.1, 0.5], "step": 0.1, "log": True}, [(("step",), "takes no step")]),
        ("l2", {"float": [0, 0.1], "log": True}, [(("float", 0), "begin above 0")]),
        ("l2", {"log": [0.1, 1], "step": 0.1}, [(("step",), "takes no step")]),
        ("l2", {"log": True}, [(("log",), "got true; write log: [a, b]")]),
        ("depth", {"step": 2}, [((), "a step needs a range")]),
    ],
)  # fmt: skip
def test_bad_words(name: str, raw: Any, problems: list[tuple[Any, str]]) -> None:
    with pytest.raises(Bad) as caught:
        read(KNOBS[name], raw)
    found = caught.value.problems
    assert [problem.path for problem in found] == [path for path, _ in problems]
    for problem, (_, words) in zip(found, problems, strict=True):
        assert words in problem.message


WORDS = st.sampled_from(["choice", "int", "float", "log", "step", "x"])
PLAIN = (
    st.none() | st.booleans() | st.integers(-5, 70) | st.floats(-1, 2) | st.sampled_from(["adam", "gru", "3"])
)
RAW = st.recursive(
    PLAIN, lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3), max_leaves=6
)


@draws(st.sampled_from(list(KNOBS.values())), RAW)
@settings(max_examples=300)
def test_whatever_is_said_is_read_or_refused(knob: Knob, raw: Any) -> None:
    try:
        found = read(knob, raw)
    except Bad:
        return
    assert read(knob, write(found)) == found
    jsonschema.validate(json.loads(json.dumps(raw)), tunable_schema.schema(knob))
    values = found.values() if isinstance(found, Choice | Int) and found.size < 100 else ()
    assert all(tunable.problem(knob, value) is None for value in values)


class Base(Strict):
    """A section with a static key."""

    path: str = Field(description="where")


Section = with_knobs(Base, [KNOBS[name] for name in ("units", "depth", "patience", "min_delta")])


def test_with_knobs_keeps_the_static_keys() -> None:
    section = Section.model_validate({"path": "x", "depth": {"int": [1, 2]}})
    assert isinstance(section, Base)
    assert section.path == "x"
    assert given(section, KNOBS["depth"]) == Int(1, 2)
    assert given(section, KNOBS["units"]) == 64
    assert given(section, KNOBS["patience"]) == 5
    assert is_given(section, KNOBS["depth"])
    assert not is_given(section, KNOBS["units"])
    assert not is_given(section, KNOBS["patience"])


@pytest.mark.parametrize(
    ("raw", "patience"), [(False, None), (None, None), (True, 5), ({"patience": 2}, 2), ({}, 5)]
)
def test_groups_can_be_switched_off(raw: object, patience: int | None) -> None:
    section = Section.model_validate({"path": "x", "early_stopping": raw})
    assert given(section, KNOBS["patience"]) == patience


def test_all_problems_travel_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Section.model_validate({"path": 3, "units": [0, {"choice": ["a", "b"]}], "more": 1})
    errors = caught.value.errors()
    (knob,) = (error for error in errors if error["type"] == KNOB_ERROR)
    assert knob["loc"] == ("units",)
    assert [p.path for p in knob["ctx"]["problems"]] == [(0,), (1, "choice", 0), (1, "choice", 1)]
    assert {error["type"] for error in errors} == {KNOB_ERROR, "string_type", "extra_forbidden"}


def test_sections_do_not_change() -> None:
    section = Section.model_validate({"path": "x"})
    with pytest.raises(ValidationError):
        section.path = "y"  # type: ignore[misc]


def test_schema_of_a_section() -> None:
    schema = Section.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert check(
        {"path": "x", "units": [8, {"int": [4, 8]}], "early_stopping": {"patience": {"choice": [3, None]}}}
    )
    assert check({"path": "x", "early_stopping": False})
    assert not check({"path": "x", "depth": 17})
    assert not check({"path": "x", "depth": {"int": [0, 3]}})
    assert not check({"path": "x", "depth": {"float": [1, 3]}})
    assert not check({"path": "x", "early_stopping": {"patience": 0}})
    assert schema["properties"]["depth"]["description"] == "stacked recurrent layers [layers]"
    assert schema["properties"]["depth"]["default"] == 1
