"""How numbers, values and times are written in every report."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from gru_tune.trial import Trial
from gru_tune.values import Scalar


def knobs(values: Mapping[str, Scalar]) -> str:
    """``units 64, depth 2, learning_rate 0.001``."""
    return ", ".join(f"{name} {value(v)}" for name, v in values.items()) or "nothing was searched over"


def progress(trial: Trial) -> str:
    """``7/12``: the best epoch, and the last."""
    best = trial.best
    last = trial.epochs[-1].number if trial.epochs else 0
    return f"{best.number}/{last}" if best else f"–/{last}"


def number(value: float | None, beside: float = 0.0) -> str:
    """A metric with four decimals; a small one with three digits, a tiny one with an exponent.

    ``beside`` is a number whose precision it shares, where that asks for fewer decimals (but four).
    """
    if value is None:
        return "–"
    size = max(abs(value), min(abs(beside), 1.0))
    if size != 0 and not 1e-4 <= size < 1e7:
        return f"{value:.2e}"
    if size >= 10:
        return f"{value:.2f}" if size < 1000 else f"{value:,.0f}"
    return f"{value:.{4 if size >= 0.01 or size == 0 else 2 - math.floor(math.log10(size))}f}"


def signed(value: float, beside: float = 0.0) -> str:
    """``number`` with its sign."""
    return f"{'+' if value >= 0 else '−'}{number(abs(value), beside)}"


def span(interval: Sequence[float], show: Callable[[float, float], str] = number, beside: float = 0.0) -> str:
    """``[0.9210, 0.9405]``: the ends share the precision of the larger one, or of ``beside``."""
    low, high = interval
    larger = max(abs(low), abs(high), abs(beside))
    return f"[{show(low, larger)}, {show(high, larger)}]"


def value(value: Scalar) -> str:
    """A hyperparameter as the config would have it, floats shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """``1 h 3 min``, ``2 min 5 s``, ``3.4 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
