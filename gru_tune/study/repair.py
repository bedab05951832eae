"""``gru-tune repair``: a damaged record becomes one that the study can go on from and be reported by."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gru_tune import config as configs
from gru_tune import constraints, strategies
from gru_tune.errors import ConfigError, StudyError
from gru_tune.learning.pace import Pace
from gru_tune.space import Values
from gru_tune.study import earlier, proposing
from gru_tune.study import facts as facts_of
from gru_tune.study.described import question
from gru_tune.study.events import Ended, Header, Run
from gru_tune.study.files import replacing
from gru_tune.study.lines import encode
from gru_tune.study.log import Record
from gru_tune.study.mending import Mended, Sources, mend
from gru_tune.study.minutes import Minutes
from gru_tune.study.question import differences
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.salvage import Line, salvage
from gru_tune.study.table import Table, to_csv
from gru_tune.trial import Epoch, Objective
from gru_tune.wording import listed, plural

# What the head of a log says, and study.json as well.
HEAD = (
    "name", "gru_tune", "task", "kind", "strategy", "objective", "hyperparameters", "space", "seed", "data", "question",
)  # fmt: skip


def repair(path: Path) -> list[str]:
    """Mend the record of the study at ``path``; returns what was done, in sentences.

    The damaged file stays beside it. Raises ``StudyError`` for a folder that is in use, has no
    record, or one that cannot be mended.
    """
    folder = StudyFolder(path)
    if not folder.log.is_file():
        raise StudyError(f"{path}: there is no study here; name the folder that holds its trials.jsonl")
    with folder.locked():
        try:
            return _repair(folder)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise StudyError(
                f"{folder.log} cannot be mended: it holds what no study writes ({type(error).__name__}: {error}); "
                "take it from a backup, or start the study anew with --fresh"
            ) from error
        except OSError as error:
            if (problem := folder.failed(error)) is None:
                raise
            raise problem from error


def _repair(folder: StudyFolder) -> list[str]:
    lines = salvage(folder.log)
    told: list[str] = []
    if not lines or not isinstance(lines[0].event, Header):
        header = _rebuilt_header(folder)
        told.append("the first line, which says what the study asks, is made again from study.json")
        lines = lines[1:] if lines and lines[0].event is None else lines
    else:
        header, lines = lines[0].event, lines[1:]
    lines = [
        Line(line.number, None, "another record begins here") if isinstance(line.event, Header) else line
        for line in lines
    ]
    sources = Sources(
        partial(_strategy, folder, header), partial(_confirmed, folder, header), partial(_epochs, folder)
    )
    mended = mend(header, lines, sources)
    text = "".join(encode(event) + "\n" for event in mended.events).encode()
    told += [sentence for _, sentence in mended.told]
    over = any(isinstance(event, Ended) for event in mended.events)
    doubt = [found] if (found := facts_of.doubt(folder, over)) else []
    if not told and text == folder.log.read_bytes():
        whole = (
            f"{folder.log}: all {plural(len(mended.events), 'line')} are whole: there is nothing to repair"
        )
        return [whole, *doubt]
    kept = _keep(folder.log)
    with replacing(folder.log) as beside:
        beside.write_bytes(text)
    return [
        *told,
        *_outlook(folder, mended),
        f"{folder.log} is repaired; the damaged one is kept as {kept}",
        *doubt,
    ]


def _outlook(folder: StudyFolder, mended: Mended) -> list[str]:
    """What becomes of the study."""
    known = mended.history
    told = [f"{plural(len(known.trials), 'trial')} with an outcome can be reported"]
    if open_ := sorted(known.missing):
        trials = f"trial{'s' if len(open_) > 1 else ''} {listed(open_, 'and')}"
        told.append(f"`gru-tune run` with its config (as {folder.config} has it) trains {trials} again")
    if mended.stuck:
        told.append(
            "what is left does not fit the search: it cannot go on; start it anew with --fresh, or under another name"
        )
    return told


def _keep(path: Path) -> Path:
    """A copy of the damaged file, under a name that no other has."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}.damaged" + (f"-{number}" if number > 1 else ""))
        try:
            os.close(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            number += 1
            continue
        with replacing(kept) as beside:
            beside.write_bytes(path.read_bytes())
        return kept


def _rebuilt_header(folder: StudyFolder) -> Header:
    """The head of the log from what study.json repeats of it. Raises ``StudyError`` where that is not all."""
    facts = read_json(folder.facts)
    question = facts.get("question")
    if any(key not in facts for key in HEAD) or not isinstance(question, dict):
        raise StudyError(
            f"{folder.log}:1: the line that says what the study asks is damaged, and {folder.facts} cannot replace it; "
            "mend it from a backup, or start the study anew with --fresh"
        )
    search: Mapping[str, Any] = question.get("search", {})
    for key in ("from", "max_seconds_per_epoch"):
        if search.get(key) is not None:
            raise StudyError(
                f"{folder.log}:1: the line that says what the study asks is damaged, and what it knew by search.{key} "
                "stands nowhere else; mend it from a backup, or start the study anew with --fresh"
            )
    return Header({key: facts[key] for key in HEAD}, float(facts.get("started", 0.0)))


def _strategy(folder: StudyFolder, header: Header) -> strategies.Strategy | None:
    """The study's search, fresh; None where it cannot be made of what the folder holds."""
    facts, asked = read_json(folder.facts), header.facts
    info = facts.get("info")
    try:
        config = configs.load(folder.resolved)
        if info is None or differences(asked["question"], question(config)):
            return None
        pace = Pace.read(asked["pace"]) if asked.get("pace") else None
        config = constraints.constrain(config, info, Minutes(config, info, 1, pace).epoch)
        known = earlier.recall(Record((header,), 0)).known
        return proposing.strategy(config, Objective(**asked["objective"]), info, known)
    except (OSError, ConfigError, KeyError, TypeError):
        return None


def _confirmed(folder: StudyFolder, header: Header, trial: int, values: Values) -> bool:
    """Whether trials.csv has a trial with just these values."""
    names: list[str] = list(header.facts["hyperparameters"])
    columns = [Table(Objective(**header.facts["objective"]), tuple(names)).column(name) for name in names]
    expected = to_csv(columns, [dict(zip(columns, map(values.get, names), strict=True))], header=False)
    try:
        with folder.table.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("trial") == str(trial)]
    except (OSError, ValueError):
        return False
    return any(to_csv(columns, [row], header=False) == expected for row in rows)


def _epochs(folder: StudyFolder, run: Run, after: int, last: int) -> tuple[Epoch, ...]:
    """Epochs of a run as curves.csv has them: every metric in full, seconds to 0.1 ms."""
    try:
        with folder.curves.open(encoding="utf-8", newline="") as file:
            rows = [
                row for row in csv.DictReader(file) if (row["trial"], row["repeat"]) == tuple(map(str, run))
            ]
        found = {int(row["epoch"]): row for row in rows}
        return tuple(_epoch(found[number]) for number in range(after + 1, last + 1))
    except (OSError, KeyError, ValueError):
        return ()


def _epoch(row: Mapping[str, str]) -> Epoch:
    def metrics(split: str) -> dict[str, float]:
        names = [name for name in row if name.startswith(f"{split}_")]
        return {name.removeprefix(f"{split}_"): float(row[name] or "nan") for name in names}

    seconds, compiling = float(row["seconds"]), float(row["seconds_compiling"])
    return Epoch(int(row["epoch"]), metrics("train"), metrics("validation"), seconds, compiling)
