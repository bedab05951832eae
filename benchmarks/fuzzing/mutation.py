"""Blind changes of a file."""

from __future__ import annotations

import random
import re


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """``raw`` with some bytes changed, cut out, doubled, or replaced by awkward ones; or a value in its JSON."""
    data = bytearray(raw)
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice((1, 1, 2, 4, 16, 64)))
        change = dice.randrange(6)
        if change == 0:
            data[at:to] = dice.randbytes(to - at)
        elif change == 1:
            del data[at:to]
        elif change == 2:
            data[at:at] = data[at:to] * dice.choice((1, 3, 50))
        elif change == 3:
            data[at:to] = dice.choice(AWKWARD)
        elif change == 4:
            data[at:at] = dice.choice(AWKWARD)
        elif values := list(re.finditer(rb'(?<=[:\[,])(?:"[^"]*"|[-\w.]+|\[[^]]*\]|\{[^}]*\})', data)):
            found = dice.choice(values)
            data[found.start() : found.end()] = dice.choice(VALUES)
    return bytes(data)


VALUES = [
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"9" * 400, b'""', b'"\\ud800"', b"[]", b"{}", b"[[]]",
    b'{"a":1}', b'"../../x"', b"0.5", b'["a",1]',
]  # fmt: skip
AWKWARD = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b'"', b"'", b"{", b"[" * 3000, b"]", b": ", b"- ", b"&a ", b"*a",
    b"<<: ", b"!!python/object/apply:os.system ", b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 400,
    b"9" * 5000, b"\\ud800", b"\xed\xa0\x80", "\u2028".encode(), b"{}", b"[]", b'""', b"~", b"../../x", b"when:", b"%",
]  # fmt: skip
