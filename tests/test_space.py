from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gru_tune.space import Condition, Hyperparameter, Space, key
from gru_tune.values import Choice, Domain, Float, Int


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Finite spaces of up to four hyperparameters, some depending on earlier ones."""
    found: list[Hyperparameter] = []
    for number in range(draw(st.integers(0, 4))):
        domain: Domain = draw(
            st.sampled_from(
                [Int(1, 3), Choice(("a", "b")), Float(0.0, 0.2, step=0.1), Choice((True, False)), Int(5, 5)]
            )
        )
        conditions = []
        for parent in draw(st.lists(st.sampled_from(found), max_size=2)) if found else ():
            values = parent.domain.values()
            passing = tuple(v for v in values if draw(st.booleans())) or values[:1]
            conditions.append(Condition(parent.name, passing))
        found.append(Hyperparameter(f"p{number}", domain, tuple(conditions)))
    return Space(tuple(found))


@given(spaces())
def test_the_grid_lists_size_distinct_configurations(space: Space) -> None:
    grid = list(space.grid())
    assert len(grid) == space.size
    assert len({key(values) for values in grid}) == len(grid)
    assert all(space.contains(values) for values in grid)


@given(spaces())
def test_restrict_keeps_what_is_in_force(space: Space) -> None:
    everything = {hp.name: hp.domain.values()[0] for hp in space.hyperparameters}
    values = space.restrict(everything)
    assert space.contains(values)
    assert space.restrict(values) == values


LAYERS = Space(
    (
        Hyperparameter("depth", Int(1, 2)),
        Hyperparameter("units_1", Choice((8, 16))),
        Hyperparameter("units_2", Choice((8, 16)), (Condition("depth", (2,)),)),
    )
)


def test_units_of_the_second_layer_do_not_exist_in_a_model_of_one() -> None:
    assert LAYERS.size == 2 + 4
    assert list(LAYERS.grid())[:3] == [
        {"depth": 1, "units_1": 8},
        {"depth": 1, "units_1": 16},
        {"depth": 2, "units_1": 8, "units_2": 8},
    ]
    assert not LAYERS.contains({"depth": 1, "units_1": 8, "units_2": 8})
    assert not LAYERS.contains({"depth": 2, "units_1": 8})
    assert not LAYERS.contains({"depth": 3, "units_1": 8})
    assert not LAYERS.contains({"depth": 1, "units_1": 8, "other": 1})


def test_the_last_hyperparameter_changes_fastest() -> None:
    space = Space((Hyperparameter("a", Int(1, 2)), Hyperparameter("b", Int(1, 2))))
    assert [tuple(v.values()) for v in space.grid()] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_an_empty_space_has_one_configuration() -> None:
    assert Space().size == 1
    assert list(Space().grid()) == [{}]
    assert Space().contains({})


def test_an_infinite_space_has_no_grid() -> None:
    space = Space((Hyperparameter("x", Float(0.0, 1.0)),))
    assert space.size == math.inf
    with pytest.raises(ValueError, match="no grid"):
        space.grid()


def test_a_child_of_a_child_is_out_of_force_with_its_parent() -> None:
    space = Space(
        (
            Hyperparameter("a", Choice(("x", "y"))),
            Hyperparameter("b", Choice((1, 2)), (Condition("a", ("x",)),)),
            Hyperparameter("c", Choice((3, 4)), (Condition("b", (1,)),)),
        )
    )
    assert space.size == 4
    assert space.restrict({"a": "y", "b": 1, "c": 3}) == {"a": "y"}


def test_names_and_parents_are_checked() -> None:
    with pytest.raises(ValueError, match="a is declared twice"):
        Space((Hyperparameter("a", Int(1, 2)), Hyperparameter("a", Int(1, 2))))
    with pytest.raises(ValueError, match="a depends on b, which comes later"):
        Space((Hyperparameter("a", Int(1, 2), (Condition("b", (1,)),)), Hyperparameter("b", Int(1, 2))))


def test_key_ignores_the_order() -> None:
    assert key({"a": 1, "b": None}) == key({"b": None, "a": 1})
    assert key({"a": 1}) != key({"a": True})
