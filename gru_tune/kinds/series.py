"""``kind: series``: a long table, many sequences told apart by an id column."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.kinds.base import (
    INPUTS_HELP,
    MISSING_HELP,
    TYPE_HELP,
    Clip,
    DataSection,
    Missing,
    Names,
    TargetType,
    one_target,
)

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw


class Series(DataSection):
    """A row a step; rows with the same id are one sequence."""

    TASKS: ClassVar[tuple[str, ...]] = ("classification", "regression", "labelling")

    kind: Literal["series"]
    series: str = Field(description="the column that tells the sequences apart")
    time: str | None = Field(
        None, description="the column that orders the rows; null takes them as they come"
    )
    inputs: Names | None = Field(None, description=INPUTS_HELP)
    target: str | Names = Field(description="the target column, or several")
    target_type: TargetType = Field("auto", description=TYPE_HELP)
    missing: Missing = Field("refuse", description=MISSING_HELP)
    clip_target: Clip | None = Field(None, description="targets are cut to [low, high]")

    def problems(self, task: str) -> list[Problem]:
        return super().problems(task) + one_target(self.target, task)


def read(section: Series, frame: Frame, task: str, labelled: bool) -> Raw:
    """Gather the rows of every sequence, in time order.

    Raises ``DataError`` for columns that are not there, ids that are missing, and a target,
    split or group that changes within a sequence that should have one.
    """
    from gru_tune.data.raw import Origin, Raw
    from gru_tune.kinds import _columns, _gather, _time

    table, lengths, ids, notes = _gather.gather(frame, section.series, section.time)
    sorted_frame = frame.with_table(table)
    targets = _columns.as_list(section.target)
    used = {section.series, section.time, *targets, *_columns.split_names(section)}
    names = _columns.inputs(sorted_frame, section.inputs, used)
    if section.missing == "drop":
        sorted_frame, lengths, ids, dropped = _gather.drop(sorted_frame, names, lengths, ids)
        notes += dropped
    per_row = task == "labelling"
    target, more = _columns.target(
        sorted_frame, targets if labelled else [], task, section.target_type, section.clip_target
    )
    if not per_row:
        target = _gather.one_each(target, lengths, ids)
    return Raw(
        layout="sequences",
        x=_columns.numbers(sorted_frame, names),
        y=target,
        per_row=per_row,
        lengths=lengths,
        split=_gather.constant(_columns.split(sorted_frame, section), lengths, ids, "split"),
        groups=_gather.constant(_columns.groups(sorted_frame, section), lengths, ids, "group"),
        order=_gather.start_order(sorted_frame, section.time, lengths),
        notes=(*notes, *more),
        origin=Origin(
            sorted_frame.row_numbers, tuple(names), tuple(ids), _time.parse(sorted_frame, section.time)
        ),
    )
