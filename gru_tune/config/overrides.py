"""``--set training.epochs=3``: values from outside the file, under the same checks."""

from __future__ import annotations

from collections.abc import Sequence

from gru_tune.errors import ConfigError, Problem
from gru_tune.language.document import Document, parse
from gru_tune.wording import LONGEST, cut


def apply(document: Document, assignments: Sequence[str]) -> Document:
    """The document with every ``key=value`` set, in order; the value is YAML.

    Raises ``ConfigError`` with all assignments that cannot be understood.
    """
    failures: list[ConfigError] = []
    for assignment in assignments:
        try:
            document = _assign(document, assignment)
        except ConfigError as error:
            failures.append(error)
    if failures:
        problems = [problem for error in failures for problem in error.problems]
        raise ConfigError(problems, "\n".join(str(error) for error in failures))
    return document


def _assign(document: Document, assignment: str) -> Document:
    key, equals, text = assignment.partition("=")
    label = cut(f"--set {assignment}", LONGEST)
    if not equals:
        raise _refused(label, "write key=value, as in training.epochs=3")
    path = tuple(key.strip().split("."))
    if not all(path):
        raise _refused(label, "a key is empty; write section.key=value")
    value = parse(text, label)
    if value.faults:
        raise _refused(label, "; ".join(fault.message for fault in value.faults))
    return document.set(path, value.data, label)


def _refused(label: str, message: str) -> ConfigError:
    return ConfigError([Problem((), message)], f"{label}: {message}")
