"""Pictures of what the hyperparameters do to the score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from gru_tune.page import thin
from gru_tune.page.axis import Axis, axes, places
from gru_tune.page.contour import contour
from gru_tune.page.figure import BEST, OTHER, SCALE, TRIALS, Figure, clipped, label, styled
from gru_tune.page.importance import RESAMPLES, Importances, missing
from gru_tune.page.slices import slices
from gru_tune.page.thin import short
from gru_tune.report.read import Study
from gru_tune.trial import Trial
from gru_tune.wording import listed

PARALLEL, ABREAST = 300, 10  # lines and knobs of the parallel coordinates
NO_FORCE = "not in force"
NAME = 20  # characters of a name that leave room for the picture


def figures(study: Study, found: Importances | None) -> list[Figure]:
    """Importance, slices, contour, parallel coordinates, those that say something; [] without a score."""
    scored = [trial for trial in study.ranked if trial.score is not None]
    scales = axes(study)
    if len(scored) < 2 or not scales:
        return []
    order = [knob.name for knob in found.knobs] if found else list(scales)
    scales = {name: scales[name] for name in order}
    return [
        *importance(study, found),
        slices(study, scored, scales),
        *contour(study, scored, list(scales.values())[:2]),
        *parallel(study, scored, scales, ordered=found is not None),
    ]


def importance(study: Study, found: Importances | None) -> Iterator[Figure]:
    """A bar for every knob. Not Optuna's: its bars have no uncertainty."""
    title = "Importance of the knobs"
    if found is None:
        yield Figure("importance", title, missing(study), html=Markup(""))
        return
    import plotly.graph_objects as go

    knobs = found.knobs[::-1]  # plotly begins at the bottom
    plot = go.Figure()
    plot.add_bar(
        x=[short(knob.mean) for knob in knobs], y=list(range(len(knobs))), orientation="h", name="over the whole range",
        marker={"color": TRIALS},
        error_x={
            "type": "data", "symmetric": False, "color": BEST, "thickness": 2,
            "array": [short(max(knob.high - knob.mean, 0)) for knob in knobs],
            "arrayminus": [short(max(knob.mean - knob.low, 0)) for knob in knobs],
        },
        customdata=[[short(knob.low), short(knob.high), knob.trials] for knob in knobs],
        hovertemplate="%{x:.0%}, between %{customdata[0]:.0%} and %{customdata[1]:.0%}; in force in "
        "%{customdata[2]} trials<extra></extra>",
    )  # fmt: skip
    if all(knob.good is not None for knob in knobs):
        plot.add_scatter(
            x=[short(knob.good or 0.0) for knob in knobs], y=list(range(len(knobs))), mode="markers",
            name="among the better half of the trials", marker={"symbol": "diamond", "size": 9, "color": OTHER},
            hovertemplate="%{x:.0%} among the better half of the trials<extra></extra>",
        )  # fmt: skip
    styled(plot, 140 + 30 * len(knobs))
    plot.update_xaxes(title="share of the differences", tickformat=".0%", rangemode="tozero")
    names = [clipped(knob.name, NAME) for knob in knobs]
    plot.update_yaxes(tickvals=list(range(len(knobs))), ticktext=names, showgrid=False)
    some = [knob.name for knob in found.knobs if knob.trials < found.trials]
    caption = (
        "A bar is the share of the differences between the trials that a knob makes by itself, over the whole range "
        f"searched (fANOVA on the ranks of {found.trials:,} trials). The thin lines hold 90 % of {RESAMPLES} bootstrap resamples: "
        "knobs whose lines overlap cannot be told apart. It does not tell what matters near the winner, and knobs that work "
        "only together are undervalued."
    )
    if found.knobs[0].good is not None:
        caption += " A diamond is the same among the better half of the trials."
    if some:
        caption += f" {listed(some, 'and')}: in force only in some trials, with a middle value in the others."
    left = (
        f"{found.trials:,} of {found.known:,} trials are used, evenly spaced."
        if found.trials < found.known
        else ""
    )
    yield Figure("importance", title, caption, plot, thinned=left, main=True)


def parallel(
    study: Study, scored: Sequence[Trial], scales: dict[str, Axis], ordered: bool
) -> Iterator[Figure]:
    """A line for every trial; the knobs may be ``ordered`` by importance. Not Optuna's: it leaves trials out in which a knob is not in force."""
    if len(scales) < 2:
        return
    import plotly.graph_objects as go

    shown = thin.ranked(scored, PARALLEL)
    # The best come last, and so lie on top.
    shown = sorted(shown, key=lambda trial: study.objective.sort_key(trial.score or 0.0), reverse=True)
    span = thin.limits([trial.score or 0.0 for trial in scored], study.objective)
    scores = [short(min(max(trial.score or 0.0, span[0]), span[1])) for trial in shown]
    nearest = list(scales.values())[:ABREAST][::-1]
    ticks, texts = Axis(study.objective.name, short(span[0]), short(span[1])).ticks()
    score = {
        "label": label(study.objective.name),
        "values": scores,
        "range": [min(span[0], *ticks), max(span[1], *ticks)],  # round ticks may lie beyond
        "tickvals": ticks,
        "ticktext": texts,
    }
    dimensions = [*(_dimension(axis, shown) for axis in nearest), score]
    plot = go.Figure()
    plot.add_parcoords(
        dimensions=dimensions,
        line={"color": scores, "colorscale": SCALE, "reversescale": study.objective.direction == "min"},
        labelangle=-20, labelside="top", unselected={"line": {"color": "#888888", "opacity": 0.1}},
    )  # fmt: skip
    styled(plot, 440)
    plot.update_layout(margin={"l": 100, "r": 60, "t": 90, "b": 30})
    caption = (
        "A line is a trial, from knob to knob to its score on the right; the lighter, the better. "
        + ("Knobs that matter more stand further right. " if ordered else "")
        + "Drag along an axis to keep only the trials that go through there, click on it to have all back."
    )
    if len(scales) > ABREAST:
        which = "that matter most" if ordered else "the config names first"
        caption += f" The {ABREAST} of {len(scales)} knobs {which} are shown."
    yield Figure(
        "parallel",
        "All knobs at once",
        caption,
        plot,
        thinned=thin.said(len(shown), len(scored)),  # its lines are too thin for ``report --png``
    )


def _dimension(axis: Axis, trials: Sequence[Trial]) -> dict[str, Any]:
    """An axis of the parallel coordinates; below its first value is a place for "not in force"."""
    ticks, texts = axis.ticks()
    first, last = axis.ends
    if all(axis.name in trial.values for trial in trials):
        values = places(axis, [trial.values[axis.name] for trial in trials])
    else:
        below = first - max(0.15 * (last - first), 0.2)
        values = [short(axis.place(t.values[axis.name])) if axis.name in t.values else below for t in trials]
        ticks, texts, first = [below, *ticks], [NO_FORCE, *texts], below
    return {
        "label": clipped(axis.name, NAME),
        "values": values,
        "tickvals": ticks,
        "ticktext": texts,
        "range": [first, last],
    }
