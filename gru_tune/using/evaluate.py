"""``gru-tune evaluate``: the metrics of a study's best model on the labelled rows of a new file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gru_tune import kinds, sources
from gru_tune.data import apply
from gru_tune.errors import GruTuneError
from gru_tune.study.results import read_json
from gru_tune.tasks import TASKS
from gru_tune.using.finished import Finished, open_study
from gru_tune.using.models import predictions
from gru_tune.wording import plural

FITTED = ("mase",)  # metrics that look at the training split, which is not here


@dataclass(frozen=True)
class Evaluation:
    """``metrics`` of ``count`` sequences, rows of a timeline, steps (labelling) or windows (forecasting)."""

    study: str
    file: str
    count: int
    unit: str
    metrics: dict[str, float]
    notes: tuple[str, ...]

    def text(self) -> str:
        """For a terminal."""
        width = max(map(len, self.metrics), default=0)
        lines = [f"{name:<{width}}  {value:.6g}" for name, value in self.metrics.items()]
        return "\n".join([f"{self.study} on {plural(self.count, self.unit)} of {self.file}", *lines])

    def json(self) -> str:
        """For a program."""
        facts = {"study": self.study, "file": self.file, "count": self.count, "unit": self.unit}
        return json.dumps({**facts, "metrics": self.metrics, "notes": list(self.notes)}, ensure_ascii=False)


def evaluate(study: Path, file: Path, *, skip: bool, ensemble: bool) -> Evaluation:
    """Predict the rows of ``file`` and score them by the study's metrics; all windows in forecasting.

    Raises ``StudyError`` and ``DataError``.
    """
    finished = open_study(study, ensemble)
    new = apply.read(finished.fitted, file, finished.window, labelled=True, skip=skip)
    truth, y_pred, loss = predictions(finished, new.dataset)
    names = [name for name in finished.metrics if name not in FITTED]
    found = TASKS[finished.fitted.task].score(new.dataset, truth, y_pred, names)
    if "loss" in names and loss is not None:
        found = {**found, "loss": loss}
    notes = [*_known(finished, file), *new.notes]
    notes += [
        f"{name} is left out: it is a share of an error on the training split"
        for name in FITTED
        if name in finished.metrics
    ]
    metrics = {name: found[name] for name in names if name in found}
    unit = "row" if finished.fitted.timeline else "sequence"
    unit = {"steps": "step", "horizon": "window"}.get(truth.form, unit)
    return Evaluation(str(study), file.name, len(truth.y), unit, metrics, tuple(notes))


def _known(finished: Finished, file: Path) -> list[str]:
    """A warning where ``file`` is what the study itself read, which its fingerprint tells."""
    fitted = finished.fitted
    try:
        section = kinds.KINDS[fitted.section["kind"]].model_validate(
            {**fitted.section, "path": str(file.absolute())}
        )
        found = kinds.read(section, sources.read(section, Path()), fitted.task).fingerprint()
    except GruTuneError:  # read in the study's own way it is nothing: it is another file
        return []
    facts = read_json(finished.folder.facts)
    if found != facts.get("data"):
        return []
    text = f"{file.name} holds the rows that the study was made from, and most of them it was trained on: the numbers flatter"
    return [
        f"{text}; `gru-tune report {finished.folder.path}` has those of the test split"
        if facts.get("test")
        else text
    ]
