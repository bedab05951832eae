"""What the reports say, in every form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from gru_tune.errors import StudyError
from gru_tune.report import numbers, read, show, terminal, words
from gru_tune.study.log import Ended, Finished, Launch, Log
from gru_tune.trial import Outcome
from tests.report import builders


def lines(path: Path, top: int | None = None, width: int | None = None) -> list[str]:
    return show(path, "terminal", top, width).splitlines()


def test_the_head_says_what_was_found(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", facts=builders.FACTS)
    folder.best.write_text("model", encoding="utf-8")
    text = show(tmp_path / "toy", "terminal", None, None)
    first = text.splitlines()[0]
    assert first == (
        "Trial 2 of toy is the best: accuracy 0.7000 on the validation split; "
        "the best baseline, “tf-idf + linear”, has 0.6000."
    )
    assert (
        "Winner: depth 1, units_1 24, learning_rate 0.002, cell gru (best at epoch 2 of 3, 1,234 parameters)."
        in text
    )
    assert (
        "Test split, evaluated once: accuracy 0.6600, loss 0.9000; “majority class” has accuracy 0.5100."
        in text
    )
    assert (
        "Asked: classification, random search for the highest accuracy of the validation split. 12 trials in"
        in text
    )
    assert "1 of them failed" in text
    assert "Failed: trial 10: out of memory" in text
    assert "Ended: all trials done." in text
    assert f"Model: {folder.best}" in text
    assert "Note: 12 rows of validation are also in training" in text


def test_a_winner_that_does_not_beat_the_baseline_is_said_first(tmp_path: Path) -> None:
    facts = {"baselines": {"validation": {"last value": {"accuracy": 0.7}}}}
    builders.study(tmp_path / "toy", facts=facts)
    assert lines(tmp_path / "toy")[0] == (
        "The best model does not beat the baseline “last value”: accuracy 0.7000 against 0.7000 on the validation split."
    )


def test_the_table_shows_what_varies_and_fits(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", trials=30)
    text = lines(tmp_path / "toy")
    head = next(line for line in text if line.lstrip().startswith("rank"))
    assert head.split() == [
        "rank", "trial", "accuracy", "depth", "units_1", "units_2", "learning_rate", "epoch", "parameters", "seconds",
    ]  # fmt: skip
    assert "… and 10 more trials (--top 0 shows all)" in text
    assert len(lines(tmp_path / "toy", top=3)) == len(text) - terminal.TOP + 3
    narrow = lines(tmp_path / "toy", width=60)
    assert all(len(line) <= 60 for line in narrow if not line.startswith("(no room"))
    assert any(line.startswith("(no room for") and "seconds" in line for line in narrow)
    everything = lines(tmp_path / "toy", top=0)
    assert sum(" failed " in line for line in everything) == 3


def test_an_unfinished_study(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", trials=2)
    builders.launch_only(folder, 3)
    text = show(tmp_path / "toy", "terminal", None, None)
    assert "without an outcome so far: 3" in text
    empty = builders.study(tmp_path / "empty", trials=0)
    assert show(empty.path, "terminal", None, None).startswith("No trial of toy has been completed yet.")


def test_csv_is_the_table_and_is_made_again(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy")
    text = show(tmp_path / "toy", "csv", None, None)
    assert len(list(csv.DictReader(io.StringIO(text)))) == 12
    assert folder.table.read_text(encoding="utf-8") == text
    assert len(folder.curves.read_text(encoding="utf-8").splitlines()) == 1 + 11 * 3
    assert len(show(tmp_path / "toy", "csv", 5, None).splitlines()) == 6


def test_json_is_whole(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", facts=builders.FACTS)
    content = json.loads(show(tmp_path / "toy", "json", None, None))
    assert len(content["trials"]) == 12
    best = content["trials"][0]
    assert (best["rank"], best["trial"], len(best["curves"])) == (1, 2, 3)
    assert content["asked"]["objective"] == {"name": "accuracy", "direction": "max"}


def test_markdown_is_a_table(tmp_path: Path) -> None:
    builders.study(tmp_path / "a|b", name="a|b")
    text = show(tmp_path / "a|b", "markdown", 4, None)
    table = [line for line in text.split("##")[0].splitlines() if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "out of memory &lt;b>here" in text


def test_a_study_that_was_killed_is_not_called_finished(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", facts={"state": "running"})
    found = lines(tmp_path / "toy")
    assert found[0] == "Trial 2 of toy leads so far: accuracy 0.7000 on the validation split."
    assert "Not finished: it was killed, or ended by an error; run it again to go on." in found


def test_a_study_that_runs_says_how_far_it_is(tmp_path: Path) -> None:
    folder = builders.study(tmp_path / "toy", facts={"state": "running", "planned": 20})
    with folder.locked():
        assert "Not finished: it is running, and has done 12 of 20 trials." in lines(folder.path)
        with Log(folder.log) as log:
            log.append(Launch(2, 1, {}, 1, 0, 3, False, 2000.0, 2))
            log.append(Finished(1, Outcome(2, (), 1234, 2.0, "xla", "out of memory"), 2001.0, 2))
        assert (
            "Not finished: it is running, and has done 12 of 20 trials, 1 training of the finals."
            in lines(folder.path)
        )


def test_an_unfinished_study_does_not_beat_the_baseline_so_far(tmp_path: Path) -> None:
    facts = {"state": "stopped", "baselines": {"validation": {"last value": {"accuracy": 0.7}}}}
    builders.study(tmp_path / "toy", facts=facts)
    assert lines(tmp_path / "toy")[0].startswith(
        "So far the best model does not beat the baseline “last value”:"
    )


def test_a_broken_study_is_named_and_hides_no_other(tmp_path: Path) -> None:
    builders.study(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "trials.jsonl").touch()
    text = lines(tmp_path)
    assert text[0].startswith(f"1 study in {tmp_path}, newest first")
    assert any("good" in line for line in text)
    assert text[-1] == f"Left out: {tmp_path / 'bad'}: this study was stopped before it began; run it again"
    assert "Left out" in show(tmp_path, "markdown", None, None)
    assert "Left out" not in show(tmp_path, "csv", None, None)


def test_several_studies_newest_first(tmp_path: Path) -> None:
    builders.study(tmp_path / "old", name="old", time=1000.0)
    builders.study(tmp_path / "deep" / "new", name="new", time=5_000_000.0, facts=builders.FACTS)
    text = show(tmp_path, "terminal", None, None)
    assert text.index("new") < text.index("old")
    assert "0.6600" in text
    assert [row["study"] for row in csv.DictReader(io.StringIO(show(tmp_path, "csv", None, None)))] == [
        str(tmp_path / "deep" / "new"), str(tmp_path / "old"),
    ]  # fmt: skip
    assert len(json.loads(show(tmp_path, "json", None, None))) == 2
    assert show(tmp_path, "markdown", None, None).count("\n") == 4


def test_a_folder_with_one_study_shows_it(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy")
    assert "is the best" in show(tmp_path, "terminal", None, None)
    assert "is the best" in show(tmp_path / "toy" / "trials.jsonl", "terminal", None, None)


def test_nothing_to_report(tmp_path: Path) -> None:
    builders.study(tmp_path / "quickstart")
    with pytest.raises(StudyError, match="no such folder; did you mean 'quickstart'"):
        show(tmp_path / "quickstrat", "terminal", None, None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="no study here or below it"):
        show(tmp_path / "empty", "terminal", None, None)
    (tmp_path / "empty" / "trials.jsonl").write_text('{"event":"st', encoding="utf-8")
    with pytest.raises(StudyError, match="stopped before it began"):
        show(tmp_path / "empty", "terminal", None, None)
    (tmp_path / "empty" / "trials.jsonl").write_text(
        '{"event":"study","format":1,"time":1}\n', encoding="utf-8"
    )
    with pytest.raises(StudyError, match="does not say what the study asks"):
        show(tmp_path / "empty", "terminal", None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (12.345, "12.35"),
        (12345.6, "12,346"),
        (0.0123, "0.0123"),
        (0.0010249, "0.00102"),
        (0.0008501, "0.000850"),
        (0.00012345, "0.000123"),
        (0.000012345, "1.23e-05"),
        (float("nan"), "nan"),
        (None, "–"),
        (0.0, "0.0000"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert numbers.number(value) == text


def test_numbers_that_belong_together_share_their_precision() -> None:
    assert numbers.span((-0.0221, 1.488e-05), numbers.signed) == "[−0.0221, +0.0000]"
    assert numbers.span((0.0008501, 0.0012)) == "[0.00085, 0.00120]"
    assert numbers.span((-0.0006, 0.0008), numbers.signed, beside=0.97) == "[−0.0006, +0.0008]"
    assert (numbers.number(0.0021, 0.98), numbers.number(0.00031, 0.00085)) == ("0.0021", "0.000310")
    assert (numbers.number(0.0021, 25.0), numbers.number(20.5, 1234.0)) == ("0.0021", "20.50")
    assert numbers.signed(-0.0074, 0.97) == "−0.0074"


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.41, "3.4 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"), (3700, "1 h 1 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_a_log_that_lacks_its_test_result_for_the_winner(tmp_path: Path) -> None:
    """The test number of a former winner is not shown as the present one's."""
    facts = {**builders.FACTS, "test": [{"trial": 1, "metrics": {"accuracy": 0.1}, "time": 1.0}]}
    builders.study(tmp_path / "toy", facts=facts)
    assert read.study(tmp_path / "toy").test is None


def finals(winner: int = 1) -> dict[str, Any]:
    """Trials 2 and 1 trained again; they are tied, and trial 1 is the smaller."""

    def finalist(trial: int, search: float, mean: float) -> dict[str, Any]:
        return {
            "trial": trial, "search": search, "scores": [mean - 0.01, mean + 0.01], "failed": 0, "mean": mean,
            "spread": 0.0141, "interval": [mean - 0.03, mean + 0.03], "parameters": 100 * trial, "seconds": 1.0,
            "tied": True,
        }  # fmt: skip

    return {"finalists": [finalist(2, 0.7, 0.68), finalist(1, 0.65, 0.66)], "winner": winner, "repeat": 1}


def judged(difference: float, low: float, high: float, rival: str = "tf-idf + linear") -> dict[str, Any]:
    """Of the run that is handed over."""
    against = {
        "name": rival, "difference": difference, "interval": [low, high], "beaten": low > 0,
        "objective": {"name": "accuracy", "direction": "max"}, "score": 0.66, "rival": 0.66 - difference,
    }  # fmt: skip
    look = {
        "trial": 1,
        "repeat": 1,
        "epoch": 2,
        "metrics": {"accuracy": 0.66},
        "intervals": {"accuracy": [0.6, 0.7]},
    }
    return {**look, "against": against, "time": 1.0}


def told(folder: Path, trials: int = 2, **facts: Any) -> list[str]:
    made = builders.study(folder, trials, facts={**builders.FACTS, "state": "finished", **facts})
    return words.sentences(read.study(made.path))


def test_what_fresh_seeds_confirm_and_who_is_tied(tmp_path: Path) -> None:
    found = told(tmp_path, finals=finals(), test=[judged(0.1, 0.05, 0.15)])
    assert found[0] == (
        "Trial 1 of toy is the best: accuracy 0.6600 ± 0.0141 with 2 fresh seeds on the validation split; "
        "the best baseline, “tf-idf + linear”, has 0.6000."
    )
    assert found[2] == (
        "Finals: the search saw 0.6500, fresh seeds 0.6600 (95 % confidence: [0.6300, 0.6900]). "
        "Trial 1 wins: it cannot be told apart from trial 2 (0.6600 against 0.6800) and is smaller (100 parameters "
        "against 200)."
    )
    assert "accuracy 0.6600 [0.6000, 0.7000]" in found[3]


def test_how_much_the_search_flattered(tmp_path: Path) -> None:
    found = told(tmp_path, finals=finals(winner=2), test=[])
    assert found[2].endswith(
        "; the search flattered it by 0.0200. Trial 2 wins with the best mean of its fresh seeds; trial 1 (0.6600) cannot "
        "be told apart from it; though smaller, it lies more than a run's spread behind."
    )


def test_a_winner_with_the_best_mean_that_others_are_tied_with(tmp_path: Path) -> None:
    known = finals(winner=2)
    second = {**known["finalists"][1], "parameters": 200}
    known["finalists"][1:] = [second, {**second, "trial": 3}]
    found = told(tmp_path, 3, finals=known, test=[])
    assert found[1].endswith("(best.keras is the best of its 2 fresh runs: epoch 2 of 3, 1,234 parameters).")
    assert found[2].endswith(
        ". Trial 2 wins with the best mean of its fresh seeds; trials 1 and 3 (0.6600 each) cannot be told apart from it, "
        "and are no smaller."
    )
    for one in known["finalists"][1:]:
        one["tied"] = False
    assert told(tmp_path, 3, finals=known, test=[])[2].endswith(
        ". Trial 2 wins with the best mean of its fresh seeds."
    )


def test_a_better_mean_with_a_failed_seed_does_not_win(tmp_path: Path) -> None:
    known = finals()
    known["finalists"][0]["parameters"] = 50
    assert told(tmp_path, finals=known, test=[])[2].endswith(
        ". Trial 1 wins: trial 2 has a better mean (0.6800), but not with all its seeds."
    )


@pytest.mark.parametrize(
    ("low", "difference", "how"),
    [(0.01, 0.02, "better"), (-0.01, 0.02, "not clearly better"), (-0.05, -0.02, "no better")],
)
def test_the_verdict_in_one_line(tmp_path: Path, low: float, difference: float, how: str) -> None:
    made = builders.study(
        tmp_path,
        facts={
            **builders.FACTS,
            "state": "finished",
            "finals": finals(),
            "test": [judged(difference, low, 0.05)],
        },
    )
    assert words.brief(read.study(made.path)) == (
        f"Winner: trial 1, accuracy 0.6600 on the test split; {how} than “tf-idf + linear” ({0.66 - difference:.4f})."
    )


def test_the_verdict_in_one_line_without_a_baseline_or_a_test_split(tmp_path: Path) -> None:
    def said(facts: dict[str, Any] | None, trials: int = 12) -> str:
        return words.brief(read.study(builders.study(tmp_path, trials, facts=facts).path))

    assert said(builders.FACTS) == "Winner: trial 2, accuracy 0.6600 on the test split."
    assert said({}) == "Winner: trial 2, accuracy 0.7000 on the validation split."
    assert said({}, 0) == "No trial of toy has been completed."


@pytest.mark.parametrize(
    ("difference", "low", "high", "rival", "said"),
    [
        (0.02, -0.01, 0.05, "tf-idf + linear", "The best model does not beat the baseline “tf-idf + linear” beyond the noise"),
        (-0.02, -0.05, 0.01, "tf-idf + linear", "The best model does not beat the baseline “tf-idf + linear”"),
        (0.01, -0.03, 0.05, "majority class", "Nothing was learned: the best model does not beat the baseline “majority class” beyond the noise"),
    ],
)  # fmt: skip
def test_a_winner_that_does_not_beat_the_baseline_says_so_first(
    tmp_path: Path, difference: float, low: float, high: float, rival: str, said: str
) -> None:
    known = {"validation": {}, "test": {rival: {"accuracy": 0.66 - difference}}}
    found = told(tmp_path, finals=finals(), baselines=known, test=[judged(difference, low, high, rival)])
    signs = [f"{'+' if end > 0 else '−'}{abs(end):.4f}" for end in (difference, low, high)]
    assert found[0] == (
        f"{said}: accuracy 0.6600 against {0.66 - difference:.4f} on the test split, a difference of {signs[0]} "
        f"(95 % confidence: [{signs[1]}, {signs[2]}])."
    )


def test_the_finals_are_columns_and_the_winner_comes_first(tmp_path: Path) -> None:
    made = builders.study(tmp_path, 4, facts={**builders.FACTS, "state": "finished", "finals": finals()})
    rows = list(csv.DictReader(io.StringIO(show(made.path, "csv", None, None))))
    assert [row["trial"] for row in rows[:4]] == ["1", "2", "4", "3"]
    assert [row["confirmed"] for row in rows[:3]] == ["0.66", "0.68", ""]
    assert [round(float(row["optimism"]), 6) for row in rows[:2]] == [-0.01, 0.02]
    assert [row["baseline"] for row in rows if row["status"] == "baseline"] == [
        "majority class",
        "tf-idf + linear",
    ]
    text = show(made.path, "terminal", None, 120)
    assert "0.6600 ± 0.0141" in text
    lines = text.splitlines()
    head = next(line for line in lines if line.startswith("rank"))
    baseline = next(line for line in lines if line.endswith("baseline: tf-idf + linear"))
    assert baseline.index("0.6000") + 6 == head.index("accuracy") + 8


def test_a_trial_cut_off_on_its_way_up_has_an_outcome_once_the_study_has_ended(tmp_path: Path) -> None:
    made = builders.study(tmp_path, 2, facts=builders.FACTS)
    with Log(made.log) as log:
        log.append(Launch(1, 1, {}, 1, 3, 9, False, 2000.0))
    assert read.study(made.path).running == (1,)
    with Log(made.log) as log:
        log.append(Ended("the minutes given are over", 1.0, 2001.0))
    assert read.study(made.path).running == ()
    assert "without an outcome" not in show(made.path, "terminal", None, 120)
