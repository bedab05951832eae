from __future__ import annotations

import dataclasses

import pytest

from gru_tune.knobs import SECTIONS, Knob, Settings, possible, settle, table
from gru_tune.values import Choice, Float, Int

KNOBS = list(table().values())
IDS = [knob.name for knob in KNOBS]


@pytest.mark.parametrize("knob", KNOBS, ids=IDS)
def test_every_knob_is_whole(knob: Knob) -> None:
    assert knob.help
    assert knob.problem(knob.default) is None
    assert knob.type in (int, float, bool, str)
    assert bool(knob.options) == (knob.type is str)
    assert knob.type is not bool or not knob.bounds
    if knob.when is not None:
        parent = table()[knob.when.parent]
        assert parent.section == knob.section
        assert IDS.index(parent.name) < IDS.index(knob.name)
        default = parent.default
        assert isinstance(knob.when.test(default), bool)


@pytest.mark.parametrize("knob", [k for k in KNOBS if k.type in (int, float)], ids=lambda k: k.name)
def test_bounds_are_included_or_excluded_as_said(knob: Knob) -> None:
    for bound, inside in ((knob.low, True), (knob.high, True), (knob.above, False), (knob.below, False)):
        if bound is not None:
            assert (knob.problem(knob.type(bound)) is None) is inside
    if knob.low is not None:
        assert knob.problem(knob.low - 1)


def test_problems_in_words() -> None:
    knobs = table()
    assert knobs["depth"].problem(True) == "expected a whole number, 1 to 16, got True"
    assert knobs["depth"].problem(1.5)
    assert knobs["depth"].problem(None) == "expected a whole number, 1 to 16, got nothing"
    assert knobs["dropout"].problem("x") == "expected a number, at least 0, below 1, got 'x'"
    assert knobs["dropout"].problem(0) is None
    assert knobs["clip_norm"].problem(None) is None
    assert knobs["clip_norm"].expects == "a number, above 0 or null"
    assert knobs["bidirectional"].problem(1) == "expected true or false, got 1"
    assert knobs["cell"].problem("gruu") == "expected one of gru, lstm, rnn, got 'gruu'"


def test_coerce() -> None:
    assert isinstance(table()["dropout"].coerce(0), float)
    assert table()["clip_norm"].coerce(None) is None
    assert isinstance(table()["depth"].coerce(2), int)


def test_paths() -> None:
    assert table()["patience"].path == ("training", "early_stopping", "patience")
    assert table()["units"].path == ("model", "units")
    assert table()["window"].applies("timeline", "forecasting")
    assert not table()["window"].applies("text", "classification")
    assert not table()["pooling"].applies("tokens", "labelling")


def test_settle_defaults() -> None:
    assert settle({}) == Settings()
    settings = settle({name: knob.default for name, knob in table().items()})
    assert settings == Settings()


def test_settle_units() -> None:
    assert settle({"units": 8, "depth": 3}).model.units == (8, 8, 8)
    assert settle({"units_1": 8, "units_2": 16, "units_3": 32, "depth": 2}).model.units == (8, 16)
    assert settle({"units": 4, "units_2": 16, "depth": 3}).model.units == (4, 16, 4)


def test_settle_puts_every_knob_in_its_section() -> None:
    settings = settle({"window": 7, "dropout": 0.5, "patience": None})
    assert (settings.data.window, settings.model.dropout, settings.training.patience) == (7, 0.5, None)


def test_names_are_unique_across_sections() -> None:
    names = [field.name for owner in SECTIONS.values() for field in dataclasses.fields(owner)]
    assert len(names) == len(set(names)) == len(KNOBS)


def test_possible() -> None:
    assert possible(3) == (3,)
    assert possible(None) == (None,)
    assert possible(Choice(("a", "b"))) == ("a", "b")
    assert possible(Int(1, 3)) == (1, 2, 3)
    assert possible(Float(0.0, 1.0)) is None
    assert possible(Float(0.0, 1.0, step=0.5)) == (0.0, 0.5, 1.0)
