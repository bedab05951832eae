"""From composed YAML nodes to plain data, noting where every key and value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gru_tune.errors import Path

Position = tuple[int, int]  # line and column, both from 1

MAX_NODES = 20_000  # after aliases are expanded
MAX_DEPTH = 40  # levels of nesting
MAX_DIGITS = 18  # of a whole number: more is an identifier, and overflows elsewhere

_TAG = "tag:yaml.org,2002:"
_PLAIN = (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+(?:_[0-9]+)*$", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"
        r"|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$",
        "-+.0123456789",
    ),
    ("merge", r"<<$", "<"),
)


class TooMuch(Exception):
    """The document is larger than any config, perhaps on purpose; with the place where it becomes so."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True)
class Fault:
    """Something wrong with the document itself, and where."""

    position: Position
    message: str


class Loader(yaml.SafeLoader):
    """Composes nodes with the tags of this dialect; nothing is constructed by it."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's name and type


for _name, _pattern, _first in _PLAIN:
    Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_first))


@dataclass
class Builder:
    """Builds the data of a node; positions and faults gather on the way."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _nodes: int = 0
    _open: set[int] = field(default_factory=set)

    def build(self, node: Node, path: Path) -> Any:
        """The plain data of ``node``. Raises ``TooMuch``."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TooMuch(
                f"more than {MAX_NODES:,} values by this place, aliases expanded; repeat less, and keep data elsewhere",
                _position(node),
            )
        if len(path) > MAX_DEPTH:
            raise TooMuch(
                f"this is nested more than {MAX_DEPTH} levels deep, and no config is; look for a bracket too many",
                _position(node),
            )
        if id(node) in self._open:
            raise TooMuch("the alias here contains itself; write its value out", _position(node))
        self.values[path] = _position(node)
        self._open.add(id(node))
        try:
            if isinstance(node, ScalarNode):
                return self._scalar(node)
            if isinstance(node, SequenceNode):
                self._known(node, "seq")
                return [self.build(entry, (*path, index)) for index, entry in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            self._known(node, "map")
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in own:
                line, column = _position(own[key][0])
                message = f"the key {key!r} is given twice, first at {line}:{column}; keep one"
                self.faults.append(Fault(_position(key_node), message))
            else:
                own[key] = (key_node, value_node)
        data: dict[str, Any] = {}
        if "<<" in own and own["<<"][0].tag == _TAG + "merge":
            data = self._merged(own.pop("<<")[1], path)
        for key, (key_node, value_node) in own.items():
            inner = (*path, key)
            self.keys[inner] = _position(key_node)
            data[key] = self.build(value_node, inner)
        return data

    def _merged(self, node: Node, path: Path) -> dict[str, Any]:
        """What ``<<`` brings in: one mapping or several, the first of which wins."""
        data: dict[str, Any] = {}
        here = self.values[path]
        for part in reversed(node.value if isinstance(node, SequenceNode) else [node]):
            if isinstance(part, MappingNode):
                data.update(self.build(part, path))
            else:
                self.faults.append(Fault(_position(part), "<< takes a mapping or a list of mappings"))
        self.values[path] = here
        return data

    def _key(self, node: Node) -> str | None:
        if isinstance(node, ScalarNode) and node.tag in (_TAG + "str", _TAG + "merge"):
            return self._text(node)
        if isinstance(node, ScalarNode):
            what = f"the key {node.value} is not text; put it in quotes" if node.value else "a key is empty"
        else:
            what = "a key must be text, not a list or a mapping"
        self.faults.append(Fault(_position(node), what))
        return None

    def _scalar(self, node: ScalarNode) -> Any:
        tag, text = node.tag.removeprefix(_TAG), str(node.value)
        if tag in ("str", "merge"):
            return self._text(node)
        if tag == "null":
            return None
        if tag == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if tag == "int" and len(text.replace("_", "")) > MAX_DIGITS:
            self.faults.append(
                Fault(_position(node), "the number is too large; put it in quotes if it is text")
            )
            return 0
        try:
            if tag in ("int", "float"):
                return (
                    int(text)
                    if tag == "int"
                    else float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
                )
        except ValueError:
            pass
        self._known(node, tag if tag in ("int", "float", "bool") else "")
        return text

    def _known(self, node: Node, name: str) -> None:
        """A fault for a tag that is none of the dialect's, or that the value belies."""
        if node.tag != _TAG + name or isinstance(node, ScalarNode):
            written = node.tag.replace(_TAG, "!!")
            self.faults.append(Fault(_position(node), f"the tag {written} does not fit here; leave it out"))

    def _text(self, node: ScalarNode) -> str:
        whole = str(node.value).encode("utf-8", "replace").decode("utf-8")
        if whole != node.value:
            self.faults.append(Fault(_position(node), "the text holds half a character (a lone surrogate)"))
        return whole


def _position(node: Node) -> Position:
    return (node.start_mark.line + 1, node.start_mark.column + 1)
