"""Text for a terminal: tables and paragraphs that fit its width, in any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from gru_tune.wording import visible

GAP = "  "
LONGEST = 32  # columns of a cell, where the width is limited
SHORTEST = 8  # columns that every cell may have
REST = "trials.csv"


def layout(
    rows: Sequence[dict[str, str]],
    width: int | None,
    droppable: Sequence[str] = (),
    left: int = 0,
    longest: int = LONGEST,
    see: str = REST,
) -> list[str]:
    """Aligned columns, the first ``left`` of them flush left.

    With a ``width``, cells are cut after ``longest`` columns; what does not fit then is left out,
    the first of ``droppable`` first, and a last line names it and where to ``see`` it. What is
    still too wide is cut, the widest column first.
    """
    import wcwidth

    columns = list(rows[0])
    table = [[_one_line(name) for name in columns]]
    table += [[_one_line(row[name]) for name in columns] for row in rows]
    widths = [max(wcwidth.width(line[place]) for line in table) for place in range(len(columns))]
    kept = list(range(len(columns)))
    dropped: list[int] = []
    if width:
        widths = [min(needed, longest) for needed in widths]
        for place in (columns.index(name) for name in droppable if name in columns):
            if _total(widths, kept) > width:
                dropped.append(place)
                kept.remove(place)
        while _total(widths, kept) > width:
            widest = max(kept, key=lambda place: widths[place])
            if widths[widest] <= SHORTEST:
                break
            widths[widest] -= 1
    lines = [
        _line([line[place] for place in kept], [widths[place] for place in kept], left) for line in table
    ]
    if dropped:
        names = ", ".join(table[0][place] for place in sorted(dropped))
        lines += wrapped(f"(no room for {names}: see {see})", width)
    return lines


def wrapped(text: str, width: int | None) -> list[str]:
    """A paragraph as lines of at most ``width`` columns (None: one line); further lines are indented."""
    import wcwidth

    if not width:
        return [visible(text)]
    text = visible(text).replace(" %", "\N{NO-BREAK SPACE}%")
    lines = wcwidth.wrap(text, width, subsequent_indent=GAP, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    import wcwidth

    padded = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        cut = cell if wcwidth.width(cell) <= width else wcwidth.clip(cell, 0, width - 1) + "…"
        padded.append((wcwidth.ljust if place < left else wcwidth.rjust)(_isolated(cut), width))
    return GAP.join(padded).rstrip()


def _one_line(text: str) -> str:
    return visible(text).replace("\n", " ")


def _isolated(text: str) -> str:
    """What is written from right to left is kept from moving its neighbours."""
    if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text):
        return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"
    return text


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[place] for place in kept) + len(GAP) * (len(kept) - 1)
