"""What a constraint may say: two sides, each a hyperparameter, a value or a sum of products.

units_2 <= units_1
units_1 * depth <= 256
cell != rnn
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gru_tune.errors import Path
from gru_tune.knobs import Knob, knob_of
from gru_tune.language.tunable import Bad, problem
from gru_tune.values import Scalar
from gru_tune.wording import LONGEST, cut, show, suggest

TOKEN = re.compile(
    r"\s*(?:(?P<compare>[<>=!]=|[<>=])|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<join>[+*]))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
EQUALITY = ("==", "!=")
JOINS = {"and", "or"}  # words that no constraint may have, as all of the list must be satisfied anyway
LITERALS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
ROUNDING = 1e-9  # relative; 0.1 + 0.2 is 0.3 here


@dataclass(frozen=True)
class Name:
    """A hyperparameter, by its flat name."""

    text: str


Side = tuple[tuple[Name | Scalar, ...], ...]  # a sum of products


@dataclass(frozen=True)
class Comparison:
    """A constraint on a configuration."""

    left: Side
    compare: str
    right: Side

    @property
    def names(self) -> frozenset[str]:
        parts = (part for side in (self.left, self.right) for product in side for part in product)
        return frozenset(part.text for part in parts if isinstance(part, Name))

    def holds(self, values: Mapping[str, Scalar]) -> bool:
        """Whether it is true of ``values``: also where one of its hyperparameters is not among them.

        An order holds where one of them is null, which is neither more nor less than a number.
        """
        if not self.names <= values.keys():
            return True
        left, right = _value(self.left, values), _value(self.right, values)
        if self.compare not in EQUALITY and (left is None or right is None):
            return True
        if _is_number(left) and _is_number(right) and math.isclose(left, right, rel_tol=ROUNDING):  # type: ignore[arg-type]
            left = right
        return COMPARE[self.compare](left, right)


def comparable(names: Iterable[str], depth: int) -> dict[str, Knob]:
    """What a constraint may name: the flat names of a config, and the layers up to ``depth`` that share units."""
    found = {name: knob_of(name) for name in names}
    if "units" in found:
        found |= {f"units_{layer}": found["units"] for layer in range(1, depth + 1)}
    return found


def read(text: str, knobs: Mapping[str, Knob]) -> Comparison:
    """The constraint that ``text`` is, over the flat names in ``knobs``; raises ``Bad``."""
    tokens = _tokens(text)
    signs = [index for index, (kind, _) in enumerate(tokens) if kind == "compare"]
    if len(signs) == 2 and tokens[signs[0]][1] == "=" and signs[1] == signs[0] + 1:
        raise _bad(f"write {tokens[signs[1]][1]}= for ={tokens[signs[1]][1]}")
    if joined := next((word for kind, word in tokens if kind == "name" and word in JOINS - knobs.keys()), ""):
        remedy = (
            "write each comparison as a constraint of its own" if joined == "and" else "write one comparison"
        )
        raise _bad(f"joins comparisons with {joined}; {remedy}")
    if len(signs) > 1:
        raise _bad("compares more than two sides; write each comparison as a constraint of its own")
    if not signs:
        raise _no_comparison(text)
    sign = tokens[signs[0]][1]
    if sign == "=":
        raise _bad("write == for equal")
    left, right = (_side(part, text, knobs) for part in (tokens[: signs[0]], tokens[signs[0] + 1 :]))
    found = Comparison(left, sign, right)
    if not found.names:
        words = (part for side in (left, right) for product in side for part in product)
        if word := next((part for part in words if isinstance(part, str)), None):
            raise _unknown(word, knobs)
        raise _bad(
            f"names no hyperparameter; expected a comparison such as units_2 <= units_1, got {show(text)}"
        )
    _check_words(found, knobs)
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()):
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _no_comparison(text)
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def _side(tokens: list[tuple[str, str]], text: str, knobs: Collection[str]) -> Side:
    """Operands joined by + and *; a word that is no hyperparameter stays a word."""
    operands, joins = tokens[::2], tokens[1::2]
    if len(operands) != len(joins) + 1 or any(kind != "join" for kind, _ in joins):
        raise _no_comparison(text)
    products: list[list[Name | Scalar]] = [[]]
    for index, (kind, word) in enumerate(operands):
        if kind not in ("number", "name"):
            raise _no_comparison(text)
        if index and joins[index - 1][1] == "+":
            products.append([])
        if kind == "number" and len(word) > LONGEST:
            raise _bad(f"the number {cut(word, LONGEST)} is too long")
        if kind == "number":
            products[-1].append(int(word) if word.isdigit() else float(word))
        else:
            products[-1].append(Name(word) if word in knobs else LITERALS.get(word, word))
    return tuple(map(tuple, products))


def _check_words(found: Comparison, knobs: Mapping[str, Knob]) -> None:
    """Raise ``Bad`` unless numbers meet numbers, and words the knobs that take them."""
    sides = (found.left, found.right)
    alone = [side[0][0] if len(side) == 1 and len(side[0]) == 1 else None for side in sides]
    for side, other in zip(sides, reversed(alone), strict=True):
        facing = knobs[other.text] if isinstance(other, Name) else None
        for part in (part for product in side for part in product):
            if isinstance(part, Name) and knobs[part.text].type in (int, float):
                continue
            if isinstance(part, str) and (facing is None or facing.type in (int, float, bool)):
                raise _unknown(part, knobs)
            if _is_number(part) and (facing is None or facing.type in (int, float)):
                continue
            word = part.text if isinstance(part, Name) else show(part)
            if found.compare not in EQUALITY:
                raise _bad(f"{word} has no order; compare it with == or !=")
            if len(side) > 1 or len(side[0]) > 1:
                raise _bad(f"{word} is no number; it cannot be added or multiplied")
            if isinstance(part, Name):
                if facing is not None and facing.type is not knobs[part.text].type:
                    raise _bad(f"{word} and {facing.name} never take the same values")
                continue
            if wrong := problem(facing, part) if facing else f"{word} is compared with no hyperparameter":
                raise _bad(wrong)


def _value(side: Side, values: Mapping[str, Scalar]) -> Scalar:
    total: Scalar = None
    for product in side:
        factors = [values[part.text] if isinstance(part, Name) else part for part in product]
        if len(side) == 1 and len(factors) == 1:
            return factors[0]
        if None in factors:
            return None
        total = (total or 0.0) + math.prod(factors, start=1.0)  # type: ignore[operator, type-var]
    return total


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_comparison(text: str) -> Bad:
    return _bad(f"expected a comparison such as units_2 <= units_1, got {show(text)}")


def _unknown(word: str, knobs: Collection[str]) -> Bad:
    first = f"{word}_1"  # where every layer has units of its own
    hint = f"; did you mean '{first}'?" if first in knobs else suggest(word, knobs)
    return _bad(f"{word} is no knob of this config{hint}")


def _bad(message: str) -> Bad:
    here: Path = ()
    return Bad((here, message))
