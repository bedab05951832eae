"""``gru-tune export``: the winner in another format, checked against Keras before it is kept.

A worker converts into a temporary folder and compares (``convert``); what has passed is put
in its place, with the preprocessing and a README beside it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from gru_tune.errors import ExportError, StudyError
from gru_tune.export import folder as folders
from gru_tune.export.convert import Order
from gru_tune.export.formats import FORMATS, Format
from gru_tune.export.readme import Model, readme
from gru_tune.export.texts import Texts
from gru_tune.export.worker import converted
from gru_tune.study.results import StudyFolder, read_json, replace_copy, replace_text


def run(path: Path, form: str, out: Path | None = None) -> str:
    """Export the winner of the study at ``path`` into the folder ``out``; returns what to tell the user.

    ``form`` is a key of ``FORMATS``. The folder (``exports`` in that of the study by default)
    gets the model, preprocessing.json and README.txt. Raises ``StudyError`` for a study that has
    nothing to export, ``ExportError`` for a model that this format does not hold, or that says
    something else there: then nothing is written.
    """
    study, chosen = _study(path), FORMATS[form]
    study.refuse_strange()
    target = out or study.exports
    facts, preprocessing = read_json(study.facts), read_json(study.preprocessing)
    model = _described(study, facts, preprocessing)
    _refuse_missing(chosen)
    folders.refuse_others(target, model)
    with tempfile.TemporaryDirectory() as scratch:
        order = Order(
            form=form, model=study.best, sample=study.sample, file=Path(scratch) / chosen.file,
            every_step=model.task == "labelling", texts=_texts(facts, preprocessing),
        )  # fmt: skip
        checked = converted(order)
        try:
            target.mkdir(parents=True, exist_ok=True)
            replace_text(target / folders.README, readme(model, checked.given, checked.taken))
            replace_copy(study.preprocessing, target / folders.PREPROCESSING)
            folders.place(order.file, target / chosen.file)
        except OSError as error:
            raise ExportError(
                f"{target} cannot be written ({error.strerror}): name another folder with -o"
            ) from None
    told = (
        f"{target / chosen.file}: {chosen.title}, {folders.size(target / chosen.file)}; on {checked.rows} rows "
        f"of the validation split it differs from Keras by at most {checked.difference:.1e}"
    )
    return f"{told}\n{checked.note}" if checked.note else told


def _study(path: Path) -> StudyFolder:
    from gru_tune.report import read

    found = read.find(path)
    if len(found) > 1:
        raise StudyError(f"{path}: {len(found)} studies lie below it; name one of them, such as {found[0]}")
    study = StudyFolder(found[0])
    for file in (study.facts, study.best, study.preprocessing, study.sample):
        if not file.exists():
            raise StudyError(
                f"{file} is not there; a search writes it at its end: `gru-tune run` goes on with the study"
            )
    return study


def _described(study: StudyFolder, facts: dict[str, Any], preprocessing: dict[str, Any]) -> Model:
    try:
        return Model(
            name=facts["name"], trial=facts["best"], sha256=hashlib.sha256(study.best.read_bytes()).hexdigest(),
            task=facts["task"], kind=facts["kind"], data=facts["settings"]["data"], preprocessing=preprocessing,
        )  # fmt: skip
    except KeyError as missing:
        raise StudyError(
            f"{study.facts} does not say {missing}; a search writes it at its end: `gru-tune run` goes on with the study"
        ) from None


def _texts(facts: dict[str, Any], preprocessing: dict[str, Any]) -> Texts | None:
    """How documents become numbers; None for other kinds of data."""
    if facts["kind"] != "text":
        return None
    section, data = preprocessing["section"], facts["settings"]["data"]
    return Texts(
        level=section["level"], lowercase=section["lowercase"], words=tuple(preprocessing["vocabulary"]),
        vocabulary=data["vocabulary"], max_length=data["max_length"], keep=data["keep"],
    )  # fmt: skip


def _refuse_missing(chosen: Format) -> None:
    missing = [name for name in chosen.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"{chosen.title} needs {' and '.join(missing)}, not installed here: pip install 'gru-tune[{chosen.extra}]'"
        )
