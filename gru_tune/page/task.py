"""What the winner does on the data: pictures of the split it was judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from gru_tune.page import task_classes, task_examples, task_numbers
from gru_tune.page.figure import Figure
from gru_tune.report.read import Study
from gru_tune.study.results import read_json

Draw = Callable[[Any, str], Figure | None]

# What ``details`` and ``examples`` of a task may hold, in the order of the page.
DETAILS: dict[str, Draw] = {
    "confusion": task_classes.confusion,
    "spans": task_classes.by_span,
    "classes": task_classes.by_class,
    "calibration": task_classes.calibration,
    "ahead": task_numbers.ahead,
}
HONEST = {
    "test": (
        "on the locked test split. Look, but change nothing because of them: "
        "a model that is tuned to this split is no longer tested by it."
    ),
    "validation": "on the validation split, by which the trials were ranked.",
}


def figures(study: Study) -> list[Figure]:
    """The pictures of the winner on the test split, without one on validation; none before it was judged."""
    judged, split = (study.test, "test") if study.test else (study.validated, "validation")
    if not judged:
        return []
    details = dict(judged.get("details") or {})
    if details.get("spans"):
        details.pop("classes", None)  # the tags of the spans; spans are what counts
    place = f"On the {split} split."
    found = [draw(details[key], place) for key, draw in DETAILS.items() if details.get(key)]
    examples = read_json(study.folder.examples).get(split)
    shown = _examples(study, examples, HONEST[split]) if examples else [_missing()]
    return [figure for figure in (*found, *shown) if figure]


def _examples(study: Study, examples: Mapping[str, Any], honest: str) -> list[Figure | None]:
    found: list[Figure | None] = []
    count = int(examples["samples"])
    if "windows" in examples:
        found.append(task_numbers.forecasts(examples["windows"], count, honest))
    if "stretch" in examples:
        found.append(task_numbers.stretch(examples["stretch"], count, honest))
    if "points" in examples:
        found.append(task_numbers.scatter(examples["points"], count, honest))
        found.append(task_numbers.residuals(examples["points"], count, honest))
    if "strips" in examples:
        found.append(task_numbers.strips(examples["strips"], honest))
    words = task_examples.Words.of(study)
    if "tagged" in examples:
        found.append(task_examples.tagged(examples, words, honest))
    if "mistakes" in examples:
        found.append(task_examples.mistakes(examples, words, honest))
    if "misses" in examples:
        found.append(task_examples.misses(examples, words, honest))
    return found


def _missing() -> Figure:
    return Figure(
        key="examples",
        title="Examples",
        html=Markup('<p class="missing">This study has no examples of what its winner says.</p>'),
        caption="They are written when the winner is judged; gru-tune run CONFIG --fresh makes the study anew, with them.",
    )
