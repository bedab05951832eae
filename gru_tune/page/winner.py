"""The winner: its knobs and its learning curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gru_tune.page.figure import BEST, TRIALS, Figure, label, styled
from gru_tune.page.made import Grid
from gru_tune.report.numbers import value
from gru_tune.report.read import Study
from gru_tune.report.settings import leaves, listed_value
from gru_tune.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go


def searched(study: Study) -> Grid | None:
    """The winner's hyperparameters, and where each was looked for; None without a winner or without any."""
    if study.winner is None or not study.winner.values:
        return None
    values, space = study.winner.values, study.asked.get("space") or {}
    if not space:
        return Grid("Searched for", ["knob", "value"], [[name, value(v)] for name, v in values.items()])
    rows = [[name, value(v), _range(space.get(name))] for name, v in values.items()]
    return Grid("Searched for", ["knob", "value", "searched in"], rows)


def fixed(study: Study) -> Grid | None:
    """The knobs that every trial shared, as the winner had them; None where they are not known."""
    question = study.asked.get("question") or {}
    settings = study.facts.get("settings") or {}
    rows = [
        [f"{section}.{name}", listed_value(settings.get(section, {}).get(name, given))]
        for section in ("data", "model", "training")
        for name, given in leaves(question.get(section) or {})
        if not isinstance(given, Mapping)
    ]
    return Grid("Not searched for", ["knob", "value"], rows) if rows else None


def curves(study: Study) -> list[Figure]:
    """The loss and the objective of the winner after every epoch, each where it is known."""
    run = study.kept or study.winner
    if run is None:
        return []
    which = f"Trial {run.number} as trained anew with a fresh seed, the run whose weights are best.keras. "
    which, who = which if study.finalists else "", called(study)
    return [*_loss(run, which, who), *_objective(run, which, who)]


def called(study: Study) -> str:
    """What the best trial is as long as the study is not finished, and then."""
    return "winner" if study.finished else "leader"


def _loss(run: Trial, which: str, who: str) -> Iterator[Figure]:
    plot = _curve(run, {"training": ("train", "loss"), "validation": ("validation", "loss")})
    if plot is not None:
        yield Figure(
            "winner-loss",
            f"The {who}'s loss",
            f"{which}Loss after every epoch, lower is better. A validation line that rises while the training line falls "
            "means overfitting; two lines that still fall at the end ask for more epochs.",
            plot,
        )


def _objective(run: Trial, which: str, who: str) -> Iterator[Figure]:
    name = run.objective.name
    plot = _curve(run, {"training": ("train", name), "validation": ("validation", name)})
    if name != "loss" and plot is not None:
        way = "higher" if run.objective.direction == "max" else "lower"
        yield Figure(
            "winner-objective",
            f"The {who}'s {name}",
            f"{which}The objective after every epoch, {way} is better. The dashed line marks the best epoch, whose weights "
            "were kept.",
            plot,
            main=True,
        )


def _curve(run: Trial, lines: Mapping[str, tuple[str, str]]) -> go.Figure | None:
    """A line for every split that knows the metric; the best epoch is marked."""
    import plotly.graph_objects as go

    plot = go.Figure()
    for (title, (split, metric)), colour in zip(lines.items(), (TRIALS, BEST), strict=True):
        known = [(e.number, getattr(e, split).get(metric, math.nan)) for e in run.epochs]
        known = [(epoch, score) for epoch, score in known if math.isfinite(score)]
        if known:
            epochs, scores = zip(*known, strict=True)
            mode = "lines+markers" if len(known) < 40 else "lines"
            plot.add_scatter(x=epochs, y=scores, name=title, mode=mode, line={"color": colour, "width": 2})
    if not plot.data:
        return None
    if run.best:
        plot.add_vline(run.best.number, line={"dash": "dash", "width": 1, "color": BEST})
    styled(plot, 320)
    plot.update_xaxes(title="epoch", dtick=1 if len(run.epochs) <= 10 else None)
    plot.update_yaxes(title=label(metric))
    plot.update_layout(showlegend=True)
    return plot


def _range(space: Mapping[str, Any] | None) -> str:
    """``0.001 to 0.1, logarithmic``; ``32, 64, 128``."""
    if not space:
        return ""
    if "choice" in space:
        return ", ".join(value(v) for v in space["choice"])
    low, high = space.get("int") or space.get("float") or space["log"]
    step = f", in steps of {value(space['step'])}" if space.get("step", 1) != 1 else ""
    log = ", logarithmic" if space.get("log") else ""
    return f"{value(low)} to {value(high)}{step}{log}"
