"""All that is fitted to the data of a study, as ``preprocessing.json`` keeps it.

Training and prediction encode their rows with the same object, made by ``fit`` or read
back by ``from_json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gru_tune.data import features
from gru_tune.data.encoding import Labels, Mask, Method, Scaler
from gru_tune.data.features import Inputs, NumberInputs, WordInputs
from gru_tune.data.raw import Classes, Quantities, Raw, Words
from gru_tune.errors import DataError

Target = Literal["label", "number", "labels", "numbers"]


@dataclass(frozen=True)
class Preprocessing:
    """What encodes the rows of a study.

    section: the data section of the config, without its knobs
    columns: the columns of the file that hold the inputs
    goal:    the classes, or the scale of the targets
    season, max_window: of a timeline, in steps; else None
    step, dates: the usual distance of two rows in time (seconds, if the times are dates);
             None without times
    """

    task: str
    section: Mapping[str, Any]
    columns: tuple[str, ...]
    inputs: Inputs
    targets: tuple[str, ...]
    goal: Labels | Scaler
    season: int | None = None
    max_window: int | None = None
    step: float | None = None
    dates: bool = False

    @classmethod
    def fit(
        cls,
        raw: Raw,
        training: Mask,
        *,
        task: str,
        section: Mapping[str, Any],
        method: Method,
        max_window: int | None,
    ) -> Preprocessing:
        """``training`` marks sequences, or rows of a timeline.

        Raises ``DataError`` for what cannot be fitted: a column without values, one class alone.
        """
        rows = training if raw.layout == "timeline" else np.repeat(training, raw.lengths)
        inputs: Inputs
        if isinstance(raw.x, Words):
            inputs = WordInputs.fit(raw.x, rows)
        else:
            missing = section.get("missing", "refuse")
            inputs = NumberInputs.fit(raw.x, rows, missing, method, raw.layout == "timeline")
        chosen = rows if raw.per_row else training
        goal = (
            Labels.fit(raw.y, chosen) if isinstance(raw.y, Classes) else _scale(raw.y, chosen, inputs, method)
        )
        stamps = raw.origin.stamps
        steps = np.empty(0) if stamps is None else stamps.steps(raw.lengths)
        return cls(
            task, section, raw.origin.columns, inputs, raw.y.names, goal, raw.season, max_window,
            float(np.median(steps)) if len(steps) else None,
            stamps is not None and stamps.dates is not None,
        )  # fmt: skip

    @property
    def timeline(self) -> bool:
        return bool(self.section["kind"] == "timeline")

    @property
    def target(self) -> Target:
        """What ``Dataset.target`` is."""
        per_row = self.timeline or self.task == "labelling"
        if isinstance(self.goal, Labels):
            return "labels" if per_row else "label"
        return "numbers" if per_row else "number"

    @property
    def labels(self) -> tuple[str, ...]:
        return self.goal.names if isinstance(self.goal, Labels) else ()

    def encode(self, y: Classes | Quantities) -> NDArray[Any]:
        """The targets as ``Dataset.y``; 0 where missing."""
        if isinstance(self.goal, Labels):
            assert isinstance(y, Classes)
            return self.goal.apply(y)[0]
        assert isinstance(y, Quantities)
        return np.nan_to_num(self.goal.apply(y.values), nan=0.0).astype(np.float32)

    def unseen(self, y: Classes | Quantities) -> tuple[str, ...]:
        """The classes that training lacks."""
        return (
            tuple(self.goal.apply(y)[1]) if isinstance(y, Classes) and isinstance(self.goal, Labels) else ()
        )

    def info(self) -> dict[str, Any]:
        """``Dataset.info``."""
        words = isinstance(self.inputs, WordInputs)
        info = {
            "task": self.task,
            "kind": self.section["kind"],
            "features": 0 if words else len(self.inputs.names),
            "inputs": list(self.inputs.names),
            "targets": list(self.targets),
            "labels": list(self.labels),
            "input_scale": self.inputs.scale,
            "target_scale": self._target_scale,
            "vocabulary": self.inputs.vocabulary.size if isinstance(self.inputs, WordInputs) else 0,
            "target_inputs": columns_of(self.targets, self.inputs),
        }
        if self.timeline:
            shape = {name: self.section[name] for name in ("horizon", "stride")}
            info |= {**shape, "max_window": self.max_window, "season": self.season}
        return info

    def to_json(self) -> dict[str, Any]:
        categories = () if isinstance(self.inputs, WordInputs) else self.inputs.categories.words
        numeric = self.inputs.names if isinstance(self.inputs, WordInputs) else self.inputs.columns
        return {
            "task": self.task,
            "section": dict(self.section),
            "columns": list(self.columns),
            "inputs": [*numeric, *categories],
            "features": list(self.inputs.names),
            **self.inputs.to_json(),
            "input_scale": self.inputs.scale,
            "targets": list(self.targets),
            "labels": list(self.labels),
            "target_scale": self._target_scale,
            "season": self.season,
            "max_window": self.max_window,
            "step": self.step,
            "dates": self.dates,
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any]) -> Preprocessing:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what ``to_json`` never gave."""
        targets, labels = features.texts(fitted["targets"]), features.texts(fitted["labels"])
        goal = Labels(labels) if labels else features.scaler(fitted["target_scale"], len(targets))
        for name in ("season", "max_window", "step"):
            if fitted[name] is not None and not (features.is_number(fitted[name]) and fitted[name] >= 0):
                raise ValueError(f"{name} is no number from 0")
        return cls(
            fitted["task"], fitted["section"], features.texts(fitted["columns"]), features.from_json(fitted),
            targets, goal, fitted["season"], fitted["max_window"], fitted["step"], bool(fitted["dates"]),
        )  # fmt: skip

    @property
    def _target_scale(self) -> dict[str, list[float]]:
        return self.goal.to_json() if isinstance(self.goal, Scaler) else {"mean": [], "std": []}


def columns_of(targets: tuple[str, ...], inputs: Inputs) -> list[int | None]:
    """For every target its column among the inputs, or None."""
    names = () if isinstance(inputs, WordInputs) else inputs.names
    return [names.index(name) if name in names else None for name in targets]


def _scale(y: Quantities, training: Mask, inputs: Inputs, method: Method) -> Scaler:
    """The scale of the targets; one that is an input as well has the input's."""
    if not (y.known & training).any():
        raise DataError(f"data.target: the training split has no value of {', '.join(y.names)}")
    scaler = Scaler.fit(y.values[training], method)
    mean, std = scaler.mean.copy(), scaler.std.copy()
    for n, column in enumerate(columns_of(y.names, inputs)):
        if column is not None:
            mean[n], std[n] = inputs.scale["mean"][column], inputs.scale["std"][column]
    return Scaler(mean, std)
