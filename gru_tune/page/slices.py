"""Every hyperparameter by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gru_tune.page import thin
from gru_tune.page.axis import Axis
from gru_tune.page.figure import BEST, TRIALS, Figure, clipped, label, styled
from gru_tune.page.thin import short
from gru_tune.page.winner import called
from gru_tune.report.read import Study
from gru_tune.trial import Trial

ROW = 150  # pixels of a slice
SLICED = 500  # trials in a slice
SWARM = 0.5  # of the gap between two values, that the dots of one are spread over
BINS, IN_BIN = 8, 5  # of the line of a slice, and the trials each needs on average


def slices(study: Study, scored: Sequence[Trial], scales: dict[str, Axis]) -> Figure:
    """A row for every knob. Not Optuna's: a row of small plots, which no phone has room for."""
    from plotly.subplots import make_subplots

    plot = make_subplots(rows=len(scales), cols=1, vertical_spacing=0.4 / len(scales))
    scores = [trial.score for trial in scored if trial.score is not None]
    span = thin.limits(scores, study.objective)
    partial, lined = [], False
    for row, (name, axis) in enumerate(scales.items(), start=1):
        known = [trial for trial in scored if name in trial.values]
        shown = thin.ranked(known, SLICED)
        title = clipped(name)
        if len(known) < len(scored):
            title += f" (in {len(known):,} of {len(scored):,} trials)"
            partial.append(name)
        at = {"row": row, "col": 1}
        _points(plot, name, axis, shown, {"color": TRIALS, "size": 6, "opacity": 0.75}, at)
        if len(known) >= BINS * IN_BIN:
            _middle(plot, name, axis, known, at)
            lined = True
        if study.winner in known:
            _points(plot, name, axis, [study.winner], {"color": BEST, "size": 13, "symbol": "star"}, at)
        plot.update_xaxes(title=title, title_standoff=4, **axis.layout(), **at)
        plot.update_yaxes(range=[short(edge) for edge in span], nticks=4, **at)
    styled(plot, 60 + ROW * len(scales))
    plot.update_layout(showlegend=False)
    plot.update_yaxes(title=label(study.objective.name), row=1, col=1)
    caption = (
        f"A dot is a trial, by its value of one knob and its score; the star is the {called(study)}. A knob whose dots look the "
        "same everywhere matters little; good dots that crowd at an edge ask for a wider range."
    )
    if lined:
        caption += " The line is the median of the trials at or around a value."
    if partial:
        caption += " A knob that is in force only in some trials is shown with those."
    left = thin.said(min(SLICED, len(scored)), len(scored), "trials of a knob")
    left = " ".join(filter(None, [left, thin.beyond(scores, span)]))
    return Figure("slices", "Every knob by itself", caption, plot, thinned=left)


def _points(
    plot: Any, name: str, axis: Axis, trials: Sequence[Trial], marker: dict[str, Any], at: dict[str, int]
) -> None:
    # Dots of one value lie side by side, always the same way: by the golden ratio.
    aside = [
        axis.gap * SWARM * ((trial.number * 0.618034) % 1 - 0.5) if len(trials) > 1 else 0.0
        for trial in trials
    ]
    x = [short(axis.place(trial.values[name]) + shift) for trial, shift in zip(trials, aside, strict=True)]
    plot.add_scatter(
        x=x, y=[short(trial.score or 0.0) for trial in trials],
        customdata=[trial.number for trial in trials], mode="markers", marker=marker,
        hovertemplate="trial %{customdata}: %{y}<extra></extra>", **at,
    )  # fmt: skip


def _middle(plot: Any, name: str, axis: Axis, trials: Sequence[Trial], at: dict[str, int]) -> None:
    """The median score of the trials with a word, or of as many as there are in a part of the axis."""
    import numpy as np

    x = np.array([axis.place(trial.values[name]) for trial in trials])
    y = np.array([trial.score for trial in trials])
    if axis.words or len(set(x.tolist())) <= BINS:
        parts = [x == one for one in np.unique(x)]
    else:
        parts = [
            np.isin(np.arange(len(x)), part) for part in np.array_split(np.argsort(x, kind="stable"), BINS)
        ]
    centres = [(float(np.median(x[part])), float(np.median(y[part]))) for part in parts]
    plot.add_scatter(
        x=[short(centre) for centre, _ in centres], y=[short(level) for _, level in centres],
        mode="markers" if axis.words else "lines",
        marker={"symbol": "line-ew-open", "size": 34, "line": {"width": 3}}, line={"color": BEST, "width": 2},
        marker_color=BEST, hovertemplate="median: %{y}<extra></extra>", **at,
    )  # fmt: skip
