"""The section of the config, and the sentence before the start."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gru_tune.space import Space
from gru_tune.strategies import STRATEGIES, describe
from gru_tune.strategies.base import SearchSection, derive
from tests.strategies.strategy_cases import EMPTY, LAYERS, MIXED, SMALL


@pytest.mark.parametrize(("name", "section"), STRATEGIES.items())
def test_sections(name: str, section: type[SearchSection]) -> None:
    assert section().strategy == name
    assert set(section.model_fields) >= section.BUDGET
    assert not {"strategy", "seed", "objective", "factor", "initial"} & section.BUDGET
    assert all(field.description for key, field in section.model_fields.items() if key != "strategy")
    assert section.__doc__


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trials", 0), ("trials", 2.0), ("trials", True), ("minutes", 0), ("minutes", float("inf")),
        ("seed", -1), ("keep", 0), ("retries", -1), ("max_failures", 0), ("tries", 3), ("strategy", "other"),
        ("hung_after", 1), ("memory_per_worker", "4"), ("memory_per_worker", "0GB"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("section", STRATEGIES.values())
def test_bad_values(section: type[SearchSection], key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        section.model_validate({key: value})


@pytest.mark.parametrize(
    ("name", "where", "keys", "sentence"),
    [
        ("grid", LAYERS, {}, "grid: 28 configurations"),
        ("grid", LAYERS, {"trials": 10}, "grid: 10 of the 28 configurations of the space"),
        ("random", MIXED, {}, "random: 20 configurations"),
        ("random", MIXED, {"trials": 1500}, "random: 1,500 configurations"),
        ("random", SMALL, {"trials": 4}, "random: 4 of the 15 configurations of the space"),
        ("random", SMALL, {}, "random: 15 configurations, all there are (20 trials were asked for)"),
        ("random", MIXED, {"trials": None}, "random: as many configurations as fit into the time"),
        ("grid", EMPTY, {}, "grid: 1 configuration"),
    ],
)
def test_describe(name: str, where: Space, keys: dict[str, object], sentence: str) -> None:
    assert describe(STRATEGIES[name].model_validate(keys), where, 10) == sentence


def test_limit() -> None:
    assert STRATEGIES["grid"]().limit(LAYERS) == 28
    assert STRATEGIES["random"]().limit(SMALL) == 15
    assert STRATEGIES["random"]().limit(MIXED) == 20
    assert STRATEGIES["random"](trials=None).limit(MIXED) is None


def test_derived_seeds_are_spread_and_never_zero() -> None:
    seeds = [derive(seed, "draw", number) for seed in range(30) for number in range(30)]
    assert len(set(seeds)) == 900
    assert min(seeds) > 0
    assert max(seeds) < 2**32
    gaps = [b - a for a, b in zip(sorted(seeds), sorted(seeds)[1:], strict=False)]
    assert min(gaps) > 10
