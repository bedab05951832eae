"""What every section of a config has in common: strict pydantic models with knobs.

A family (a kind of data, a strategy) declares its static keys in a subclass of ``Strict``;
``with_knobs`` adds the fields of the knobs, each a value or a space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    create_model,
)
from pydantic_core import CoreSchema, PydanticCustomError

from gru_tune.knobs import Knob
from gru_tune.language import tunable, tunable_schema
from gru_tune.language.tunable import Tunable

KNOB_ERROR = "gru_tune_knob"  # the type of a pydantic error whose context holds the problems of a knob


class Strict(BaseModel):
    """A section of a config: unknown keys are errors, nothing is coerced, nothing changes later."""

    # Built on first use: a config uses one kind of data and one strategy of many.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


T = TypeVar("T", bound=Strict)


def with_knobs(base: type[T], knobs: Iterable[Knob]) -> type[T]:
    """A subclass of ``base`` with a field for every knob; knobs of a group share a nested one.

    The value of such a field is a plain value, a ``Domain``, one that is ``Conditional``, or
    (``units`` alone) a tuple of these, one a layer.
    """
    fields: dict[str, Any] = {}
    groups: dict[str, list[Knob]] = {}
    for knob in knobs:
        if knob.group:
            groups.setdefault(knob.group, []).append(knob)
        else:
            fields[knob.name] = _field(knob)
    for group, members in groups.items():
        fields[group] = _group(group, members)
    return create_model(
        base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields
    )


def given(section: Strict, knob: Knob) -> Tunable | tuple[Tunable, ...]:
    """What a section made by ``with_knobs`` says of a knob (its default if it says nothing)."""
    owner = getattr(section, knob.group) if knob.group else section
    value: Tunable | tuple[Tunable, ...] = getattr(owner, knob.name)
    return value


def is_given(section: Strict, knob: Knob) -> bool:
    """Whether the user wrote the knob at all."""
    owner = getattr(section, knob.group) if knob.group else section
    return knob.name in owner.model_fields_set


def _field(knob: Knob) -> Any:
    kind = Annotated[Any, BeforeValidator(partial(_read, knob)), WithJsonSchema(tunable_schema.schema(knob))]
    return (kind, Field(default=knob.default))


def _read(knob: Knob, raw: Any) -> Any:
    try:
        return tunable.read(knob, raw)
    except tunable.Bad as bad:
        # pydantic takes one error a field; the problems travel inside it.
        raise PydanticCustomError(
            KNOB_ERROR, "{text}", {"text": str(bad), "problems": bad.problems}
        ) from None


def _group(name: str, knobs: list[Knob]) -> Any:
    title = "".join(word.title() for word in name.split("_"))
    model = create_model(title, __base__=Strict, **{knob.name: _field(knob) for knob in knobs})
    off = {knob.name: None for knob in knobs if knob.optional}
    kind = Annotated[model, BeforeValidator(partial(_switch, off)), _SwitchSchema()]
    return (kind, Field(default_factory=model))


def _switch(off: dict[str, None], raw: Any) -> Any:
    """``false`` and ``null`` turn a group off, ``true`` leaves its defaults."""
    if raw is None or raw is False:
        return off
    return {} if raw is True else raw


@dataclass(frozen=True)
class _SwitchSchema:
    """Tells JSON Schema that a group may also be true, false or null."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": ["boolean", "null"]}]}
