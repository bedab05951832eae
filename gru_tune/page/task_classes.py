"""How the winner fares class by class, and how far its probabilities are to be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gru_tune.page.figure import BASELINE, BEST, OTHER, SCALE, TRIALS, Figure, clipped, styled
from gru_tune.report.numbers import number
from gru_tune.wording import plural

MATRIX = 25  # classes, for a matrix that can still be read
PAIRS = 20  # of classes, in a table
CLASSES = 40  # bars
LEAST = 10  # predictions in a bin; the share of fewer that are right is mostly chance

Rows = Sequence[Mapping[str, Any]]


def confusion(found: Mapping[str, Any], place: str) -> Figure | None:
    """What each class is taken for: a matrix, or with many classes the pairs that are confused most."""
    labels, counts = found["labels"], found["counts"]
    if len(labels) > MATRIX:
        return _pairs(labels, counts, place)
    import plotly.graph_objects as go

    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    texts = [[f"{count:,}" if count else "" for count in row] for row in counts]
    names = [clipped(name) for name in labels]
    every = list(range(len(names)))
    heat = go.Heatmap(
        z=shares, x=every, y=every, text=texts, texttemplate="%{text}", colorscale=SCALE, zmin=0, zmax=1,
        customdata=[
            [(true, told, f"{count:,}") for told, count in zip(names, row, strict=True)]
            for true, row in zip(names, counts, strict=True)
        ], colorbar={"title": "share", "thickness": 12},
        hovertemplate="true %{customdata[0]}, predicted %{customdata[1]}: %{customdata[2]}, %{z:.1%} of the class<extra></extra>",
    )  # fmt: skip
    plot = styled(go.Figure(heat), 190 + 26 * max(len(names), 6))
    plot.update_xaxes(title="predicted class", tickvals=every, ticktext=names, showgrid=False)
    plot.update_yaxes(
        title="true class", tickvals=every, ticktext=names, autorange="reversed", showgrid=False
    )
    return Figure(
        key="confusion",
        title="Confusion matrix",
        caption=(
            "A row is a true class, a column what the winner said; the numbers count samples, the colours are shares of the "
            f"row. All off the diagonal is wrong. {place}"
        ),
        plot=plot,
        main=True,
    )


def _pairs(labels: Sequence[str], counts: Sequence[Sequence[int]], place: str) -> Figure | None:
    found = [
        (count, true, told)
        for true, row in enumerate(counts)
        for told, count in enumerate(row)
        if count and true != told
    ]
    if not found:
        return None
    found.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    rows = Markup("").join(
        Markup("<tr><th scope=row><bdi>{}</bdi></th><td><bdi>{}</bdi></td><td>{:,}</td><td>{:.0%}</td></tr>").format(
            labels[true], labels[told], count, count / sum(counts[true])
        )
        for count, true, told in found[:PAIRS]
    )  # fmt: skip
    table = Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="Most confused classes"><table class="small"><thead>'
        "<tr><th scope=col>true</th><th scope=col>predicted</th><th scope=col>samples</th>"
        "<th scope=col>share of the class</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(rows)
    left = f"{PAIRS} of {len(found):,} confused pairs are shown." if len(found) > PAIRS else ""
    caption = f"Which class is taken for which, most often first; there are {len(labels)} classes. {place}"
    return Figure("confusion", "Most confused classes", caption, html=table, thinned=left)


def by_class(rows: Rows, place: str) -> Figure | None:
    """F1, precision and recall of every class."""
    return _scores(rows, "classes", "F1 by class", "class", place)


def by_span(rows: Rows, place: str) -> Figure | None:
    """F1, precision and recall of the spans of every type."""
    return _scores(rows, "spans", "F1 by type of span", "type", place)


def _scores(rows: Rows, key: str, title: str, what: str, place: str) -> Figure | None:
    import plotly.graph_objects as go

    there = sorted((row for row in rows if row["support"]), key=lambda row: -row["support"])
    shown = sorted(there[:CLASSES], key=lambda row: row["f1"])
    if not shown:
        return None
    every = list(range(len(shown)))
    told = {name: [row[name] for row in shown] for name in ("f1", "precision", "recall")}
    marks = {
        name: go.Scatter(
            x=told[name], y=every, name=name, mode="markers", hovertemplate=f"{name} %{{x:.3f}}<extra></extra>",
            marker={"symbol": symbol, "size": 8, "color": colour},
        )
        for name, symbol, colour in (("precision", "diamond", BEST), ("recall", "x", OTHER))
    }  # fmt: skip
    bars = go.Bar(
        x=told["f1"], y=every, name="F1", orientation="h", marker_color=TRIALS, opacity=0.6,
        hovertemplate="F1 %{x:.3f}<extra></extra>",
    )  # fmt: skip
    plot = styled(go.Figure([bars, *marks.values()]), 130 + 24 * max(len(shown), 5))
    names = [f"{clipped(row['class'])} ({row['support']:,})" for row in shown]
    plot.update_yaxes(tickvals=every, ticktext=names, showgrid=False, range=[-0.6, len(shown) - 0.4])
    plot.update_xaxes(range=[-0.01, 1.03], title="score")
    left = f"The {CLASSES} most frequent of {len(there)} are shown." if len(there) > CLASSES else ""
    caption = (
        f"The best {what} on top, in brackets how often it occurs. Precision is the share of what was called so that "
        f"is so, recall the share of what is so that was found; F1 is their harmonic mean. {place}"
    )
    return Figure(key, title, caption, plot=plot, thinned=left)


def calibration(found: Mapping[str, Any], place: str) -> Figure | None:
    """How often predictions come true, by the probability they are made with."""
    bins = [one for one in found["bins"] if one["count"] >= LEAST]
    if not bins:
        return None
    import plotly.graph_objects as go

    most = max(one["count"] for one in bins)
    told, came = [one["confidence"] for one in bins], [one["accuracy"] for one in bins]
    ideal = go.Scatter(
        x=[0, 1], y=[0, 1], name="ideal", mode="lines", line={"color": BASELINE, "dash": "dash"}, hoverinfo="skip"
    )  # fmt: skip
    winner = go.Scatter(
        x=told, y=came, name="winner", mode="lines+markers", line={"color": BEST},
        marker={"size": [6 + 16 * (one["count"] / most) ** 0.5 for one in bins], "opacity": 0.85},
        customdata=[one["count"] for one in bins],
        hovertemplate="said %{x:.0%}, true in %{y:.0%} of %{customdata:,}<extra></extra>",
    )  # fmt: skip
    plot = styled(go.Figure([ideal, winner]), 380)
    plot.update_xaxes(title="probability it gives its answer", range=[0, 1.04], tickformat=".0%")
    plot.update_yaxes(title="share that is right", range=[0, 1.04], tickformat=".0%")
    caption = (
        "Below the dashed line the winner is too sure of itself, above it too modest; larger dots stand for more "
        f"predictions. Expected calibration error: {number(found['expected_error'])}. {place}"
    )
    few = [one["count"] for one in found["bins"] if one["count"] < LEAST]
    left = f"Left out: {plural(sum(few), 'prediction')} in bins of fewer than {LEAST}." if few else ""
    return Figure("calibration", "Calibration", caption, plot=plot, thinned=left)
