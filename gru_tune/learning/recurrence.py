"""The recurrence of a GRU in JAX, forward and backward, written for XLA on a CPU.

Same weights and same numbers as ``keras.layers.GRU`` (``reset_after``, tanh and sigmoid).
What makes it faster than the gradient that JAX derives by itself:

- the products with the weights' gradients are one product over all steps, not one a step;
- what the backward loop needs is kept from the forward loop, and nothing else is;
- time comes first, so that every step reads and writes one piece of memory;
- a masked step is one whose update gate is 1: no selection, no second copy of the state.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

SHUT = 1e9  # the sigmoid of this is 1 exactly


def gru(
    x: Any,
    state: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    mask: Any | None = None,
    *,
    reverse: bool = False,
    every_step: bool = True,
) -> tuple[Any, Any]:
    """The states of all steps (time, batch, units), and the one after the last step (batch, units).

    Without ``every_step`` the first is None.

    ``x`` (time, batch, features); ``state`` (batch, units) before the first step; ``kernel``
    (features, 3 units), ``recurrent`` (units, 3 units) and ``bias`` (2, 3 units) as Keras
    lays them out: update, reset, candidate. ``mask`` (time, batch) is False where a step
    leaves the state as it is. ``reverse`` goes from the last step to the first; the states
    stay at the places of their steps.
    """
    units = state.shape[-1]
    both = bias[1].at[2 * units :].set(0.0)  # the candidate's is inside the reset gate's product
    inputs = _project(x, kernel) + (bias[0] + both)
    if mask is not None:
        shut = ~mask[:, :, None] & (jnp.arange(3 * units) < units)
        inputs = jnp.where(shut, SHUT, inputs)
    states, last = _loop(inputs, state, recurrent, bias[1, 2 * units :], (reverse, every_step))
    return states, last


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _project(x: Any, kernel: Any) -> Any:
    """``x @ kernel``; JAX's own gradient of it copies what XLA's fast matrix product would read as it is."""
    return x @ kernel


def _project_forward(x: Any, kernel: Any) -> Any:
    return x @ kernel, (x, kernel)


def _project_backward(kept: Any, gradient: Any) -> Any:
    x, kernel = kept
    rows = gradient.reshape(-1, gradient.shape[-1])
    return (rows @ kernel.T).reshape(x.shape), x.reshape(-1, x.shape[-1]).T @ rows


_project.defvjp(_project_forward, _project_backward)


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def _loop(inputs: Any, state: Any, recurrent: Any, bias: Any, how: tuple[bool, bool]) -> tuple[Any, Any]:
    reverse, every_step = how

    def step(carry: Any, inputs: Any) -> Any:
        update, reset, _, candidate = _gates(inputs, carry[0], recurrent, bias)
        state = update * carry[0] + (1 - update) * candidate
        return (state, update, reset), state if every_step else None

    # The gates are carried along for XLA's sake alone: with no use outside the sum they would be
    # fused into one loop that it does not vectorise, three times as slow.
    unused = jnp.zeros_like(state)
    (last, update, reset), states = lax.scan(step, (state, unused, unused), inputs, reverse=reverse)
    nothing = 0.0 * (update[0, 0] + reset[0, 0])
    return states + nothing if every_step else None, last + nothing


def _forward(inputs: Any, state: Any, recurrent: Any, bias: Any, how: tuple[bool, bool]) -> Any:
    reverse, every_step = how

    def step(state: Any, inputs: Any) -> Any:
        update, reset, product, candidate = _gates(inputs, state, recurrent, bias)
        after = update * state + (1 - update) * candidate
        return after, (after if every_step else None, state, update, reset, product, candidate)

    last, (states, *kept) = lax.scan(step, state, inputs, reverse=reverse)
    return (states, last), (recurrent, *kept)


def _backward(how: tuple[bool, bool], kept: Any, gradients: Any) -> Any:
    reverse, every_step = how
    recurrent, *steps = kept
    turned = recurrent.T

    def step(gradient: Any, step: Any) -> Any:
        given, before, update, reset, product, candidate = step
        gradient = gradient + given if every_step else gradient
        to_candidate = gradient * (1 - update) * (1 - candidate * candidate)
        to_reset = to_candidate * product * reset * (1 - reset)
        to_update = gradient * (before - candidate) * update * (1 - update)
        products = jnp.concatenate([to_update, to_reset, to_candidate * reset], axis=1)
        return gradient * update + products @ turned, (products, to_candidate)

    from_states, from_last = gradients
    first, (products, to_candidate) = lax.scan(step, from_last, (from_states, *steps), reverse=not reverse)
    units = recurrent.shape[0]
    to_inputs = jnp.concatenate([products[..., : 2 * units], to_candidate], axis=-1)
    products = products.reshape(-1, 3 * units)
    to_recurrent = steps[0].reshape(-1, units).T @ products
    return to_inputs, first, to_recurrent, products[:, 2 * units :].sum(0)


def _gates(inputs: Any, state: Any, recurrent: Any, bias: Any) -> tuple[Any, Any, Any, Any]:
    """Update and reset gate, the recurrent part of the candidate, the candidate: (batch, units) each."""
    units = state.shape[-1]
    products = state @ recurrent
    update = jax.nn.sigmoid(inputs[:, :units] + products[:, :units])
    reset = jax.nn.sigmoid(inputs[:, units : 2 * units] + products[:, units : 2 * units])
    product = products[:, 2 * units :] + bias
    return update, reset, product, jnp.tanh(inputs[:, 2 * units :] + reset * product)


_loop.defvjp(_forward, _backward)
