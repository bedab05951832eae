"""The errors this package raises, and the exit code each one means.

Every message is one sentence a user can act on: what is wrong, where, and the remedy.
Only ``cli`` turns them into output; everything else just raises them.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]


class GruTuneError(Exception):
    """Base of all errors that are the user's to mend; shown without a traceback."""

    exit_code = 1


class DataError(GruTuneError):
    """The data cannot be read or does not fit the config."""


class StudyError(GruTuneError):
    """The results folder cannot be used (another question, damaged, in use)."""


class NothingCompleted(StudyError):
    """A search ended, and not one of its trials was completed."""


class TrainingError(GruTuneError):
    """A trial cannot go on; recorded as the reason of its failure."""


class NotANumber(TrainingError):
    """The loss or the objective of a trial is no finite number any more."""


class ExportError(GruTuneError):
    """The winner cannot be brought into another format, or is not the same there."""


class SearchInterrupted(GruTuneError):
    """A signal stopped the search; everything finished is saved. The exit code is the shells' for it."""

    def __init__(self, text: str, number: int = signal.SIGINT) -> None:
        self.number = number
        self.exit_code = 128 + number
        super().__init__(text)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a config: the path of keys that leads to it, and a sentence."""

    path: Path
    message: str


class ConfigError(GruTuneError):
    """A config with problems; all of them at once.

    Raised with bare problems by whatever checks a config; ``text`` is set by the code
    that knows the file (it adds ``file:line:column`` to every problem).
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], text: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__(text or "\n".join(_line(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """``("model", "units", 0)`` -> ``model.units[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _line(problem: Problem) -> str:
    return f"{dotted(problem.path)}: {problem.message}" if problem.path else problem.message
