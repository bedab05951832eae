"""Training, validation and test: which sequence (or row of a timeline) belongs where.

Random splits are stratified by class; timelines are split in time order; groups stay whole.
Where a file names its splits but no validation, one is carved out of training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS
from gru_tune.data.raw import Classes, Raw
from gru_tune.errors import DataError
from gru_tune.wording import listed

DEFAULT = 0.15
TRAIN, VALIDATION, TEST, DROPPED = 0, 1, 2, -1
KNOWN = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}

Codes = NDArray[np.int8]
Indices = NDArray[np.int64]


class Plan(Protocol):
    """The split section of a config."""

    @property
    def train(self) -> Any: ...
    @property
    def validation(self) -> Any: ...
    @property
    def test(self) -> Any: ...
    @property
    def by(self) -> str | None: ...
    @property
    def folds(self) -> int | None: ...


@dataclass(frozen=True)
class Shares:
    """How much goes where: fractions below 1, or counts; ``train`` None takes what is left."""

    train: float | None
    validation: float
    test: float

    def counts(self, total: int, what: str) -> tuple[int, int, int]:
        """How many of ``total`` train, validate and test; raises ``DataError`` when they do not go round."""
        validation, test = _count(self.validation, total), _count(self.test, total)
        train = total - validation - test if self.train is None else _count(self.train, total)
        if train < 1 or train + validation + test > total:
            asked = ((self.train and train, "training"), (validation, "validation"), (test, "test"))
            wanted = listed([f"{count:,} for {split}" for count, split in asked if count], "and")
            raise DataError(f"data.split: {total:,} {what} are too few for {wanted}")
        return train, validation, test


def assign(raw: Raw, plan: Plan, seed: int) -> tuple[Codes, list[str]]:
    """The split of every sequence (of every row of a timeline) as an index into ``SPLITS``, -1 for none.

    With ``folds`` all that does not test is training: ``folds.assign`` divides it further.
    Raises ``DataError`` where there is too little to divide, or a name means no split.
    """
    rng = np.random.default_rng([seed, 15])
    units = int(raw.lengths.sum()) if raw.layout == "timeline" else len(raw.lengths)
    if raw.split is None:
        shares = Shares(_number(plan.train), _validation(plan), _number(plan.test, DEFAULT))
        codes: Codes = np.full(units, DROPPED, np.int8)
        _divide(codes, np.arange(units), shares, raw, plan, rng)
        notes: list[str] = []
    else:
        codes, notes = _by_name(raw.split, plan)
        if plan.folds is not None:
            codes[codes == VALIDATION] = TRAIN
        notes += _carve(codes, raw, plan, rng)
    if left := int((codes == DROPPED).sum()):
        notes.append(f"{left:,} of {units:,} {unit(raw)} are in no split and left out")
    if not (codes == TEST).any():
        notes.append("there is no test split: the winner is judged by the validation split it was chosen on")
    return codes, notes


def _carve(codes: Codes, raw: Raw, plan: Plan, rng: np.random.Generator) -> list[str]:
    """Take validation (and a test that is asked for as a number) out of training, in place."""
    named = [name for code, name in enumerate(SPLITS) if (codes == code).any()]
    if "train" not in named:
        raise DataError("data.split: no row is in the training split")
    validation = 0.0 if "validation" in named else _validation(plan)
    test = _number(plan.test, 0.0) if "test" not in named else 0.0
    if not validation and not test:
        return []
    pool = np.flatnonzero(codes == TRAIN)
    codes[pool] = DROPPED
    _divide(codes, pool, Shares(None, validation, test), raw, plan, rng)
    carved = " and ".join(name for name, share in (("validation", validation), ("test", test)) if share)
    count = int((codes[pool] != TRAIN).sum())
    return [f"{carved} is carved out of training: {count:,} of {len(pool):,} {unit(raw)}"]


def divided_by(raw: Raw, plan: Plan) -> str:
    """``group``, ``time`` or ``random``: as the plan says, or as suits the data."""
    return (
        "group" if raw.groups is not None else plan.by or ("time" if raw.layout == "timeline" else "random")
    )


def _divide(
    codes: Codes, pool: Indices, shares: Shares, raw: Raw, plan: Plan, rng: np.random.Generator
) -> None:
    by = divided_by(raw, plan)
    if by == "group":
        assert raw.groups is not None
        _divide_groups(codes, pool, shares, raw.groups, rng)
    elif by == "random":
        train, validation, test = shares.counts(len(pool), unit(raw))
        order = pool[stratified(raw, pool, rng)]
        _fill(codes, order, ((test, TEST), (validation, VALIDATION), (train, TRAIN)))
    else:
        for part in in_time(raw, pool):
            train, validation, test = shares.counts(len(part), unit(raw))
            _fill(codes, part, ((train, TRAIN), (validation, VALIDATION), (test, TEST)))


def _divide_groups(
    codes: Codes, pool: Indices, shares: Shares, groups: NDArray[np.object_], rng: np.random.Generator
) -> None:
    names, member = np.unique(groups[pool].astype(str), return_inverse=True)
    train, validation, test = shares.counts(len(names), "groups")
    of_group = np.full(len(names), DROPPED, np.int8)
    parts = ((test, TEST), (validation, VALIDATION), (train, TRAIN))
    _fill(of_group, rng.permutation(len(names)).astype(np.int64), parts)
    codes[pool] = of_group[member]


def _fill(codes: Codes, order: Indices, parts: tuple[tuple[int, int], ...]) -> None:
    start = 0
    for count, code in parts:
        codes[order[start : start + count]] = code
        start += count


def stratified(raw: Raw, pool: Indices, rng: np.random.Generator) -> Indices:
    """A random order in which every stretch has each class in its due proportion."""
    shuffled = rng.permutation(len(pool))
    if raw.per_row or not isinstance(raw.y, Classes):
        return shuffled
    classes = np.unique(raw.y.values[pool].astype(str), return_inverse=True)[1][shuffled]
    by_class = np.argsort(classes, kind="stable")
    sizes = np.bincount(classes)
    within = np.concatenate([np.arange(size) for size in sizes])
    place = np.empty(len(pool))
    place[by_class] = (within + 0.5) / sizes[classes[by_class]]
    return shuffled[np.argsort(place, kind="stable")]


def in_time(raw: Raw, pool: Indices) -> Iterator[Indices]:
    """The pool in time order: one part for sequences, one a series for a timeline."""
    if raw.layout == "timeline":
        owner = np.repeat(np.arange(len(raw.lengths)), raw.lengths)[pool]
        for series in np.unique(owner):
            yield pool[owner == series]
    elif raw.order is not None:
        yield pool[np.argsort(raw.order[pool], kind="stable")]
    else:
        yield pool


def _by_name(names: NDArray[np.object_], plan: Plan) -> tuple[Codes, list[str]]:
    """Codes from the names in a split column (or from the files)."""
    meaning: dict[str, int] = {}
    given = {split: _values(getattr(plan, split)) for split in SPLITS}
    for code, split in enumerate(SPLITS):
        for value in given[split] or KNOWN[split]:
            meaning.setdefault(value if given[split] else value.lower(), code)
    explicit = {value for values in given.values() for value in values}
    codes, strange = np.full(len(names), DROPPED, np.int8), {}
    for name in dict.fromkeys(names.tolist()):
        # Values the user has named are met exactly, the usual names in any case.
        code = (
            meaning.get(name, DROPPED)
            if name in explicit
            else meaning.get(str(name).strip().lower(), DROPPED)
        )
        codes[names == name] = code
        if code == DROPPED:
            strange[name] = int((names == name).sum())
    if not (codes != DROPPED).any() or (strange and not explicit):
        example = next(iter(strange))
        shown = "nothing" if example is None else repr(example)
        raise DataError(
            f"data.split: {sum(strange.values()):,} rows have {shown} in the split column, which is no known split; "
            "say what the values mean: {column: …, train: …, validation: …, test: …}"
        )
    for split, values in given.items():
        if values and not (codes == SPLITS.index(split)).any():
            raise DataError(
                f"data.split.{split}: no row has {' or '.join(map(repr, values))} in the split column"
            )
    return codes, []


def _values(share: Any) -> tuple[str, ...]:
    if isinstance(share, str):
        return (share,)
    return tuple(str(value) for value in share) if isinstance(share, list | tuple) else ()


def _validation(plan: Plan) -> float:
    share: float = 0.0 if plan.folds is not None else _number(plan.validation, DEFAULT)
    return share


def _number(share: Any, default: float | None = None) -> Any:
    return share if isinstance(share, int | float) else default


def _count(share: float, total: int) -> int:
    if share == 0:
        return 0
    return int(share) if share >= 1 else max(1, round(share * total))


def unit(raw: Raw) -> str:
    """What is divided, in words."""
    return "rows" if raw.layout == "timeline" else "sequences"
