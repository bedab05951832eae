"""``gru-tune init``: write a commented config, guessed from a data file where one is given."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gru_tune.errors import StudyError

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

WORDS = """\
model:
  units: {choice: [32, 64, 128]}       # hidden units; any knob is a value or a space
  depth: {int: [1, 2]}                 # stacked layers
  embedding: {choice: [32, 64, 128]}   # size of the word vectors
  bidirectional: {choice: [false, true]}
"""
NUMBERS = """\
model:
  units: {choice: [16, 32, 64, 128]}   # hidden units; any knob is a value or a space
  depth: {int: [1, 2]}                 # stacked layers
"""
ONE_VECTOR = """\
  pooling: {choice: [last, max]}       # the last state, or every unit's largest over all steps
"""
REST = """\
  dropout: {float: [0.0, 0.5], step: 0.1}
training:
  optimizer: adam
  learning_rate: {log: [5e-4, 1e-2]}
  batch_size: {choice: [32, 64]}
  epochs: 15
  clip_norm: 1.0                       # keeps long sequences from exploding
  early_stopping: {patience: 3}        # epochs without a better objective
search:
  strategy: bayesian                   # random | grid | bayesian | hyperband | tpe | cmaes …
  trials: 20
  minutes: 30                          # whichever comes first
"""


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
    return STARTER.format(
        name=out
    ) + NUMBERS + ONE_VECTOR + REST, "no data file given: a config for builtin digits"


def _guessed(data: Path, out: Path) -> tuple[str, str]:
    guess = _look(data)
    path = os.path.relpath(data.resolve(), out.resolve().parent)
    return render(guess, path), f"{data.name} looks like {guess.kind} data for {guess.task}"


def render(guess: Guess, path: str) -> str:
    """The config's text for a guess, with the reasons as comments."""
    lines = [f"task: {guess.task}", "data:", f"  kind: {guess.kind}", f"  path: {_plain(path)}"]
    for key, value in guess.keys.items():
        reason = guess.reasons.get(key)
        lines.append(f"  {key}: {_plain(value)}" + (f"  # {reason}" if reason else ""))
    lines += _knobs(guess)
    model = WORDS if guess.kind in ("text", "tokens") else NUMBERS
    pooled = ONE_VECTOR if guess.task in ("classification", "regression") else ""
    objective = (
        f"  objective: {guess.objective}".ljust(39) + "# always of the validation split\n"
        if guess.objective
        else ""
    )
    return "\n".join(lines) + "\n" + model + pooled + REST + objective + "  seed: 7\n"


def _knobs(guess: Guess) -> list[str]:
    if guess.kind == "timeline":
        choice = f"  window: {{choice: {list(guess.windows)}}}"
        return [f"{choice:<39}# steps of the past the model sees"]
    if guess.kind in ("text", "tokens") and guess.keys.get("level") != "character":
        return ["  vocabulary: 10000                    # words kept, counted on the training split only",
                "  max_length: 400                      # longer sequences are cut"] if guess.task != "labelling" else []  # fmt: skip
    return []


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
