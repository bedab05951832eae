"""Documents as strings: TensorFlow's reading of them must be the one of training, to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gru_tune.executors.local import Local
from gru_tune.export import worker
from gru_tune.export.convert import convert
from gru_tune.export.texts import Reader, Texts, numbered
from tests.export.studies import order

pytestmark = pytest.mark.slow
REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "ready"

TRICKY = [
    "", "   ", "\u3000\u00a0", "Don't STOP, it’s 3.14€!", "A<br />B<BR>c <b class='x'>d</b> 1 < 2 > 0", "<br<b>>", "<bé> <i\u00a0>",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ", "İstanbul ISPARTA ß ẞ", "naïve cafe\u0301 ﬁne", "snake_case __x__ ''quoted''",
    "日本語のテキスト、です。", "😀👍🏽 ok", "tab\tline\nend\r\n\x1cfs\x85nel", "[UNK] \\1 \\w+ $x", "x" * 300, "²½٣ Ⅷ",
]  # fmt: skip


@pytest.fixture(scope="module")
def tensorflow() -> Iterator[Local]:
    local = worker.start()
    yield local
    local.close()


def by_tensorflow(texts: Texts, documents: list[str]) -> NDArray[np.int32]:
    import tensorflow as tf

    return np.asarray(Reader(texts)(tf.constant(documents)))


def fitted(documents: list[str], **options: Any) -> Texts:
    """With a vocabulary of every other token of the documents."""
    texts = Texts(
        **{"level": "word", "lowercase": True, "words": (), "vocabulary": 10**6, "max_length": None, "keep": "start", **options}
    )  # fmt: skip
    from gru_tune.kinds import _words

    cut = _words.CUTTERS[texts.level]
    tokens = {token for each in documents for token in cut(_words.clean(each, texts.lowercase))}
    return texts._replace(words=tuple(sorted(tokens)[::2]))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lowercase": False, "vocabulary": 20},
        {"max_length": 3, "keep": "end"},
        {"level": "character", "max_length": 7},
    ],
)
def test_tricky_documents(options: dict[str, Any], tensorflow: Local) -> None:
    texts = fitted(TRICKY, **options)
    found = tensorflow.call(by_tensorflow, texts, TRICKY).result()
    assert found.tolist() == numbered(texts, TRICKY).tolist()


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason=f"the published data sets are not in {REAL}")
@pytest.mark.parametrize(
    ("name", "column", "level"),
    [("imdb_6k.csv", "text", "word"), ("sms_spam.tsv", "SMS", "word"), ("names18.csv", "name", "character")],
)
def test_published_documents(name: str, column: str, level: str, tensorflow: Local) -> None:
    import pandas as pd

    table = pd.read_csv(REAL / name, sep="\t" if name.endswith("tsv") else ",", keep_default_na=False)
    documents = table[column].astype(str).tolist()[:2000]
    texts = fitted(documents[:1000], level=level, vocabulary=10_000)
    found = tensorflow.call(by_tensorflow, texts, documents).result()
    assert np.array_equal(found, numbered(texts, documents))


def served(one: Any, documents: list[str], ids: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any], str]:
    import tensorflow as tf

    note = convert(one).note
    loaded = tf.saved_model.load(one.file)
    return loaded.serve_text(tf.constant(documents)).numpy(), loaded.serve(ids).numpy(), note


def test_a_saved_model_takes_documents(tensorflow: Local, tmp_path: Path) -> None:
    texts = Texts("word", True, tuple(f"word{n}" for n in range(2, 10)), 8, None, "start")
    documents = ["Word2 word9 word5!", "", "WORD3"]
    one = replace(order("text", "saved_model", tmp_path), texts=texts)
    by_text, by_ids, note = tensorflow.call(served, one, documents, numbered(texts, documents)).result()
    assert note == "serve_text takes the documents themselves"
    assert by_text.tolist() == by_ids.tolist()
    assert len(np.unique(by_text)) == 3


def other_numbers(one: Any) -> str:
    """What is told when Python numbers the words otherwise than TensorFlow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gru_tune.export.texts.numbered", lambda texts, documents: np.zeros((2, 2), np.int32))
        return convert(one).note


def test_where_tensorflow_reads_otherwise_it_is_left_out(tensorflow: Local, tmp_path: Path) -> None:
    texts = Texts("word", True, ("word2", "word3"), 8, None, "start")
    one = replace(order("text", "saved_model", tmp_path), texts=texts)
    assert tensorflow.call(other_numbers, one).result() == (
        "serve_text is left out: TensorFlow cuts some words of this vocabulary in another way"
    )
