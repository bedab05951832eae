"""What is minimised, and the one cheap metric watched while training.

Every loss is a mean weighted by the sample weights, so rows and steps of weight 0 count
for nothing: a padded batch has exactly the loss of its real rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gru_tune.data.dataset import Dataset
from gru_tune.knobs import TrainingKnobs

REDUCTION = "mean_with_sample_weight"
FOCUS = 2.0  # gamma of the focal loss, as Lin et al. (2017) found best


def has_classes(dataset: Dataset) -> bool:
    """Whether the targets are classes (else they are numbers)."""
    return dataset.target in ("label", "labels")


def make_loss(knobs: TrainingKnobs, dataset: Dataset) -> Any:
    """The Keras loss of ``knobs.loss`` for the head that ``factory`` builds.

    Takes class ids (…) with probabilities (…, 1 or classes), or numbers of equal shape.
    """
    import keras

    if has_classes(dataset):
        return _class_loss(knobs, len(dataset.info["labels"]))
    kinds = {
        "mse": keras.losses.MeanSquaredError,
        "mae": keras.losses.MeanAbsoluteError,
        "huber": keras.losses.Huber,
    }
    return kinds["mse" if knobs.loss == "auto" else knobs.loss](reduction=REDUCTION)


class Watched(NamedTuple):
    """A metric that costs nothing: its ``values``, of the shape of the weights, are averaged by these."""

    name: str
    values: Callable[[Any, Any], Any]


def watched(dataset: Dataset) -> Watched:
    """What is watched while training: accuracy for classes, mean absolute error for numbers."""
    return Watched("accuracy", _hits) if has_classes(dataset) else Watched("mae", _distance)


def make_metric(dataset: Dataset) -> Any:
    """``watched`` as a Keras metric."""
    import keras

    name, values = watched(dataset)
    return keras.metrics.MeanMetricWrapper(values, name=name)


def _hits(ids: Any, chances: Any) -> Any:
    """1.0 where the likeliest class is the true one: shapes (…) and (…, 1 or classes)."""
    from keras import ops

    two = chances.shape[-1] == 1
    guess = ops.squeeze(chances, axis=-1) > 0.5 if two else ops.argmax(chances, axis=-1)
    return ops.cast(ops.equal(ops.cast(guess, "int32"), ops.cast(ids, "int32")), "float32")


def _distance(truth: Any, guess: Any) -> Any:
    """The mean over the targets: shapes (…, targets) both."""
    from keras import ops

    return ops.mean(ops.abs(ops.subtract(guess, truth)), axis=-1)


def _class_loss(knobs: TrainingKnobs, classes: int) -> Any:
    import keras
    from keras import ops

    smoothing, focal = knobs.label_smoothing, knobs.loss == "focal"

    class ClassLoss(keras.losses.Loss):  # type: ignore[misc]
        """Cross-entropy, or its focal form, of class ids: what Keras has for one-hot targets."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            if classes == 2:
                target = ops.expand_dims(y_true, -1)
                if focal:
                    return keras.losses.binary_focal_crossentropy(
                        target, y_pred, gamma=FOCUS, label_smoothing=smoothing
                    )
                return keras.losses.binary_crossentropy(target, y_pred, label_smoothing=smoothing)
            if not focal and not smoothing:
                return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
            target = ops.one_hot(ops.cast(y_true, "int32"), classes)
            if focal:
                # alpha=1: what weighs a class is class_weights, not a constant of the loss
                return keras.losses.categorical_focal_crossentropy(
                    target, y_pred, alpha=1.0, gamma=FOCUS, label_smoothing=smoothing
                )
            return keras.losses.categorical_crossentropy(target, y_pred, label_smoothing=smoothing)

    return ClassLoss(name="loss", reduction=REDUCTION)
