"""The JSON Schema of a knob's field: a value or a space."""

from __future__ import annotations

from typing import Any

from gru_tune.knobs import Knob
from gru_tune.language.tunable import PER_LAYER

SCALAR = {"type": ["string", "number", "boolean", "null"]}
WHEN = {
    "description": "other knobs, each with the value or values under which this space is in force; "
    "elsewhere the knob has its default",
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR, "minItems": 1}]},
}


def schema(knob: Knob) -> dict[str, Any]:
    """The JSON Schema of the knob's field: a value or a space."""
    one = _value_schema(knob)
    spaces = [_object("choice", {"type": "array", "items": one, "minItems": 1})]
    if knob.type in (int, float):
        numbers = [("int", "integer")] + [("float", "number")] * (knob.type is float)
        for word, kind in numbers:
            step = {"type": kind, "exclusiveMinimum": 0}
            spaces.append(_object(word, _ends(knob, kind), step=step, log={"type": "boolean"}))
        spaces.append(_object("log", _ends(knob, numbers[-1][1])))
    options = [one, *spaces]
    if knob.name == PER_LAYER:
        options.append({"type": "array", "items": {"anyOf": [one, *spaces]}, "minItems": 1})
    only = " and ".join(
        f"{', '.join(words)} {what}" for what, words in (("data", knob.kinds), ("tasks", knob.tasks)) if words
    )
    text = knob.help + (f" [{knob.unit}]" if knob.unit else "")
    text += f"; for {only}" if only else ""
    text += f"; in force when {knob.when.text}" if knob.when else ""
    return {"description": text, "default": knob.default, "anyOf": options}


def _value_schema(knob: Knob) -> dict[str, Any]:
    if knob.type is str:
        return {"enum": [*knob.options, *([None] if knob.optional else [])]}
    if knob.type is bool:
        return {"type": "boolean"}
    kind = "integer" if knob.type is int else "number"
    return {"type": [kind, "null"] if knob.optional else kind, **_bounds(knob)}


def _bounds(knob: Knob) -> dict[str, float]:
    words = {
        "minimum": knob.low, "exclusiveMinimum": knob.above,
        "maximum": knob.high, "exclusiveMaximum": knob.below,
    }  # fmt: skip
    return {word: bound for word, bound in words.items() if bound is not None}


def _ends(knob: Knob, kind: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": kind, **_bounds(knob)}, "minItems": 2, "maxItems": 2}


def _object(word: str, value: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {word: value, **more, "when": WHEN},
        "required": [word],
        "additionalProperties": False,
    }
