"""Cross-validation in a study: which run trains on which fold, and whose model is handed over."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from gru_tune.errors import StudyError
from gru_tune.report import read, words
from gru_tune.study import log as logs
from gru_tune.study.finals import decide
from gru_tune.study.history import combined, repeats
from gru_tune.study.log import Launch
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.trial import Outcome
from tests import standins
from tests.study.studies import FINALS, config, in_pieces, proposals, rows, seeds, stopped_at
from tests.study.studies import run as run_study
from tests.study.test_finals import ACCURACY
from tests.study.test_finals import run as final

FOLDS = "data.split={folds: 3}"


def prepare(config: Any) -> Any:
    """Every fold has the same arrays, but a folder of its own."""
    found = standins.prepare(config)
    return dataclasses.replace(found, others=(found.dataset,) * (config.data.folds - 1))


def harder(job: Any) -> Outcome:
    """The later folds are easier, so that the best run of a trial is never of the first."""
    found = standins.train(job)
    ease = int(Path(job.data).name) / 10
    epochs = tuple(
        dataclasses.replace(e, validation={name: v + ease for name, v in e.validation.items()})
        for e in found.epochs
    )
    return dataclasses.replace(found, epochs=epochs)


PARTS = dataclasses.replace(standins.PARTS, prepare=prepare, train=harder)


def run(folder: Path, *settings: str, parts: Any = PARTS, **options: Any) -> StudyFolder:
    return run_study(folder, FOLDS, *settings, parts=parts, **options)


def test_every_trial_is_trained_on_every_fold_and_scored_by_the_mean(tmp_path: Path) -> None:
    trained = []

    def noting(job: Any) -> Outcome:
        trained.append((job.trial, int(Path(job.data).name), Path(job.folder).name))
        return harder(job)

    folder = run(tmp_path, "search.trials=2", parts=dataclasses.replace(PARTS, train=noting))
    assert trained == [(t, f, f"{t}-{f}" if f > 1 else f"{t}") for t in (1, 2) for f in (1, 2, 3)]
    found = read.study(folder.path)
    for trial in found.ranked:
        scores = [run.score for run in found.runs if run.number == trial.number and run.score is not None]
        assert trial.scores == tuple(scores)
        assert trial.score == pytest.approx(fmean(scores))
        assert trial.spread == pytest.approx(stdev(scores))
        assert trial.repeat == 1
    assert rows(folder)[0]["seconds_per_epoch"] == "0.01"  # of one training


@pytest.mark.parametrize("seeds_each", [1, 2])
def test_the_model_is_one_of_the_first_fold(tmp_path: Path, seeds_each: int) -> None:
    """Its preprocessing is that of the first fold, however good the model of another one is."""
    folder = run(tmp_path, f"search.repeats={seeds_each}")
    facts = read_json(folder.facts)
    assert facts["best_repeat"] in (1, 4)[:seeds_each]
    winner = rows(folder)[0]["trial"]
    assert folder.best.read_text(encoding="utf-8") == f"model of trial {winner}"
    kept = {path.name for path in folder.trials.iterdir()}
    assert all("-" not in name or name.endswith("-4") for name in kept)
    assert len(kept) == 2  # search.keep


def test_the_finals_go_through_the_folds(tmp_path: Path) -> None:
    folder = run(tmp_path, *FINALS)
    trained = seeds(folder)
    again = sorted(key for key in trained if key[1] > 3)
    assert [repeat for _, repeat in again] == [4, 5, 4, 5]
    assert len(set(trained.values())) == len(trained)
    facts = read_json(folder.facts)
    assert (facts["best_repeat"], facts["finals"]["repeat"]) == (4, 4)
    assert {member["repeat"] for member in facts["members"]} == {4}
    assert {path.name for path in folder.trials.iterdir()} >= {f"{t}-4" for t, r in again if r == 4}
    assert not any(path.name.endswith("-5") for path in folder.trials.iterdir())


def test_a_fold_that_fails_fails_the_trial(tmp_path: Path) -> None:
    def failing(job: Any) -> Outcome:
        if job.trial == 1 and Path(job.data).name == "2":
            raise ValueError("no")
        return harder(job)

    folder = run(tmp_path, "search.trials=2", parts=dataclasses.replace(PARTS, train=failing))
    table = rows(folder)
    assert [row["status"] for row in table] == ["completed", "failed"]
    assert table[1]["error"] == "fold 2: ValueError: no"


def test_the_number_of_folds_is_part_of_the_question(tmp_path: Path) -> None:
    run(tmp_path, "search.trials=1")
    with pytest.raises(StudyError, match=r"data\.split\.folds: 3 -> 4"):
        run_study(tmp_path, "data.split={folds: 4}", "search.trials=2", parts=PARTS)


def test_a_study_begun_before_there_were_folds_goes_on(tmp_path: Path) -> None:
    asked = config(tmp_path, "data.split={test: 0.2}").question()
    assert asked["data"]["split"]["test"] == 0.2
    assert "folds" not in asked["data"]["split"]


def test_the_head_of_a_log_tells_how_often_a_configuration_is_trained(tmp_path: Path) -> None:
    folder = run(tmp_path, "search.trials=1", "search.repeats=2")
    assert repeats(logs.read(folder.log).header) == (6, 3)
    assert repeats({}) == (1, 1)
    assert repeats({"question": {"data": {"split": "column"}, "search": {"repeats": 4}}}) == (4, 1)


@pytest.mark.parametrize("strategy", ["random", "hyperband"])
def test_folds_survive_a_stop_at_any_job(tmp_path: Path, strategy: str) -> None:
    """The stand-in raises where a fold does not go on from its own checkpoint."""
    settings = (f"search.strategy={strategy}", "search.trials=3", "training.epochs=9", *FINALS)
    whole = run(tmp_path, *settings, parts=dataclasses.replace(PARTS, train=standins.train))
    (tmp_path / "other").mkdir()
    started = itertools.count(1)
    stop = stopped_at(lambda job: next(started) % 4 == 0)
    parts = dataclasses.replace(stop, prepare=prepare)
    in_pieces(lambda: run(tmp_path / "other", *settings, parts=parts), 30)
    other = StudyFolder(tmp_path / "other" / "out" / "toy")
    assert seeds(other) == seeds(whole)
    assert proposals(other) == proposals(whole)
    assert [r["accuracy"] for r in rows(other)] == [r["accuracy"] for r in rows(whole)]
    promoted = {e.repeat for e in logs.read(other.log).events if isinstance(e, Launch) and e.first_epoch}
    assert promoted == ({1, 2, 3} if strategy == "hyperband" else set())


def test_the_reports_say_what_the_score_is_the_mean_of(tmp_path: Path) -> None:
    found = read.study(run(tmp_path, *FINALS).path)
    text = " ".join(words.sentences(found))
    assert "for the highest accuracy on the validation splits of 3 folds" in text
    assert "Finals: on their folds the search saw" in text
    assert words.over(found, 2) == " on the validation splits of 2 of 3 folds"
    card = (found.folder.path / "MODEL.md").read_text(encoding="utf-8")
    assert "search score, validation splits of 3 folds" in card
    assert "confirmed, validation splits of 2 of 3 folds, mean of 2 fresh seeds" in card
    assert "majority class, validation of the first fold" in card


def scored(number: int, *scores: float | None, first: int = 1) -> list[Any]:
    return [final(number, score, repeat) for repeat, score in enumerate(scores, first)]


def test_a_trial_shows_its_best_run_of_the_first_fold() -> None:
    trial = combined(scored(1, 0.5, 0.9, 0.6, 0.8), folds=2)
    assert (trial.repeat, trial.score, trial.scores) == (3, pytest.approx(0.7), (0.5, 0.9, 0.6, 0.8))


def test_folds_that_are_harder_do_not_hide_which_finalist_is_better() -> None:
    trials = {1: final(1, 0.8, parameters=5000), 2: final(2, 0.7, parameters=10)}
    runs = {1: scored(1, 0.60, 0.80, 0.91, first=4), 2: scored(2, 0.55, 0.76, 0.86, first=4)}
    blocked = decide(
        {n: dataclasses.replace(t, scores=(t.score or 0.0,) * 3) for n, t in trials.items()},
        runs,
        ACCURACY,
        3,
    )
    assert blocked is not None
    assert [one.tied for one in blocked.finalists] == [True, False]
    assert (blocked.winner, blocked.repeat) == (1, 4)
    assert blocked.finalists[0].mean == pytest.approx(0.77)
    assert blocked.finalists[0].spread == pytest.approx(stdev((0.60, 0.80, 0.91)))
    unblocked = decide(trials, runs, ACCURACY)
    assert unblocked is not None
    assert unblocked.winner == 2  # as if the spread were that of the seeds


def test_a_finalist_that_missed_a_hard_fold_is_no_better_for_it() -> None:
    trials = {n: dataclasses.replace(final(n, 0.8), scores=(0.9, 0.5)) for n in (1, 2)}
    runs = {1: scored(1, 0.90, 0.50, first=3), 2: scored(2, 0.88, first=3)}
    verdict = decide(trials, runs, ACCURACY, 2)
    assert verdict is not None
    assert [one.trial for one in verdict.finalists] == [1, 2]
    assert [one.mean for one in verdict.finalists] == pytest.approx([0.70, 0.68])


def test_the_search_is_compared_on_the_folds_of_the_finals() -> None:
    trials = {1: dataclasses.replace(final(1, 0.9), scores=(0.9, 0.8, 0.1))}
    verdict = decide(trials, {1: scored(1, 0.85, 0.75, first=4)}, ACCURACY, 3)
    assert verdict is not None
    assert verdict.finalists[0].search == pytest.approx(0.85)


def test_a_finalist_without_a_run_of_the_first_fold_cannot_win() -> None:
    trials = {n: dataclasses.replace(final(n, 0.9), scores=(0.9, 0.9)) for n in (1, 2)}
    runs = {1: scored(1, None, 0.95, first=3), 2: scored(2, 0.7, 0.7, first=3)}
    verdict = decide(trials, runs, ACCURACY, 2)
    assert verdict is not None
    assert [one.trial for one in verdict.finalists] == [2]
    assert (verdict.winner, verdict.repeat) == (2, 3)
    assert decide(trials, {1: runs[1]}, ACCURACY, 2) is None
