"""Layers to train with on JAX, each in the place of one of Keras' own with the same weights.

They never reach a saved model: that is built of Keras' layers, and given the weights.
Imported inside functions only, since it needs Keras.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import keras
from keras import ops

from gru_tune.learning.recurrence import gru


@keras.saving.register_keras_serializable("gru_tune")  # Bidirectional makes its layers of their configs
class FastGRU(keras.layers.GRU):  # type: ignore[misc]
    """``keras.layers.GRU`` with tanh, without dropout of its own, through ``recurrence.gru``."""

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Keras' hook: the last output, all outputs or the last alone, and the states."""
        state = initial_state[0] if isinstance(initial_state, list | tuple) else initial_state
        states, last = gru(
            jnp.swapaxes(sequences, 0, 1), state, self.cell.kernel.value, self.cell.recurrent_kernel.value,
            self.cell.bias.value, None if mask is None else jnp.swapaxes(mask, 0, 1),
            reverse=self.go_backwards, every_step=self.return_sequences,
        )  # fmt: skip
        if not self.return_sequences:
            return last, last[:, None], [last]
        if mask is not None and self.zero_output_for_mask:  # as Bidirectional sets it
            states = jnp.where(jnp.swapaxes(mask, 0, 1)[..., None], states, 0.0)
        if self.go_backwards:  # Keras' order is that of the computation
            states = jnp.flip(states, axis=0)
        return last, jnp.swapaxes(states, 0, 1), [last]


class FastDropout(keras.layers.Layer):  # type: ignore[misc]
    """Dropout whose rate is a variable: another rate is no other program to compile.

    With ``every_step`` one mask serves all steps, as in ``keras.layers.SpatialDropout1D``.
    """

    def __init__(self, rate: float, every_step: bool) -> None:
        super().__init__()
        self.every_step = every_step
        self.seeds = keras.random.SeedGenerator(0)
        self.rate = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(rate), trainable=False, name="rate"
        )
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        shape = ops.shape(inputs)
        if self.every_step:
            shape = (shape[0], 1, *shape[2:])
        kept = 1.0 - ops.convert_to_tensor(self.rate)
        mask = ops.less(keras.random.uniform(shape, seed=self.seeds), kept)
        return ops.where(mask, inputs / kept, 0.0)
