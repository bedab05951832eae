"""Pictures of how the search went."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gru_tune.page import thin
from gru_tune.page.figure import BASELINE, BEST, ENDS, FAILED, OTHER, TRIALS, Figure, clipped, label, styled
from gru_tune.page.thin import short
from gru_tune.page.winner import called
from gru_tune.report.numbers import number
from gru_tune.report.read import Study
from gru_tune.trial import Epoch, Status, Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

TOP = 10  # trials whose curves stand out
LINES, POINTS = 200, 50  # learning curves, and epochs of each
TICKED = 12  # trials or epochs that each have a tick
ERROR = 80  # characters of the reason of a failure


def figures(study: Study) -> list[Figure]:
    """The history, the learning curves and, with a stopper, how far trials came; [] without a score."""
    if study.winner is None:
        return []
    return [history(study), curves(study), *_lengths(study)]


def history(study: Study) -> Figure:
    """Every trial by its number.

    Not Optuna's: that leaves out stopped and failed trials, baselines and the finals.
    """
    import plotly.graph_objects as go

    scored = [trial for trial in study.ranked if trial.score is not None]
    shown = sorted(thin.ranked(scored), key=_number)
    broken = sorted((trial for trial in study.ranked if trial.score is None), key=_number)
    scores = [_score(trial) for trial in scored]
    span = thin.limits(scores, study.objective)
    plot = go.Figure()
    for status, name, symbol in ENDS:
        some = [trial for trial in shown if trial.status is status]
        if some:
            plot.add_scatter(
                x=[trial.number for trial in some], y=[short(_score(trial)) for trial in some],
                name=name, mode="markers", marker={"color": TRIALS, "size": 6, "symbol": symbol, "opacity": 0.8},
                hovertemplate="trial %{x}: %{y}<extra></extra>",
            )  # fmt: skip
    last = max(trial.number for trial in study.ranked)
    edges = 0.5 - last / 100, last + 0.5 + last / 100
    best = _best_so_far(study, sorted(scored, key=_number), edges[1])
    plot.add_scatter(
        x=[x for x, _ in best], y=[short(y) for _, y in best], name="best so far", mode="lines",
        line={"color": BEST, "width": 2.5, "shape": "hv"}, hovertemplate="best so far: %{y}<extra></extra>",
    )  # fmt: skip
    span = _finals(plot, study, span)
    known = study.best_baseline("validation")
    if known:
        plot.add_scatter(
            x=edges, y=[short(known[1])] * 2, name=f"baseline “{clipped(known[0])}”", mode="lines",
            line={"color": BASELINE, "width": 2, "dash": "dash"},
            hovertemplate=f"baseline: {number(known[1])}<extra></extra>",
        )  # fmt: skip
        span = _with(span, known[1])
    worst = span[0] if study.objective.direction == "max" else span[1]
    if broken:
        span = _with(span, worst)  # they stand on the edge that was, not on the ticks
        _failures(plot, broken, worst)
    styled(plot, 420)
    plot.update_xaxes(title="trial", range=edges, dtick=1 if last <= TICKED else None)
    plot.update_yaxes(title=label(study.objective.name), range=[short(edge) for edge in span])
    way = "higher" if study.objective.direction == "max" else "lower"
    caption = (
        f"A dot is a trial, {way} is better; the line is the best score so far. A line that has long been level says "
        "that more trials of this kind will hardly help."
    )
    if study.finalists:
        caption += (
            " Diamonds are what the finalists reach with fresh seeds, with 95 % confidence: what their dots "
            "are better by is luck."
        )
    if known and study.folds > 1:
        caption += " The baseline is that of the first fold."
    left = thin.said(len(shown), len(scored))
    return Figure(
        "history",
        "History of the search",
        caption,
        plot,
        thinned=_joined(left, thin.beyond(scores, span)),
        main=True,
    )


def curves(study: Study) -> Figure:
    """The objective after every epoch. Not Optuna's: it has no groups to filter by, and a marker for every epoch."""
    import plotly.graph_objects as go

    name = study.objective.name
    plot = go.Figure()
    scored = [trial for trial in study.ranked if trial.score is not None]
    final = [
        run
        for run in study.runs
        if run.number in study.finalists and run.repeat > 1 and run.score is not None
    ]
    final = [run for run in final if run not in study.ranked]
    others = thin.spread(scored[TOP:], max(LINES - TOP - len(final), 0))
    groups: tuple[tuple[str, Sequence[Trial], str, float, float], ...] = (
        ("trained to the end", [t for t in others if t.status is Status.COMPLETED], TRIALS, 1, 0.6),
        ("stopped early", [t for t in others if t.status is Status.STOPPED], FAILED, 1, 0.6),
        (f"the best {min(TOP, len(scored))}", scored[1:TOP], TRIALS, 1.8, 1),
        ("finalists, fresh seeds", final, OTHER, 1.5, 0.9),
        (f"the {called(study)}, trial {scored[0].number}", scored[:1], BEST, 3, 1),
    )
    values: list[float] = []
    for title, trials, colour, width, opacity in groups:
        x, y, numbers = _lines(trials, name)
        if not x:
            continue
        values += [value for value in y if value is not None]
        plot.add_scatter(
            x=x, y=y, customdata=numbers, name=title, mode="lines+markers" if _short(trials) else "lines",
            line={"color": colour, "width": width}, marker={"size": 5}, opacity=opacity,
            hovertemplate="trial %{customdata}, epoch %{x}: %{y}<extra></extra>",
        )  # fmt: skip
    styled(plot, 420)
    longest = max(trial.epochs[-1].number for trial in [*scored, *final])
    plot.update_xaxes(title="epoch", range=[0.9, longest + 0.1], dtick=1 if longest <= TICKED else None)
    plot.update_yaxes(title=label(name), range=[short(edge) for edge in thin.limits(values, study.objective)])
    caption = (
        f"The {name} on the validation split after every epoch. Lines that still get better at their end ask for more "
        "epochs; lines that get worse again, for less (or for dropout). "
        f"{_which(study, scored[0])}A click on a name in the legend hides or shows its lines, "
        "a double click shows them alone."
    )
    left = thin.said(TOP + len(others), len(scored), "learning curves", "the best ten and some of the others")
    return Figure("curves", "Learning curves", caption, plot, thinned=left, main=True)


def _lengths(study: Study) -> Iterator[Figure]:
    """How many epochs the trials of a search with a stopper were trained for."""
    stopper = study.asked.get("question", {}).get("search", {}).get("stopper")
    reached = {
        status: Counter(t.epochs[-1].number for t in study.ranked if t.epochs and t.status is status)
        for status in (Status.STOPPED, Status.COMPLETED)
    }
    if not stopper or not any(reached.values()):
        return
    import plotly.graph_objects as go

    plot = go.Figure()
    every = sorted(set().union(*reached.values()))
    for counts, name, colour in zip(
        reached.values(), ("stopped early", "trained to the end"), (FAILED, TRIALS), strict=True
    ):
        if counts:
            plot.add_bar(
                x=[str(epochs) for epochs in every], y=[counts[epochs] for epochs in every], name=name,
                marker={"color": colour}, hovertemplate="%{y} trials after %{x} epochs<extra></extra>",
            )  # fmt: skip
    styled(plot, 280)
    plot.update_layout(barmode="stack")
    plot.update_xaxes(title="epochs trained", type="category")
    plot.update_yaxes(title="trials")
    yield Figure(
        "epochs",
        "How far the trials came",
        f"The stopper ({stopper}) ends trials that fall behind; the fewer on the right, the more time it saved. "
        "Trials of fewer epochs have had less time for a good score.",
        plot,
    )


def _lines(trials: Iterable[Trial], name: str) -> tuple[list[int | None], list[float | None], list[int]]:
    """Epochs, values and trials of all their curves in one line, which is broken between two of them."""
    x: list[int | None] = []
    y: list[float | None] = []
    numbers: list[int] = []
    for trial in trials:
        known = [(e.number, e.validation[name]) for e in trial.epochs if _finite(e, name)]
        for epoch, value in thin.spread(known, POINTS):
            x.append(epoch)
            y.append(short(value))
        x.append(None)
        y.append(None)
        numbers += [trial.number] * (len(x) - len(numbers))
    return x, y, numbers


def _which(study: Study, winner: Trial) -> str:
    """Which run of the winner is drawn, where it has others."""
    if not study.finalists:
        return ""
    return f"The thick line is trial {winner.number} as the search trained it, not with a fresh seed. "


def _short(trials: Iterable[Trial]) -> bool:
    """Whether one of them has a single epoch, which a line does not show."""
    return any(len(trial.epochs) == 1 for trial in trials)


def _failures(plot: go.Figure, trials: Sequence[Trial], level: float) -> None:
    marks = thin.spread(trials, thin.POINTS // 3)
    plot.add_scatter(
        x=[trial.number for trial in marks], y=[short(level)] * len(marks), name="failed", mode="markers",
        marker={"color": FAILED, "size": 8, "symbol": "x"},
        text=[label((trial.error or "")[:ERROR]) for trial in marks],
        hovertemplate="trial %{x} failed: %{text}<extra></extra>",
    )  # fmt: skip


def _finals(plot: go.Figure, study: Study, span: tuple[float, float]) -> tuple[float, float]:
    """Draw what the finalists reach with fresh seeds, and widen the range of the axis until all of it is in there."""
    found = study.finalists
    if not found:
        return span
    means = [one["mean"] for one in found.values()]
    ends = [one["interval"] or (one["mean"],) * 2 for one in found.values()]
    plot.add_scatter(
        x=list(found), y=[short(mean) for mean in means], name="finalists, fresh seeds", mode="markers",
        marker={"color": OTHER, "size": 10, "symbol": "diamond"},
        error_y={
            "type": "data", "symmetric": False, "color": OTHER,
            "array": [short(high - mean) for mean, (_, high) in zip(means, ends, strict=True)],
            "arrayminus": [short(mean - low) for mean, (low, _) in zip(means, ends, strict=True)],
        },
        hovertemplate="trial %{x}, fresh seeds: %{y}<extra></extra>",
    )  # fmt: skip
    low, high = min([*means, *(low for low, _ in ends)]), max([*means, *(high for _, high in ends)])
    air = 0.04 * (max(span[1], high) - min(span[0], low))
    return min(span[0], low - air), max(span[1], high + air)


def _best_so_far(study: Study, trials: Sequence[Trial], end: float) -> list[tuple[float, float]]:
    """Where the best score changed, and the end."""
    gains = study.objective.gains(map(_score, trials))
    found: list[tuple[float, float]] = [(trials[place].number, _score(trials[place])) for place in gains]
    return [*found, (end, found[-1][1])]


def _with(span: tuple[float, float], level: float) -> tuple[float, float]:
    """The range with a level in it, unless that would leave less than a third for the rest."""
    low, high = min(span[0], level), max(span[1], level)
    if high - low > 3 * (span[1] - span[0]):
        return span
    air = 0.04 * (high - low)
    return min(span[0], level - air), max(span[1], level + air)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _finite(epoch: Epoch, name: str) -> bool:
    return math.isfinite(epoch.validation.get(name, math.nan))


def _number(trial: Trial) -> int:
    return trial.number


def _score(trial: Trial) -> float:
    assert trial.score is not None
    return trial.score
