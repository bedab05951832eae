"""What the reports say of a study with two objectives."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gru_tune.report import show
from gru_tune.study.log import Finished, Header, encode
from gru_tune.study.results import StudyFolder, replace_json
from tests.report import builders


def study(folder: Path, cost: str, within: float = 0.01) -> StudyFolder:
    """Ten trials, of which the last fails; scores as in ``builders.events``, costs that fall with the number."""
    made = StudyFolder(folder)
    folder.mkdir(parents=True)
    lines = []
    for event in builders.events(10):
        if isinstance(event, Header):
            objective = {"name": "accuracy", "direction": "max", "cost": cost}
            event = Header({**event.facts, "objective": objective}, event.time)
        elif isinstance(event, Finished):
            n = event.outcome.trial
            outcome = replace(event.outcome, parameters=1000 * (20 - n), latency=0.01 * (20 - n))
            event = replace(event, outcome=outcome)
        lines.append(encode(event) + "\n")
    made.log.write_text("".join(lines), encoding="utf-8")
    replace_json(made.facts, {**builders.FACTS, "test": [], "baselines": {}, "within": within})
    return made


def report(folder: Path, form: str = "terminal", width: int | None = None) -> str:
    return show(folder, form, None, width)


@pytest.mark.parametrize(
    ("cost", "within", "winner", "said", "least"),
    [
        (
            "parameters", 0.1, 8,
            "the cheapest (parameters) of the trials within 10 % of the best accuracy, with 12,000 parameters. "
            "The Pareto set has 2 trials.",
            "the fewest parameters",
        ),
        (
            "latency", 0.2, 9,
            "the cheapest (latency) of the trials within 20 % of the best accuracy, with 0.1100 ms a sequence; "
            "trial 8 has the best, 0.7000, with 0.1200 ms a sequence. The Pareto set has 2 trials.",
            "the lowest latency",
        ),
        (
            "seconds", 0.01, 2,
            "the cheapest (seconds) of the trials within 1 % of the best accuracy, with 0.5000 s an epoch. "
            "The Pareto set has 3 trials.",
            "the shortest epochs",
        ),
    ],
)  # fmt: skip
def test_the_rule_is_said_and_followed(
    cost: str, within: float, winner: int, said: str, least: str, tmp_path: Path
) -> None:
    study(tmp_path / "toy", cost, within)
    text = report(tmp_path / "toy")
    assert text.startswith(f"Trial {winner} of toy wins: accuracy 0.")
    assert f"Two objectives: the winner is {said}" in text
    assert f"search for the highest accuracy of the validation split and {least}. 10 trials" in text
    rows = list(csv.DictReader(io.StringIO(report(tmp_path / "toy", "csv"))))
    assert (rows[0]["rank"], rows[0]["trial"], rows[0]["pareto"]) == ("1", str(winner), "true")
    assert rows[9]["pareto"] == "false"
    assert ("latency_ms" in rows[0]) == (cost == "latency")


def test_the_pareto_set_stands_below_the_table_cheapest_first(tmp_path: Path) -> None:
    study(tmp_path / "toy", "parameters")
    lines = report(tmp_path / "toy").splitlines()
    start = lines.index("Pareto set, cheapest first:")
    assert [line.split() for line in lines[start + 1 : start + 4]] == [
        ["parameters", "accuracy", "trial", "depth", "units_1", "units_2", "learning_rate"],
        ["11,000", "0.6000", "9", "2", "40", "4", "0.009"],
        ["12,000", "0.7000", "8", "1", "32", "0.008"],
    ]
    narrow = report(tmp_path / "toy", width=40).splitlines()
    assert narrow[narrow.index("Pareto set, cheapest first:") + 1].split() == [
        "parameters", "accuracy", "trial", "depth",
    ]  # fmt: skip
    markdown = report(tmp_path / "toy", "markdown")
    assert "## Pareto set, cheapest first\n\n| parameters | accuracy | trial |" in markdown
    found = json.loads(report(tmp_path / "toy", "json"))
    assert found["pareto"] == [9, 8]
    assert [row["trial"] for row in found["trials"] if row["pareto"]] == [8, 9]


def test_with_one_objective_nothing_of_it_is_shown(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy")
    assert all(
        "areto" not in report(tmp_path / "toy", form) for form in ("terminal", "markdown", "csv", "json")
    )
