"""``gru-tune init``: write a commented config, guessed from a data file where one is given."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gru_tune import bounds
from gru_tune.config.defaults import SECTIONS, usual
from gru_tune.errors import DataError, StudyError
from gru_tune.knobs import table

if TYPE_CHECKING:
    from gru_tune.guess import Guess

SAMPLE_ROWS = 5000

STARTER = """\
# A first search. `gru-tune run {name}` works as it stands; give it a data file of yours by
# `gru-tune init FILE`, or change the data section.
task: classification                   # classification | regression | forecasting | labelling
data:
  kind: arrays                         # text | tokens | series | wide | timeline | arrays
  path: builtin:digits
"""

SEARCH = """\
search:
  strategy: bayesian                   # random | grid | bayesian | hyperband | tpe | cmaes …
  trials: 20
  minutes: 30                          # whichever comes first
"""
COMMENT = 39  # the column where comments begin


def write(data: Path | None, out: Path | None = None, force: bool = False) -> str:
    """Write a config and return a sentence that says what was guessed and what to do next.

    Without ``out`` it is named after the data file, in the current folder. Raises
    ``StudyError`` when the file exists and ``force`` is not given, ``DataError`` when the
    data cannot be read.
    """
    out = out or Path(f"{data.stem}.yaml" if data else "config.yaml")
    if out.exists() and not force:
        raise StudyError(f"{out} exists; choose another name with --out or overwrite it with --force")
    text, said = _starter(out) if data is None else _guessed(data, out)
    out.write_text(text, encoding="utf-8")
    return f"{said}\nwrote {out}; look it over, then: {shlex.join(['gru-tune', 'check', str(out)])}"


def _starter(out: Path) -> tuple[str, str]:
    text = STARTER.format(name=out) + "\n".join(_knobs("arrays", "classification")) + "\n" + SEARCH
    return text, "no data file given: a config for builtin digits"


def _guessed(data: Path, out: Path) -> tuple[str, str]:
    try:
        if data.exists():
            bounds.regular(data)
    except bounds.Refused as refused:
        raise DataError(f"{data} {refused}") from None
    guess = _look(data)
    path = os.path.relpath(data.resolve(), out.resolve().parent)
    return render(guess, path), f"{data.name} looks like {guess.kind} data for {guess.task}"


def render(guess: Guess, path: str) -> str:
    """The config's text for a guess, with the reasons as comments."""
    lines = [f"task: {guess.task}", "data:", f"  kind: {guess.kind}", f"  path: {_plain(path)}"]
    for key, value in guess.keys.items():
        reason = guess.reasons.get(key)
        lines.append(f"  {key}: {_plain(value)}" + (f"  # {reason}" if reason else ""))
    for row in usual("data", guess.kind, guess.task):
        value = {"choice": list(guess.windows)} if row.knob == "window" else row.value
        lines.append(_commented(f"  {row.knob}: {_plain(value)}", row.note))
    lines += _knobs(guess.kind, guess.task)
    if guess.imbalance:
        lines.append(_commented("  # class_weights: balanced", "every class the same weight in the loss"))
    lines += SEARCH.splitlines()
    if guess.objective:
        reason = guess.reasons.get("objective", "always of the validation split")
        lines.append(_commented(f"  objective: {guess.objective}", reason))
    return "\n".join([*lines, "  seed: 7", ""])


def _knobs(kind: str, task: str) -> list[str]:
    """The sections of model and training, a line a knob."""
    lines = []
    for section in SECTIONS:
        lines.append(
            _commented(f"{section}:", "any knob is a value or a space" if section == "model" else "")
        )
        for row in usual(section, kind, task):
            group = table()[row.knob].group
            text = (
                f"{group}: {{{row.knob}: {_plain(row.value)}}}"
                if group
                else f"{row.knob}: {_plain(row.value)}"
            )
            lines.append(_commented(f"  {text}", row.note))
    return lines


def _commented(line: str, comment: str) -> str:
    return f"{line:<{COMMENT - 1}} # {comment}" if comment else line


@dataclass(frozen=True)
class _File:
    """What the readers want to know of a file when no config says it yet."""

    path: str
    kind: str = "unknown"
    format: str = "auto"
    delimiter: str | None = None
    quotes: str = "auto"


def _look(data: Path) -> Guess:
    from gru_tune import guess, sources

    frame = sources.read(_File(data.name), data.parent)
    if frame.table is None:
        return guess.from_arrays(dict(frame.arrays))
    return guess.from_table(frame.table.head(SAMPLE_ROWS))


def _plain(value: object) -> str:
    """A value as YAML on one line, quoted where it must be."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
