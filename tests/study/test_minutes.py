"""The minutes of a study, what became of the forecast, and whether the workers fit into memory."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config as configs
from gru_tune.learning import memory
from gru_tune.learning.pace import Measured, Pace
from gru_tune.learning.volume import Volume
from gru_tune.report import card, read
from gru_tune.study import log as logs
from gru_tune.study import room, study
from gru_tune.study.finals import Finals
from gru_tune.study.history import History
from gru_tune.study.log import Ended, Finished, Launch, Started, decode, encode
from gru_tune.study.loop import MINUTES
from gru_tune.study.minutes import Minutes, expected, verdict
from gru_tune.study.progress import FinalsCount
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.watch import Watcher
from gru_tune.trial import Epoch, Objective, Outcome, Status
from tests import standins

ACCURACY = Objective("accuracy", "max")
MEASURED = Measured(0.01, 0.02, 1.0, 0.5)


def minutes(folder: Path, *settings: str) -> Minutes:
    path = folder / "toy.yaml"
    path.write_text(standins.CONFIG, encoding="utf-8")
    return Minutes(configs.load(path, settings), {}, 1, began=1000.0)


def history(*events: Any) -> History:
    found = History(ACCURACY)
    for event in events:
        found.apply(event)
    return found


def launch(trial: int, time: float, repeat: int = 1) -> Launch:
    return Launch(trial, 1, {}, 1, 0, 3, False, time, repeat)


def finished(trial: int, time: float, cut: bool = False) -> Finished:
    epoch = Epoch(1, {}, {"accuracy": 0.5}, 0.1)
    return Finished(1, Outcome(trial, (epoch,), 5, 1.0, "plain", cut=cut), time)


def test_the_minutes_are_those_of_all_runs_from_the_start_of_the_program(tmp_path: Path) -> None:
    assert minutes(tmp_path).deadline(history()) is None
    asked = minutes(tmp_path, "search.minutes=2")
    assert asked.deadline(history()) == 1120.0
    before = history(
        Started(1, 10.0), launch(1, 15.0), finished(1, 35.0), Ended("over", None, 40.0), Started(1, 500.0)
    )
    assert asked.deadline(before) == 1090.0  # 30 s of the earlier run, what followed its search included


def test_minutes_that_are_over_stay_over(tmp_path: Path) -> None:
    ended = history(Started(1, 0.0), launch(1, 0.0), finished(1, 1.0), Ended(MINUTES, 2.0, 2.0))
    assert minutes(tmp_path, "search.minutes=2").over(ended) == MINUTES
    assert minutes(tmp_path, "search.minutes=3").over(ended) == ""
    assert minutes(tmp_path).over(ended) == ""
    ended.apply(launch(1, 3.0, repeat=2))  # a final is no search
    assert minutes(tmp_path, "search.minutes=2").over(ended) == MINUTES
    ended.apply(launch(2, 3.0))
    assert minutes(tmp_path, "search.minutes=2").over(ended) == ""
    assert minutes(tmp_path, "search.minutes=2").over(history(Ended("all done", None, 2.0))) == ""


def test_the_end_goes_through_the_log() -> None:
    event = Ended(MINUTES, 2.0, 3.0)
    assert decode(encode(event)) == event


def test_a_trial_that_was_cut_short_has_stopped_with_a_score() -> None:
    found = history(launch(1, 0.0), finished(1, 1.0, cut=True), launch(2, 1.0), finished(2, 2.0))
    assert [trial.status for trial in found.trials.values()] == [Status.STOPPED, Status.COMPLETED]
    assert found.told(1).score == 0.5  # type: ignore[union-attr]
    assert decode(encode(finished(1, 1.0, cut=True))) == finished(1, 1.0, cut=True)


def test_a_final_that_was_cut_short_does_not_count_and_is_due_again() -> None:
    search = launch(1, 0.0), finished(1, 1.0)
    final = replace(finished(1, 2.0), repeat=2)
    whole = history(*search, launch(1, 1.0, repeat=2), final)
    assert list(whole.finals()) == [1]
    short = replace(final, outcome=replace(final.outcome, cut=True))
    cut = history(*search, launch(1, 1.0, repeat=2), short)
    assert cut.finals() == {}
    assert list(Finals(1, 1).due(cut)) == [(1, 2)]
    assert Finals(1, 1, after=4.0).end(100.0) == 96.0
    assert FinalsCount([(1, 2)]).ended(cut.runs[1, 2]) == (
        "[finals 1/1]  trial 1 with another seed does not count: the minutes were over after epoch 1"
    )


def test_the_forecast_beside_the_truth(tmp_path: Path) -> None:
    forecast = {"trials": 34, "minutes": 10.0, "planned": 50}

    def told(forecast: dict[str, Any] | None, *settings: str) -> list[str]:
        asked = minutes(tmp_path, "search.minutes=10", "search.trials=50", *settings).config
        return list(verdict({"forecast": forecast, "trained": 31}, asked))

    assert told(forecast) == ["34 trials were expected to fit into the 10 min; 31 did"]
    assert told({**forecast, "trials": 31}) == []
    assert told({**forecast, "trials": None}) == []
    assert told(None) == []
    for other in ("search.minutes=20", "search.trials=60"):  # it was made for something else
        assert told(forecast, other) == []


def test_without_a_pace_nothing_is_foretold(tmp_path: Path) -> None:
    found = minutes(tmp_path, "search.minutes=2")
    assert (found.forecast(), found.head()) == (None, {})
    assert (found.epoch({"units": 3}), found.first_epoch(launch(1, 0.0))) == (None, 0.0)


def test_workers_that_do_not_fit_into_memory_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "gpus", lambda: ())
    monkeypatch.setattr(memory, "machine", lambda: 16_000_000_000)
    dataset = standins.prepare(None).dataset

    def told(*settings: str, workers: int = 4) -> list[str]:
        return list(
            room.doubts(minutes(tmp_path, "training.backend=jax", *settings).config, dataset, workers)
        )

    assert told() == []
    assert told("model.units={int: [8, 4096]}") == [
        "4 workers with the largest configuration (gru 4096 + 4096, batches of 32) may need 40 GB, and the "
        "machine's memory has 16 GB: take fewer --workers, or limit search.max_parameters (about 21 % of the space is "
        "too large, from about 60,000,000 parameters on)"
    ]
    assert told("model.units={int: [8, 4096]}", workers=1) == []
    assert told("model.units={int: [8, 8192]}", workers=1)[0].count(
        "16 GB: limit search.max_parameters, or take shorter sequences (about "
    )
    monkeypatch.setattr(memory, "machine", lambda: None)
    assert told("model.units={int: [8, 8192]}") == []


def test_on_a_gpu_its_own_memory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "gpus", lambda: ("0", "1"))
    monkeypatch.setattr(memory, "gpu", lambda: 4_000_000_000)
    dataset = standins.prepare(None).dataset
    asked = minutes(tmp_path, "training.backend=jax", "model.units={int: [8, 4096]}").config
    assert [text.split(":")[0] for text in room.doubts(asked, dataset, 2)] == [
        "1 worker with the largest configuration (gru 4096 + 4096, batches of 32) may need 10 GB, and the "
        "GPU's memory has 4 GB"
    ]


def moment(data: Path, settings: Any, *rest: Any) -> Measured:
    """Stands in for training a model for a moment; the data must lie in the folder."""
    assert (data / "info.json").exists()
    return MEASURED


class Ears(Watcher):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def search(folder: Path, *settings: str) -> tuple[StudyFolder, list[str]]:
    ears = Ears()
    config = minutes(folder, *settings).config
    parts = replace(standins.PARTS, moment=moment)
    return study.run(config, out=folder / "out", workers=0, watch=ears, parts=parts), ears.said


def test_a_search_foretells_and_is_measured_by_it(tmp_path: Path) -> None:
    folder, said = search(tmp_path, "search.minutes=10")
    assert "timing a few models" in said
    assert any(text.startswith("6 trials of all epochs would take about") for text in said)
    assert "all of them fit into the 10 min" in said
    assert not any("were expected to fit" in text for text in said)
    facts = read_json(folder.facts)
    assert (facts["forecast"]["trials"], facts["forecast"]["minutes"], facts["trained"]) == (6, 10.0, 6)
    record = logs.read(folder.log)
    assert record.header["pace"]["compiles"] == 0.5
    assert isinstance(record.events[-1], Ended)
    assert record.events[-1].minutes is None  # its trials ended it
    size = record.size
    _, again = search(tmp_path, "search.minutes=10")
    assert "timing a few models" not in again
    assert any(text.startswith("nothing is left to do in") for text in again)
    assert logs.read(folder.log).size == size


def test_a_forecast_of_another_number_of_trials_is_none_of_this_one() -> None:
    facts = {"planned": 12, "forecast": {"asked": 69.0, "planned": 12}}
    assert expected(facts) == 69.0
    assert expected({**facts, "planned": 50}) is None
    assert expected({"planned": 12}) is None


def test_the_minutes_of_earlier_runs_are_gone(tmp_path: Path) -> None:
    asked = minutes(tmp_path, "search.minutes=2", "search.trials=null", "model.units={int: [1, 40]}")
    dataset = standins.prepare(asked.config).dataset
    asked.info, asked.began = dataset.info, time.time()
    asked.pace = Pace.fit(Volume.of(dataset), "jax", [Measured(0.01, 1.0, 1.0, 0.5)])
    whole, rest = asked.forecast(), asked.forecast(before=60.0)
    assert whole is not None
    assert rest is not None
    assert (rest.trials or 0) < (whole.trials or 0)


def test_the_forecast_stays_that_of_the_first_start(tmp_path: Path) -> None:
    folder, _ = search(tmp_path, "search.minutes=10")
    first = read_json(folder.facts)["forecast"]
    _, more = search(tmp_path, "search.minutes=20", "search.trials=8")
    assert read_json(folder.facts)["forecast"] == first
    assert not any(text.startswith("forecast:") for text in more)


def test_the_card_tells_the_same_time_as_the_report(tmp_path: Path) -> None:
    folder, _ = search(tmp_path, "search.minutes=10")
    assert folder.card.read_text(encoding="utf-8") == card.text(read.study(folder.path))
    assert folder.card.stat().st_mtime >= logs.read(folder.log).events[-1].time


def test_the_same_minutes_train_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_SECONDS", "0.3")
    asked = ("search.trials=null", "search.minutes=0.05", "model.units={int: [30, 900]}")
    folder, _ = search(tmp_path, *asked)
    before = logs.read(folder.log)
    assert isinstance(before.events[-1], Ended)
    assert (before.events[-1].reason, before.events[-1].minutes) == (MINUTES, 0.05)
    _, said = search(tmp_path, *asked)
    assert said[-1] == f"nothing is left to do in {folder.path}: {MINUTES}"
    assert logs.read(folder.log).size == before.size
    search(tmp_path, *asked[::2], "search.minutes=0.1")
    assert logs.read(folder.log).size > before.size


def test_what_takes_too_long_is_never_tried(tmp_path: Path) -> None:
    config = minutes(tmp_path).config
    dataset = standins.prepare(config).dataset
    pace = Pace.fit(Volume.of(dataset), "jax", [MEASURED])
    seconds = {units: pace.epoch(config.settings({"units": units}), dataset.info) for units in range(1, 41)}
    limit = seconds[10]
    folder, _ = search(tmp_path, f"search.max_seconds_per_epoch={limit}", "model.depth=1")
    tried = [
        int(str(event.values["units"])) for event in logs.read(folder.log).events if isinstance(event, Launch)
    ]
    assert tried
    assert max(tried) <= 10
