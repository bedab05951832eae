"""A study as Optuna sees it, so that its pictures, its importances and its dashboard can be used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gru_tune.report.read import Study
from gru_tune.trial import Objective, Status, Trial
from gru_tune.values import Scalar

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

Distributions = dict[str, "BaseDistribution"]


def study(of: Study, trials: Sequence[Trial] | None = None) -> optuna.Study:
    """An Optuna study in memory with ``trials`` (None: all) under their own numbers, oldest first."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    known = sorted(of.ranked if trials is None else trials, key=lambda trial: trial.number)
    ranges = distributions(of.asked, of.ranked)
    made = optuna.create_study(study_name=of.name, directions=directions(of.objective))
    made.add_trials([frozen(trial, ranges) for trial in known])
    # Optuna counts from 0 and without gaps; a reader looks a trial up by its number in the table.
    for entry, trial in zip(made.get_trials(deepcopy=False), known, strict=True):
        entry.number = trial.number
    return made


def directions(objective: Objective) -> list[Literal["maximize", "minimize"]]:
    """Which way every objective is better."""
    first: Literal["maximize", "minimize"] = "maximize" if objective.direction == "max" else "minimize"
    return [first, "minimize"] if objective.cost else [first]


def frozen(trial: Trial, ranges: Distributions) -> FrozenTrial:
    """A trial with its curve; without a score (or a cost, where one is asked) it is one that failed."""
    from optuna.trial import TrialState, create_trial

    wanted = [trial.score, trial.cost] if trial.objective.cost else [trial.score]
    values = [float(value) for value in wanted if value is not None]
    whole = len(values) == len(wanted)
    two = len(wanted) > 1
    states = {Status.COMPLETED: TrialState.COMPLETE, Status.STOPPED: TrialState.PRUNED}
    state = states.get(trial.status, TrialState.FAIL) if whole else TrialState.FAIL
    if two and state == TrialState.PRUNED:
        state = TrialState.COMPLETE  # Optuna knows no pruning with two objectives
    return create_trial(
        state=state,
        params=dict(trial.values),
        distributions={name: ranges[name] for name in trial.values},
        values=values if whole else None,
        intermediate_values={} if two else curve(trial),
        user_attrs={"trial": trial.number, "seconds": trial.seconds, "parameters": trial.parameters},
    )


def curve(trial: Trial) -> dict[int, float]:
    """The objective on the validation split after every epoch where it is a finite number."""
    name = trial.objective.name
    found = ((epoch.number, epoch.validation.get(name, math.nan)) for epoch in trial.epochs)
    return {epoch: value for epoch, value in found if math.isfinite(value)}


def distributions(asked: Mapping[str, Any], trials: Iterable[Trial]) -> Distributions:
    """Of every hyperparameter; ``asked`` is the head of a log.

    A log that has no ``space`` (of version 0.1.0 and before) shows only what was tried: its
    ranges then are those of the trials.
    """
    tried: dict[str, list[Scalar]] = {name: [] for name in asked["hyperparameters"]}
    for trial in trials:
        for name, value in trial.values.items():
            tried[name].append(value)
    space: Mapping[str, Mapping[str, Any]] = asked.get("space") or {}
    return {
        name: _declared(space[name]) if name in space else _seen(values) for name, values in tried.items()
    }


def _declared(domain: Mapping[str, Any]) -> BaseDistribution:
    """The distribution of a domain as ``to_config`` writes it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if "choice" in domain:
        return CategoricalDistribution(domain["choice"])
    if "int" in domain:
        low, high = domain["int"]
        step = domain.get("step", 1)
        log = bool(domain.get("log")) and step == 1  # Optuna takes only one of the two
        return IntDistribution(low, low + (high - low) // step * step, log=log, step=step)
    low, high = domain.get("log") or domain["float"]
    return FloatDistribution(low, high, log="log" in domain, step=domain.get("step"))


def _seen(values: Sequence[Scalar]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if not numbers or len(numbers) < len(values):
        return CategoricalDistribution(list(dict.fromkeys(values)) or [None])
    if all(isinstance(number, int) for number in numbers):
        return IntDistribution(int(min(numbers)), int(max(numbers)))
    return FloatDistribution(float(min(numbers)), float(max(numbers)))
