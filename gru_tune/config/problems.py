"""pydantic's findings about one section as problems in our words."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gru_tune.config import defaults
from gru_tune.errors import Path, Problem
from gru_tune.language import KNOB_ERROR, Strict
from gru_tune.language.document import KeyProblem
from gru_tune.wording import listed, remedy, show, suggest

T = TypeVar("T", bound=Strict)

#: Says of an unknown key (its path, the allowed ones) what to do; told by who knows all sections.
Remedy = Callable[[Path, list[str]], str]

_WORDS = {
    "string": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
    "list": "a list", "tuple": "a list", "set": "a list", "frozen": "a list", "dict": "a mapping",
    "model": "a mapping", "mapping": "a mapping", "none": "null", "path": "text", "finite": "a finite number",
}  # fmt: skip
_LIMITS = {
    "greater_than_equal": ("a number of at least", "ge"), "greater_than": ("a number above", "gt"),
    "less_than_equal": ("a number of at most", "le"), "less_than": ("a number below", "lt"),
    "too_short": ("a list that long:", "min_length"), "too_long": ("a list no longer than", "max_length"),
}  # fmt: skip


def validate(model: type[T], raw: Any, prefix: Path, advise: Remedy) -> tuple[T | None, list[Problem]]:
    """A section from plain data, or everything that is wrong with it."""
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        hint = suggest(raw, [defaults.WORD]) if prefix[0] in defaults.SECTIONS else ""
        return None, [Problem(prefix, f"expected a mapping, got {show(raw)}{hint}")]
    try:
        # As JSON, because a strict model takes a list for a tuple, or text for a path, from JSON alone.
        return model.model_validate_json(json.dumps(raw)), []
    except ValidationError as error:
        return None, _problems(error, model, raw, prefix, advise)


def allowed(model: type[BaseModel], path: Path = ()) -> list[str]:
    """The keys a model takes, or the models nested in it at ``path``."""
    if not path:
        return [entry.alias or name for name, entry in model.model_fields.items()]
    keys: list[str] = []
    for name, entry in model.model_fields.items():
        if path[0] in (name, entry.alias):
            for nested in _models(entry.annotation):
                rest = path[1:]
                while rest and isinstance(rest[0], int):
                    rest = rest[1:]
                keys += allowed(nested, rest)
    return keys


def _models(hint: Any) -> list[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return [hint]
    return [model for part in typing.get_args(hint) for model in _models(part)]


def _problems(
    error: ValidationError, model: type[BaseModel], raw: Any, prefix: Path, advise: Remedy
) -> list[Problem]:
    problems: list[Problem] = []
    expected: dict[Path, list[str]] = {}
    for found in error.errors(include_url=False):
        path = _real_path(found["loc"], raw, keep_last=found["type"] == "missing")
        full = (*prefix, *path)
        context: Mapping[str, Any] = found.get("ctx", {})
        if found["type"] == KNOB_ERROR:
            problems += [type(p)((*full, *p.path), p.message) for p in context["problems"]]
        elif found["type"] == "extra_forbidden":
            known = allowed(model, path[:-1])
            known += [defaults.WORD] if not path[:-1] and prefix[0] in defaults.SECTIONS else []
            problems.append(KeyProblem(full, advise(full, known)))
        elif found["type"] == "missing":
            problems.append(Problem(full, "is required" + _purpose(model, path)))
        elif wanted := _expected(found["type"], context):
            expected.setdefault(path, []).append(wanted)
        else:
            problems.append(Problem(full, _free(found["msg"])))
    found_wrong = {problem.path for problem in problems}
    touched = found_wrong | {(*prefix, *path) for path in expected}
    for path, words in expected.items():
        full = (*prefix, *path)
        deeper = any(len(other) > len(full) and other[: len(full)] == full for other in touched)
        if (
            not deeper and full not in found_wrong
        ):  # else another member of the union got further, and says what is wrong
            value = _at(raw, path)
            problems.append(
                Problem(full, _mismatch(words, value) + _without_unit(str(full[-1]), words, value))
            )
    return list(dict.fromkeys(problems))


def _real_path(loc: tuple[int | str, ...], raw: Any, keep_last: bool) -> Path:
    """``loc`` less the names of union members, which are no keys of the config."""
    path: list[str | int] = []
    here = raw
    for index, part in enumerate(loc):
        inside = isinstance(here, dict) and part in here
        inside = inside or (isinstance(here, list) and isinstance(part, int) and part < len(here))
        if inside:
            path.append(part)
            here = here[part]
        elif keep_last and index == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _expected(kind: str, context: Mapping[str, Any]) -> str:
    """What pydantic expected, in words; empty for findings that are sentences themselves."""
    if kind in ("literal_error", "enum"):
        return "one of " + ", ".join(_options(str(context["expected"])))
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"{words} {context[key]}"
    if kind == "string_too_short":
        return "text that is not empty"
    if kind.endswith(("_type", "_parsing", "_from_float", "_required")) or kind == "finite_number":
        return _WORDS.get(kind.split("_")[0], "")
    return ""


def _options(expected: str) -> list[str]:
    """The words in pydantic's ``'a', 'b' or 'c'``."""
    return re.findall(r"'([^']*)'", expected) or [expected]


def _mismatch(words: list[str], value: Any) -> str:
    text = f"expected {listed(dict.fromkeys(words))}, got {show(value)}"
    options = [o for w in words if w.startswith("one of ") for o in w.removeprefix("one of ").split(", ")]
    if isinstance(value, bool | int | float) and set(words) <= {"text", "a list", "a mapping", "null"}:
        return f"{text}; put it in quotes" if "text" in words else text
    if options:
        return text + suggest(value, options)
    kinds = {"a whole number": int, "a number": float, "true or false": bool}
    return text + next((remedy(value, kinds[word]) for word in words if word in kinds), "")


def _without_unit(key: str, words: list[str], value: Any) -> str:
    """``; write 5`` for ``minutes: 5m``, and for ``trials: 5 trials``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", value) if isinstance(value, str) else None
    if found is None or not {"a number", "a whole number"} & {*words}:
        return ""
    number, unit = found.groups()
    if key == "minutes" and unit in _MINUTES:
        return f"; write {float(number) * _MINUTES[unit]:g}"
    return f"; write {number}" if key.startswith(unit) else ""


_MINUTES = {"h": 60, "hour": 60, "hours": 60}


def _purpose(model: type[BaseModel], path: Path) -> str:
    entry = model.model_fields.get(str(path[0])) if len(path) == 1 else None
    return f": {entry.description}" if entry is not None and entry.description else ""


def _free(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _at(raw: Any, path: Path) -> Any:
    for part in path:
        raw = raw[part]
    return raw
