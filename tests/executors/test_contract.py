"""What every place where jobs run must do: this process, worker processes, a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gru_tune.executors.base import Executor
from gru_tune.executors.in_process import InProcess
from gru_tune.executors.local import Local
from gru_tune.executors.worker import Start
from tests.executors import standins

PLACES: dict[str, Callable[[], Executor]] = {
    "in_process": lambda: InProcess(standins.train),
    "local": lambda: Local(standins.train, [Start(), Start()]),
}


@pytest.fixture(params=[*PLACES, "ray"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    place = request.getfixturevalue("on_ray") if request.param == "ray" else PLACES[request.param]()
    yield place
    place.close(kill=True)


@pytest.mark.slow
def test_contract(executor: Executor, tmp_path: Path) -> None:
    """One test, because starting processes is what takes its time."""
    assert executor.slots >= 1
    assert executor.progress() == []
    outcome = executor.submit(standins.job(tmp_path, 3, seed=500)).result(60)
    assert (outcome.trial, len(outcome.epochs), outcome.epochs[0].validation["accuracy"]) == (3, 2, 0.5)
    assert executor.progress() == []
    error = executor.submit(standins.job(tmp_path, 4, seed=13)).exception(60)
    assert isinstance(error, ValueError)
    assert str(error) == "thirteen"
    assert executor.call(len, "four").result(60) == 4
    assert executor.submit(standins.job(tmp_path, 5)).result(60).trial == 5
    executor.close()
    executor.close(kill=True)  # closing twice is allowed
