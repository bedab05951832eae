"""Reviews with plain Keras: one GRU of 100 units by ``model.fit``, with padding masked.

KERAS_BACKEND=tensorflow python -m benchmarks.others.reviews_keras reviews.parquet

The table has the columns text, label (neg, pos) and split (train, validation, test). Words are
cut and numbered by gru-tune's own functions, so that both see the same ids. Prints one line of
JSON at the end: the seconds of every epoch without and with validation, and the accuracy on test.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gru_tune.data.encoding import Vocabulary
from gru_tune.kinds import _words

WORDS, LENGTH = 5000, 500
EMBEDDING, UNITS, BATCH_SIZE = 100, 100, 64
UNKNOWN = 1


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Seconds of every epoch: ``training`` until validation begins, ``whole`` until it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.training: list[float] = []
        self.whole: list[float] = []
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        self.training.append(time.perf_counter() - self._start)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.whole.append(time.perf_counter() - self._start)


def load(file: Path) -> dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Word ids (reviews, 500), the last 500 of a review, padded at the end, and 1 for every positive review, by split."""
    table = pd.read_parquet(file)
    cut = _words.CUTTERS["word"]
    words, lengths, _ = _words.index(cut(_words.clean(text, lowercase=True)) for text in table["text"])
    split = table["split"].to_numpy(str)
    ids = Vocabulary.fit(words, np.repeat(split == "train", lengths)).apply(words)
    ids[ids >= WORDS] = UNKNOWN
    reviews = np.split(ids, np.cumsum(lengths)[:-1])
    x = keras.utils.pad_sequences(reviews, LENGTH, padding="post", truncating="pre")
    y = (table["label"] == "pos").to_numpy(np.float32)
    return {name: (x[split == name], y[split == name]) for name in ("train", "validation", "test")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    data = load(options.file)
    keras.utils.set_random_seed(options.seed)
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(WORDS, EMBEDDING, mask_zero=True),
            keras.layers.GRU(UNITS),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss="binary_crossentropy", metrics=["accuracy"])
    clock = Clock()
    # The test is for the best epoch, as in gru-tune; training never stops early.
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=options.epochs, restore_best_weights=True
    )
    model.fit(
        *data["train"],
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        validation_data=data["validation"],
        callbacks=[clock, best],
        verbose=0,
    )
    accuracy = model.evaluate(*data["test"], batch_size=BATCH_SIZE, verbose=0, return_dict=True)["accuracy"]
    print(json.dumps({"training": clock.training, "whole": clock.whole, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
