"""``MODEL.md``: what a stranger must know of ``best.keras`` before using it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from gru_tune.report.numbers import number, span, value
from gru_tune.report.plain import escaped, markdown_table
from gru_tune.report.read import Study
from gru_tune.report.settings import listed_value
from gru_tune.report.words import over, sentences
from gru_tune.values import Scalar
from gru_tune.wording import plural

SPLITS = ("train", "validation", "test")
SHOWN_CLASSES = 20  # in the confusion matrix; with more it is in study.json alone

LOADING = """\
```python
import keras
import numpy as np

model = keras.models.load_model("best.keras")  # plain Keras layers: gru-tune is not needed
sample = np.load("sample.npz")                 # rows of the validation split, as the model is fed them
print(abs(model.predict(sample["x"]) - sample["out"]).max())
```

`preprocessing.json` has the vocabulary, scalers and labels that turn raw data into such inputs, and `study.json` under
`settings` the window and lengths; `gru-tune predict` does it all."""


def text(study: Study) -> str:
    """The card of a study that has a winner."""
    parts = [_head(study), _numbers(study), _knobs(study), _data(study), _details(study), _limits(study)]
    lines = [line for part in parts for line in (*part, "")]
    return "\n".join([*lines, "## Loading it", "", LOADING, "", *_made(study)]) + "\n"


def _head(study: Study) -> Iterator[str]:
    yield f"# {study.name}"
    yield ""
    yield from (f"- {escaped(sentence)}" for sentence in sentences(study))


def _numbers(study: Study) -> Iterator[str]:
    """The winner and the baselines, by split."""
    yield "## How good it is"
    yield ""
    name = study.objective.name
    rows = [
        {
            "": f"search score, {_validation(study)} (the best of many: flattered)",
            name: number(study.winner.score if study.winner else None),
            "95 %": "",
        }
    ]
    if study.winner and (found := study.finalists.get(study.winner.number)):
        rows.append(
            {
                "": f"confirmed, {_validation(study, len(found['scores']))}, mean of {plural(len(found['scores']), 'fresh seed')}",
                name: number(found["mean"]),
                "95 %": span(found["interval"]) if found["interval"] else "",
            }
        )
    if study.test:
        rows.append(_measured("test", name, study.test))
    for split in ("validation", "test"):
        for baseline, metrics in study.baselines(split).items():
            fold = " of the first fold" if split == "validation" and study.folds > 1 else ""
            rows.append({"": f"{baseline}, {split}{fold}", name: number(metrics.get(name)), "95 %": ""})
    yield from markdown_table(rows, left=1)
    if study.test:
        yield ""
        yield (
            "On the test split: "
            + ", ".join(f"{k} {number(v)}" for k, v in study.test["metrics"].items())
            + "."
        )


def _validation(study: Study, runs: int | None = None) -> str:
    return "validation" if study.folds == 1 else over(study, runs).removeprefix(" on the ")


def _measured(what: str, name: str, judged: Mapping[str, Any]) -> dict[str, str]:
    interval = judged.get("intervals", {}).get(name)
    return {"": what, name: number(judged["metrics"].get(name)), "95 %": span(interval) if interval else ""}


def _knobs(study: Study) -> Iterator[str]:
    """Every knob of the winner, searched or not."""
    yield "## How it was built and trained"
    yield ""
    settings = study.facts.get("settings") or {}
    asked = _keys(study.asked.get("question") or {})
    rows = [
        {"knob": f"{section}.{knob}", "value": listed_value(setting)}
        for section, knobs in settings.items()
        for knob, setting in knobs.items()
        if not asked or knob in asked  # the others do not apply to such data
    ]
    if again := study.retrained:
        yield f"Trained once more on training and validation split, {plural(again['epochs'], 'epoch')}; in the finals with:"
        yield ""
    yield from markdown_table(rows, left=2) if rows else ()


def _keys(nested: Mapping[str, Any]) -> set[str]:
    """Every key at any depth."""
    below = (_keys(value) for value in nested.values() if isinstance(value, Mapping))
    return {*nested, *(key for keys in below for key in keys)}


def _data(study: Study) -> Iterator[str]:
    facts = study.facts.get("facts") or {}
    yield "## Data"
    yield ""
    yield f"`{study.asked.get('kind', '?')}` data for {study.asked.get('task', '?')}; sha256 of what was read: `{study.asked.get('data', '?')}`."
    yield ""
    rows = []
    for split, part in ((name, facts.get("splits", {}).get(name)) for name in SPLITS):
        if part:
            rows.append(
                {"split": split, **{key: f"{part[key]:,}" for key in ("sequences", "rows", "targets")}}
            )
    yield from markdown_table(rows, left=1) if rows else ()
    if study.folds > 1:
        yield ""
        yield (
            f"This is the first of {study.folds} folds, the one the model was trained and validated on; "
            "the score of a trial is the mean over all of them."
        )


def _details(study: Study) -> Iterator[str]:
    """By class, by tag, by step ahead: on the test split, or on validation without one."""
    split, judged = ("test", study.test) if study.test else ("validation", study.validated)
    details = (judged or {}).get("details") or {}
    tables = {name: rows for name, rows in details.items() if _is_table(rows)}
    if not tables:
        return
    yield f"## In detail, on the {split} split"
    for name, rows in tables.items():
        yield ""
        yield f"{name.replace('_', ' ').capitalize()}:"
        yield ""
        yield from markdown_table([{key: _plain(cell) for key, cell in row.items()} for row in rows], left=1)
    if calibration := details.get("calibration"):
        yield ""
        yield f"Expected calibration error: {number(calibration['expected_error'])}."
    if (confusion := details.get("confusion")) and len(confusion["labels"]) <= SHOWN_CLASSES:
        yield ""
        yield "Confusion, a row a true class, a column a predicted one:"
        yield ""
        labels = confusion["labels"]
        yield from markdown_table(
            [
                {"": label, **{name: str(count) for name, count in zip(labels, counts, strict=True)}}
                for label, counts in zip(labels, confusion["counts"], strict=True)
            ],
            left=1,
        )


def _limits(study: Study) -> Iterator[str]:
    yield "## Known limits"
    yield ""
    yield "- What was fitted to the data (scales, words, classes) is of the training split alone; other data may lie outside."
    if study.retrained:
        yield "- It was trained once more with the validation split: the validation numbers above are of the model before that."
    if len(study.facts.get("test", ())) > 1:
        yield "- The test split was read for several winners in turn: its number is a little flattered."
    if not (study.facts.get("facts") or {}).get("splits", {}).get("test", {}).get("targets", 1):
        yield "- There was no test split: every number above had a part in choosing the model."
    yield from (f"- {escaped(note)}" for note in study.facts.get("notes", ()))


def _made(study: Study) -> Iterator[str]:
    versions = study.facts.get("versions") or {}
    day = time.strftime("%Y-%m-%d", time.localtime(study.updated))
    shown = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield f"Made on {day} with {shown or 'unknown versions'}; trained on {study.facts.get('backend', '?')}."


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def _plain(cell: Any) -> str:
    if isinstance(cell, float):
        return number(cell)
    scalar: Scalar = cell
    return value(scalar)
