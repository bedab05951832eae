"""Guess from a data file what a config for it would say: kind, task, columns.

Only column names and a sample of rows are looked at. A guess is written down with its
reason, as a comment in the config, so that a wrong one is quickly mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gru_tune.config.defaults import WINDOWS

if TYPE_CHECKING:
    import pandas as pd

SPLIT_NAMES = {"split", "fold", "set", "partition", "subset"}
SPLIT_VALUES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
TIME_NAMES = {"time", "date", "datetime", "timestamp", "ds", "month", "cycle", "step", "t"}
ID_NAMES = {"id", "series", "unit", "machine", "engine", "subject", "sequence", "series_id", "unique_id"}
TARGET_NAMES = ("label", "target", "class", "y", "category", "sentiment", "language", "intent", "rul")
FEW_CLASSES = 50
MOST_LABELS = 20  # of a target at every step; whole numbers with more are numbers


@dataclass(frozen=True)
class Guess:
    """Keys of the ``data`` section in order, each with the reason for it, and the task."""

    kind: str
    task: str
    keys: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    objective: str | None = None
    windows: tuple[int, ...] = WINDOWS  # of a timeline
    imbalance: bool = False  # whether one class is nearly all there is


def from_table(table: pd.DataFrame) -> Guess:
    """The guess for a table with named columns (a sample of its rows is enough)."""
    split = _split_column(table)
    rest = [str(c) for c in table.columns if c != split]
    guess = _tokens(table, rest) or _series(table, rest) or _wide(table, rest) or _text(table, rest)
    guess = _weighed(guess or _timeline(table, rest), table)
    if split is None:
        return guess
    keys = {**guess.keys, "split": _split_value(table[split], split)}
    return replace(guess, keys=keys, reasons={**guess.reasons, "split": "says which rows are which"})


def _weighed(guess: Guess, table: pd.DataFrame) -> Guess:
    """With an objective that does not reward calling everything by the name of the largest class."""
    from gru_tune.data.checks import IMBALANCE

    target = guess.keys.get("target")
    if guess.task not in ("classification", "labelling") or target not in table.columns:
        return guess
    shares = table[target].value_counts(normalize=True)
    if not len(shares) or shares.iloc[0] <= IMBALANCE or len(shares) > MOST_LABELS:
        return guess
    reason = f"{shares.iloc[0]:.0%} are {str(shares.index[0])!r}: accuracy says little"
    return replace(
        guess, objective="macro_f1", reasons={**guess.reasons, "objective": reason}, imbalance=True
    )


def from_arrays(arrays: dict[str, Any]) -> Guess:
    """The guess for an NPZ file's arrays."""
    y = next((arrays[name] for name in ("y", "y_train") if name in arrays), None)
    if y is None:
        return Guess("arrays", "classification")
    task = (
        "labelling"
        if y.ndim == 2 and y.shape[1] > 1
        else "classification"
        if y.dtype.kind != "f"
        else "regression"
    )
    return Guess("arrays", task, {}, {}, "macro_f1" if task == "classification" else None)


def _tokens(table: pd.DataFrame, columns: list[str]) -> Guess | None:
    lists = [c for c in columns if isinstance(_first(table[c]), list)]
    if not lists:
        return None
    if len(lists) > 1 and all(
        len(a) == len(b) for a, b in zip(table[lists[0]], table[lists[1]], strict=True)
    ):
        bio = any(str(tag).startswith("B-") for tags in table[lists[1]] for tag in tags)
        keys = {"tokens": lists[0], "tags": lists[1], "lowercase": True}
        return Guess(
            "tokens", "labelling", keys, {"tags": "one for every token"}, "span_f1" if bio else "accuracy"
        )
    target = _target(table, [c for c in columns if c not in lists])
    return Guess("tokens", "classification", {"tokens": lists[0], "target": target}, {}, "accuracy")


def _series(table: pd.DataFrame, columns: list[str]) -> Guess | None:
    named = [c for c in columns if _words(c) & ID_NAMES or c.lower() in ID_NAMES]
    name = next((c for c in named if 1 < table[c].nunique() <= len(table) / 3), None)
    if name is None:
        return None
    groups = table.groupby(name, sort=False)
    time = next((c for c in columns if c != name and c.lower() in TIME_NAMES), None)
    others = [c for c in columns if c not in (name, time)]
    steady = [c for c in others if groups[c].nunique().max() == 1 and table[c].nunique() > 1]
    keys: dict[str, Any] = {"series": name, **({"time": time} if time else {})}
    target = _target(table, steady) if steady else _target(table, others)
    leaks = [c for c in steady if c != target]
    numeric = [c for c in others if c not in (*steady, target) and _is_number(table[c])]
    reasons = {"series": "which rows belong together"}
    if leaks:
        keys["inputs"] = numeric
        reasons["inputs"] = f"not {', '.join(leaks)}: the same in a whole series, could give the target away"
    reasons["target"] = (
        "the same in every row of a series" if steady else "has a value at every step: is it this one?"
    )
    task = "labelling" if not steady else "classification" if _is_class(table[target]) else "regression"
    return Guess(
        "series", task, {**keys, "target": target}, reasons, "macro_f1" if task == "classification" else None
    )


def _wide(table: pd.DataFrame, columns: list[str]) -> Guess | None:
    steps = [c for c in columns if re.fullmatch(r"[A-Za-z_]*\d+", c) and _is_number(table[c])]
    prefixes = {re.sub(r"\d+$", "", c) for c in steps}
    others = [c for c in columns if c not in steps]
    if len(steps) < 8 or len(prefixes) > 1 or not others:
        return None
    target = _target(table, others)
    pattern = f"{prefixes.pop()}*"
    inputs: Any = (
        [pattern] if not any(o.startswith(pattern[:-1]) for o in others) and pattern != "*" else steps
    )
    task = "classification" if _is_class(table[target]) else "regression"
    reasons = {"inputs": f"{len(steps)} steps, a column each"}
    return Guess(
        "wide",
        task,
        {"inputs": inputs, "target": target},
        reasons,
        "accuracy" if task == "classification" else None,
    )


def _text(table: pd.DataFrame, columns: list[str]) -> Guess | None:
    texts = [c for c in columns if not _is_number(table[c]) and not _is_time(table[c])]
    texts = [c for c in texts if table[c].nunique() > max(2, len(table) / 2)]
    others = [c for c in columns if c not in texts]
    if not texts or not others:
        return None
    text = max(texts, key=lambda c: table[c].astype(str).str.len().mean())
    words = table[text].astype(str).str.count(r"\S+").mean()
    target = _target(table, others)
    task = "classification" if _is_class(table[target]) else "regression"
    keys = {"text": text, "target": target, **({"level": "character"} if words < 2.5 else {})}
    reasons = {"level": "the texts are single words"}
    return Guess("text", task, keys, reasons, "accuracy" if task == "classification" else None)


def _timeline(table: pd.DataFrame, columns: list[str]) -> Guess:
    time: Any = next((c for c in columns if _is_time(table[c])), None)
    parts = [c for c in ("year", "month", "day", "hour", "minute") if c in columns]
    if time is None and parts[:2] == ["year", "month"]:
        time = parts
    numeric = [c for c in columns if _is_number(table[c]) and c != time and c not in parts]
    moving = [c for c in numeric if not _counts(table[c])] or numeric or columns
    labels = [c for c in moving if table[c].nunique() <= 2 < len(table) and c.lower() not in TIME_NAMES]
    if labels and len(moving) > 1:
        target, task = labels[-1], "labelling"
        reason = "two values, one at every step"
    else:
        target = next((c for c in moving if c.lower() in TARGET_NAMES), moving[-1])
        task, reason = (
            "forecasting",
            "a guess: the last numeric column" if len(moving) > 1 else "the only numeric column",
        )
    keys = {**({"time": time} if time else {}), "target": target}
    if task == "forecasting":
        keys |= {"horizon": 1}
    if len(moving) < len(numeric):
        keys["inputs"] = moving
    if any(table[c].isna().any() for c in moving):
        keys["missing"] = "forward"
    reasons = {"target": reason, "horizon": "steps ahead", "missing": "some values are missing",
               "inputs": "without the columns that only count rows"}  # fmt: skip
    objective = "mse" if task == "forecasting" else None
    return Guess("timeline", task, keys, reasons, objective, _windows(len(table)))


def _windows(rows: int) -> tuple[int, ...]:
    """Usual windows, or shorter ones where the validation split (0.15 of the rows) has no room for them."""
    room = max(2, int(rows * 0.15) - 2)
    return WINDOWS if room >= max(WINDOWS) else tuple(sorted({max(1, room // 2), room}))


def _target(table: pd.DataFrame, columns: Iterable[str]) -> str:
    """The likeliest target: a usual name, else the column with the fewest values."""
    names = list(columns)
    usual = [c for name in TARGET_NAMES for c in names if c.lower() == name]
    return usual[0] if usual else min(names, key=lambda c: table[c].astype(str).nunique(), default="target")


def _split_column(table: pd.DataFrame) -> str | None:
    for column in table.columns:
        if str(column).lower() in SPLIT_NAMES:
            values = {str(v).lower().rstrip("0123456789") for v in table[column].dropna().unique()}
            if values <= set(SPLIT_VALUES):
                return str(column)
    return None


def _split_value(column: pd.Series[Any], name: str) -> str | dict[str, Any]:
    """The column alone, or what its values mean where they are numbered (test1, test2)."""
    values = [str(v) for v in column.dropna().unique()]
    if all(value.lower() in SPLIT_VALUES for value in values):
        return name
    meanings: dict[str, Any] = {"column": name}
    for value in values:
        meanings.setdefault(SPLIT_VALUES[value.lower().rstrip("0123456789")], []).append(value)
    return meanings


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", name.lower()))


def _first(column: pd.Series[Any]) -> Any:
    present = column.dropna()
    return present.iloc[0] if len(present) else None


def _is_number(column: pd.Series[Any]) -> bool:
    return column.dtype.kind in "iuf"


def _is_class(column: pd.Series[Any]) -> bool:
    return column.dtype.kind != "f" and column.nunique() <= FEW_CLASSES


def _is_time(column: pd.Series[Any]) -> bool:
    import pandas as pd

    if _is_number(column) or column.dtype.kind == "b" or isinstance(_first(column), list):
        return False
    sample = column.dropna().astype(str).head(50)
    looks = sample.str.fullmatch(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([ T]\d{1,2}:\d{2}(:\d{2})?.*)?").all()
    return bool(len(sample) and looks and pd.to_datetime(sample, errors="coerce").notna().all())


def _counts(column: pd.Series[Any]) -> bool:
    """Whether the column only counts the rows."""
    return column.dtype.kind in "iu" and len(column) > 2 and bool((column.diff().dropna() == 1).all())
