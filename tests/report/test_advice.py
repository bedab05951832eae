"""What to try next: every rule where it applies, and where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gru_tune.report import read
from gru_tune.report.advice import advice
from gru_tune.report.edges import edges, place
from gru_tune.report.read import Study
from gru_tune.trial import Objective, Status, Trial
from tests.report import builders, made

Values = dict[str, Any]


def by_value(name: str, domain: dict[str, Any], values: list[Any], best: Any) -> Study:
    """Forty trials through the values in turn; the nearer to ``best`` the better."""
    trials = []
    for n in range(1, 41):
        value = values[n % len(values)]
        trials.append(
            made.trial(
                n, 0.9 - 0.1 * abs(values.index(value) - values.index(best)) - n / 1e4, values={name: value}
            )
        )
    return made.study(trials, {name: domain})


def rising(count: int, gains: set[int], **changes: Any) -> list[Trial]:
    """Trials of which only those in ``gains`` are better than all before."""
    found, best = [], 0.5
    for n in range(1, count + 1):
        best += 0.01 * (n in gains)
        found.append(made.trial(n, best if n in gains else 0.4, **changes))
    return found


def said(study: Study, part: str) -> list[str]:
    return [text for text in advice(study) if part in text]


@pytest.mark.parametrize(
    ("name", "domain", "values", "best", "wider"),
    [
        ("learning_rate", {"log": [1e-4, 1e-2]}, [1e-4, 1e-3, 1e-2], 1e-2, "training.learning_rate: {log: [0.0001, 0.03]}"),
        ("learning_rate", {"log": [1e-4, 1e-2]}, [1e-4, 1e-3, 1e-2], 1e-4, "training.learning_rate: {log: [3.3e-05, 0.01]}"),
        ("units_2", {"int": [16, 64], "step": 16}, [16, 32, 48, 64], 64, "model.units (layer 2): {int: [16, 128], step: 16}"),
        ("batch_size", {"choice": [16, 32, 64]}, [16, 32, 64], 64, "training.batch_size: {choice: [16, 32, 64, 128]}"),
        ("batch_size", {"choice": [16, 32, 64]}, [16, 32, 64], 16, "training.batch_size: {choice: [8, 16, 32, 64]}"),
        ("dropout", {"float": [0.0, 0.4]}, [0.0, 0.2, 0.4], 0.4, "model.dropout: {float: [0, 0.6]}"),
        ("embedding", {"int": [8, 64], "log": True}, [8, 16, 64], 64, "model.embedding: {int: [8, 128], log: true}"),
    ],
)  # fmt: skip
def test_best_values_at_an_end_ask_for_a_wider_range(
    name: str, domain: Values, values: list[Any], best: Any, wider: str
) -> None:
    found = edges(by_value(name, domain, values, best))[name]
    assert found.startswith(f"{name}: the winner (")
    assert "5 of the best 5 trials are at the" in found
    assert found.endswith(f"widen it: {wider}.")


@pytest.mark.parametrize(
    ("name", "domain", "values", "best"),
    [
        ("dropout", {"float": [0.0, 0.4]}, [0.0, 0.2, 0.4], 0.0),  # no share is below 0
        ("depth", {"int": [1, 3]}, [1, 2, 3], 1),
        ("units", {"int": [8, 64], "step": 8}, [8, 32, 64], 8),  # a step further is no layer
        ("learning_rate", {"log": [1e-4, 1e-2]}, [1e-4, 1e-3, 1e-2], 1e-3),  # in the middle
        ("pooling", {"choice": ["last", "max"]}, ["last", "max"], "max"),
        ("depth", {"int": [2, 2]}, [2], 2),
        ("no knob", {"int": [1, 3]}, [1, 2, 3], 3),
    ],
)
def test_a_range_that_cannot_be_wider_or_need_not_is_left_alone(
    name: str, domain: Values, values: list[Any], best: Any
) -> None:
    assert edges(by_value(name, domain, values, best)) == {}


def test_an_end_that_everybody_is_at_tells_nothing() -> None:
    trials = [made.trial(n, 0.5 + n / 100, values={"depth": 1 if n % 5 == 1 else 3}) for n in range(1, 21)]
    assert edges(made.study(trials, {"depth": {"int": [1, 3]}})) == {}


def test_an_end_that_the_search_itself_came_to_crowd_at_is_one() -> None:
    depths = [1, 2, 3] * 4 + [3] * 12
    trials = [
        made.trial(n, 0.5 + n / 100, values={"depth": depth}) for n, depth in enumerate(depths, start=1)
    ]
    assert edges(made.study(trials, {"depth": {"int": [1, 3]}})) == {
        "depth": "depth: the winner (3) and 5 of the best 5 trials are at the upper end of what was searched; "
        "widen it: model.depth: {int: [1, 6]}."
    }


def test_a_lower_end_above_one_can_be_wider() -> None:
    trials = [
        made.trial(n, 0.5 + n / 100, values={"depth": depth})
        for n, depth in enumerate([2, 3, 4, 2, 3, 4, 2, 3, 4, 2, 3, 2, 2, 2, 2], start=1)
    ]
    assert edges(made.study(trials, {"depth": {"int": [2, 4]}}))["depth"].endswith(
        "model.depth: {int: [1, 4]}."
    )


def test_a_log_without_a_space_has_no_ends() -> None:
    study = by_value("depth", {"int": [1, 3]}, [1, 2, 3], 3)
    assert set(edges(study)) == {"depth"}
    assert edges(made.study(study.ranked)) == {}


def test_trials_that_still_learn_at_their_last_epoch_ask_for_more() -> None:
    question = {"training": {"epochs": 3}}
    late = [made.trial(n, epochs=made.curve([0.5, 0.6, 0.7])) for n in range(1, 7)]
    assert advice(made.study(late, question=question)) == [
        "5 of the best 5 trials were best at their last epoch, so they were still learning: set training.epochs: 6 (it is 3)."
    ]
    early = [made.trial(n, epochs=made.curve([0.5, 0.7, 0.6])) for n in range(1, 7)]
    assert advice(made.study(early, question=question)) == []
    assert advice(made.study(late, question={"training": {"epochs": {"int": [1, 3]}}})) == []


def test_an_early_best_epoch_and_a_wide_gap_are_overfitting() -> None:
    def trials(loss: float) -> list[Trial]:
        train = [{"loss": loss}] * 9
        return [made.trial(n, epochs=made.curve([0.5, 0.7, *[0.6] * 7], train=train)) for n in range(1, 7)]

    assert advice(made.study(trials(0.5))) == [
        "The best trials are best at about epoch 2 and overfit from then on (the validation loss ends at 2.0 times that of "
        "training): try more model.dropout, model.l2 or training.weight_decay, or fewer model.units."
    ]
    assert advice(made.study(trials(0.9))) == []


def test_a_search_without_a_gain_for_long_and_one_that_still_gains() -> None:
    assert advice(made.study(rising(40, {1, 5, 9}))) == [
        "The last 31 of 40 trials found nothing better: more of them will hardly help; change the space, the inputs or the "
        "epochs instead."
    ]
    assert advice(made.study(rising(40, {1, 5, 33, 39}))) == [
        "The search was still getting better, 2 times in its last quarter: give it more, such as search.trials: 80; it goes "
        "on where it stopped."
    ]
    assert advice(made.study(rising(40, {1, 5, 25}))) == []
    assert advice(made.study(rising(19, {1, 5}))) == []


def test_trials_that_were_stopped_early_are_no_sign_that_nothing_better_is_to_be_found() -> None:
    def some(stopped: int) -> Study:
        trials = rising(40, {1})
        return made.study(
            [replace(t, status=Status.STOPPED) if t.number > 40 - stopped else t for t in trials]
        )

    assert said(some(25), "found nothing better") == []
    assert said(some(20), "found nothing better")[0].startswith(
        "The last 19 of 20 trials that were trained to the end found nothing better:"
    )


def test_an_exhausted_space_is_said_to_be_one() -> None:
    facts = {"ended": "all 12 configurations of the space have been tried"}
    assert advice(made.study(rising(12, {1}), facts=facts)) == [
        "The search has run out of configurations: widen a range, or let another hyperparameter vary."
    ]


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("loss became nan in epoch 1", "lower the upper end of training.learning_rate, or set training.clip_norm: 1.0."),
        ("ResourceExhaustedError: OOM", "set a smaller training.batch_size or narrower model.units, or give the run fewer --workers."),
        (
            "its worker needed more than 4 GB (search.memory_per_worker)",
            "set a smaller training.batch_size or narrower model.units, or a larger search.memory_per_worker.",
        ),
        ("ValueError: odd", "mend that first."),
    ],
)  # fmt: skip
def test_many_failures_are_told_by_their_commonest_reason(reason: str, remedy: str) -> None:
    trials = [made.trial(n, None, error=reason if n > 1 else "another") for n in range(1, 5)]
    text = f"4 of 4 trials failed, most often (3) with “{reason}”: {remedy}"
    assert advice(made.study(trials)) == [text]
    assert said(made.study([*trials, made.trial(5)]), "failed") == [text.replace("4 of 4", "4 of 5")]
    assert said(made.study([*trials, *(made.trial(n) for n in range(5, 50))]), "failed") == []


def test_a_baseline_that_is_not_beaten_turns_to_the_data() -> None:
    facts = {"baselines": {"validation": {"last value": {"accuracy": 0.6}}}}
    learned = made.trial(1, epochs=made.curve([0.6], train=[{"accuracy": 0.9}]))
    assert advice(made.study([learned], facts=facts))[0].startswith(
        "The winner does not clearly beat “last value”:"
    )
    dull = made.trial(1, epochs=made.curve([0.6], train=[{"accuracy": 0.55}]))
    assert advice(made.study([dull], facts=facts))[0].startswith(
        "Even on its own training data the winner is no better than"
    )
    assert advice(made.study([made.trial(1, 0.7)], facts=facts)) == []
    perfect = {"baselines": {"validation": {"last value": {"accuracy": 1.0}}}}
    assert advice(made.study([learned], facts=perfect)) == [
        "“last value” is already perfect on the validation split: nothing is left to win on these data."
    ]


@pytest.mark.parametrize(
    ("task", "kind", "data", "help"),
    [
        ("classification", "arrays", {}, "more sequences or inputs that the baseline does not see"),
        ("classification", "text", {"max_length": 40}, "more texts or a larger data.vocabulary"),
        ("forecasting", "timeline", {"window": 24, "time": "day"},
         "inputs that the baseline does not see (such as data.calendar) or a longer past (data.window: 48)"),
        ("regression", "timeline", {"window": {"int": [8, 24]}}, "inputs that the baseline does not see"),
    ],
)  # fmt: skip
def test_what_of_the_data_may_help_depends_on_their_kind(
    task: str, kind: str, data: Values, help: str
) -> None:
    facts = {"baselines": {"validation": {"last value": {"accuracy": 0.6}}}}
    study = made.study([made.trial(1, 0.6)], facts=facts, question={"data": data})
    study = replace(study, asked={**study.asked, "task": task, "kind": kind})
    assert advice(study) == [
        f"The winner does not clearly beat “last value”: {help} will help more than other hyperparameters; "
        "without any, use the baseline."
    ]


def test_an_error_that_does_not_beat_the_baseline() -> None:
    error = Objective("mae", "min")
    facts = {"baselines": {"validation": {"last value": {"mae": 0.5}}}}
    for score, count in ((0.6, 1), (0.5, 1), (0.4, 0)):
        study = made.study([made.trial(1, score, error)], facts=facts, objective=error)
        assert len(advice(study)) == count


def test_finalists_that_are_tied_ask_for_more_seeds() -> None:
    trials = [made.trial(n, 0.9) for n in (1, 2)]
    facts = made.finals(
        {"trial": 2, "tied": True, "parameters": 900}, {"trial": 1, "tied": True, "parameters": 100}
    )
    assert advice(made.study(trials, facts=facts)) == [
        "The choice between trials 2 and 1 is within the noise; more seeds might tell them apart, such as winner.seeds: 6."
    ]
    facts = made.finals({"trial": 2, "tied": True}, {"trial": 1})
    assert advice(made.study(trials, facts=facts)) == []


def test_a_winner_by_luck_asks_for_repeats() -> None:
    trials = [made.trial(n, 0.9) for n in (1, 2)]
    lucky = made.finals({"trial": 1, "search": 0.95, "mean": 0.90, "spread": 0.01})
    assert advice(made.study(trials, facts=lucky)) == [
        "The search saw the winner 0.0500 better than fresh seeds do, 5.0 times the spread of a run (0.0100): it was chosen "
        "by luck in part; train every trial more than once: search.repeats: 3."
    ]
    fair = made.finals({"trial": 1, "search": 0.91, "mean": 0.90, "spread": 0.01})
    assert advice(made.study(trials, facts=fair)) == []


def test_seeds_that_differ_more_than_the_best_trials() -> None:
    trials = [made.trial(n, 0.9 - n / 1000) for n in range(1, 13)]
    facts = made.finals({"trial": 1, "search": 0.9, "mean": 0.9, "spread": 0.02})
    assert said(made.study(trials, facts=facts), "their order is noise") == [
        "The spread of one configuration over seeds (0.0200) is larger than the best 10 trials are apart (0.0090): their "
        "order is noise; train every trial more than once: search.repeats: 3."
    ]
    facts = made.finals({"trial": 1, "search": 0.9, "mean": 0.9, "spread": 0.005})
    assert said(made.study(trials, facts=facts), "their order is noise") == []


def test_nothing_is_said_where_nothing_is_known(tmp_path: Path) -> None:
    assert advice(made.study([])) == []
    assert advice(made.study([made.trial(1)])) == []
    assert advice(made.study([made.trial(1, None)])) == []
    assert advice(read.study(builders.study(tmp_path / "toy", trials=3).path)) == []


def test_at_most_six_sentences() -> None:
    names = ["learning_rate", "dropout", "units", "depth", "embedding", "batch_size", "window", "dense"]
    trials = [
        made.trial(n, 0.5 + (n % 4) / 10 + n / 1e4, values=dict.fromkeys(names, 0.1 * (1 + n % 4)))
        for n in range(1, 41)
    ]
    study = made.study(trials, {name: {"float": [0.1, 0.4]} for name in names})
    assert len(edges(study)) > 6
    assert len(advice(study)) == 6


def test_places_in_a_config() -> None:
    assert place("learning_rate") == "training.learning_rate"
    assert place("patience") == "training.early_stopping.patience"
    assert place("units") == "model.units"
    assert place("units_2") == "model.units (layer 2)"
    assert place("<b>") == "<b>"


def test_a_perfect_winner_is_told_that_nothing_more_can_be_seen() -> None:
    trials = [made.trial(n, 1.0) for n in range(1, 13)]
    assert advice(made.study(trials)) == [
        "The winner is perfect on the validation split, which cannot tell better models apart any more: more or harder "
        "validation data could."
    ]
    facts = made.finals({"trial": 1, "mean": 0.98})
    assert not any("perfect" in text for text in advice(made.study(trials, facts=facts)))
