"""Data that needs no file: ``builtin:NAME`` or ``builtin:NAME?length=500&seed=3``.

Generated, shipped with scikit-learn, or (imdb, reuters) downloaded by Keras because the
user asked for them by name. A new one is one function and one line in ``BUILTINS``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gru_tune.errors import DataError
from gru_tune.wording import suggest

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame


@dataclass(frozen=True)
class Builtin:
    """A data set by name: the kind of data it is, and the function that makes it."""

    kind: str
    module: str
    function: str

    def load(self) -> Callable[..., Frame]:
        """The function; its module is imported now."""
        make: Callable[..., Frame] = getattr(
            import_module(f"gru_tune.sources.builtin.{self.module}"), self.function
        )
        return make


BUILTINS = {
    "digits": Builtin("arrays", "digits", "digits"),
    "mackey_glass": Builtin("timeline", "timelines", "mackey_glass"),
    "sine": Builtin("timeline", "timelines", "sine"),
    "adding": Builtin("series", "sequences", "adding"),
    "motifs": Builtin("series", "sequences", "motifs"),
    "echo": Builtin("tokens", "sequences", "echo"),
    "imdb": Builtin("tokens", "downloaded", "imdb"),
    "reuters": Builtin("tokens", "downloaded", "reuters"),
}


def read(text: str, kind: str) -> Frame:
    """Make the data set that ``text`` (``NAME?length=500``) names.

    Raises ``DataError`` for a name or parameter that is not known, for a config of another
    kind, and when a download fails.
    """
    name, _, query = text.partition("?")
    entry = BUILTINS.get(name)
    if entry is None:
        near = suggest(name, BUILTINS) or f"; there are {', '.join(BUILTINS)}"
        raise DataError(f"data.path: there is no builtin:{name}{near}")
    if entry.kind != kind:
        raise DataError(f"data.kind: builtin:{name} is of kind {entry.kind}, not {kind}")
    make = entry.load()
    allowed = {key: parameter.default for key, parameter in inspect.signature(make).parameters.items()}
    return make(**_parameters(name, query, allowed))


def _parameters(name: str, query: str, allowed: dict[str, int]) -> dict[str, int]:
    found = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in allowed:
            takes = f"it takes {', '.join(allowed)}" if allowed else "it takes none"
            raise DataError(f"data.path: builtin:{name} has no parameter {key!r}; {takes}")
        if not value.isdigit() or not 0 < int(value) <= 10_000_000:
            raise DataError(
                f"data.path: {key} of builtin:{name} must be a whole number above 0, got {value!r}"
            )
        found[key] = int(value)
    return found
