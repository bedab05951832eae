"""``kind: arrays``: an NPZ with sequences of equal size, perhaps padded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from gru_tune.kinds.base import MISSING_HELP, TYPE_HELP, DataSection, Missing, TargetType

if TYPE_CHECKING:
    from gru_tune.data.frame import Frame
    from gru_tune.data.raw import Raw


class Arrays(DataSection):
    """``x`` (sequences, time, features) or (sequences, time), ``y``, perhaps ``lengths`` and ``split``."""

    TASKS: ClassVar[tuple[str, ...]] = ("classification", "regression", "labelling")

    kind: Literal["arrays"]
    x: str = Field("x", description="the array of the inputs (x or X; Keras' x_train and x_test are known)")
    y: str = Field("y", description="the array of the targets")
    lengths: str | None = Field(
        None, description="the array of the lengths; null takes `lengths` where it is there"
    )
    split_key: str | None = Field(
        None, description="the array of split names; null takes `split` where it is there"
    )
    tokens: bool | None = Field(
        None, description="whether x holds word ids; null: whole numbers in two dimensions do"
    )
    target_type: TargetType = Field("auto", description=TYPE_HELP)
    missing: Missing = Field("refuse", description=MISSING_HELP)

    @field_validator("missing")
    @classmethod
    def _no_rows(cls, missing: Missing) -> Missing:
        if missing == "drop":
            raise ValueError("arrays have no rows to drop: use mean or forward")
        return missing


def read(section: Arrays, frame: Frame, task: str, labelled: bool) -> Raw:
    """Cut the padding off every sequence.

    Raises ``DataError`` for arrays that are not there or whose shapes do not fit.
    """
    import numpy as np

    from gru_tune.data.raw import Origin, Raw
    from gru_tune.kinds import _unpad

    found = _unpad.find(frame, section, labelled)
    x, lengths, notes = _unpad.inputs(frame, section, found)
    target, more = _unpad.target(frame, section, found, lengths, task)
    return Raw(
        layout="sequences",
        x=x,
        y=target,
        per_row=task == "labelling",
        lengths=lengths,
        split=found.split,
        groups=None,
        notes=(*notes, *more),
        origin=Origin(np.arange(len(lengths))),
    )
