"""THE table of every knob: everything of a model and its training that can be searched.

A knob is one field of one of the three dataclasses below, with its type, default, bounds,
unit and help. The dataclasses hold the settings of one trial (plain values); the config
language (``config``), its JSON Schema, its error messages and the reference are all made
from the same fields. A new knob is one field here and one use in ``factory``,
``samples`` or ``training``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal

from gru_tune.values import Domain, Scalar

Cell = Literal["gru", "lstm", "rnn"]
Pooling = Literal["last", "mean", "max"]
Normalization = Literal["none", "layer", "batch"]
Scale = Literal["standard", "minmax", "window", "last", "none"]
Initializer = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal",
    "lecun_uniform", "lecun_normal", "orthogonal", "random_normal", "random_uniform",
]  # fmt: skip
Optimizer = Literal["adam", "adamw", "rmsprop", "sgd", "nadam", "adamax", "adagrad", "adadelta", "lion"]
Schedule = Literal["constant", "linear", "cosine", "exponential", "plateau"]
Loss = Literal["auto", "mse", "mae", "huber", "cross_entropy", "focal"]

SEQUENCES = ("text", "tokens", "series", "wide", "arrays")
WORDS = ("text", "tokens", "arrays")
NUMBERS = ("series", "wide", "timeline", "arrays")


@dataclass(frozen=True)
class When:
    """A knob that matters only for some values of another: ``text`` completes "in force when …"."""

    parent: str
    test: Callable[[Any], bool]
    text: str


def knob(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
    unit: str = "",
    kinds: tuple[str, ...] = (),
    tasks: tuple[str, ...] = (),
    when: When | None = None,
    group: str = "",
) -> Any:
    """A dataclass field with the facts about a knob in its metadata.

    ``low``/``high`` are included bounds, ``above``/``below`` excluded ones; ``kinds`` and
    ``tasks`` name the only ones it applies to (empty: all); ``group`` nests it in the
    config (``training.early_stopping.patience``).
    """
    facts = {
        "help": help, "low": low, "above": above, "high": high, "below": below, "unit": unit,
        "kinds": kinds, "tasks": tasks, "when": when, "group": group,
    }  # fmt: skip
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class DataKnobs:
    """How the prepared sequences are shown to the model."""

    vocabulary: int = knob(
        10_000, "words kept, the most frequent of the training split first; the rest become one unknown word",
        low=3, high=10_000_000, unit="words", kinds=WORDS,
    )  # fmt: skip
    max_length: int | None = knob(
        None, "longer sequences are cut to this many steps; null keeps them whole",
        low=1, high=1_000_000, unit="steps", kinds=SEQUENCES,
    )  # fmt: skip
    keep: Literal["start", "end"] = knob(
        "start", "which end of a sequence longer than max_length is kept", kinds=SEQUENCES
    )
    window: int = knob(
        48, "steps of the past the model sees before every forecast or label",
        low=1, high=100_000, unit="steps", kinds=("timeline",),
    )  # fmt: skip
    scale: Scale = knob(
        "standard",
        "numbers are scaled by the training split's mean and spread (standard) or range (minmax); window "
        "and last then also take out every window's own mean and spread, or its last value; none leaves them alone",
        kinds=NUMBERS,
    )


@dataclass(frozen=True)
class ModelKnobs:
    """What the factory builds."""

    cell: Cell = knob("gru", "the recurrent cell")
    units: tuple[int, ...] = knob(
        (64,), "hidden units of every layer; a list gives each layer its own", low=1, high=8192, unit="units"
    )
    depth: int = knob(1, "stacked recurrent layers", low=1, high=16, unit="layers")
    bidirectional: bool = knob(False, "read the sequence in both directions")
    embedding: int = knob(64, "size of the word vectors", low=1, high=4096, unit="numbers", kinds=WORDS)
    dropout: float = knob(
        0.0, "share of the values dropped after the embedding, between the layers and before the head",
        low=0.0, below=1.0,
    )  # fmt: skip
    recurrent_dropout: float = knob(
        0.0, "share of the state dropped from step to step (loses the cuDNN path)", low=0.0, below=1.0
    )
    activation: Literal["tanh", "relu", "elu", "softsign"] = knob(
        "tanh", "of the candidate state (anything but tanh loses the cuDNN path)"
    )
    pooling: Pooling = knob(
        "last", "how the states of all steps become one vector",
        tasks=("classification", "regression", "forecasting"),
    )  # fmt: skip
    normalization: Normalization = knob("none", "normalisation after every recurrent layer")
    dense: int = knob(
        0, "units of a hidden dense layer before the output; 0 for none", low=0, high=8192, unit="units"
    )
    dense_activation: Literal["relu", "gelu", "tanh", "elu"] = knob(
        "relu", "of the hidden dense layer", when=When("dense", lambda v: v > 0, "dense is above 0")
    )
    l1: float = knob(0.0, "L1 penalty on kernels and recurrent kernels", low=0.0, high=10.0)
    l2: float = knob(0.0, "L2 penalty on kernels and recurrent kernels", low=0.0, high=10.0)
    initializer: Initializer = knob("glorot_uniform", "of the input kernels")
    recurrent_initializer: Initializer = knob("orthogonal", "of the recurrent kernels")


@dataclass(frozen=True)
class TrainingKnobs:
    """How a model is trained."""

    optimizer: Optimizer = knob("adam", "the optimizer")
    learning_rate: float = knob(1e-3, "learning rate, at its highest", above=0.0, high=10.0)
    momentum: float = knob(
        0.0, "momentum", low=0.0, below=1.0,
        when=When("optimizer", lambda v: v in ("sgd", "rmsprop"), "optimizer is sgd or rmsprop"),
    )  # fmt: skip
    weight_decay: float = knob(0.0, "decoupled weight decay", low=0.0, high=1.0)
    schedule: Schedule = knob(
        "constant", "how the learning rate falls: constant, linear, cosine or exponential over all epochs, "
        "or halved when the objective has not improved for two epochs (plateau)",
    )  # fmt: skip
    decay_to: float = knob(
        0.01, "share of the learning rate left at the last epoch", above=0.0, high=1.0,
        when=When("schedule", lambda v: v in ("linear", "cosine", "exponential"),
                  "schedule is linear, cosine or exponential"),
    )  # fmt: skip
    warmup: float = knob(
        0.0, "epochs over which the learning rate rises from 0", low=0.0, high=1000.0, unit="epochs"
    )
    batch_size: int = knob(32, "sequences a step", low=1, high=65_536, unit="sequences")
    epochs: int = knob(10, "passes over the training split, at most", low=1, high=100_000, unit="epochs")
    clip_norm: float | None = knob(
        None, "gradients are scaled down to this global norm; null for no clipping", above=0.0
    )
    clip_value: float | None = knob(
        None, "every gradient is cut to ± this value; null for no clipping", above=0.0
    )
    patience: int | None = knob(
        5, "epochs without a better objective before a trial ends; null never ends it",
        low=1, high=100_000, unit="epochs", group="early_stopping",
    )  # fmt: skip
    min_delta: float = knob(0.0, "the least improvement that counts as one", low=0.0, group="early_stopping")
    loss: Loss = knob(
        "auto", "what is minimised; auto is cross-entropy for classes, squared error for numbers"
    )
    label_smoothing: float = knob(
        0.0, "share of the target spread over all classes", low=0.0, below=1.0,
        tasks=("classification", "labelling"),
    )  # fmt: skip
    class_weights: Literal["none", "balanced"] = knob(
        "none",
        "balanced gives every class the same weight in the loss",
        tasks=("classification", "labelling"),
    )


@dataclass(frozen=True)
class Settings:
    """All knobs of one trial, as plain values."""

    data: DataKnobs = DataKnobs()
    model: ModelKnobs = ModelKnobs()
    training: TrainingKnobs = TrainingKnobs()


@dataclass(frozen=True)
class Knob:
    """One row of the table."""

    name: str
    section: Literal["data", "model", "training"]
    type: type  # of one value: int, float, bool or str
    options: tuple[str, ...]  # the words a str knob may be
    optional: bool  # whether null is allowed
    default: Any
    help: str
    low: float | None
    above: float | None
    high: float | None
    below: float | None
    unit: str
    kinds: tuple[str, ...]
    tasks: tuple[str, ...]
    when: When | None
    group: str

    @property
    def path(self) -> tuple[str, ...]:
        """Where it stands in a config."""
        return (self.section, self.group, self.name) if self.group else (self.section, self.name)

    def applies(self, kind: str, task: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (not self.tasks or task in self.tasks)

    @property
    def bounds(self) -> str:
        """The allowed numbers in words, ``1 to 16`` or ``above 0, at most 10``; empty for words."""
        low = f"at least {self.low:g}" if self.low is not None else ""
        low = f"above {self.above:g}" if self.above is not None else low
        high = f"at most {_plain(self.high)}" if self.high is not None else ""
        high = f"below {self.below:g}" if self.below is not None else high
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {_plain(self.high)}"
        return ", ".join(part for part in (low, high) if part)

    def problem(self, value: object) -> str | None:
        """Why ``value`` is not one this knob can take (None when it is), in words."""
        if value is None:
            return None if self.optional else f"expected {self.expects}, got nothing"
        good = {
            bool: isinstance(value, bool),
            int: isinstance(value, int) and not isinstance(value, bool),
            float: isinstance(value, int | float) and not isinstance(value, bool),
            str: isinstance(value, str) and value in self.options,
        }[self.type]
        if not good or (
            isinstance(value, int | float) and self.type in (int, float) and self._outside(value)
        ):
            return f"expected {self.expects}, got {value!r}"
        return None

    @property
    def expects(self) -> str:
        words = {int: "a whole number", float: "a number", bool: "true or false"}
        text = words.get(self.type) or "one of " + ", ".join(self.options)
        text += f", {self.bounds}" if self.bounds else ""
        return text + (" or null" if self.optional else "")

    def coerce(self, value: Any) -> Scalar:
        """``value`` in the knob's own type (an int given for a float becomes a float)."""
        return float(value) if self.type is float and value is not None else value

    def _outside(self, value: float) -> bool:
        return not (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )


SECTIONS: dict[Literal["data", "model", "training"], type] = {
    "data": DataKnobs,
    "model": ModelKnobs,
    "training": TrainingKnobs,
}


@lru_cache(maxsize=1)
def table() -> dict[str, Knob]:
    """Every knob by its name, in the order of the fields."""
    knobs = {}
    for section, owner in SECTIONS.items():
        hints = typing.get_type_hints(owner)
        for entry in fields(owner):
            kind, options, optional = _parse(hints[entry.name])
            default: Any = entry.default
            if entry.name == "units":
                default = default[0]
            knobs[entry.name] = Knob(
                name=entry.name, section=section, type=kind, options=options, optional=optional,
                default=default, **entry.metadata,
            )  # fmt: skip
    return knobs


def knob_of(name: str) -> Knob:
    """The knob that a flat name is of: ``units_2`` is of ``units``. Raises ``KeyError`` for others."""
    return table()["units" if name.startswith("units_") else name]


def settle(values: Mapping[str, Any]) -> Settings:
    """The settings of one trial from a flat mapping of knob names; absent ones take defaults.

    ``units`` holds for every layer; ``units_1``, ``units_2`` … for one (counted from 1).
    """
    depth = values.get("depth", table()["depth"].default)
    shared = values.get("units", table()["units"].default)
    units = tuple(values.get(f"units_{layer}", shared) for layer in range(1, depth + 1))
    sections = {}
    for section, owner in SECTIONS.items():
        own = {f.name: values[f.name] for f in fields(owner) if f.name in values}
        if section == "model":
            own["units"] = units
        sections[section] = owner(**own)
    return Settings(**sections)


def possible(value: Scalar | Domain) -> tuple[Scalar, ...] | None:
    """All values a knob may take in a study (None when they cannot be listed)."""
    if value is None or isinstance(value, str | int | float | bool):
        return (value,)
    return None if value.size == float("inf") else tuple(value.values())


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _parse(hint: Any) -> tuple[type, tuple[str, ...], bool]:
    if typing.get_origin(hint) is tuple:
        return _parse(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return (*_parse(inner[0])[:2], True)
    if typing.get_origin(hint) is Literal:
        return str, typing.get_args(hint), False
    return hint, (), False
