"""``kind: tokens``: a list of tokens a row, perhaps with a tag for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.kinds.base import DataSection

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw


class Tokens(DataSection):
    """A list of tokens a row; a target for the row, or tags for every token."""

    TASKS: ClassVar[tuple[str, ...]] = ("classification", "regression", "labelling")

    kind: Literal["tokens"]
    tokens: str = Field(
        "tokens", description="the column with the tokens (a list, or text with spaces between)"
    )
    tags: str | None = Field(None, description="the column with a tag for every token; for labelling")
    target: str | None = Field(None, description="the column with the class or the number of the row")
    lowercase: bool = Field(False, description="whether upper case is read as lower case")

    def problems(self, task: str) -> list[Problem]:
        found = super().problems(task)
        if task == "labelling" and self.tags is None:
            found.append(Problem(("data",), "labelling needs tags: the column with a tag for every token"))
        elif task in ("classification", "regression") and self.target is None:
            found.append(Problem(("data",), f"{task} needs target: the column with the value of a row"))
        return found


def read(section: Tokens, frame: Frame, task: str, labelled: bool) -> Raw:
    """Take the lists as they are; an empty one becomes a single unknown word.

    Raises ``DataError`` where tokens and tags differ in number, or columns are not there.
    """
    import numpy as np

    from gru_tune.data.raw import Classes, Origin, Quantities, Raw, Words
    from gru_tune.kinds import _columns, _words

    rows = _words.lists(frame, section.tokens, "data.tokens")
    kept = [[t.lower() for t in row] for row in rows] if section.lowercase else rows
    words, lengths, empty = _words.index(kept)
    notes = [f"{empty:,} of {len(rows):,} rows have no tokens and read as one unknown word"] if empty else []
    if task == "labelling" and labelled:
        assert section.tags is not None
        target: Classes | Quantities = _words.tags(frame, section.tags, rows)
    elif task == "labelling":
        target = Quantities(np.empty((len(words.ids), 0)), ())
    else:
        assert section.target is not None
        target, more = _columns.target(frame, section.target if labelled else [], task)
        notes += more
    return Raw(
        layout="sequences",
        x=Words(words.ids, words.words, section.tokens),
        y=target,
        per_row=task == "labelling",
        lengths=lengths,
        split=_columns.split(frame, section),
        groups=_columns.groups(frame, section),
        notes=tuple(notes),
        origin=Origin(frame.row_numbers, (section.tokens,)),
    )
