"""``kind: timeline``: one long table in time order, cut into windows later."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from gru_tune.errors import Problem
from gru_tune.kinds.base import (
    INPUTS_HELP,
    MISSING_HELP,
    TYPE_HELP,
    Clip,
    DataSection,
    Missing,
    Names,
    SplitSection,
    TargetType,
    one_target,
)

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw

Calendar = Literal["hour", "weekday", "month", "dayofyear"]


class Timeline(DataSection):
    """A row a step of one long timeline, or of several told apart by ``series``."""

    TASKS: ClassVar[tuple[str, ...]] = ("forecasting", "classification", "regression", "labelling")

    kind: Literal["timeline"]
    time: str | Names | None = Field(
        None,
        description="the time column, or a list like [year, month, day, hour]; null takes the file's order",
    )
    series: str | None = Field(None, description="the column that tells several timelines of one table apart")
    inputs: Names | None = Field(None, description=INPUTS_HELP + " (in forecasting the targets, too)")
    target: str | Names = Field(description="the target column, or several")
    target_type: TargetType = Field("auto", description=TYPE_HELP)
    horizon: int = Field(1, ge=1, description="steps ahead that are forecast, all at once")
    stride: int | None = Field(
        None,
        ge=1,
        description="steps between the starts of training windows; null is 1, in labelling half a window",
    )
    season: int | None = Field(
        None,
        ge=2,
        description="steps of a season, for the seasonal naive forecast; null guesses from the time",
    )
    calendar: list[Calendar] = Field(
        [], description="clock and calendar as inputs (a sine and a cosine each)"
    )
    missing: Missing = Field("refuse", description=MISSING_HELP)
    clip_target: Clip | None = Field(None, description="targets are cut to [low, high]")

    @field_validator("missing")
    @classmethod
    def _keeps_spacing(cls, missing: Missing) -> Missing:
        if missing == "drop":
            raise ValueError(
                "a timeline cannot drop rows, its steps would no longer be even: use mean or forward"
            )
        return missing

    @field_validator("split")
    @classmethod
    def _in_order(cls, split: str | SplitSection | None) -> str | SplitSection | None:
        if isinstance(split, SplitSection) and split.by == "random":
            raise ValueError(
                "a timeline cannot be split at random, neighbouring rows would be on both sides: "
                "use by: time or by: group"
            )
        return split

    def problems(self, task: str) -> list[Problem]:
        found = super().problems(task) + one_target(self.target, task)
        if self.calendar and self.time is None:
            found.append(Problem(("data", "calendar"), "calendar needs time: the column with the dates"))
        targets = [self.target] if isinstance(self.target, str) else self.target
        for name in targets:
            if task != "forecasting" and name in (self.inputs or ()):
                message = f"{name!r} is the target of the same row; leave it out, or use task: forecasting"
                found.append(Problem(("data", "inputs"), message))
        return found


def read(section: Timeline, frame: Frame, task: str, labelled: bool) -> Raw:
    """Sort the rows by time, timeline after timeline, and look at their spacing.

    Raises ``DataError`` for columns that are not there and times that cannot be read.
    """
    from gru_tune.data.raw import Origin, Raw
    from gru_tune.kinds import _columns, _gather, _time

    stamps = _time.parse(frame, section.time)
    table, lengths, ids, notes = _gather.gather(frame, section.series, stamps)
    frame = frame.with_table(table)
    stamps = _time.parse(frame, section.time)
    targets = _columns.as_list(section.target)
    used = {section.series, *_columns.as_list(section.time), *_columns.split_names(section)}
    target, more = _columns.target(
        frame, targets if labelled else [], task, section.target_type, section.clip_target
    )
    names = _columns.inputs(frame, section.inputs, used | (set() if task == "forecasting" else set(targets)))
    numbers = _columns.numbers(frame, names)
    groups = _columns.groups(frame, section)
    return Raw(
        layout="timeline",
        x=numbers.beside(*_time.calendar(stamps, section.calendar)) if section.calendar else numbers,
        y=target,
        per_row=True,
        lengths=lengths,
        split=_columns.split(frame, section),
        groups=groups,
        season=section.season or _time.season(stamps, lengths),
        notes=(*notes, *more, *_time.spacing_notes(stamps, lengths)),
        origin=Origin(frame.row_numbers, tuple(names), tuple(ids) if section.series else (), stamps),
    )
