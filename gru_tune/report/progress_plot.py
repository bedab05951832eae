"""The best score so far as a picture made of characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gru_tune.report.columns import wrapped
from gru_tune.report.numbers import number
from gru_tune.report.read import Study

HEIGHT = 9
WIDEST = 72  # columns of the picture itself
SIGNS = "*-ox+#%@"  # a curve each: they tell apart what colours would, where there are none

Curve = tuple[str, Sequence[float], Sequence[float]]  # a name, and where it goes


def progress(study: Study, width: int) -> list[str]:
    """The best score so far against the trials in their order, and the best baseline as a level."""
    trials = sorted(study.ranked, key=lambda trial: trial.number)
    gains = [trials[place] for place in study.objective.gains(trial.score for trial in trials)]
    if len(trials) < 2 or not gains:
        return []
    xs: list[float] = [*(trial.number for trial in gains), trials[-1].number]
    ys = [trial.score or 0.0 for trial in (*gains, gains[-1])]
    curves: list[Curve] = [(f"best {study.objective.name} so far", *staircase(xs, ys))]
    if baseline := study.best_baseline("validation"):
        curves.append((f"baseline: {baseline[0]}", [xs[0], xs[-1]], [baseline[1]] * 2))
    return drawn(curves, width, lambda trial: f"trial {trial:,.0f}")


def staircase(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """The corners of a line that stays level until the next point."""
    steps = [corner for x in xs[1:] for corner in (x, x)]
    return [xs[0], *steps], [level for y in ys[:-1] for level in (y, y)] + [ys[-1]]


def drawn(curves: Sequence[Curve], width: int, show: Callable[[float], str]) -> list[str]:
    """The curves on common axes, at most ``width`` columns wide, and a legend; ``show`` writes an x."""
    import uniplot

    xs, ys = ([float(v) for curve in curves for v in curve[axis]] for axis in (1, 2))
    low, high = min(ys), max(ys)
    if low == high:
        low, high = low - abs(low or 1.0) * 0.05, high + abs(high or 1.0) * 0.05
    # The library's own labels round 0.5 and 0.75 to 0 and 1; the ends of the axes say as much.
    labels = [number(high), *[""] * (HEIGHT - 2), number(low)]
    beside = max(map(len, labels)) + 1
    inside = min(WIDEST, width - beside - 2)
    picture = uniplot.plot_to_string(
        xs=[list(curve[1]) for curve in curves],
        ys=[list(curve[2]) for curve in curves],
        lines=True, width=inside, height=HEIGHT, x_min=min(xs), x_max=max(xs), y_min=low, y_max=high,
        x_labels=False, y_labels=False, x_gridlines=[], y_gridlines=[],
        color=False, character_set="ascii", force_ascii_characters=list(SIGNS),
    ).splitlines()[: HEIGHT + 2]  # fmt: skip
    labels = ["", *labels, ""]
    lines = [f"{label:>{beside}}{line}".rstrip() for label, line in zip(labels, picture, strict=True)]
    first, last = show(min(xs)), show(max(xs))
    lines.append(" " * (beside + 1) + first + last.rjust(inside - len(first)))
    signs = zip(SIGNS, (curve[0] for curve in curves), strict=False)
    return lines + wrapped("   ".join(f"{sign} {name}" for sign, name in signs), width)
