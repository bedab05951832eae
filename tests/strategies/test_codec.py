"""Configurations in keras-tuner's form and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru_tune.space import Hyperparameter, Space
from gru_tune.strategies._codec import decode, encode, index_size
from gru_tune.values import Choice, Domain, Float, Int, Scalar
from tests.strategies.strategy_cases import LAYERS, MIXED

DOMAINS: dict[str, Domain] = {
    "choice": Choice(("a", "b", "c")),
    "none": Choice((None, 1, 2.5)),
    "truths": Choice((True, False)),
    "truth and number": Choice((1, "1", True)),
    "int": Int(3, 20, step=4),
    "log int": Int(8, 512, log=True),
    "wide log int": Int(1, 100_000, step=7, log=True),
    "one log int": Int(5, 5, log=True),
    "tenths": Float(0.0, 0.5, step=0.1),
    "twentieths": Float(0.15, 0.5, step=0.05),
    "one float": Float(0.3, 0.3),
}


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_every_value_comes_back_in_its_own_type(domain: Domain) -> None:
    where = Space((Hyperparameter("x", domain),))
    for value in list(domain.values())[:5000]:
        back = decode(where, encode(where, {"x": value}))["x"]
        assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("domain", [d for d in DOMAINS.values() if index_size(d)], ids=str)
def test_every_index_is_another_value(domain: Domain) -> None:
    where = Space((Hyperparameter("x", domain),))
    decoded: list[Scalar] = [decode(where, {"x": index})["x"] for index in range(index_size(domain) or 0)]
    assert decoded == list(domain.values())


@pytest.mark.parametrize("domain", [Float(-2.0, 7.3), Float(1e-5, 1e-1, log=True)], ids=str)
@settings(derandomize=True)
@given(unit=st.floats(0, 1))
def test_unstepped_floats_come_back_to_the_last_bit(domain: Float, unit: float) -> None:
    where = Space((Hyperparameter("x", domain),))
    value = json.loads(json.dumps(domain.from_unit(unit)))
    assert decode(where, encode(where, {"x": value})) == {"x": value}


def test_a_draw_just_outside_is_brought_in() -> None:
    """``low * (high / low) ** 1`` can be above ``high`` in the last bit."""
    where = Space((Hyperparameter("x", Float(1e-5, 1e-1, log=True)),))
    assert decode(where, {"x": 0.10000000000000002}) == {"x": 0.1}


@pytest.mark.parametrize("where", [LAYERS, MIXED])
@settings(derandomize=True)
@given(data=st.data())
def test_only_what_is_in_force_is_decoded(where: Space, data: st.DataObject) -> None:
    units = {hp.name: data.draw(st.floats(0, 1)) for hp in where.hyperparameters}
    values = where.restrict({hp.name: hp.domain.from_unit(units[hp.name]) for hp in where.hyperparameters})
    raw = encode(where, values)
    assert set(raw) == {hp.name for hp in where.hyperparameters}
    assert list(decode(where, raw).items()) == list(values.items())
