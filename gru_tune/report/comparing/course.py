"""How a search went: the best score so far against its trainings and against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from gru_tune.report.read import Study
from gru_tune.trial import Objective

By = Literal["trainings", "seconds"]


class Point(NamedTuple):
    """The best score once so many trainings, or so many seconds, were over."""

    x: float
    score: float


Curve = Sequence[Point]


def best_by(study: Study, by: By) -> Curve:
    """A point for every improvement, and one for the end; empty without a score.

    A trial that went on and failed takes its score with it, as it does in the ranking: what it
    had reached until then does not count.
    """
    kept = {trial.number for trial in study.ranked if trial.score is not None}
    scores = [step.score if step.trial in kept else None for step in study.course]
    xs = [
        float(count) if by == "trainings" else step.seconds
        for count, step in enumerate(study.course, start=1)
    ]
    points = [Point(xs[place], scores[place] or 0.0) for place in study.objective.gains(scores)]
    return [*points, Point(xs[-1], points[-1].score)] if points else []


def after(curve: Curve, x: float) -> float | None:
    """The best score by ``x``; None before the first one."""
    known = [point.score for point in curve if point.x <= x * (1 + 1e-9)]
    return known[-1] if known else None


def first_at(curve: Curve, score: float, objective: Objective) -> float | None:
    """Where the best score was first at least as good as ``score``; None where it never was."""
    return next((point.x for point in curve if not objective.better(score, point.score)), None)
