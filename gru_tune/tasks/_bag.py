"""What the words of a sequence tell without their order: TF-IDF and a linear model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks import _models
from gru_tune.tasks._inputs import input_rows, is_numeric, known_samples, thinned

NAME = "TF-IDF + linear model"
CHARACTERS = 300  # with so few different words they are characters, of which only runs tell anything
RUN = 3  # of characters, at most


def is_bag(dataset: Dataset) -> bool:
    """Whether the inputs are words, with one target for the whole sequence."""
    return dataset.layout == "sequences" and not is_numeric(dataset) and known_samples(dataset).size > 0


def class_chances(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logistic regression: the probabilities (n, classes) of the sequences ``rows``."""
    from sklearn.linear_model import LogisticRegression

    known = thinned(known_samples(dataset), 1)
    train, asked = _weights(dataset, known, rows)
    model = LogisticRegression(C=10.0, max_iter=200)
    y, classes = np.asarray(dataset.y)[known], len(dataset.info["labels"])
    return _models.class_chances(model, train, y, asked, classes)


def numbers(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Ridge regression: the targets (n, targets) of the sequences ``rows``, scaled as prepared."""
    from sklearn.linear_model import Ridge

    known = thinned(known_samples(dataset), 1)
    train, asked = _weights(dataset, known, rows)
    model = Ridge(solver="sparse_cg").fit(train, np.asarray(dataset.y)[known])
    return np.asarray(model.predict(asked)).reshape(len(rows), -1)


def _weights(dataset: Dataset, known: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[Any, Any]:
    """TF-IDF (sequences, features), sparse, of both; features and weights are those of ``known``."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    longest = RUN if int(dataset.info["vocabulary"]) <= CHARACTERS else 1
    owners, grams = _grams(dataset, known, longest)
    features, counts = np.unique(grams, return_counts=True)
    features = features[counts > 1] if (counts > 1).any() else features

    def counted(owners: NDArray[np.int64], grams: NDArray[np.int64], count: int) -> Any:
        place = np.minimum(np.searchsorted(features, grams), len(features) - 1)
        seen = features[place] == grams
        ones = np.ones(int(seen.sum()))
        return csr_matrix((ones, (owners[seen], place[seen])), shape=(count, len(features)))

    scale = TfidfTransformer(sublinear_tf=True)
    train = scale.fit_transform(counted(owners, grams, len(known)))
    return train, scale.transform(counted(*_grams(dataset, rows, longest), len(rows)))


def _grams(
    dataset: Dataset, rows: NDArray[np.int64], longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All runs of up to ``longest`` words as numbers, each with the place of its sequence in ``rows``."""
    steps, lengths = input_rows(dataset, rows)
    owners = np.repeat(np.arange(len(rows)), lengths)
    words = np.asarray(dataset.x)[steps].astype(np.int64)
    base = int(dataset.info["vocabulary"]) + 1
    found = [(owners, words)]
    runs = words
    for size in range(2, longest + 1):
        runs = runs[:-1] * base + words[size - 1 :]  # no smaller run has such a number: no word is 0
        whole = owners[: len(runs)] == owners[size - 1 :]
        found.append((owners[: len(runs)][whole], runs[whole]))
    return np.concatenate([o for o, _ in found]), np.concatenate([g for _, g in found])
