"""The JSON Schema of a whole config, for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from gru_tune import kinds, strategies
from gru_tune.config import defaults
from gru_tune.config.sections import (
    DEFAULT_STRATEGY,
    NAME,
    TASK_NAMES,
    ModelSection,
    TrackingSection,
    TrainingSection,
    WinnerSection,
    section_class,
)
from gru_tune.language import Strict


def json_schema() -> dict[str, Any]:
    """Draft 2020-12; checks everything that a value says by itself, and the keys of every section."""
    data = {name: section_class(base, "data", name, None) for name, base in kinds.KINDS.items()}
    search = dict(strategies.STRATEGIES)
    model = section_class(ModelSection, "model", None, None)
    training = section_class(TrainingSection, "training", None, None)
    last: list[type[Strict]] = [WinnerSection, TrackingSection]
    every: list[type[Strict]] = [*data.values(), *search.values(), model, training, *last]
    refs, definitions = models_json_schema(
        [(section, "validation") for section in every], ref_template="#/$defs/{model}"
    )
    defs = definitions["$defs"]
    as_usual = {"const": defaults.WORD, "description": "the usual space for this kind of data and this task"}

    def ref(section: type[Strict]) -> dict[str, Any]:
        return dict(refs[(section, "validation")])

    for word, family in (("kind", data), ("strategy", search)):
        for name, section in family.items():
            _tag(defs[ref(section)["$ref"].rsplit("/", 1)[1]], word, name)
    for section in (model, training):
        own = defs[ref(section)["$ref"].rsplit("/", 1)[1]]
        own["properties"][defaults.WORD] = {
            "type": "boolean",
            "description": "fills in what is usual and not given here",
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gru-tune config",
        "type": "object",
        "properties": {
            "name": {"description": "names the results folder; default: the file's stem",
                     "type": ["string", "null"], "pattern": f"^{NAME.pattern}$"},
            "task": {"description": "what is to be learned", "enum": list(TASK_NAMES)},
            "data": {"oneOf": [ref(section) for section in data.values()]},
            "model": {"anyOf": [ref(model), as_usual, {"type": "null"}]},
            "training": {"anyOf": [ref(training), as_usual, {"type": "null"}]},
            "search": {"anyOf": [*(ref(section) for section in search.values()), {"type": "null"}]},
            "winner": {"anyOf": [ref(WinnerSection), {"type": "null"}]},
            "tracking": {"anyOf": [ref(TrackingSection), {"type": "null"}]},
            "metrics": {"description": "the metrics to show; default: all of the task",
                        "type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["task", "data"],
        "additionalProperties": False,
        "$defs": defs,
    }  # fmt: skip


def _tag(schema: dict[str, Any], word: str, name: str) -> None:
    """The word that says which member of a family this is, required unless it is the default."""
    described = schema["properties"].get(word, {}).get("description")
    schema["properties"][word] = {"const": name, **({"description": described} if described else {})}
    required = [key for key in schema.get("required", []) if key != word]
    if name != DEFAULT_STRATEGY:
        required.insert(0, word)
    schema["required"] = required
