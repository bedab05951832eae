"""Cross-validation: the same rows divided into training and validation several times.

What tests is set apart first and is the same in every fold. The rest is divided at random
(stratified by class), by groups, or in time order: then the origin rolls, and a fold trains
on all that lies before the rows it validates on (Hyndman and Athanasopoulos: "Forecasting:
Principles and Practice", section 5.10). The first fold in time order is the latest one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gru_tune.data import splits
from gru_tune.data.encoding import natural
from gru_tune.data.findings import few
from gru_tune.data.raw import Classes, Raw
from gru_tune.data.splits import DROPPED, TRAIN, VALIDATION, Codes, Indices
from gru_tune.errors import DataError
from gru_tune.wording import plural


def assign(raw: Raw, plan: splits.Plan, seed: int) -> tuple[list[Codes], list[str]]:
    """The split of every sequence (of every row of a timeline), fold by fold, as ``splits.assign`` has it.

    One fold for a plan without ``folds``. Raises ``DataError`` where there is too little to divide.
    """
    codes, notes = splits.assign(raw, plan, seed)
    if plan.folds is None:
        return [codes], notes
    pool = np.flatnonzero(codes == TRAIN)
    rng = np.random.default_rng([seed, 17])
    by = splits.divided_by(raw, plan)
    if by == "time":
        parts = _rolling(raw, pool, plan.folds)
    elif by == "group":
        parts = _grouped(raw, pool, plan.folds, rng)
    else:
        parts = _random(raw, pool, plan.folds, rng)
        notes = [*notes, *_rare(raw, pool, plan.folds)]
    found = []
    for validation, unused in parts:
        own = codes.copy()
        own[validation], own[unused] = VALIDATION, DROPPED
        found.append(own)
    return found, notes


# What a fold validates on, and what it leaves out.
Parts = list[tuple[Indices, Indices]]
NONE: Indices = np.empty(0, np.int64)


def _rolling(raw: Raw, pool: Indices, folds: int) -> Parts:
    """Consecutive blocks of equal size at the end of every series; what comes after a block is left out."""
    parts: list[tuple[list[Indices], list[Indices]]] = [([], []) for _ in range(folds)]
    for series in splits.in_time(raw, pool):
        size = len(series) // (folds + 1)
        if not size:
            of = " of one series" if len(raw.lengths) > 1 and raw.layout == "timeline" else ""
            raise _few(f"{len(series):,} {splits.unit(raw)}{of}", folds, len(series) - 1)
        for number, (validation, unused) in enumerate(parts):
            end = len(series) - number * size
            validation.append(series[end - size : end])
            unused.append(series[end:])
    return [(np.concatenate(validation), np.concatenate(unused)) for validation, unused in parts]


def _grouped(raw: Raw, pool: Indices, folds: int, rng: np.random.Generator) -> Parts:
    """Whole groups, as many rows in each fold (and of each class) as these allow."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    assert raw.groups is not None
    groups = raw.groups[pool].astype(str)
    if (count := len(np.unique(groups))) < folds:
        raise _few(plural(count, "group"), folds, count)
    classes = _classes(raw, pool)
    if classes is None:
        divided = GroupKFold(folds).split(pool, groups=groups)
    else:
        state = int(rng.integers(2**31))
        numbers = np.unique(classes, return_inverse=True)[1]
        divided = StratifiedGroupKFold(folds, shuffle=True, random_state=state).split(pool, numbers, groups)
    return [(pool[validation], NONE) for _, validation in divided]


def _random(raw: Raw, pool: Indices, folds: int, rng: np.random.Generator) -> Parts:
    """Equal parts of a random order in which every stretch has each class in its due proportion."""
    if len(pool) < folds:
        raise _few(f"{len(pool):,} {splits.unit(raw)}", folds, len(pool))
    return [(part, NONE) for part in np.array_split(pool[splits.stratified(raw, pool, rng)], folds)]


def _classes(raw: Raw, pool: Indices) -> NDArray[np.str_] | None:
    """The class of every sequence, where they have one each."""
    if raw.per_row or not isinstance(raw.y, Classes):
        return None
    return raw.y.values[pool].astype(str)


def _rare(raw: Raw, pool: Indices, folds: int) -> list[str]:
    """A note on the classes that cannot be in every fold."""
    classes = _classes(raw, pool)
    if classes is None:
        return []
    names, sizes = np.unique(classes, return_counts=True)
    rare = natural(set(names[sizes < folds].tolist()))
    if not rare:
        return []
    classes_have = "class has" if len(rare) == 1 else "classes have"
    return [
        f"{len(rare)} {classes_have} fewer than {folds} sequences outside the test split ({few(rare)}), so not every "
        "fold validates on them; use fewer data.split.folds, or join classes"
    ]


def _few(what: str, folds: int, most: int) -> DataError:
    remedy = f"use {most} at most" if most >= 2 else "leave folds out"
    return DataError(
        f"data.split.folds: {what} outside the test split are too few for {folds} folds; {remedy}, or test on fewer"
    )
