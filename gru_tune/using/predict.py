"""``gru-tune predict``: what a study's best model says of the rows of a new file."""

from __future__ import annotations

from pathlib import Path

from gru_tune.data import apply
from gru_tune.errors import StudyError
from gru_tune.study.results import replace_text
from gru_tune.using.finished import open_study
from gru_tune.using.models import predictions
from gru_tune.using.tables import table

DIGITS = "%.9g"  # as many as a float32 has


def predict(study: Path, file: Path, *, skip: bool, ensemble: bool) -> tuple[str, tuple[str, ...]]:
    """The predictions as the text of a CSV file, and what the user should know of the rows.

    ``skip`` leaves bad rows out; ``ensemble`` asks all members of the study. Raises
    ``StudyError`` and ``DataError``.
    """
    finished = open_study(study, ensemble)
    new = apply.read(finished.fitted, file, finished.window, labelled=False, skip=skip)
    truth, y_pred, _ = predictions(finished, new.dataset)
    found = table(finished.fitted, new, truth, y_pred)
    return str(found.to_csv(index=False, float_format=DIGITS, lineterminator="\n")), new.notes


def save(text: str, out: Path) -> None:
    """Replace the file ``out`` in one step; raises ``StudyError`` where it cannot be written."""
    try:
        replace_text(out, text)
    except OSError as error:
        raise StudyError(f"{out} cannot be written: {error.strerror}; choose another --out") from None
