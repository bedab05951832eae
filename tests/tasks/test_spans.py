from __future__ import annotations

import numpy as np
import pytest

from gru_tune.tasks.spans import by_type, find_spans, is_span_tags, span_scorer

TAGS = ["O", "B-x", "I-x", "B-y", "I-y"]


def ids(text: str) -> np.ndarray:
    """``"B-x I-x O new"`` as ids; unknown tags get ids beyond the known ones."""
    seen = [*TAGS, "new", "newer"]
    return np.array([seen.index(tag) for tag in text.split()])


def span_f1(true: np.ndarray, guess: np.ndarray, first: np.ndarray) -> float:
    return span_scorer(true, guess, first, TAGS)(np.ones(len(true)))


def starts(count: int, *first: int) -> np.ndarray:
    marks = np.zeros(count, bool)
    marks[[0, *first]] = True
    return marks


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("O O O", set()),
        ("B-x I-x O", {(0, 2, 0)}),
        ("B-x B-x I-x", {(0, 1, 0), (1, 3, 0)}),
        ("O I-x I-x", {(1, 3, 0)}),  # I- without a B- begins a span all the same
        ("B-x I-y I-y", {(0, 1, 0), (1, 3, 1)}),  # another type ends one and begins another
        ("B-x I-x I-x", {(0, 3, 0)}),
        ("I-y", {(0, 1, 1)}),
        ("B-x O I-x", {(0, 1, 0), (2, 3, 0)}),
    ],
)
def test_spans_are_found_as_conll_has_them(text: str, spans: set[tuple[int, int, int]]) -> None:
    tags = ids(text)
    assert find_spans(tags, starts(len(tags)), TAGS) == spans


def test_a_span_ends_with_its_sequence() -> None:
    tags = ids("O B-x I-x I-x")
    assert find_spans(tags, starts(4, 2), TAGS) == {(1, 2, 0), (2, 4, 0)}


def test_f1_counts_whole_spans_of_the_right_type() -> None:
    true = ids("B-x I-x O B-y O B-x")
    guess = ids("B-x I-x O B-x O O")
    # one of three found, one of two right
    assert span_f1(true, guess, starts(6)) == pytest.approx(2 * 1 / (3 + 2))
    assert span_f1(true, true, starts(6)) == 1.0
    assert span_f1(ids("B-x I-x"), ids("B-x O"), starts(2)) == 0.0


def test_tags_never_trained_are_spans_nobody_finds() -> None:
    true = ids("B-x new new O")
    guess = ids("B-x O O O")
    assert span_f1(true, guess, starts(4)) == pytest.approx(2 * 1 / (2 + 1))


def test_a_span_counts_as_often_as_its_sequence() -> None:
    true, guess = ids("B-x I-x B-y O"), ids("B-x I-x O B-y")
    f1 = span_scorer(true, guess, starts(4, 2), TAGS)
    assert f1(np.array([3, 3, 1, 1])) == pytest.approx(2 * 3 / (4 + 4))
    assert f1(np.array([0, 0, 1, 1])) == 0.0


def test_spans_by_type() -> None:
    true = ids("B-x I-x O B-y O B-x new")
    guess = ids("B-x I-x O B-x O O O")
    rows = {row.pop("class"): row for row in by_type(true, guess, starts(7), TAGS)}
    assert rows["x"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert rows["y"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert rows["(not in training)"]["support"] == 1
    assert by_type(ids("O"), ids("O"), starts(1), TAGS) == []


def test_nothing_to_find_and_nothing_found() -> None:
    assert span_f1(ids("O O"), ids("O O"), starts(2)) == 0.0


def test_which_tags_are_spans() -> None:
    assert is_span_tags(TAGS)
    assert is_span_tags(["B-a.b-c", "O"])
    assert not is_span_tags(["NOUN", "VERB", "O"])
    assert not is_span_tags(["O"])
    assert not is_span_tags(["B-", "O"])
