"""A study that learns from the trials of an earlier one, with stand-ins for training."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gru_tune import config as configs
from gru_tune.data.prepare import Prepared
from gru_tune.errors import ConfigError
from gru_tune.study import log as logs
from gru_tune.study import study
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder, read_json, replace_json
from gru_tune.study.watch import Watcher
from tests import standins
from tests.report import builders

OLDER = standins.CONFIG.replace("[1, 40]", "[24, 80]").replace(
    "{epochs: 3}", "{epochs: 2, learning_rate: {log: [1e-4, 1e-2]}}"
)
NEWER = (
    standins.CONFIG.replace("strategy: random, trials: 6", "strategy: tpe, from: ../results/older, initial: 6, trials: 3")
    .replace("{epochs: 3}", "{epochs: 3, learning_rate: {log: [1e-4, 1e-2]}, momentum: 0.5}")
    .replace("[1, 40]", "[24, 55]")
)  # fmt: skip


class Ears(Watcher):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the results of an older study and the config of a new one."""
    older = tmp_path / "older.yaml"
    older.write_text(OLDER, encoding="utf-8")
    study.run(configs.load(older), out=tmp_path / "results", workers=0, parts=standins.PARTS)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "newer.yaml").write_text(NEWER, encoding="utf-8")
    return tmp_path


def run(place: Path, *settings: str, ears: Ears | None = None, parts: Any = standins.PARTS) -> StudyFolder:
    config = configs.load(place / "configs" / "newer.yaml", settings)
    return study.run(config, out=place / "results", workers=0, watch=ears, parts=parts)


def refusal(place: Path, *settings: str, parts: Any = standins.PARTS) -> str:
    """The message without file, line and number of problems."""
    with pytest.raises(ConfigError) as caught:
        run(place, *settings, parts=parts)
    return str(caught.value).splitlines()[0].split("search.from: ")[1]


def launches(folder: StudyFolder) -> list[dict[str, Any]]:
    return [e.values for e in logs.read(folder.log).events if isinstance(e, Launch)]


def test_what_lies_in_the_space_is_taken_and_what_differs_is_told(place: Path) -> None:
    ears = Ears()
    folder = run(place, ears=ears)
    older = launches(StudyFolder(place / "results" / "older"))
    inside = [values for values in older if values["units"] <= 55]
    assert 0 < len(inside) < 6
    assert [text for text in ears.said if text.startswith("learning")] == [
        f"learning from {len(inside)} of the 6 trials of ../results/older, the others lie outside the space of this one; "
        "training.momentum 0.0 there, 0.5 here; training.epochs 2 there, 3 here"
    ]
    known = logs.read(folder.log).header["known"]
    assert [values for values, _ in known] == inside
    assert all(score > 0 for _, score in known)


def test_they_are_no_trials_of_the_study(place: Path) -> None:
    folder = run(place)
    assert len(launches(folder)) == 3
    assert len(folder.table.read_text(encoding="utf-8").splitlines()) == 1 + 3 + 1  # and a baseline


def test_a_study_goes_on_without_the_earlier_one(place: Path) -> None:
    run(place, "name=whole", "search.trials=8")
    run(place, "search.trials=4")
    shutil.rmtree(place / "results" / "older")
    folder = run(place, "search.trials=8")
    assert launches(folder) == launches(StudyFolder(place / "results" / "whole"))


def test_known_trials_shorten_the_random_start(place: Path) -> None:
    """With as many known trials as ``initial``, none is drawn as a search at random would."""
    plain = run(place, "name=plain", "search.from=null", "search.initial=2")
    folder = run(place, "search.initial=2")
    assert launches(folder)[0] != launches(plain)[0]


def test_what_was_fixed_there_may_be_searched_here(place: Path) -> None:
    folder = run(place, "training.batch_size={choice: [16, 32]}", "training.optimizer={choice: [adam, sgd]}")
    known = logs.read(folder.log).header["known"]
    assert {values["batch_size"] for values, _ in known} == {32}
    assert {values["optimizer"] for values, _ in known} == {"adam"}


def test_what_was_searched_there_must_agree_with_what_is_fixed_here(place: Path) -> None:
    ears = Ears()
    folder = run(place, "model.depth=2", ears=ears)
    older = launches(StudyFolder(place / "results" / "older"))
    count = sum(values["depth"] == 2 and values["units"] <= 55 for values in older)
    assert 0 < count == len(logs.read(folder.log).header["known"])


def test_units_of_all_layers_and_of_each(place: Path) -> None:
    folder = run(place, "model.depth={int: [1, 2]}", "model.units=[{int: [24, 80]}, {int: [24, 80]}]")
    for values, _ in logs.read(folder.log).header["known"]:
        assert values["units_1"] == values.get("units_2", values["units_1"])


def test_failed_trials_are_known_to_have_failed(place: Path) -> None:
    run(place, "name=bad", "search.from=null", "model.units={choice: [20, 21]}", "model.depth=1")
    folder = run(place, "search.from=../results/bad", "model.units={choice: [20, 21, 30]}")
    scores = {values["units"]: score for values, score in logs.read(folder.log).header["known"]}
    assert scores[21] is None
    assert scores[20] is not None


class TestRefused:
    def test_no_study(self, place: Path) -> None:
        told = refusal(place, "search.from=nowhere")
        places = f"{place / 'configs' / 'nowhere'} and {Path.cwd() / 'nowhere'}"
        assert told == f"there is no study in {places}; name the folder that holds its trials.jsonl"

    def test_nothing_is_begun(self, place: Path) -> None:
        refusal(place, "search.from=nowhere")
        assert not (place / "results" / "newer" / "trials.jsonl").exists()

    def test_itself_before_anything_is_deleted(self, place: Path) -> None:
        run(place)
        config = configs.load(place / "configs" / "newer.yaml", ["search.from=../results/newer"])
        with pytest.raises(ConfigError, match="this study's own folder"):
            study.run(config, out=place / "results", workers=0, parts=standins.PARTS, fresh=True)
        assert (place / "results" / "newer" / "trials.jsonl").exists()

    def test_another_objective(self, place: Path) -> None:
        told = refusal(place, "search.objective=macro_f1")
        assert told == (
            "../results/older ranks its trials by accuracy, this search by macro_f1; write objective: accuracy, or leave from out"
        )

    def test_another_task(self, place: Path) -> None:
        log = place / "results" / "older" / "trials.jsonl"
        builders.changed(
            log, lambda line: {**line, "task": "regression"} if line["event"] == "study" else line
        )
        told = refusal(place)
        assert told == (
            "../results/older is a study of regression, this one is of classification; name another, or leave from out"
        )

    def test_other_values(self, place: Path) -> None:
        changed = dataclasses.replace(standins.PARTS, prepare=lambda c: standins.prepare(c, "changed"))
        assert refusal(place, parts=changed) == (
            "../results/older is a study of other data (the same columns with other values); name another, or leave from out"
        )

    def test_other_rows_and_columns(self, place: Path) -> None:
        facts = place / "results" / "older" / "study.json"
        replace_json(facts, {**read_json(facts), "facts": {"rows": 1024, "inputs": ["a", "b"]}})

        def prepare(config: Any) -> Prepared:
            return dataclasses.replace(
                standins.prepare(config, "changed"), facts={"rows": 24, "inputs": ["a"]}
            )

        told = refusal(place, parts=dataclasses.replace(standins.PARTS, prepare=prepare))
        assert "other data (rows 1,024 there, 24 here; inputs a and b there, a here)" in told

    def test_splits_of_another_seed(self, place: Path) -> None:
        """What trained or validated there could test here."""

        def prepare(config: Any) -> Prepared:
            found = standins.prepare(config)
            found.dataset.spans[:, 2] = found.dataset.spans[::-1, 2]
            return found

        parts = dataclasses.replace(standins.PARTS, prepare=prepare)
        told = refusal(place, "search.seed=5", parts=parts)
        assert "other data (the splits were drawn with search.seed 3 there, 5 here)" in told
        assert "the rows are divided into other splits" in refusal(place, parts=parts)

    def test_nothing_of_it_lies_in_the_space(self, place: Path) -> None:
        told = refusal(place, "model.units={int: [90, 99]}")
        reason = "none of the 6 trials of ../results/older lies in the space of this search"
        assert told == f"{reason}; name another, or leave from out"


def test_another_seed_is_no_hindrance_where_the_splits_are_the_same(place: Path) -> None:
    assert logs.read(run(place, "search.seed=5").log).header["known"]


def test_the_head_of_the_log_is_plain_json(place: Path) -> None:
    first = run(place).log.read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["known"]
