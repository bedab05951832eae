"""Sequences and windows of numbers without a network: what sums them up, and their nearest neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.tasks import _models
from gru_tune.tasks._inputs import input_rows, is_numeric, known_samples, parts, thinned

Ints = NDArray[np.int64]

LOGISTIC = "summary features + logistic regression"
RIDGE = "summary features + ridge regression"
NEIGHBOUR = "1-nearest neighbour"
MOST_NEIGHBOURS = 5_000  # training samples; each is compared with every one that is asked
MOST_COMPARED = 5_000_000  # numbers in all of them


def class_guesses(dataset: Dataset, samples: Ints) -> dict[str, NDArray[np.float32]]:
    """Probabilities (n, classes) of the classes of ``samples`` (as in ``Truth.rows``) by the name of the model."""
    known = known_samples(dataset)
    if not is_numeric(dataset) or not len(known):
        return {}
    classes = len(dataset.info["labels"])
    # The time it takes goes with the number of classes as well.
    learned = thinned(known, _width(dataset) * classes)
    train, asked = features(dataset, learned), features(dataset, samples)
    y = np.asarray(dataset.y)
    guesses = {LOGISTIC: _models.class_chances(_models.logistic(), train, y[learned], asked, classes)}
    known = known[:: -(-len(known) // MOST_NEIGHBOURS)]
    if _are_comparable(dataset, known, samples):
        guesses[NEIGHBOUR] = _nearest(dataset, known, samples)
    return guesses


def number_guesses(dataset: Dataset, samples: Ints) -> dict[str, NDArray[Any]]:
    """Targets (n, targets) of ``samples``, scaled as prepared, by the name of the model."""
    known = known_samples(dataset)
    if not is_numeric(dataset) or not len(known):
        return {}
    known = thinned(known, _width(dataset))
    model = _models.fit(_models.ridge(), features(dataset, known), np.asarray(dataset.y)[known])
    return {RIDGE: np.asarray(model.predict(features(dataset, samples))).reshape(len(samples), -1)}


def features(dataset: Dataset, samples: Ints) -> NDArray[np.float64]:
    """(n, 7 · channels + 1): mean, spread, least, greatest, first, last and slope of every channel, and the length.

    A sequence without steps has zeros.
    """
    longest = int(
        dataset.info["max_window"] if dataset.layout == "timeline" else dataset.spans[samples, 1].max()
    )
    return np.concatenate([_features(dataset, part) for part in parts(samples, longest * _channels(dataset))])


def _features(dataset: Dataset, samples: Ints) -> NDArray[np.float64]:
    rows, lengths = input_rows(dataset, samples)
    found = np.zeros((len(samples), _width(dataset)))
    there = lengths > 0
    if not there.any():
        return found
    x = np.asarray(dataset.x)[rows].astype(np.float64)
    counts = lengths[there]
    starts, ends, steps = np.cumsum(counts) - counts, np.cumsum(counts) - 1, counts[:, None]
    mean = np.add.reduceat(x, starts) / steps
    apart = x - np.repeat(mean, counts, axis=0)
    time = np.arange(len(x)) - np.repeat((starts + ends) / 2, counts)
    slope = np.add.reduceat(apart * time[:, None], starts)
    slope /= np.maximum(np.add.reduceat(np.square(time), starts), 1e-12)[:, None]  # of one step it is 0
    spread = np.sqrt(np.add.reduceat(np.square(apart), starts) / steps)
    low, high = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
    found[there] = np.hstack([mean, spread, low, high, x[starts], x[ends], slope, steps])
    return found


def _nearest(dataset: Dataset, known: Ints, samples: Ints) -> NDArray[np.float32]:
    """The class of the training sample with the least Euclidean distance, without a doubt."""
    from sklearn.neighbors import KNeighborsClassifier

    x = np.asarray(dataset.x)
    train, asked = (x[input_rows(dataset, some)[0]].reshape(len(some), -1) for some in (known, samples))
    model = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    return _models.class_chances(
        model, train, np.asarray(dataset.y)[known], asked, len(dataset.info["labels"])
    )


def _are_comparable(dataset: Dataset, known: Ints, samples: Ints) -> bool:
    """Whether all have one length, above 0, and ``known`` are not too many numbers to compare with."""
    if dataset.layout == "timeline":
        lengths = np.array([dataset.info["max_window"]])
    else:
        lengths = np.unique(dataset.spans[np.concatenate([known, samples]), 1])
    values = len(known) * int(lengths[0]) * _channels(dataset)
    return len(lengths) == 1 and 0 < values <= MOST_COMPARED


def _channels(dataset: Dataset) -> int:
    return int(np.asarray(dataset.x).shape[1])


def _width(dataset: Dataset) -> int:
    return 7 * _channels(dataset) + 1
