"""A YAML file as plain data, with the line and column of every key and value.

The dialect is YAML with the traps of version 1.1 closed. Unquoted values are

- whole numbers: digits with an optional sign (``010`` is 10), perhaps in groups (``500_000``);
- numbers: ``1.5``, ``1e-4``, ``1.e-3``, ``.5``, ``.inf``, ``.nan``;
- ``true`` and ``false`` (also ``True``, ``TRUE``), nothing else;
- nothing: ``null``, ``~`` or an empty value;
- text: everything else, so ``yes``, ``off``, ``1:30``, ``0o7``, ``0x1F``, ``_1`` and
  ``2020-01-01`` are all text.

Keys are text and may be given once. Anchors, aliases and ``<<`` work within limits. Only
``ConfigError`` is ever raised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

import yaml

from gru_tune import bounds
from gru_tune.errors import ConfigError, Path, Problem, dotted
from gru_tune.language.document_nodes import Builder, Fault, Loader, Position, TooMuch
from gru_tune.wording import plural

MAX_BYTES = 256 * 1024  # of a file; a config is two orders of magnitude smaller
TOO_LARGE = f"is larger than {MAX_BYTES // 1024} kB; is it a config, or its data?"


@dataclass(frozen=True)
class KeyProblem(Problem):
    """A problem with a key itself, not with its value."""


@dataclass(frozen=True)
class Document:
    """The data of a file and where everything stands in it (lines and columns from 1).

    ``faults`` are the problems the reading itself found (a key given twice …); ``render``
    tells them along with all others. ``overrides`` maps the paths that were set from
    outside to how they were given, ``notes`` are sentences about what is no fault.
    """

    name: str
    text: str
    data: Any
    values: Mapping[Path, Position] = field(default_factory=dict)
    keys: Mapping[Path, Position] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    overrides: Mapping[Path, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def locate(self, path: Path, key: bool = False) -> Position:
        """Where the value of ``path`` (or its key) stands.

        A value that begins on a later line is found at its key, a missing one at its parent's.
        """
        if not key and path in self.values:
            value = self.values[path]
            own = self.keys.get(path, value)
            return value if value[0] == own[0] else own
        while path:
            if path in self.keys:
                return self.keys[path]
            if isinstance(path[-1], int) and path in self.values:
                return self.values[path]
            path = path[:-1]
        return (1, 1)

    def commented(self, path: Path) -> bool:
        """Whether the value of ``path`` is empty because a ``#`` made it a comment."""
        if path not in self.values or self._override(path):
            return False
        line, column = self.values[path]
        return line <= len(self._lines) and self._lines[line - 1][column - 1 :].lstrip().startswith("#")

    @cached_property
    def _lines(self) -> list[str]:
        """As YAML ends them."""
        return re.split(r"\r\n|[\n\r\x85\u2028\u2029]", self.text)

    def set(self, path: Path, value: Any, label: str) -> Document:
        """A copy with one value replaced or added; problems below it are told as of ``label``.

        Raises ``ConfigError`` where the path leads through something that is no mapping.
        """
        data = _placed(self.data, path, value, (), label)
        overrides = {p: text for p, text in self.overrides.items() if p[: len(path)] != path}
        return replace(self, data=data, overrides={**overrides, path: label})

    def render(self, problems: Sequence[Problem]) -> str:
        """One line a problem in the order of the file, and how many there are."""
        lines = [(0, fault.position, f"{self._at(fault.position)}: {fault.message}") for fault in self.faults]
        for problem in problems:
            position = self.locate(problem.path, key=isinstance(problem, KeyProblem))
            override = self._override(problem.path)
            place = override or self._at(position)
            what = f"{dotted(problem.path)}: {problem.message}" if problem.path else problem.message
            lines.append((1 if override else 0, position, f"{place}: {what}"))
        lines.sort(key=lambda line: line[:2])
        where = f" in {self.name}" if any(not outside for outside, *_ in lines) else ""
        return "\n".join([*(text for *_, text in lines), plural(len(lines), "problem") + where])

    def error(self, problems: Sequence[Problem] = ()) -> ConfigError:
        """The error that tells all faults and problems at once."""
        faults = [Problem((), fault.message) for fault in self.faults]
        return ConfigError([*faults, *problems], self.render(problems))

    def _at(self, position: Position) -> str:
        return f"{self.name}:{position[0]}:{position[1]}"

    def _override(self, path: Path) -> str | None:
        """How ``path`` was set from outside; None where it stands in the file."""
        above = [p for p in self.overrides if path[: len(p)] == p]
        if above:
            return self.overrides[max(above, key=len)]
        below = [p for p in self.overrides if p[: len(path)] == path] if path else []
        return self.overrides[below[0]] if below and path not in self.values else None


def read(file: FilePath) -> Document:
    """Read a YAML file. Raises ``ConfigError`` for whatever is wrong with it."""
    try:
        if bounds.regular(file) > MAX_BYTES:
            raise _refused(str(file), TOO_LARGE)
        raw = bounds.whole(file, MAX_BYTES)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise _refused(str(file), f"cannot be read: {reason}") from None
    except bounds.Refused as refused:
        raise _refused(str(file), f"cannot be read: it {refused}") from None
    try:
        return parse(raw.decode("utf-8-sig"), str(file))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _refused(f"{file}:{line}", "is not UTF-8 text; save the file as UTF-8") from None


def parse(text: str, name: str) -> Document:
    """Read YAML text. Raises ``ConfigError`` where it is not YAML at all or out of bounds."""
    if len(text) > MAX_BYTES:
        raise _refused(name, TOO_LARGE)
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        builder = Builder()
        data = None if node is None else builder.build(node, ())
    except yaml.YAMLError as error:
        position, message = _sentence(error, text)
        raise Document(name, text, None, faults=(Fault(position, message),)).error() from None
    except TooMuch as error:
        line, column = error.position
        raise _refused(f"{name}:{line}:{column}", str(error)) from None
    except RecursionError:
        raise _refused(name, "is nested too deeply, and no config is; look for brackets too many") from None
    except (ValueError, OverflowError):
        raise _refused(name, "is not valid YAML: an escaped character in quotes does not exist") from None
    return Document(name, text, data, builder.values, builder.keys, tuple(builder.faults))


def _refused(place: str, message: str) -> ConfigError:
    return ConfigError([Problem((), message)], f"{place}: {message}")


def _placed(data: Any, path: Path, value: Any, done: Path, label: str) -> Any:
    """``data`` with ``value`` at ``path``; mappings on the way are copied, or made."""
    if not path:
        return value
    if data is not None and not isinstance(data, dict):
        message = f"{dotted(done) or 'the config'} is not a mapping, so it has no key {path[0]!r}"
        raise ConfigError([Problem(done, message)], f"{label}: {message}")
    below = _placed((data or {}).get(path[0]), path[1:], value, (*done, path[0]), label)
    return {**(data or {}), path[0]: below}


_SENTENCES = (
    (r"found character '\\t'", "a tab cannot indent or separate; use spaces"),
    (r"found character '(.)' that cannot start", r"a value that begins with \1 must be quoted"),
    (r"mapping values are not allowed", "a ':' where none belongs; quote a value that holds ': ', or check the indentation"),
    (r"could not find expected ':'", "a ':' is missing after a key, or a quote or bracket before it is not closed"),
    (r"expected ',' or '([\]}])'", r"a ',' or '\1' is missing in a list or mapping in brackets"),
    (r"found another document", "the file holds several documents (---); keep one"),
    (r"found unexpected end of stream", "a quote is not closed"),
    (r"expected <block end>", "the indentation does not fit the lines above"),
    (r"found undefined alias '?([^']*)", r"the alias *\1 has no anchor &\1 before it"),
    (r"found duplicate anchor '?([^']*)", r"the anchor &\1 is given twice"),
)  # fmt: skip


def _sentence(error: yaml.YAMLError, text: str) -> tuple[Position, str]:
    """Where a YAML error is and what it means."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        position = (before.count("\n") + 1, error.position - before.rfind("\n"))
        return position, f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
    problem = str(getattr(error, "problem", None) or error)
    first, second = "problem_mark", "context_mark"
    if "end of stream" in problem:  # a quote that is never closed: where it begins says more
        first, second = second, first
    mark = getattr(error, first, None) or getattr(error, second, None)
    position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    for pattern, sentence in _SENTENCES:
        found = re.search(pattern, problem)
        if found:
            return position, f"not valid YAML: {found.expand(sentence)}"
    return position, "not valid YAML: " + " ".join(problem.split())
