"""Steps on TensorFlow that need less memory: a batch goes through the model in parts, one after the other.

The parts' gradients, each weighted by the sample weights of its rows, make one update: that
of the whole batch up to rounding. Batch normalisation alone sees the parts. (On JAX
``compiled`` computes in parts anyway.)
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from gru_tune.learning.batches import evened
from gru_tune.learning.engines import Stepwise, Sums
from gru_tune.learning.losses import Watched
from gru_tune.learning.samples import Batch


class Accumulating(Stepwise):
    """Divides every batch into ``parts`` of equally many rows."""

    def __init__(self, model: Any, loss: Any, metric: Watched, parts: int) -> None:
        super().__init__(model, loss)
        self._metric, self._parts = metric, parts

    def _step(self, batch: Batch) -> Sums:
        rows = -(-len(batch.w) // self._parts)
        whole, weight = evened(batch, rows), batch.w.sum()
        total: list[Any] = []
        sums = np.zeros(2)
        for start in range(0, len(whole.w), rows):
            part = (array[start : start + rows] for array in whole)
            gradients, means = self._gradients(weight, *part)
            total = [_added(*pair) for pair in zip(total, gradients, strict=True)] if total else gradients
            sums += weight * means.numpy()
        self._update(total)
        return Sums(float(weight), dict(zip(("loss", self._metric.name), sums.tolist(), strict=True)))

    @cached_property
    def _gradients(self) -> Any:
        """What some rows of a batch contribute to its mean loss, to the gradients of that, and to its mean metric."""
        import tensorflow as tf

        def gradients(weight: Any, x: Any, y: Any, w: Any) -> Any:
            share = tf.math.divide_no_nan(tf.reduce_sum(w), weight)
            with tf.GradientTape() as tape:
                out = self.model(x, training=True)
                loss = share * self.model.compute_loss(x, y, out, w, training=True)
            variables = [variable.value for variable in self.model.trainable_variables]
            metric = tf.math.divide_no_nan(tf.reduce_sum(self._metric.values(y, out) * w), weight)
            return tape.gradient(loss, variables), tf.stack([loss, metric])

        return tf.function(gradients, jit_compile=self.model.jit_compile)

    @cached_property
    def _update(self) -> Any:
        import tensorflow as tf

        def update(gradients: list[Any]) -> None:
            self.model.optimizer.apply(gradients, self.model.trainable_variables)

        return tf.function(update)


def _added(one: Any, other: Any) -> Any:
    """The sum of two gradients; of word vectors TensorFlow has a row for every word of the batch.

    These stay apart, as they are in the whole batch: Keras' optimizers square each by itself.
    """
    import tensorflow as tf

    if not isinstance(one, tf.IndexedSlices):
        return one + other
    values, rows = (tf.concat(pair, 0) for pair in ((one.values, other.values), (one.indices, other.indices)))
    return tf.IndexedSlices(values, rows, one.dense_shape)
