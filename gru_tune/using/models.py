"""What the models of a study say of new rows."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gru_tune.bounds import Refused
from gru_tune.data.dataset import Dataset
from gru_tune.errors import DataError, StudyError
from gru_tune.executors.places import backend, cores
from gru_tune.learning.samples import Samples
from gru_tune.learning.truth import Truth
from gru_tune.quiet import quiet_stderr
from gru_tune.using.finished import Finished, Member

BACKENDS = ("jax", "tensorflow")


def predictions(study: Finished, dataset: Dataset) -> tuple[Truth, NDArray[np.float32], float | None]:
    """The mean of what the members say, shaped as ``predicting.predict`` has it, what is true, and the loss.

    An ensemble has no loss. All rows are in the test split. Raises ``DataError`` where
    there is nothing to predict, ``StudyError`` for models that do not fit the study.
    """
    samples = [Samples(dataset, "test", member.settings.data) for member in study.members]
    if not len(samples[0]):
        raise DataError(
            "nothing is left to predict: no unbroken stretch is as long as the window of the model"
        )
    _configure(study.backend)
    every, losses = zip(*map(_one, study.members, samples), strict=True)
    mean = np.mean(every, axis=0)
    if not np.isfinite(mean).all():
        raise StudyError(f"{study.folder.path}: the model predicts values that are no numbers")
    return samples[0].truth(), mean, losses[0] if len(losses) == 1 else None


def _one(member: Member, samples: Samples) -> tuple[NDArray[np.float32], float | None]:
    from gru_tune.learning.engines import make_scorer
    from gru_tune.learning.predicting import predict
    from gru_tune.learning.safety import refuse_weights
    from gru_tune.learning.training import load

    try:
        with warnings.catch_warnings():
            # Keras leaves a layer it finds no weights for as it is, and only warns.
            warnings.simplefilter("error", UserWarning)
            refuse_weights(member.file)
            model = load(member.file, member.settings, samples.dataset)
    except Refused as refused:
        raise StudyError(f"{member.file} {refused}") from None
    except (OSError, ValueError, KeyError, BadZipFile, UserWarning, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StudyError(f"{member.file} does not hold the weights of its settings ({reason})") from None
    return predict(make_scorer(model, member.settings, samples.dataset), samples)


def _configure(wanted: str) -> None:
    """Compute with what the study was trained on, where it is installed here."""
    from gru_tune.learning.training import configure, warm

    here = wanted in BACKENDS and find_spec(wanted) is not None
    with quiet_stderr():
        configure(wanted if here else backend("auto")[0], len(cores()))
        warm()
