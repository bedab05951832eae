"""Whether an old study and a config ask the same: the condition for going on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gru_tune.errors import StudyError

SHOWN = 6  # differences that are named


def refuse_other(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise ``StudyError`` naming what differs between two questions, unless nothing does."""
    found = differences(old, new)
    if not found:
        return
    shown = "; ".join(found[:SHOWN])
    if len(found) > SHOWN:
        shown += f"; and {len(found) - SHOWN} more"
    raise StudyError(
        f"{path} holds a study that asks something else ({shown}): "
        "start it anew with --fresh, or give this one another name or --out"
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """``training.epochs: 10 -> 20`` for every key in which the two differ."""
    before, after = flat(old), flat(new)
    absent = object()
    return [
        f"{key}: {_show(before, key)} -> {_show(after, key)}"
        for key in dict.fromkeys((*before, *after))
        if before.get(key, absent) != after.get(key, absent)
    ]


def flat(nested: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as one with dotted keys; ranges of a knob stay whole."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping) and value and not {"choice", "int", "float", "log"} & set(value):
            found |= flat(value, name)
        else:
            found[name] = value
    return found


def _show(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "(absent)"
    return json.dumps(values[key], ensure_ascii=False)
