"""Mutated files of every kind, a few hundred each: a reader raises its own error or none.

``python -m benchmarks.fuzz`` tries millions, by coverage.
"""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.mutation import mutated
from benchmarks.fuzzing.seeds import seeds
from benchmarks.fuzzing.targets import TARGETS

few = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutated_files_raise_nothing_else_than_they_may(name: str, tmp_path: Path) -> None:
    good = seeds(name)

    @few
    @given(st.sampled_from(good), st.integers(0, 2**32))
    def tried(raw: bytes, seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, about what it makes of nonsense
            TARGETS[name](mutated(raw, random.Random(seed)), tmp_path)

    tried()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_any_bytes_raise_nothing_else_than_they_may(name: str, tmp_path: Path) -> None:
    @few
    @given(
        st.binary(max_size=200)
        | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
    def tried(raw: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            TARGETS[name](raw, tmp_path)

    tried()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_files_that_are_mutated_are_good(name: str, tmp_path: Path) -> None:
    """Else nothing but the first lines of a reader would be tried."""
    assert [TARGETS[name](raw, tmp_path) for raw in seeds(name)] == [True] * len(seeds(name))
