"""How long a search takes: the forecast, from a pace that is given and one that is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config, timing
from gru_tune.config import Config
from gru_tune.data.prepare import prepare
from gru_tune.errors import StudyError
from gru_tune.executors.in_process import InProcess
from gru_tune.learning.pace import Measured, Pace
from gru_tune.learning.volume import Volume
from gru_tune.study.aims import aims
from gru_tune.study.finals import AFTER

CONFIG = """\
task: classification
data: {kind: arrays, path: "builtin:digits"}
model: {units: {choice: [8, 16, 32, 64]}}
training: {batch_size: 64, epochs: 10, learning_rate: {log: [1e-4, 1e-1]}}
search: {strategy: random, trials: 20}
winner: {finalists: 2, seeds: 3}
"""


class Timed:
    """Stands in for the worker: every epoch takes ``times`` as long as the law says; the models are kept."""

    def __init__(self, times: float = 2.0, fails: bool = False) -> None:
        self.times, self.fails = times, fails
        self.units: list[int] = []

    def __call__(self, data: Path, settings: Any, *rest: Any) -> Measured:
        if self.fails:
            raise ValueError("no luck")
        self.units.append(settings.model.units[0])
        return Measured(0.1 * len(self.units), 0.1 * len(self.units) * self.times, 1.0, 3.0)


def load(folder: Path, *settings: str) -> Config:
    file = folder / "digits.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return config.load(file, settings)


@pytest.fixture(scope="module")
def data() -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return prepare(load(Path(folder))).dataset


def forecast(found: Config, data: Any, slots: int = 1, spent: float = 0.0) -> timing.Forecast:
    pace = Pace(Volume.of(data), "jax", ((0.1, 1.0),), 1.0)
    return timing.forecast(found, pace, data.info, slots, spent)


def measured(found: Config, data: Any, moment: Timed) -> Pace:
    own = InProcess(lambda job: None)  # type: ignore[arg-type, return-value]
    return timing.measure(found, data, Path(), aims(found, data.target), own, "jax", moment)


def test_the_largest_the_smallest_and_a_middling_model_are_timed(tmp_path: Path, data: Any) -> None:
    moment = Timed(times=2.0)
    found = measured(load(tmp_path), data, moment)
    assert (moment.units[:2], len(moment.units)) == ([64, 8], 3)
    assert [times for _, times in found.points] == pytest.approx([2.0] * 3)
    assert found.compiles == 3.0
    assert found.slowness == pytest.approx(2.0)


def test_few_minutes_are_not_spent_on_timing(tmp_path: Path, data: Any) -> None:
    moment = Timed()
    measured(load(tmp_path, "search.minutes=1e-12"), data, moment)
    assert moment.units == [64]


def test_a_model_that_cannot_be_timed_is_told(tmp_path: Path, data: Any) -> None:
    with pytest.raises(StudyError, match=r"no model could be timed \(ValueError: no luck\)"):
        measured(load(tmp_path), data, Timed(fails=True))


def test_configurations_are_drawn_from_what_is_accepted(tmp_path: Path) -> None:
    found = load(tmp_path)
    small = replace(found.space, accepts=lambda values: values["units"] == 8)
    assert {one.model.units for one in timing.drawn(found)} == {(8,), (16,), (32,), (64,)}
    assert {one.model.units for one in timing.drawn(replace(found, space=small))} == {(8,)}
    assert timing.drawn(found) == timing.drawn(found)


def test_where_almost_nothing_is_accepted_what_is_left_stands_for_the_space(tmp_path: Path) -> None:
    many = "model.units={int: [1, 4000]}", "training.epochs={int: [1, 50]}"
    found = load(tmp_path, "training.learning_rate=0.01", *many)
    one = replace(found.space, accepts=lambda values: values == {"units": 2345, "epochs": 6})
    drawn = timing.drawn(replace(found, space=one))
    assert {(each.model.units, each.training.epochs) for each in drawn} == {((2345,), 6)}


def test_a_forecast_of_trials_and_of_time_agree(tmp_path: Path, data: Any) -> None:
    whole = forecast(load(tmp_path), data)
    assert whole.trials is None
    assert whole.space is None  # endless
    assert whole.asked is not None
    assert AFTER < whole.finals < whole.asked
    enough = forecast(load(tmp_path, f"search.minutes={whole.asked / 60 * 1.01}"), data)
    assert enough.trials == 20
    half = forecast(load(tmp_path, f"search.minutes={whole.asked / 120}"), data)
    assert half.trials is not None
    assert 1 < half.trials < 14
    late = forecast(load(tmp_path, f"search.minutes={whole.asked / 120}"), data, spent=whole.asked / 4)
    assert late.trials is not None
    assert late.trials < half.trials


def test_workers_share_the_work(tmp_path: Path, data: Any) -> None:
    one, two = (forecast(load(tmp_path, "winner.finalists=0"), data, slots) for slots in (1, 2))
    assert one.asked is not None
    assert two.asked is not None
    assert (one.asked - AFTER) / (two.asked - AFTER) == pytest.approx(2, rel=0.2)
    assert two.epoch == one.epoch


def test_repeats_and_stoppers_count(tmp_path: Path, data: Any) -> None:
    def asked(*settings: str) -> float:
        found = forecast(load(tmp_path, "winner.finalists=0", "training.epochs=27", *settings), data).asked
        assert found is not None
        return found - AFTER

    many = "training.epochs=500"  # so that compiling hardly counts
    assert asked(many, "search.repeats=3") == pytest.approx(3 * asked(many), rel=0.1)
    assert asked("search.strategy=hyperband", "search.factor=3") < 0.8 * asked()


def test_what_is_said_of_a_forecast(tmp_path: Path) -> None:
    def said(forecast: timing.Forecast, *settings: str) -> list[str]:
        return list(forecast.sentences(load(tmp_path, *settings)))

    assert said(timing.Forecast(None, 100.0, None, 30.0, 1.0)) == [
        "20 trials of all epochs would take about 1 min 40 s, 30 s of them for the finals and the test"
    ]
    assert said(timing.Forecast(7, 100.0, None, 30.0, 1.0), "search.minutes=1") == [
        "20 trials of all epochs would take about 1 min 40 s, 30 s of them for the finals and the test",
        "about 7 trials fit into the 1 min",
    ]
    finite = ("training.learning_rate=0.01", "search.minutes=5")
    assert said(timing.Forecast(3, 100.0, 120.0, 0.0, 1.0), *finite, "search.trials=3") == [
        "3 trials of all epochs would take about 1 min 40 s",
        "all of them fit into the 5 min",
        "the whole space, 4 configurations, would take 2 min 0 s",
    ]
