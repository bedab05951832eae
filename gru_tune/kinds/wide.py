"""``kind: wide``: one sequence a row, a column a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.kinds.base import MISSING_HELP, Clip, DataSection, Missing, Names, one_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw


class Wide(DataSection):
    """A row a sequence, a column a step, one number at every step."""

    TASKS: ClassVar[tuple[str, ...]] = ("classification", "regression")

    kind: Literal["wide"]
    inputs: Names | None = Field(
        None, description='columns of the steps, or patterns like "t*"; null takes all numeric columns left'
    )
    target: str | Names = Field(description="the target column, or several")
    missing: Missing = Field("refuse", description=MISSING_HELP)
    clip_target: Clip | None = Field(None, description="targets are cut to [low, high]")

    def problems(self, task: str) -> list[Problem]:
        return super().problems(task) + one_target(self.target, task)


def read(section: Wide, frame: Frame, task: str, labelled: bool) -> Raw:
    """Read the steps of a row in the order of the columns; missing cells at its end shorten it.

    Raises ``DataError`` for columns that are not there or hold words.
    """
    import numpy as np

    from gru_tune.data.raw import Numbers, Origin, Raw
    from gru_tune.kinds import _columns, _gather

    used = {*_columns.as_list(section.target), *_columns.split_names(section)}
    names = _columns.inputs(frame, section.inputs, used, patterns=True)
    notes: list[str] = []
    cells = _columns.matrix(frame, names)
    keep: NDArray[np.bool_] = np.ones(len(cells), np.bool_)
    lengths = _gather.until_last(cells)
    if section.missing == "drop":
        inside = np.arange(cells.shape[1]) < lengths[:, None]
        keep = np.logical_not((np.isnan(cells) & inside).any(axis=1))
        if not keep.all():
            notes.append(f"{(~keep).sum():,} rows with missing values are dropped")
    cells, lengths, frame = cells[keep], lengths[keep], frame.rows(keep)
    wanted = section.target if labelled else []
    target, more = _columns.target(frame, wanted, task, clip=section.clip_target)
    return Raw(
        layout="sequences",
        x=Numbers(cells[np.arange(cells.shape[1]) < lengths[:, None]][:, None], ("value",)),
        y=target,
        per_row=False,
        lengths=lengths,
        split=_columns.split(frame, section),
        groups=_columns.groups(frame, section),
        notes=(*notes, *more),
        origin=Origin(frame.row_numbers, tuple(names)),
    )
