"""What a config may say of one knob: a value, or one of the spaces.

{choice: [32, 64, 128]}
{int: [1, 3]}                    with step: and log: if wanted
{float: [0.0, 0.5]}              with step: or log: if wanted
{log: [1.0e-4, 1.0e-2]}          short for float (or int, for a whole-number knob) with log: true

Each may have a ``when:`` beside it, which names other knobs and the values they must have.
"""

from __future__ import annotations

import json
import math
from typing import Any

from gru_tune.errors import Path, Problem
from gru_tune.knobs import Knob
from gru_tune.language.conditional import Conditional, faults, under
from gru_tune.values import Choice, Domain, Float, Int, Scalar
from gru_tune.wording import listed, remedy, show, suggest

WORDS = ("choice", "int", "float", "log")
MODIFIERS = {
    "choice": ("when",), "int": ("step", "log", "when"), "float": ("step", "log", "when"), "log": ("when",),
}  # fmt: skip
MAX_STEPS = 100_000  # of a float range, which lists its values
PER_LAYER = "units"  # the knob that may also be a list, an entry a layer

Tunable = Scalar | Domain | Conditional


class Bad(Exception):
    """What is wrong with the words about one knob; paths begin below the knob."""

    def __init__(self, *problems: tuple[Path, str]) -> None:
        self.problems = [Problem(path, message) for path, message in problems]
        super().__init__("; ".join(message for _, message in problems))


def read(knob: Knob, raw: Any) -> Tunable | tuple[Tunable, ...]:
    """The value or space that plain data says of ``knob``; raises ``Bad`` with all problems.

    ``units`` may be a list, then a tuple is returned: an entry a layer.
    """
    if isinstance(raw, list) and knob.name == PER_LAYER:
        return _layers(knob, raw)
    if isinstance(raw, dict):
        return _space(knob, raw)
    wrong = problem(knob, raw)
    if wrong:
        raise Bad(((), _several(knob, raw) or wrong))
    return knob.coerce(raw)


def _several(knob: Knob, raw: Any) -> str:
    """What to write for ``32, 64`` and for ``1-2``, where this is all that is wrong."""
    if not isinstance(raw, str):
        return ""
    several = "," in raw
    texts = [text.strip() for text in (raw.split(",") if several else raw.split("-"))]
    values = [_parsed(text) for text in texts]
    if len(values) < 2 or any(problem(knob, value) for value in values):
        return ""
    if not several and (knob.type not in (int, float) or len(values) > 2 or values[0] > values[1]):
        return ""
    word = "choice" if several else "int" if knob.type is int else "float"
    return f"expected {knob.expects}, got {show(raw)}; write {{{word}: [{', '.join(texts)}]}}"


def _parsed(text: str) -> Any:
    """A number or a truth value, or else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def problem(knob: Knob, value: Any) -> str | None:
    """Why ``value`` is not one ``knob`` can take, with a remedy; None when it is."""
    infinite = isinstance(value, float) and not math.isfinite(value)
    if not infinite and not isinstance(value, dict | list) and knob.problem(value) is None:
        return None
    text = f"expected {knob.expects}, got {show(value)}"
    if isinstance(value, list):
        text += "; to try several values write {choice: [...]}"
    elif knob.type is str:
        text += suggest(value, knob.options)
    else:
        text += remedy(value, knob.type)
    return text


def write(value: Any) -> Any:
    """A value or space (or one a layer) as a config says it; ``read`` takes it back."""
    if isinstance(value, tuple):
        return [write(entry) for entry in value]
    if isinstance(value, Conditional):
        when = {
            name: list(passing) if len(passing) > 1 else passing[0] for name, passing in value.when.items()
        }
        return {**value.domain.to_config(), "when": when}
    return value.to_config() if isinstance(value, Choice | Int | Float) else value


def _layers(knob: Knob, raw: list[Any]) -> tuple[Tunable, ...]:
    if not raw:
        raise Bad(((), "expected an entry a layer, got an empty list"))
    entries: list[Any] = []
    problems: list[tuple[Path, str]] = []
    for index, entry in enumerate(raw):
        try:
            if isinstance(entry, list):
                raise Bad(((), f"expected {knob.expects}, or a space, got a list"))
            entries.append(read(knob, entry))
        except Bad as bad:
            problems += [((index, *found.path), found.message) for found in bad.problems]
    if problems:
        raise Bad(*problems)
    return tuple(entries)


def _space(knob: Knob, raw: dict[str, Any]) -> Domain | Conditional:
    word = _word(raw)
    problems = _extras(word, raw) + (faults(raw["when"]) if "when" in raw else [])
    if word == "choice":
        options, found = _options(knob, raw[word])
        if problems + found:
            raise Bad(*problems, *found)
        return under(Choice(options), raw)
    if knob.type not in (int, float):
        raise Bad(
            *problems, ((word,), f"a range needs numbers and this is {knob.expects}; use choice: [...]")
        )
    whole = word == "int" or (word == "log" and knob.type is int)
    if word == "float" and knob.type is int:
        raise Bad(*problems, ((word,), f"{knob.name} takes whole numbers; use int: [a, b]"))
    ends = _range(knob, word, raw[word], whole)
    steps = _modifiers(raw, whole) if word != "log" else []
    log = word == "log" or raw.get("log") is True
    step = raw.get("step") if word != "log" else None
    problems += ends + steps
    if not ends and not steps:
        problems += _proportions(word, raw[word], step, log)
    if problems:
        raise Bad(*problems)
    low, high = raw[word]
    if whole:
        return under(Int(low, high, step or 1, log), raw)
    return under(Float(float(low), float(high), _float(step), log), raw)


def _word(raw: dict[str, Any]) -> str:
    """The word that says which space it is; ``log: true`` is not one."""
    words = [word for word in WORDS if word in raw]
    if "log" in words and len(words) > 1:
        words.remove("log")
    if len(words) == 1:
        return words[0]
    if words:
        raise Bad(((), f"a space is one of {', '.join(WORDS)}, got {' and '.join(words)}; keep one"))
    if not raw:
        raise Bad(((), "an empty mapping is no space; write {choice: [...]} or a plain value"))
    if set(raw) == {"when"}:
        text = "a condition needs a space beside it; for a single value write {choice: [value], when: ...}"
        raise Bad((("when",), text))
    if set(raw) <= {"step", "when"}:
        raise Bad(((), "a step needs a range beside it: int: [a, b] or float: [a, b]"))
    unknown = [key for key in raw if key not in ("step", "when")]
    raise Bad(
        *(
            ((key,), f"unknown kind of space; it is one of {', '.join(WORDS)}{suggest(key, WORDS)}")
            for key in unknown
        )
    )


def _extras(word: str, raw: dict[str, Any]) -> list[tuple[Path, str]]:
    problems: list[tuple[Path, str]] = []
    for key in raw:
        if key == word or key in MODIFIERS[word]:
            continue
        if key == "step" and word == "log":
            problems.append(
                ((key,), "a logarithmic range takes no step; leave it out, or use int: or float:")
            )
        else:
            takes = listed(MODIFIERS[word], "and")
            problems.append(
                ((key,), f"unknown key beside {word}, which takes {takes}{suggest(key, MODIFIERS[word])}")
            )
    return problems


def _options(knob: Knob, raw: Any) -> tuple[tuple[Scalar, ...], list[tuple[Path, str]]]:
    if not isinstance(raw, list):
        return (), [(("choice",), f"expected a list of values, got {show(raw)}; write choice: [...]")]
    if not raw:
        return (), [(("choice",), "an empty list leaves nothing to choose; give at least one value")]
    problems: list[tuple[Path, str]] = []
    options: list[Scalar] = []
    for index, entry in enumerate(raw):
        wrong = problem(knob, entry)
        if wrong:
            problems.append((("choice", index), wrong))
            continue
        option = knob.coerce(entry)
        if option in options:
            problems.append((("choice", index), f"{show(entry)} is listed twice; leave one out"))
        options.append(option)
    return tuple(options), problems


def _range(knob: Knob, word: str, raw: Any, whole: bool) -> list[tuple[Path, str]]:
    if not isinstance(raw, list) or len(raw) != 2:
        got = f"a list of {len(raw)}" if isinstance(raw, list) else show(raw)
        return [
            ((word,), f"expected two numbers, the lowest and the highest, got {got}; write {word}: [a, b]")
        ]
    problems: list[tuple[Path, str]] = []
    for index, end in enumerate(raw):
        if end is None:
            problems.append(((word, index), "the end of a range must be a number, got nothing"))
        elif whole and not _is_int(end):
            remedy = "; use float: [a, b]" if knob.type is float and isinstance(end, float) else ""
            problems.append(((word, index), f"expected a whole number, got {show(end)}{remedy}"))
        elif wrong := problem(knob, end):
            problems.append(((word, index), wrong))
    return problems


def _modifiers(raw: dict[str, Any], whole: bool) -> list[tuple[Path, str]]:
    problems: list[tuple[Path, str]] = []
    if "log" in raw and not isinstance(raw["log"], bool):
        problems.append((("log",), f"expected true or false, got {show(raw['log'])}"))
    if "step" in raw:
        step = raw["step"]
        number = (
            _is_int(step) if whole else _is_int(step) or (isinstance(step, float) and math.isfinite(step))
        )
        if not number or step <= 0:
            expected = "a whole number" if whole else "a number"
            problems.append((("step",), f"expected {expected} above 0, got {show(step)}"))
    return problems


def _proportions(word: str, ends: list[Any], step: Any, log: bool) -> list[tuple[Path, str]]:
    """What two good ends and a good step can still get wrong between them."""
    low, high = ends
    problems: list[tuple[Path, str]] = []
    if low > high:
        problems.append(((word,), f"the range is upside down; write {word}: [{high}, {low}]"))
    elif step is not None and step > high - low and (low != high or step != 1):
        problems.append((("step",), f"the step {step} is larger than the range from {low} to {high}"))
    elif step is not None and word == "float" and (high - low) / step > MAX_STEPS:
        problems.append((("step",), f"the step {step} makes more than {MAX_STEPS:,} values; make it larger"))
    if log and low <= 0:
        problems.append(((word, 0), f"a logarithmic range must begin above 0, got {low}"))
    if log and step is not None and word == "float":
        problems.append((("step",), "a logarithmic range takes no step; leave out step or log"))
    return problems


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _float(step: Any) -> float | None:
    return None if step is None else float(step)
