"""Studies on the disk, made by hand."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gru_tune.study.log import Finished, Header, Launch, Log, Started, encode
from gru_tune.study.results import StudyFolder, replace_json
from gru_tune.trial import Epoch, Outcome

KNOBS = ("depth", "units_1", "units_2", "learning_rate", "cell")
FACTS: dict[str, Any] = {
    "baselines": {
        "validation": {"majority class": {"accuracy": 0.5}, "tf-idf + linear": {"accuracy": 0.6}},
        "test": {"majority class": {"accuracy": 0.51}},
    },
    "test": [{"trial": 2, "metrics": {"accuracy": 0.66, "loss": 0.9}, "time": 1.0}],
    "notes": ["12 rows of validation are also in training"],
    "ended": "all trials done",
}


def events(
    trials: int,
    epochs: int = 3,
    name: str = "toy",
    time: float = 1000.0,
    failing: int = 10,
    renamed: Mapping[str, str] | None = None,
) -> list[Any]:
    """Trial n has its best score, 0.6 + 0.05 * (n % 3), at epoch 2; every 10th (``failing``) fails.

    ``renamed`` gives hyperparameters another name.
    """
    given = {**dict(zip(KNOBS, KNOBS, strict=True)), **(renamed or {})}
    header = Header(
        {
            "name": name, "task": "classification", "strategy": "random", "seed": 1, "data": "x", "question": {},
            "objective": {"name": "accuracy", "direction": "max"},
            "hyperparameters": list(given.values()),
        },
        time,
    )  # fmt: skip
    found: list[Any] = [header, Started(1, time)]
    for n in range(1, trials + 1):
        values: dict[str, Any] = {"depth": 1 + n % 2, "units_1": 8 * (n % 5 + 1)}
        if n % 2:
            values["units_2"] = 4
        values |= {"learning_rate": 0.001 * n, "cell": "gru"}
        values = {given[knob]: value for knob, value in values.items()}
        found.append(Launch(n, 1, values, n, 0, epochs, False, time + n))
        error = "out of memory <b>here</b>" if n % failing == 0 else None
        curve = [
            Epoch(
                e,
                {"loss": 1.0 / e},
                {"accuracy": 0.6 + 0.05 * (n % 3) - 0.01 * abs(e - 2), "loss": 2.0 / e},
                0.5,
            )
            for e in range(1, epochs + 1)
        ]
        found.append(
            Finished(1, Outcome(n, () if error else tuple(curve), 1234, 2.0, "xla", error), time + n + 0.9)
        )
    return found


def changed(log: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put what ``change`` makes of them in the place of all lines of a log, each with its checksum."""
    made = []
    for line in log.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        del content["crc"]
        made.append(sealed(json.dumps(change(content))) + "\n")
    log.write_text("".join(made), encoding="utf-8")


def sealed(text: str) -> str:
    """The JSON of a line of a log with its checksum, whatever it says."""
    return f'{text[:-1]},"crc":"{zlib.crc32(text[:-1].encode()):08x}"}}'


def study(folder: Path, trials: int = 12, facts: dict[str, Any] | None = None, **options: Any) -> StudyFolder:
    folder.mkdir(parents=True, exist_ok=True)
    made = StudyFolder(folder)
    lines = "".join(encode(event) + "\n" for event in events(trials, **options))
    made.log.write_text(lines, encoding="utf-8")
    if facts is not None:
        replace_json(made.facts, facts)
    return made


def launch_only(folder: StudyFolder, trial: int) -> None:
    with Log(folder.log) as log:
        log.append(
            Launch(
                trial,
                1,
                {"depth": 1, "units_1": 8, "learning_rate": 1.0, "cell": "gru"},
                1,
                0,
                3,
                False,
                2000.0,
            )
        )
