"""Studies in memory, made of the trials that a test is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gru_tune.report.read import Study
from gru_tune.study.results import StudyFolder
from gru_tune.study.table import rank
from gru_tune.trial import Epoch, Objective, Status, Trial

ACCURACY = Objective("accuracy", "max")


def curve(
    scores: Sequence[float], name: str = "accuracy", train: Sequence[Mapping[str, float]] = ()
) -> tuple[Epoch, ...]:
    """An epoch for every score of the validation split; ``train`` are the metrics of the other one."""
    return tuple(
        Epoch(n, train[n - 1] if train else {}, {name: score, "loss": 1.0}, 1.0)
        for n, score in enumerate(scores, start=1)
    )


def trial(number: int, score: float | None = 0.5, objective: Objective = ACCURACY, **changes: Any) -> Trial:
    """A trial that has its score from the first of two epochs; it failed where there is none."""
    status = Status.FAILED if score is None else Status.COMPLETED
    epochs = () if score is None else curve([score, score], objective.name)
    error = "loss became nan in epoch 1" if score is None else None
    known = {
        "number": number, "values": {"units": 8}, "seed": 1, "status": status, "objective": objective,
        "epochs": epochs, "parameters": 100 * number, "error": error, "epoch_seconds": 0.1 * number,
    }  # fmt: skip
    return Trial(**{**known, **changes})


def study(
    trials: Iterable[Trial],
    space: Mapping[str, Any] | None = None,
    question: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    objective: Objective = ACCURACY,
) -> Study:
    """What ``read.study`` would make of a log with such trials."""
    ranked = rank(trials, objective)
    names = list(space or dict.fromkeys(name for one in ranked for name in one.values))
    asked = {
        "name": "made", "objective": {"name": objective.name, "direction": objective.direction, "cost": objective.cost},
        "hyperparameters": names, "space": space, "question": question or {},
    }  # fmt: skip
    return Study(
        folder=StudyFolder(Path("made")), asked=asked, facts=facts or {}, ranked=tuple(ranked), runs=tuple(ranked),
        running=(), finals_due=False, course=(), seconds=1.0, updated=0.0, notes=(),
    )  # fmt: skip


def finals(*finalists: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of finished finals, the winner first."""
    usual = {"search": 0.9, "scores": [0.9, 0.9], "failed": 0, "mean": 0.9, "spread": 0.01, "interval": [0.88, 0.92],
             "parameters": 100, "tied": False}  # fmt: skip
    found = [{**usual, **one} for one in finalists]
    return {"state": "finished", "finals": {"finalists": found, "winner": found[0]["trial"], "repeat": 1}}
