"""Generated timelines."""

from __future__ import annotations

import numpy as np

from gru_tune.data.frame import Frame


def mackey_glass(length: int = 2000, delay: int = 17, seed: int = 1) -> Frame:
    """A chaotic series (Mackey and Glass, 1977): column ``value``.

    dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)^10) - 0.1 x(t), integrated in steps of 0.1
    and sampled at every whole t, after 500 that are thrown away.
    """
    import pandas as pd

    steps, warm = 10, 500
    back = delay * steps
    x = np.empty(back + 1 + (warm + length) * steps)
    x[: back + 1] = 1.2 + 0.1 * np.random.default_rng(seed).standard_normal(back + 1)
    for now in range(back, len(x) - 1):
        past = x[now - back]
        x[now + 1] = x[now] + (0.2 * past / (1 + past**10) - 0.1 * x[now]) / steps
    return Frame("builtin:mackey_glass", pd.DataFrame({"value": x[back + 1 :: steps][warm : warm + length]}))


def sine(length: int = 2000, seed: int = 1) -> Frame:
    """Hourly columns ``load`` and ``temperature`` with daily and weekly seasons, and ``time``."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    hours = np.arange(length)
    day, week = 2 * np.pi * hours / 24, 2 * np.pi * hours / 168
    temperature = 12 + 5 * np.sin(day - 2) + rng.normal(0, 0.5, length)
    load = 100 + 20 * np.sin(day) + 8 * np.sin(week) - 1.5 * (temperature - 12) + rng.normal(0, 2, length)
    time = pd.date_range("2024-01-01", periods=length, freq="h")
    return Frame("builtin:sine", pd.DataFrame({"time": time, "load": load, "temperature": temperature}))
