from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gru_tune.values import Choice, Domain, Float, Int

UNITS = st.floats(0, 1)
LOW = st.floats(1e-6, 100)
SPAN = st.floats(0, 1000)


@st.composite
def ints(draw: st.DrawFn) -> Int:
    low = draw(st.integers(1, 200))
    high = low + draw(st.integers(0, 500))
    return Int(low, high, draw(st.integers(1, 7)), draw(st.booleans()))


@st.composite
def floats(draw: st.DrawFn) -> Float:
    low = draw(LOW)
    high = low + draw(SPAN)
    step = draw(st.none() | st.sampled_from([0.01, 0.1, 0.25, 1.0]))
    assume(step is None or (high - low) / step < 100)
    return Float(low, high, step, draw(st.booleans()) if step is None else False)


CHOICES = st.lists(st.integers(-5, 50), min_size=1, max_size=8, unique=True).map(lambda o: Choice(tuple(o)))
DOMAINS = st.one_of(CHOICES, ints(), floats())


@given(DOMAINS, UNITS)
def test_every_unit_is_a_value_and_comes_back(domain: Domain, unit: float) -> None:
    value = domain.from_unit(unit)
    assert domain.contains(value)
    again = domain.from_unit(domain.to_unit(value))
    assert again == pytest.approx(value, rel=1e-9)
    assert 0 <= domain.to_unit(value) <= 1 or domain.to_unit(value) == pytest.approx(
        round(domain.to_unit(value))
    )


@given(DOMAINS)
def test_values_are_size_distinct_members_that_come_back_exactly(domain: Domain) -> None:
    assume(domain.size < 300)
    values = domain.values()
    assert len(values) == len(set(values)) == domain.size
    assert all(domain.contains(value) for value in values)
    assert all(domain.from_unit(domain.to_unit(value)) == value for value in values)


@given(ints() | floats(), UNITS, UNITS)
def test_ranges_keep_the_order(domain: Int | Float, a: float, b: float) -> None:
    low, high = domain.from_unit(min(a, b)), domain.from_unit(max(a, b))
    assert low <= high


@given(DOMAINS)
def test_config_words_rebuild_the_domain(domain: Domain) -> None:
    words = domain.to_config()
    word = next(iter(words))
    ends = words.pop(word)
    assert isinstance(ends, list)
    if word == "choice":
        rebuilt: Domain = Choice(tuple(ends))
    elif word == "int":
        rebuilt = Int(*ends, **words)  # type: ignore[arg-type]
    else:
        rebuilt = Float(*ends, **({"log": True} if word == "log" else words))  # type: ignore[arg-type]
    assert rebuilt == domain


def test_stepped_floats_reach_their_maximum() -> None:
    """Guards the end of a range that binary fractions miss: 0.5 / 0.1 is 4.999…."""
    domain = Float(0.0, 0.5, step=0.1)
    assert domain.values() == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert domain.from_unit(1.0) == 0.5


def test_the_ends_of_a_log_range_are_as_likely_as_their_neighbours() -> None:
    domain = Int(1, 8, log=True)
    drawn = [domain.from_unit(k / 10_000) for k in range(10_001)]
    assert set(drawn) == set(range(1, 9))
    assert drawn.count(1) > drawn.count(2) > drawn.count(4) > drawn.count(8) > 0
    assert drawn.count(8) / drawn.count(7) == pytest.approx(7 / 8, rel=0.05)


def test_log_floats_are_even_in_the_exponent() -> None:
    assert Float(1e-4, 1e-2, log=True).from_unit(0.5) == pytest.approx(1e-3)
    assert Float(1e-4, 1e-2, log=True).to_unit(1e-3) == pytest.approx(0.5)


def test_choices_tell_true_from_one() -> None:
    domain = Choice((1, True))
    assert domain.size == 2
    assert not Choice((1,)).contains(True)
    assert not Int(0, 1).contains(True)
    assert not Float(0, 1).contains(True)
    assert not Float(0, 1).contains("x")


def test_sizes() -> None:
    assert Int(1, 10, 4).values() == (1, 5, 9)
    assert Float(0.0, 1.0).size == math.inf
    assert Float(2.0, 2.0).values() == (2.0,)
    with pytest.raises(ValueError, match="no list of values"):
        Float(0.0, 1.0).values()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Choice(()), "at least one value"),
        (lambda: Choice((1, 2, 1)), "1 is listed twice"),
        (lambda: Int(3, 1), "is empty"),
        (lambda: Int(1, 3, 0), "at least 1"),
        (lambda: Int(0, 3, log=True), "begin at 1"),
        (lambda: Float(0.0, math.inf), "finite"),
        (lambda: Float(1.0, 0.0), "is empty"),
        (lambda: Float(0.0, 1.0, step=0.0), "above 0"),
        (lambda: Float(0.0, 1.0, log=True), "begin above 0"),
        (lambda: Float(0.1, 1.0, step=0.1, log=True), "takes no step"),
    ],
)
def test_no_bad_domain_exists(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()
