"""How error messages name values and near misses."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

LONGEST = 60  # characters of a value that a message shows
# What a terminal obeys instead of showing it: control characters, and the overrides of a text's direction.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def show(value: object) -> str:
    """A value as a reader of YAML knows it: ``true``, ``'adam'``, ``nothing``, ``a mapping``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return cut(repr(value), LONGEST)


def cut(text: str, most: int) -> str:
    """``text``, with … in place of what goes beyond ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def nearest(word: object, options: Iterable[str]) -> str | None:
    """The option that ``word`` may be a slip of."""
    if not isinstance(word, str):
        return None
    # Compared in lower case: 'Adam' is nearer to 'adam' than its letters say.
    by_case = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word.lower(), by_case, n=1, cutoff=0.6)
    return by_case[near[0]] if near else None


def suggest(word: object, options: Iterable[str]) -> str:
    """``; did you mean 'dropout'?`` for a near miss of one of the options, else nothing."""
    near = nearest(word, options)
    return f"; did you mean '{near}'?" if near else ""


def listed(words: Iterable[object], last: str = "or") -> str:
    """``a, b or c``."""
    texts = [str(word) for word in words]
    return f" {last} ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def remedy(value: object, kind: type) -> str:
    """What to write instead of ``value`` where an int, float or bool belongs, else nothing."""
    if kind is int and isinstance(value, float) and value.is_integer():
        return f"; write {value:.0f}"
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if kind is bool and text.lower() in _TRUTH:
        return f"; write {_TRUTH[text.lower()]}"
    bare = text.replace("_", "")
    try:
        number = json.loads(bare)
    except (ValueError, RecursionError):
        return ""
    if isinstance(number, bool) is not (kind is bool) or not isinstance(number, bool | int | float):
        return ""
    return f"; write {bare}, without quotes" if bare == text else f"; write {bare}"


_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def plural(count: int, word: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def masked(reason: str) -> str:
    """The reason of a failure without its numbers, which differ from trial to trial."""
    return re.sub(r"\d+(\.\d+)?", "#", reason)


def visible(text: str) -> str:
    """The text with what a terminal would obey written out, such as ``\\x1b``; line ends and tabs stay."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
