"""Ranking, rows and CSV."""

from __future__ import annotations

import csv
import io
import math
import time

from gru_tune.study.table import Table, curve_columns, curve_rows, rank, to_csv
from gru_tune.trial import Epoch, Objective, Status, Trial

ACCURACY = Objective("accuracy", "max")
LOSS = Objective("loss", "min")


def trial(number: int, scores: list[float], objective: Objective = ACCURACY, **values: object) -> Trial:
    epochs = tuple(
        Epoch(i, {"loss": 1.0}, {"loss": 1.0 / i, "accuracy": 0.5, objective.name: s}, 0.5)
        for i, s in enumerate(scores, 1)
    )
    status = Status.COMPLETED if scores else Status.FAILED
    return Trial(
        number,
        values,
        number,
        status,
        objective,
        epochs,
        7,
        3.0,
        "xla",
        None if scores else 'a "bad" one,\nreally',
        epoch_seconds=0.5,
    )  # type: ignore[arg-type]


def parse(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_best_first_the_earlier_of_equals_failed_last() -> None:
    trials = [trial(4, []), trial(3, [0.9]), trial(2, [0.5, 0.9, 0.1]), trial(1, [0.2]), trial(5, [])]
    assert [t.number for t in rank(trials, ACCURACY)] == [2, 3, 1, 4, 5]
    trials = [trial(1, [0.9], LOSS), trial(2, [0.5], LOSS), trial(3, [-1.0], LOSS)]
    assert [t.number for t in rank(trials, LOSS)] == [3, 2, 1]


def test_csv_has_every_hyperparameter_empty_where_not_in_force() -> None:
    trials = [trial(1, [0.5, 0.8, 0.6], depth=1, units_1=8), trial(2, [0.7], depth=2, units_1=8, units_2=4, epochs=9, flag=True), trial(3, [])]  # fmt: skip
    table = Table(ACCURACY, ("depth", "units_1", "units_2", "epochs", "flag"))
    rows = parse(table.csv(rank(trials, ACCURACY)))
    assert list(rows[0]) == [
        "rank", "trial", "status", "accuracy", "depth", "units_1", "units_2", "hp_epochs", "flag", "best_epoch",
        "epochs", "last_accuracy", "validation_loss", "parameters", "seconds", "seconds_compiling", "seconds_per_epoch",
        "seed", "fast_path", "attempts", "error",
    ]  # fmt: skip
    assert rows[0] | {} == rows[0]
    assert (rows[0]["accuracy"], rows[0]["best_epoch"], rows[0]["epochs"], rows[0]["last_accuracy"]) == (
        "0.8",
        "2",
        "3",
        "0.6",
    )
    assert (rows[0]["units_2"], rows[0]["validation_loss"], rows[0]["seconds_per_epoch"]) == (
        "",
        "0.5",
        "0.5",
    )
    assert (rows[1]["hp_epochs"], rows[1]["epochs"], rows[1]["flag"]) == ("9", "1", "true")
    assert (rows[2]["status"], rows[2]["accuracy"], rows[2]["error"]) == (
        "failed",
        "",
        'a "bad" one,\nreally',
    )


def test_an_objective_named_like_a_knob_keeps_its_column() -> None:
    table = Table(LOSS, ("loss",))
    rows = parse(table.csv([trial(1, [0.25], LOSS, loss="huber")]))
    assert (rows[0]["loss"], rows[0]["hp_loss"]) == ("0.25", "huber")


def test_curves() -> None:
    one = trial(1, [0.5, math.nan])
    columns = curve_columns([one])
    assert columns == [
        "trial",
        "repeat",
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_accuracy",
        "seconds",
        "seconds_compiling",
    ]
    rows = parse(to_csv(columns, curve_rows(1, 1, one.epochs)))
    assert [row["validation_accuracy"] for row in rows] == ["0.5", ""]
    assert to_csv(columns, curve_rows(1, 1, one.epochs), header=False).count("\n") == 2


def test_a_thousand_trials_are_quick() -> None:
    """A generous bound: the table is rewritten after every trial."""
    trials = [trial(i, [0.1 * (i % 10)], depth=1, units_1=8) for i in range(1, 1001)]
    start = time.perf_counter()
    Table(ACCURACY, ("depth", "units_1")).csv(rank(trials, ACCURACY))
    assert time.perf_counter() - start < 0.5
