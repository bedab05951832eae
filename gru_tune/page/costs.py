"""Pictures of what the trials cost, against what they reach."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from gru_tune.page import thin
from gru_tune.page.figure import BEST, ENDS, OTHER, TRIALS, Figure, label, styled
from gru_tune.page.thin import short
from gru_tune.page.winner import called
from gru_tune.report.read import Study
from gru_tune.trial import Trial

MEASURES: dict[str, tuple[str, str, Callable[[Trial], float | None]]] = {
    "parameters": ("Parameters and score", "parameters", lambda trial: trial.parameters),
    "seconds": ("Time and score", "seconds per epoch", lambda trial: trial.epoch_seconds),
    "latency": ("Latency and score", "milliseconds per sequence", lambda trial: trial.latency),
}
HINTS = {
    "parameters": "Where the cloud stays level to the right, larger models are not worth their size.",
    "seconds": "Training time of an epoch, compiling left out. Where the cloud stays level to the right, slower "
    "models are not worth their time.",
    "latency": "What one sequence takes at prediction. Where the cloud stays level to the right, slower models are not "
    "worth the wait.",
}


def figures(study: Study) -> list[Figure]:
    """Score against every cost that was measured and differs between trials, that asked for first; [] without a score."""
    costs = sorted(MEASURES, key=lambda cost: cost != study.objective.cost)
    return [found for cost in costs for found in _figure(study, cost)]


def _figure(study: Study, cost: str) -> Iterator[Figure]:
    title, unit, measure = MEASURES[cost]
    known = [(trial, measure(trial)) for trial in study.ranked if trial.score is not None]
    prices = {trial.number: price for trial, price in known if price is not None and price > 0}
    if len(set(prices.values())) < 2:
        return
    import plotly.graph_objects as go

    trials = [trial for trial, _ in known if trial.number in prices]
    shown = thin.ranked(trials)
    plot = go.Figure()
    for status, name, symbol in ENDS:
        _dots(plot, [t for t in shown if t.status is status], prices, name, {
            "color": TRIALS, "size": 7, "symbol": symbol, "opacity": 0.8,
        })  # fmt: skip
    front = [trial for trial in study.front if trial.number in prices] if cost == study.objective.cost else []
    if front:
        _dots(plot, front, prices, "Pareto set", {"color": OTHER, "size": 8}, "lines+markers")
    if study.winner is not None:
        won = [trial for trial in trials if trial.number == study.winner.number]
        _dots(plot, won, prices, f"the {called(study)}", {"color": BEST, "size": 14, "symbol": "star"})
    styled(plot)
    scores = [trial.score for trial in trials if trial.score is not None]
    span = thin.limits(scores, study.objective)
    ticks = _ticks(min(prices.values()), max(prices.values()))
    plot.update_xaxes(title=unit, type="log", tickvals=ticks, ticktext=[f"{tick:,.10g}" for tick in ticks])
    plot.update_yaxes(title=label(study.objective.name), range=[short(edge) for edge in span])
    caption = f"A dot is a trial; cheaper is further left (a logarithmic axis). {HINTS[cost]}"
    if front:
        caption += " No trial beats one of the Pareto set in score and cost alike."
    left = " ".join(filter(None, [thin.said(len(shown), len(trials)), thin.beyond(scores, span)]))
    yield Figure(cost, title, caption, plot, thinned=left, main=cost == study.objective.cost)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones, three at least where they are not too near to each other.

    plotly's own write the 2 and the 5 between two powers of ten as they are, without their power.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = ((1,), (1, 2, 5), (1, 2, 3, 5, 7))
    choices = [[digit * 10.0**power for power in decades for digit in digits] for digits in steps]
    choices.append([float(f"{low * (high / low) ** (part / 3):.2g}") for part in range(4)])
    for choice in choices:
        found = [tick for tick in choice if low <= tick <= high]
        if len(found) > 2:
            return found
    return [short(low), short(high)]


def _dots(
    plot: object,
    trials: list[Trial],
    prices: dict[int, float],
    name: str,
    marker: dict[str, object],
    mode: str = "markers",
) -> None:
    if not trials:
        return
    plot.add_scatter(  # type: ignore[attr-defined]
        x=[short(prices[trial.number]) for trial in trials],
        y=[short(trial.score) for trial in trials if trial.score is not None],
        customdata=[trial.number for trial in trials], name=name, mode=mode, marker=marker,
        hovertemplate="trial %{customdata}: %{y} at %{x}<extra></extra>",
    )  # fmt: skip
