"""``kind: text`` and ``kind: tokens``."""

from __future__ import annotations

import pytest

from gru_tune.data.raw import Raw, Words
from gru_tune.errors import DataError
from tests.data.preparing import raw


def sentences(data: Raw) -> list[list[str]]:
    assert isinstance(data.x, Words)
    words = [data.x.words[n] for n in data.x.ids]
    ends = data.lengths.cumsum()
    return [words[end - length : end] for end, length in zip(ends, data.lengths, strict=True)]


def texts(*documents: object, **keys: object) -> list[list[str]]:
    columns = {"text": list(documents), "label": ["a", "b"] * len(documents)}
    columns["label"] = columns["label"][: len(documents)]
    return sentences(raw("classification", "text", columns, target="label", **keys))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("Don't stop!", ["don't", "stop", "!"]),
        ("good<br /><br />film", ["good", "film"]),
        ("<I>very</I> 2<3 <unk>", ["very", "2", "<", "3", "<", "unk", ">"]),
        ("a-b, 3.5", ["a", "-", "b", ",", "3", ".", "5"]),
        ("naïve CAFÉ 東京", ["naïve", "café", "東京"]),
        ("NA", ["na"]),
    ],
)
def test_words(document: str, words: list[str]) -> None:
    assert texts(document) == [words]


def test_characters() -> None:
    assert texts("Ab c", level="character", lowercase=False) == [["A", "b", " ", "c"]]


def test_case_can_be_kept() -> None:
    assert texts("Ab", lowercase=False) == [["Ab"]]


def test_empty_texts_are_one_unknown_word() -> None:
    columns = {"text": ["a", None, " <br> "], "label": ["x", "y", "x"]}
    data = raw("classification", "text", columns, target="label")
    assert sentences(data) == [["a"], [""], [""]]
    assert data.notes == ("2 of 3 texts are empty and read as one unknown word",)


def test_numbers_may_be_texts() -> None:
    assert texts(12, 3.5) == [["12", ".", "0"], ["3", ".", "5"]]


def test_tokens_from_lists_and_from_text() -> None:
    columns = {"tokens": [["A", "b"], "c d", None], "label": ["x", "y", "x"]}
    data = raw("classification", "tokens", columns, target="label", lowercase=True)
    assert sentences(data) == [["a", "b"], ["c", "d"], [""]]
    assert data.notes == ("1 of 3 rows have no tokens and read as one unknown word",)


def test_tags_are_a_target_a_token() -> None:
    columns = {"tokens": [["a", "b"], ["c"], []], "tags": [["O", "B"], ["O"], []]}
    data = raw("labelling", "tokens", columns, tags="tags")
    assert data.per_row
    assert data.y.values.tolist() == ["O", "B", "O", None]
    assert data.lengths.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        (
            {"tokens": [["a"]], "tags": [["x", "y"]]},
            {"tags": "tags"},
            "row 1 of data.csv has 1 tokens and 2 tags",
        ),
        (
            {"tokens": [["a"]], "tags": [["x"]]},
            {"tags": "tag"},
            "no column 'tag' in data.csv; did you mean 'tags'?",
        ),
        ({"tokens": [1.5], "tags": [["x"]]}, {"tags": "tags"}, "row 1 of column 'tokens' is 1.5, not a list"),
    ],
)
def test_refused(columns: dict[str, object], keys: dict[str, str], message: str) -> None:
    with pytest.raises(DataError) as error:
        raw("labelling", "tokens", columns, **keys)
    assert message in str(error.value)


def test_lists_are_no_text() -> None:
    with pytest.raises(DataError, match="use kind: tokens"):
        texts(["a", "b"])


def test_a_list_is_no_class() -> None:
    with pytest.raises(DataError, match="'label' holds lists"):
        raw("classification", "text", {"text": ["a"], "label": [["x"]]}, target="label")
