"""``kind: text``: one document a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.kinds.base import DataSection

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw


class Text(DataSection):
    """One document a row, with one target."""

    TASKS: ClassVar[tuple[str, ...]] = ("classification", "regression")

    kind: Literal["text"]
    text: str = Field("text", description="the column with the documents")
    target: str = Field(description="the column with the class or the number")
    level: Literal["word", "character"] = Field("word", description="what one step of a sequence is")
    lowercase: bool = Field(True, description="whether upper case is read as lower case")

    def problems(self, task: str) -> list[Problem]:
        found = super().problems(task)
        if self.text == self.target:
            found.append(
                Problem(("data", "target"), f"{self.target!r} is the text itself; name another column")
            )
        return found


def read(section: Text, frame: Frame, task: str, labelled: bool) -> Raw:
    """Tokenise every document; an empty one becomes a single unknown word.

    Raises ``DataError`` for columns that are not there or hold something else.
    """
    from gru_tune.data.raw import Origin, Raw, Words
    from gru_tune.kinds import _columns, _words

    documents = _columns.texts(frame, section.text, "data.text")
    cut = _words.CUTTERS[section.level]
    words, lengths, empty = _words.index(cut(_words.clean(d, section.lowercase)) for d in documents)
    notes = [f"{empty:,} of {len(documents):,} texts are empty and read as one unknown word"] if empty else []
    target, more = _columns.target(frame, section.target if labelled else [], task)
    return Raw(
        layout="sequences",
        x=Words(words.ids, words.words, section.text),
        y=target,
        per_row=False,
        lengths=lengths,
        split=_columns.split(frame, section),
        groups=_columns.groups(frame, section),
        notes=(*notes, *more),
        origin=Origin(frame.row_numbers, (section.text,)),
    )
