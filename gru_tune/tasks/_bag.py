"""What the words of a sequence tell without their order: TF-IDF and a linear model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks._classes import training_rows

NAME = "TF-IDF + linear model"
MOST = 50_000  # training sequences; more would cost more than a baseline may
CHARACTERS = 300  # with so few different words they are characters, of which only runs tell anything
RUN = 3  # of characters, at most


def is_bag(dataset: Dataset) -> bool:
    """Whether the inputs are words, with one target for the whole sequence."""
    return dataset.layout == "sequences" and np.asarray(dataset.x).ndim == 1 and _known(dataset).size > 0


def class_chances(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logistic regression: the probabilities (n, classes) of the sequences ``rows``."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = _known(dataset)
    chances = np.zeros((len(rows), len(dataset.info["labels"])), np.float32)
    y = np.asarray(dataset.y)[known]
    if (y == y[0]).all():
        chances[:, y[0]] = 1.0
        return chances
    train, asked = _weights(dataset, known, rows)
    model = LogisticRegression(C=10.0, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is good enough
        model.fit(train, y)
    chances[:, model.classes_] = model.predict_proba(asked)
    return chances


def numbers(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Ridge regression: the targets (n, targets) of the sequences ``rows``, scaled as prepared."""
    from sklearn.linear_model import Ridge

    known = _known(dataset)
    train, asked = _weights(dataset, known, rows)
    model = Ridge(solver="sparse_cg").fit(train, np.asarray(dataset.y)[known])
    return np.asarray(model.predict(asked)).reshape(len(rows), -1)


def _known(dataset: Dataset) -> NDArray[np.int64]:
    """The training sequences to learn from, evenly picked where there are many."""
    rows = training_rows(dataset)
    return rows[:: -(-len(rows) // MOST)] if len(rows) > MOST else rows


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
    starts, lengths = dataset.spans[rows, 0], dataset.spans[rows, 1]
    owners = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    words = np.asarray(dataset.x)[np.repeat(starts, lengths) + within].astype(np.int64)
    base = int(dataset.info["vocabulary"]) + 1
    found = [(owners, words)]
    runs = words
    for size in range(2, longest + 1):
        runs = runs[:-1] * base + words[size - 1 :]  # no smaller run has such a number: no word is 0
        whole = owners[: len(runs)] == owners[size - 1 :]
        found.append((owners[: len(runs)][whole], runs[whole]))
    return np.concatenate([o for o, _ in found]), np.concatenate([g for _, g in found])
