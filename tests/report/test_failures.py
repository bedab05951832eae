"""How failures, and what came of them, are told."""

from __future__ import annotations

from gru_tune.report.words import by_reason, sentences
from tests.report import made


def test_failures_are_told_by_their_reason_whatever_its_numbers() -> None:
    reasons = {n: f"loss became nan in epoch {n}" for n in (3, 4, 6, 7, 9)} | {
        5: "its worker is gone, 2 attempts"
    }
    study = made.study([made.trial(n, None, error=reason) for n, reason in reasons.items()] + [made.trial(1)])
    assert by_reason(study) == [
        ("loss became nan in epoch 3", [3, 4, 6, 7, 9]),
        ("its worker is gone, 2 attempts", [5]),
    ]
    assert (
        "Failed: trials 3, 4, 6 and 2 more: loss became nan in epoch 3; trial 5: its worker is gone, 2 attempts."
        in sentences(study)
    )


def test_only_so_many_reasons_are_told() -> None:
    words = ("one", "two", "three", "four", "five")
    study = made.study([made.trial(n, None, error=word) for n, word in enumerate(words, start=1)])
    assert "Failed: trial 1: one; trial 2: two; trial 3: three; and 2 more in trials.csv." in sentences(study)


def test_trials_that_were_trained_in_parts_are_named() -> None:
    text = "Too large for the memory at first: {} trained with every batch in parts."
    one, two, three = made.trial(1), made.trial(2, accumulation=2), made.trial(3, accumulation=2)
    broken = made.trial(4, None, error="no memory", accumulation=2)
    assert not [one for one in sentences(made.study([one])) if "memory" in one]
    assert text.format("trial 2 was") in sentences(made.study([one, two, broken]))
    assert text.format("trials 2 and 3 were") in sentences(made.study([one, two, three]))
