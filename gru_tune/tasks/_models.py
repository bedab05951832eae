"""Models without a network, as scikit-learn has them, fitted and asked in one go."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray


def logistic() -> Any:
    """Logistic regression on standardised columns."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


def ridge() -> Any:
    """Ridge regression on standardised columns."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(copy=False), Ridge(copy_X=False))


def fit(model: Any, x: Any, y: NDArray[Any]) -> Any:
    """The fitted ``model``; one that has not quite converged is good enough."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)


def class_chances(model: Any, x: Any, y: NDArray[Any], asked: Any, classes: int) -> NDArray[np.float32]:
    """Probabilities (asked, classes) of ``model``, fitted to ``x`` and the ids ``y``."""
    chances = np.zeros((asked.shape[0], classes), np.float32)
    if (y == y[0]).all():
        chances[:, y[0]] = 1.0
        return chances
    fit(model, x, y)
    chances[:, model.classes_] = model.predict_proba(asked)
    return chances
