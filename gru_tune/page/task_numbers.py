"""Predicted numbers beside the true ones: forecasts, errors by step ahead, scatter, residuals, strips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gru_tune.page.figure import BASELINE, BEST, OTHER, TRIALS, Figure, clipped, label, styled
from gru_tune.page.panels import Panels

if TYPE_CHECKING:
    import plotly.graph_objects as go

TRUTH, PREDICTION, HISTORY = TRIALS, BEST, BASELINE
DASHES = ("dash", "dot")  # of the naive lines
FEW = 12  # steps, each with a tick of its own

Rows = Sequence[Mapping[str, Any]]


def forecasts(windows: Rows, count: int, honest: str) -> Figure | None:
    """Some windows: what was, what came, what was forecast, and what the naive forecasts said."""
    wide = len(windows[0]["targets"])
    places = [(window, one) for window in windows for one in window["targets"]]
    titles = [": ".join(filter(None, [window["which"], window["where"]])) for window, _ in places]
    if wide > 1:
        titles = [
            f"{clipped(one['target'])}<br>{title}" for title, (_, one) in zip(titles, places, strict=True)
        ]
    panels = Panels(titles, max(wide, 2))
    for place, (window, one) in enumerate(places):
        ahead = window["ahead"]
        panels.add(place, _line(window["back"], one["history"], "history", HISTORY))
        # From the last known value on, so that no gap parts what was from what came.
        for line in _told([0, *ahead], one, one["history"][-1:]):
            panels.add(place, line)
    plot = panels.finished()
    name = windows[0]["targets"][0]["target"]
    caption = (
        "From step 1 on all is forecast at once: the closer the forecast to the truth, and the farther the dashed naive "
        f"lines from it, the more the winner knows. A row number is where a forecast begins. The windows are {honest}"
    )
    more = f"{len(windows)} of {count:,} windows are shown: the best, the median, the worst, and others evenly spread."
    title = f"Forecasts of {name}" if wide == 1 else "Forecasts"
    return Figure("forecasts", title, caption, plot=plot, thinned=more, main=True)


def stretch(found: Mapping[str, Any], count: int, honest: str) -> Figure:
    """Forecasts of the next step in a row, over the truth."""
    rows, targets = found["rows"], found["targets"]
    titles = [clipped(one["target"]) if len(targets) > 1 else "" for one in targets]
    panels = Panels(titles, 1, 260)
    for place, one in enumerate(targets):
        for line in _told(rows, one):
            panels.add(place, line)
    plot = panels.finished(below="row")
    plot.update_xaxes(tickformat=",")
    caption = (
        "Every forecast is of the next step, from all that was known before it; rows are those that are forecast. The closer "
        f"the forecast to the truth, and the farther the dashed naive lines from it, the more the winner knows. They are {honest}"
    )
    more = f"{len(rows)} of {count:,} forecasts are shown: those in the middle." if len(rows) < count else ""
    title = f"Forecasts of {targets[0]['target']}" if len(targets) == 1 else "Forecasts"
    return Figure("forecasts", title, caption, plot=plot, thinned=more, main=True)


def ahead(rows: Rows, place: str) -> Figure | None:
    """The mean absolute error by step ahead, of the winner and of the naive forecasts."""
    if len(rows) < 2:
        return None
    import plotly.graph_objects as go

    steps = [row["step"] for row in rows]
    start = "mae of "
    naive = [name for name in rows[0] if name.startswith(start)]
    lines = [
        _line(steps, [row[name] for row in rows], name.removeprefix(start), OTHER, dash)
        for dash, name in zip(DASHES, naive, strict=False)
    ]
    lines.append(_line(steps, [row["mae"] for row in rows], "winner", PREDICTION, width=2.5))
    plot = styled(go.Figure(lines))
    plot.update_xaxes(title="steps ahead", dtick=1 if len(steps) <= FEW else None)
    plot.update_yaxes(title="mean absolute error", rangemode="tozero")
    caption = (
        "The mean absolute error in the units of the data, over all targets. Where the winner's line is not below the "
        f"naive ones, they do as well without a model. {place}"
    )
    return Figure("ahead", "Error by step ahead", caption, plot=plot, main=True)


def scatter(points: Rows, count: int, honest: str) -> Figure | None:
    """Predictions over the truth, with the diagonal they would lie on."""
    panels = Panels([_title(one, points) for one in points], len(points), 320)
    for place, one in enumerate(points):
        known = [value for value in one["true"] if value is not None]
        ends = [min(known), max(known)]
        panels.add(place, _dots(one["true"], one["predicted"]))
        panels.add(place, _line(ends, ends, "prediction = truth", HISTORY, "dash"))
    plot = panels.finished()
    plot.update_xaxes(title="truth")
    plot.update_yaxes(title="prediction", col=1)
    caption = f"A dot on the dashed line is right; a cloud that is flatter than it shies away from extremes. Dots are {honest}"
    return Figure(
        "scatter", "Prediction against truth", caption, plot=plot, thinned=_thinned(points, count), main=True
    )


def residuals(points: Rows, count: int, honest: str) -> Figure | None:
    """Prediction less truth over the prediction."""
    panels = Panels([_title(one, points) for one in points], len(points), 260)
    for place, one in enumerate(points):
        pairs = zip(one["true"], one["predicted"], strict=True)
        off = [told - true if None not in (true, told) else None for true, told in pairs]
        panels.add(place, _dots(one["predicted"], off))
        panels.add(
            place, _line([min(one["predicted"]), max(one["predicted"])], [0, 0], "no error", HISTORY, "dash")
        )
    plot = panels.finished()
    plot.update_xaxes(title="prediction")
    plot.update_yaxes(title="prediction − truth", col=1)
    caption = (
        "Above the dashed line the winner says too much, below it too little; a slope or a funnel means that the error "
        f"depends on the level. Dots are {honest}"
    )
    return Figure("residuals", "Residuals", caption, plot=plot, thinned=_thinned(points, count))


def strips(strips: Rows, honest: str) -> Figure | None:
    """Truth and prediction step by step, in some sequences."""
    panels = Panels([f"{strip['where'].replace(', ', '<br>')}<br>{strip['rank']}" for strip in strips])
    for place, strip in enumerate(strips):
        first = strip["targets"][0]
        steps = list(range(1, len(first["true"]) + 1))
        panels.add(place, _line(steps, first["true"], "truth", TRUTH))
        panels.add(place, _line(steps, first["predicted"], "prediction", PREDICTION))
    names = [one["target"] for one in strips[0]["targets"]]
    more = f"Of the targets only {names[0]} is shown." if len(names) > 1 else ""
    caption = f"The sequences it gets most wrong, then others from the worst to the best, step by step; they are {honest}"
    return Figure(
        "strips", f"{names[0]} step by step", caption, plot=panels.finished(), thinned=more, main=True
    )


def _told(x: Sequence[int], one: Mapping[str, Any], before: Sequence[Any] = ()) -> Iterator[go.Scatter]:
    """What came and what was forecast of it, both beginning with what was ``before``."""
    yield _line(x, [*before, *one["true"]], "truth", TRUTH)
    for dash, (name, values) in zip(DASHES, one["naive"].items(), strict=False):
        yield _line(x, [*before, *values], name, OTHER, dash)
    yield _line(x, [*before, *one["predicted"]], "forecast", PREDICTION, width=2.5)


def _line(
    x: Sequence[Any], y: Sequence[Any], name: str, colour: str, dash: str = "solid", width: float = 1.5
) -> go.Scatter:
    import plotly.graph_objects as go

    line = {"color": colour, "dash": dash, "width": width}
    return go.Scatter(x=x, y=y, name=label(name), mode="lines", line=line)


def _dots(x: Sequence[Any], y: Sequence[Any]) -> go.Scatter:
    import plotly.graph_objects as go

    return go.Scatter(
        x=x, y=y, name="predictions", mode="markers", marker={"color": TRUTH, "size": 5, "opacity": 0.5}
    )


def _title(one: Mapping[str, Any], every: Rows) -> str:
    return clipped(one["target"]) if len(every) > 1 else ""


def _thinned(points: Rows, count: int) -> str:
    shown = len(points[0]["true"])
    return f"{shown:,} of {count:,} predictions are shown." if shown < count else ""
