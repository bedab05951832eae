"""The two hyperparameters that matter most, together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gru_tune.page import thin
from gru_tune.page.axis import Axis, places
from gru_tune.page.figure import BEST, SCALE, Figure, clipped, label, styled
from gru_tune.page.importance import LEAST
from gru_tune.page.thin import short
from gru_tune.page.winner import called
from gru_tune.report.read import Study
from gru_tune.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN = 500  # trials that are drawn as circles
GRID = 40  # cells along an axis of the contour
NEAR = 0.12  # how far around a cell trials count, in shares of the axes: the spread of a normal curve
SUPPORT = 0.5  # weight of trials below which a cell stays blank


def contour(study: Study, scored: Sequence[Trial], pair: Sequence[Axis]) -> Iterator[Figure]:
    """The two knobs that matter most.

    Not Optuna's: it draws a surface through every single trial, noise included, in a grid with
    a line for each, which is megabytes for a thousand.
    """
    if len(pair) < 2:
        return
    across, up = pair
    known = [trial for trial in scored if across.name in trial.values and up.name in trial.values]
    if len(known) < LEAST:
        return
    import plotly.graph_objects as go

    colours = {
        "colorscale": SCALE, "reversescale": study.objective.direction == "min",
        "colorbar": {"title": label(study.objective.name), "thickness": 14},
    }  # fmt: skip
    cells = _surface(study, known, across, up)
    plot = go.Figure()
    if across.words or up.words:
        plot.add_heatmap(**cells, **colours)
    else:
        plot.add_contour(**cells, **colours, ncontours=12, line={"width": 0.5})
    shown = thin.ranked(known, DRAWN)
    plot.add_scatter(
        x=places(across, [trial.values[across.name] for trial in shown]),
        y=places(up, [trial.values[up.name] for trial in shown]),
        customdata=[[trial.number, short(trial.score or 0.0)] for trial in shown], mode="markers",
        marker={"color": "rgba(255,255,255,0.6)", "size": 6, "line": {"color": "#333333", "width": 1}},
        hovertemplate="trial %{customdata[0]}: %{customdata[1]}<extra></extra>", showlegend=False,
    )  # fmt: skip
    if study.winner is not None and study.winner in known:
        won = study.winner.values
        plot.add_scatter(
            x=places(across, [won[across.name]]), y=places(up, [won[up.name]]), mode="markers",
            marker={"color": BEST, "size": 15, "symbol": "star", "line": {"color": "#ffffff", "width": 1}},
            hovertemplate=f"the {called(study)}, trial {study.winner.number}<extra></extra>", showlegend=False,
        )  # fmt: skip
    styled(plot, 460)
    plot.update_xaxes(title=clipped(across.name), **across.layout())
    plot.update_yaxes(title=clipped(up.name), **up.layout())
    caption = (
        "The colour is the mean score of the trials around a place, whatever their other knobs are; where no trial is "
        f"near, it is left blank. Circles are trials, the star is the {called(study)}."
    )
    if len(known) < len(scored):
        caption += f" Only the {len(known):,} trials in which both are in force are in it."
    yield Figure(
        "contour",
        f"{across.name} and {up.name} together",
        caption,
        plot,
        thinned=thin.said(
            len(shown),
            len(known),
            "trials",
            "the best ones and some of the others; the colours are made of all",
        ),
        main=True,
    )


def _surface(study: Study, trials: Sequence[Trial], across: Axis, up: Axis) -> dict[str, Any]:
    """The mean score of the trials around every cell, as plotly takes it; blank where none is near."""
    import numpy as np

    scores = np.array([trial.score for trial in trials])
    kept = np.clip(scores, *thin.limits(scores.tolist(), study.objective))
    x, y = (np.array([axis.place(trial.values[axis.name]) for trial in trials]) for axis in (across, up))
    grid_x, weight_x = _near(across, x)
    grid_y, weight_y = _near(up, y)
    weight = weight_y @ weight_x.T
    mean = (weight_y @ (kept * weight_x).T) / np.maximum(weight, 1e-12)
    level = [
        [short(value) if enough else None for value, enough in zip(*line, strict=True)]
        for line in zip(mean.tolist(), (weight >= SUPPORT).tolist(), strict=True)
    ]
    return {
        "x": [short(v) for v in grid_x], "y": [short(v) for v in grid_y], "z": level,
        "hovertemplate": "about %{z}<extra></extra>",
    }  # fmt: skip


def _near(axis: Axis, at: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The cells along an axis, and how near every trial is to each (cells, trials): 1 at most."""
    import numpy as np

    first, last = axis.ends
    if axis.words:
        cells = np.arange(len(axis.words), dtype=float)
        return cells, (cells[:, None] == at).astype(float)
    cells = np.linspace(first, last, GRID)
    apart = (cells[:, None] - at) / ((last - first) or 1.0)
    return cells, np.exp(-0.5 * (apart / NEAR) ** 2)
