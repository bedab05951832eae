"""How much each hyperparameter matters for the score, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from statistics import fmean, median, mode
from typing import TYPE_CHECKING, Any

from gru_tune.page import thin
from gru_tune.page.axis import Axis, axes
from gru_tune.report.edges import edges, place
from gru_tune.report.numbers import value
from gru_tune.report.read import Study
from gru_tune.trial import Trial
from gru_tune.values import Scalar
from gru_tune.wording import listed

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

LEAST = 10  # trials with a score; a forest learns nothing from fewer
MOST = 300  # trials it learns from: more take longer and make the shares hardly surer
RESAMPLES = 20
TREES, DEPTH = 8, 6  # of a forest; it is the trees of all resamples together that are averaged over
TAIL = 5  # percent of the resamples on either side of the interval
IDLE = 0.05  # a share that is surely below it is not worth searching for
SEVERAL = 30  # trials in the better half, from which on it is looked at by itself


@dataclass(frozen=True)
class Importance:
    """The share of one hyperparameter; all shares make 1."""

    name: str
    mean: float  # over the resamples
    low: float  # the 5th and the 95th percentile of them
    high: float
    trials: int  # in which it is in force, of those looked at
    good: float | None = None  # the share among the better half of the trials; None of few


@dataclass(frozen=True)
class Importances:
    """Of all hyperparameters that vary, the most important first."""

    knobs: tuple[Importance, ...]
    trials: int  # that were looked at
    known: int  # that have a score


def importances(study: Study) -> Importances | None:
    """The shares by fANOVA over bootstrap resamples of the trials; None where ``missing`` says why.

    fANOVA (Hutter, Hoos and Leyton-Brown, ICML 2014) tells how much of the differences one
    hyperparameter makes over its whole range, averaged over the others. PED-ANOVA, which is
    faster, asks what sets the best tenth apart: of thirty trials those are three. What matters
    among good trials is told by fANOVA on the better half of them.
    """
    if missing(study):
        return None
    import numpy as np

    scored = sorted((t for t in study.ranked if t.score is not None), key=lambda trial: trial.number)
    trials = thin.spread(scored, MOST)
    scales = axes(study)
    entries = _entries(trials, scales)
    found = _shares(entries, RESAMPLES)
    better = sorted(entries, key=lambda entry: entry.value or 0.0)[: len(entries) // 2]
    good = _shares(better, RESAMPLES // 2) if len(better) >= SEVERAL else []
    knobs = []
    for name in scales:
        shares = [one[name] for one in found]
        low, high = np.percentile(shares, [TAIL, 100 - TAIL])
        force = sum(name in trial.values for trial in trials)
        among = fmean(one[name] for one in good) if good else None
        knobs.append(Importance(name, fmean(shares), float(low), float(high), force, among))
    return Importances(tuple(sorted(knobs, key=lambda knob: -knob.mean)), len(trials), len(scored))


def _shares(entries: Sequence[FrozenTrial], resamples: int) -> list[dict[str, float]]:
    """The importances in every bootstrap resample of the trials."""
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    draw = Random(0)
    found = []
    for seed in range(resamples):
        resample = optuna.create_study(direction="minimize")
        resample.add_trials(draw.choices(entries, k=len(entries)))
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, max_depth=DEPTH, seed=seed)
        with suppress(RuntimeError):  # where it drew equal scores alone
            shares = get_param_importances(resample, evaluator=evaluator)
            found.append({name: float(share) for name, share in shares.items()})
    return found


def missing(study: Study) -> str:
    """Why nothing can be said about importances; empty where it can."""
    scores = [trial.score for trial in study.ranked if trial.score is not None]
    if len(scores) < LEAST:
        are = "is" if len(scores) == 1 else "are"
        return f"Importances take at least {LEAST} trials with a score; there {are} {len(scores)}."
    if len(study.varied) < 2:
        return "Importances compare hyperparameters with each other, and fewer than two were varied."
    if len(set(scores)) < 3:
        return "The trials have nearly all the same score, so that no hyperparameter can be told to matter."
    return ""


def knob_advice(study: Study, found: Importances | None) -> list[str]:
    """What need not be searched for any more: at most one sentence.

    One that makes hardly any difference over its whole range may yet matter among good trials.
    """
    if found is None or study.winner is None:
        return []
    won, wanted = study.winner.values, edges(study)
    idle = [
        knob
        for knob in found.knobs
        if knob.high < IDLE
        and knob.good is not None
        and knob.good < IDLE
        and knob.trials == found.trials
        and knob.name not in wanted
    ]
    if not idle:
        return []
    fixed = ", ".join(f"{place(knob.name)}: {value(won[knob.name])}" for knob in idle)
    return [
        f"{listed([knob.name for knob in idle], 'and')} made hardly any difference (less than {100 * IDLE:.0f} % of the "
        f"importance{' each' if len(idle) > 1 else ''}): give the trials to other knobs and set {fixed}."
    ]


def _entries(trials: Sequence[Trial], scales: dict[str, Axis]) -> list[FrozenTrial]:
    """The trials for fANOVA.

    It measures ranges linearly, so that of a learning rate from 0.0001 to 0.1 nine tenths
    would be above 0.01: numbers go in by their place on the search's own scale. Scores go in
    by their rank, since one exploded trial would outweigh all others. Where a
    hyperparameter is not in force it has its middle value, as in the paper it has its default.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial
    from scipy.stats import rankdata

    ranges: dict[str, Any] = {
        name: CategoricalDistribution(axis.words) if axis.words else FloatDistribution(*axis.ends)
        for name, axis in scales.items()
    }
    columns = {name: _column(name, axis, trials) for name, axis in scales.items()}
    costs = [trial.objective.sort_key(trial.score or 0.0) for trial in trials]
    return [
        create_trial(
            value=float(rank),
            params={name: column[row] for name, column in columns.items()},
            distributions=ranges,
        )
        for row, rank in enumerate(rankdata(costs))
    ]


def _column(name: str, axis: Axis, trials: Sequence[Trial]) -> list[Scalar]:
    """Of every trial the value of one hyperparameter."""
    known = [trial.values[name] for trial in trials if name in trial.values]
    if axis.words:
        usual = mode(known) if known else axis.words[0]
        return [trial.values.get(name, usual) for trial in trials]
    low, high = axis.ends
    middle = median(axis.place(one) for one in known) if known else low
    found = (axis.place(trial.values[name]) if name in trial.values else middle for trial in trials)
    return [min(max(one, low), high) for one in found]
