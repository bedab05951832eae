"""A SavedModel that takes documents: the tool's own way to cut and number them, in TensorFlow."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.encoding import FIRST_WORD, UNKNOWN, Vocabulary
from gru_tune.kinds import _words

# Python's \w and \s for TensorFlow's regular expressions (RE2), which know them for ASCII alone.
WORD = r"\p{L}\p{N}_"
SPACE = r"\t-\r\x1c- \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
TRIED = 50  # words of the vocabulary that make a document to try


class Texts(NamedTuple):
    """How documents become word ids; ``words`` are those of training, of which a vocabulary is kept."""

    level: str
    lowercase: bool
    words: tuple[str, ...]
    vocabulary: int
    max_length: int | None
    keep: str

    @property
    def kept(self) -> tuple[str, ...]:
        return self.words[: self.vocabulary - FIRST_WORD]


def add_texts(model: Any, texts: Texts, path: Path) -> str:
    """Write ``model`` anew with ``serve_text``, for documents as strings; returns what to tell of it.

    Only where TensorFlow cuts every word of the vocabulary as Python does: else the model at
    ``path`` stays as it is.
    """
    import keras
    import tensorflow as tf

    reader = Reader(texts)
    tried = _documents(texts)
    if not np.array_equal(np.asarray(reader(tf.constant(tried))), numbered(texts, tried)):
        return "serve_text is left out: TensorFlow cuts some words of this vocabulary in another way"
    given = model.inputs[0]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(reader.lookup)
    archive.add_endpoint(
        "serve",
        lambda x: model(x, training=False),
        input_signature=[tf.TensorSpec(given.shape, given.dtype, given.name)],
    )
    archive.add_endpoint(
        "serve_text",
        lambda text: model(reader(text), training=False),
        input_signature=[tf.TensorSpec((None,), tf.string, "text")],
    )
    shutil.rmtree(path)
    archive.write_out(path)
    return "serve_text takes the documents themselves"


class Reader:
    """Documents (batch,) as strings to word ids (batch, time), 0 for padding, in TensorFlow."""

    def __init__(self, texts: Texts) -> None:
        import keras

        self.texts = texts
        # No token is a line end with something after it: it stands for all that are unknown.
        self.lookup = keras.layers.StringLookup(
            vocabulary=list(texts.kept), mask_token="", oov_token="\n?", num_oov_indices=1
        )

    def __call__(self, documents: Any) -> Any:
        import tensorflow as tf

        cleaned = tf.strings.regex_replace(documents, _TAG, " ")
        if self.texts.lowercase:
            cleaned = tf.strings.lower(cleaned, encoding="utf-8")
        tokens = _words_of(cleaned) if self.texts.level == "word" else _characters_of(cleaned)
        ids = tf.cast(tokens.with_values(self.lookup(tokens.values)), tf.int32)
        nothing = tf.cast(ids.row_lengths() == 0, tf.int64)
        ids = tf.concat([ids, tf.RaggedTensor.from_row_lengths(_unknown(nothing), nothing)], axis=1)
        if (length := self.texts.max_length) is not None:
            ids = ids[:, :length] if self.texts.keep == "start" else ids[:, -length:]
        return ids.to_tensor(0)


def numbered(texts: Texts, documents: Sequence[str]) -> NDArray[np.int32]:
    """The same by the code that training used."""
    cut = _words.CUTTERS[texts.level]
    found, lengths, _ = _words.index(cut(_words.clean(each, texts.lowercase)) for each in documents)
    ids = Vocabulary(texts.words).apply(found)
    rows = np.split(np.where(ids < texts.vocabulary, ids, UNKNOWN), np.cumsum(lengths)[:-1])
    if (length := texts.max_length) is not None:
        rows = [row[:length] if texts.keep == "start" else row[-length:] for row in rows]
    result = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for place, row in enumerate(rows):
        result[place, : len(row)] = row
    return result


def _documents(texts: Texts) -> list[str]:
    """All words of the vocabulary, in documents that are not cut; one has none."""
    size = min(TRIED, texts.max_length or TRIED)
    between = " " if texts.level == "word" else ""
    parts = [texts.words[place : place + size] for place in range(0, len(texts.words), size)]
    return ["", *(between.join(part) for part in parts)]


def _re2(pattern: str) -> str:
    return pattern.replace(r"\w+", f"[{WORD}]+").replace(r"\w", WORD).replace(r"\s", SPACE)


# RE2's \b is one of ASCII as well: what follows the name of a tag is told without it.
_TAG = "(?i)" + _words._TAG.pattern.replace(r"\b[^<>]*", rf"(?:[^{WORD}<>][^<>]*)?")
_WORD = _re2(_words._WORD.pattern)


def _words_of(cleaned: Any) -> Any:
    """A blank after every word, then cut at blanks: RE2 finds no list of matches."""
    import tensorflow as tf

    plain = tf.strings.regex_replace(cleaned, f"[{SPACE}]", " ")
    return tf.strings.split(tf.strings.regex_replace(plain, f"({_WORD})", r"\1 "))


def _characters_of(cleaned: Any) -> Any:
    import tensorflow as tf

    stripped = tf.strings.regex_replace(cleaned, f"^[{SPACE}]+|[{SPACE}]+$", "")
    return tf.strings.unicode_split(stripped, "UTF-8")


def _unknown(counts: Any) -> Any:
    import tensorflow as tf

    return tf.fill([tf.reduce_sum(counts)], UNKNOWN)
