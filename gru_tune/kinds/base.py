"""What every kind of data has in common in a config: where it is, its format, its split.

Light to import (pydantic only): whatever reads data is imported inside functions.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from gru_tune.errors import Problem
from gru_tune.language import Strict

Names = list[str]
TargetType = Literal["auto", "classes", "numbers"]
Missing = Literal["refuse", "mean", "forward", "drop"]
Share = int | float | str | list[str | int | bool]

Clip = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(lambda v: _ascending(v))]

MISSING_HELP = (
    "what to do with missing values of the inputs: refuse them, fill in the training mean or the last known "
    "value of the same sequence, or drop the rows"
)
INPUTS_HELP = "input columns; null takes all numeric columns that are not used otherwise"
TYPE_HELP = "what the target is in labelling: classes, numbers, or auto (words and up to 20 whole numbers are classes)"


class Files(Strict):
    """One file a split, instead of a split column."""

    train: str
    validation: str | None = None
    test: str | None = None


class SplitSection(Strict):
    """How the rows are divided into training, validation and test."""

    column: str | None = Field(None, description="a column that says which split a row belongs to")
    train: Share | None = Field(
        None,
        description="how many rows train (the rest is left out), or the values of the column that mean it",
    )
    validation: Share | None = Field(
        None, description="share (below 1) or number of rows that validate, or the values that mean it"
    )
    test: Share | None = Field(
        None, description="share (below 1) or number of rows that test, or the values that mean it"
    )
    by: Literal["random", "time", "group"] | None = Field(
        None,
        description="random (stratified by class), time (the latest rows test) or group (groups stay whole)",
    )
    group: str | None = Field(None, description="the column whose equal values stay in one split")
    folds: int | None = Field(
        None,
        ge=2,
        le=20,
        description="cross-validation instead of one validation split: every trial is trained on this many different "
        "parts of what does not test, and validated on the rest (by: time rolls forward); its score is the mean",
    )

    @field_validator("train", "validation", "test")
    @classmethod
    def _sensible(cls, share: Share | None) -> Share | None:
        if isinstance(share, int | float) and (share < 0 or (share > 1 and share != int(share))):
            raise ValueError(f"expected a share below 1 or a whole number of rows, got {share:g}")
        return share

    @model_validator(mode="after")
    def _consistent(self) -> SplitSection:
        for name in ("train", "validation", "test"):
            share = getattr(self, name)
            if isinstance(share, str | list) and self.column is None:
                raise ValueError(f"{name}: {share!r} names values of a column, so say which: column: …")
        if self.validation == 0:
            raise ValueError("validation must be above 0, because it ranks the trials")
        shares = [s for s in (self.train, self.validation, self.test) if isinstance(s, int | float) and s < 1]
        if sum(shares) >= 1 and self.train is None:
            raise ValueError("validation and test leave nothing to train on")
        if sum(shares) > 1 + 1e-9:
            raise ValueError("train, validation and test are more than the whole")
        if self.by == "group" and self.group is None:
            raise ValueError("by: group needs group: the column whose equal values stay together")
        if self.group is not None and self.by not in (None, "group"):
            raise ValueError(f"group and by: {self.by} exclude each other")
        if self.folds is not None and self.validation is not None:
            raise ValueError("folds and validation exclude each other: every fold validates on its own part")
        if self.folds is not None and isinstance(self.train, int | float):
            raise ValueError(
                "folds and a number for train exclude each other: all that does not test is in the folds"
            )
        return self


class DataSection(Strict):
    """The keys that every kind of data has."""

    TASKS: ClassVar[tuple[str, ...]] = ()

    kind: str
    path: str | Files = Field(
        description="a file relative to the config (csv, tsv, jsonl, parquet, npz), a file for every split, "
        "or builtin:NAME"
    )
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "npz"] = Field(
        "auto", description="the file's format; auto goes by its suffix"
    )
    delimiter: str | None = Field(
        None,
        description="between the columns of a csv; null finds it in the header",
        min_length=1,
        max_length=1,
    )
    quotes: Literal["auto", "standard", "none"] = Field(
        "auto",
        description="none reads double quotes as ordinary characters; auto looks which of the two it is",
    )
    split: str | SplitSection | None = Field(
        None, description="a column that names the splits, or how to make them; null is 0.15 each"
    )

    @property
    def folds(self) -> int:
        """How often a configuration is trained for its score, each time on another part of the data."""
        return self.split_section.folds or 1

    @property
    def split_section(self) -> SplitSection:
        """``split`` with its short forms written out."""
        if isinstance(self.split, str):
            return SplitSection(column=self.split)
        return self.split or SplitSection()

    def problems(self, task: str) -> list[Problem]:
        """What the section lacks for ``task``; paths begin at the root of the config."""
        if task in self.TASKS:
            return []
        possible = ", ".join(self.TASKS)
        return [
            Problem(
                ("task",),
                f"kind: {self.kind} cannot be used for {task}, only for {possible}{_HINTS.get((self.kind, task), '')}",
            )
        ]


_HINTS = {
    ("text", "labelling"): "; a tag for every word needs kind: tokens",
    ("wide", "labelling"): "; a target at every step needs kind: series or timeline",
    ("wide", "forecasting"): "; forecasting needs kind: timeline",
    ("series", "forecasting"): "; to forecast many series use kind: timeline with series: the id column",
    ("arrays", "forecasting"): "; forecasting needs kind: timeline",
}


def _ascending(ends: list[float]) -> list[float]:
    if ends[0] >= ends[1]:
        raise ValueError(f"expected [low, high], got [{ends[0]:g}, {ends[1]:g}]")
    return ends


def one_target(target: str | list[str] | None, task: str) -> list[Problem]:
    """Classification has one target column."""
    if task == "classification" and isinstance(target, list) and len(target) != 1:
        return [Problem(("data", "target"), f"classification has one target column, got {len(target)}")]
    if isinstance(target, list) and not target:
        return [Problem(("data", "target"), "expected at least one column")]
    return []
