"""What both Optuna scripts do: every configuration of the grid once, one trial at a time."""

from __future__ import annotations

from collections.abc import Callable

import optuna  # type: ignore[import-not-found,unused-ignore]

from benchmarks.others import etth1


def search(objective: Callable[[optuna.Trial], float], seed: int) -> None:
    """Minimise ``objective`` over the grid, and tell the losses of all trials."""
    grid = {"units": etth1.UNITS, "depth": etth1.DEPTH, "batch_size": etth1.BATCH_SIZE}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(grid, seed=seed))
    study.optimize(objective, n_jobs=1)
    etth1.tell([trial.value for trial in study.trials if trial.value is not None])
