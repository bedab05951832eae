"""Whether validation and test are like training, and like each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import UNKNOWN
from gru_tune.data.facts import rows_of, units_of
from gru_tune.data.findings import Finding, evenly, few
from gru_tune.data.raw import Classes, Numbers, Raw, Words
from gru_tune.wording import listed

MEANS = 1.0  # standard deviations between two means
SPREADS = 2.5  # ratio of two standard deviations
SHARES = 0.2  # total variation between the shares of the classes
STRANGE = 0.1  # share of the words that training lacks
ROWS = 50_000  # values looked at in a split
FEWEST = 20  # sequences of a split, or rows of a timeline, that tell something about it

Floats = NDArray[np.float64]
RANKING = "; validation is not like test, so that the ranking of the trials may not hold there"


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of a column in one split."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Floats) -> Moments:
        return cls(float(np.nanmean(values)), float(np.nanstd(values)))

    def distance(self, other: Moments, spreads: bool = True) -> float:
        """How unlike another split is, measured by the spread of this one; above 1 is too far."""
        if self.std <= 1e-9 * abs(self.mean):  # rounding errors of a constant
            return 0.0 if np.isclose(self.mean, other.mean) else np.inf
        apart = abs(self.mean - other.mean) / self.std / MEANS
        if not spreads:
            return apart
        ratio = max(self.std, other.std) / max(min(self.std, other.std), 1e-9 * self.std)
        return max(apart, float(np.log(ratio) / np.log(SPREADS)))

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.std:.3g}"


def shifts(raw: Raw, dataset: Dataset, remedy: str) -> list[Finding]:
    """Numbers, classes, words and lengths that are distributed otherwise in validation or test.

    ``remedy`` is what to do about numbers on another level. Splits too small to tell are left out.
    """
    codes = [code for code in range(len(SPLITS)) if _size(raw, dataset, code) >= FEWEST]
    if 0 not in codes or len(codes) < 2:
        return []
    found = _numbers(_columns(raw, dataset, codes), codes, remedy)
    if isinstance(raw.y, Classes):
        found += _classes(raw, dataset, codes)
    if isinstance(raw.x, Words):
        found += _strange_words(dataset, codes)
    if raw.layout == "sequences":
        found += _lengths(dataset, codes)
    return found


def _size(raw: Raw, dataset: Dataset, code: int) -> int:
    lengths = dataset.spans[dataset.spans[:, 2] == code, 1]
    return int(lengths.sum()) if raw.layout == "timeline" else len(lengths)


def _columns(raw: Raw, dataset: Dataset, codes: list[int]) -> Iterator[tuple[str, list[Floats]]]:
    """Every column of numbers: its name, and its values in each of the splits."""
    if isinstance(raw.x, Numbers):
        rows = [evenly(np.flatnonzero(rows_of(dataset, code)), ROWS) for code in codes]
        for n, name in enumerate(raw.x.names):
            if name not in raw.x.fixed and not (np.diff(raw.x.values[:, n]) == 1).all():
                yield name, [raw.x.values[split, n] for split in rows]
    if not isinstance(raw.y, Classes):
        units = [np.flatnonzero(units_of(raw, dataset, code) & dataset.valid) for code in codes]
        for n, name in enumerate(raw.y.names):
            yield name, [raw.y.values[split, n] for split in units]


def _numbers(columns: Iterator[tuple[str, list[Floats]]], codes: list[int], remedy: str) -> list[Finding]:
    unlike: dict[str, tuple[float, list[Moments], bool]] = {}
    for name, parts in columns:
        if any(np.isnan(values).all() for values in parts):
            continue
        low, high = np.nanpercentile(parts[0], [5, 95])
        spreads = bool(low < high)  # rain and other rare events have a spread that says little
        first, *others = moments = [Moments.of(values) for values in parts]
        distance = max(first.distance(other, spreads) for other in others)
        if distance > 1:
            torn = len(others) == 2 and others[0].distance(others[1], spreads) > 1
            unlike[name] = (distance, moments, torn)
    if not unlike:
        return []
    name = max(unlike, key=lambda name: unlike[name][0])
    _, moments, torn = unlike[name]
    others_ = [other for other in unlike if other != name]
    more = f" (and {few(others_)} alike)" if others_ else ""
    where = listed((f"{m} in {_name(code)}" for m, code in zip(moments, codes, strict=True)), "and")
    text = f"the splits differ: {name!r} is {where}{more}{RANKING if torn else ''}; {remedy}"
    return [Finding("shift", "warning", text)]


def _classes(raw: Raw, dataset: Dataset, codes: list[int]) -> list[Finding]:
    """Splits whose shares of the classes differ from training's by more than chance."""
    y, count = np.asarray(dataset.y), int(dataset.y.max()) + 1
    shares, sizes = {}, {}
    for code in codes:
        known = y[units_of(raw, dataset, code) & dataset.valid]
        sizes[code], shares[code] = len(known), np.bincount(known, minlength=count) / max(len(known), 1)

    def apart(first: int, second: int) -> bool:
        p, q = shares[first], shares[second]
        chance = float(np.sqrt(2 * p * (1 - p) / np.pi / max(sizes[second], 1)).sum()) / 2
        return sizes[second] > 0 and np.abs(p - q).sum() / 2 > max(SHARES, 2 * chance)

    unlike = [code for code in codes[1:] if apart(0, code)]
    if not unlike:
        return []
    code = unlike[-1]
    worst = int(np.abs(shares[0] - shares[code]).argmax())
    label = str(raw.y.values[np.flatnonzero((y == worst) & dataset.valid)[0]])
    where = listed((f"{shares[code][worst]:.0%} of {_name(code)}" for code in codes), "and")
    torn = RANKING if len(codes) == 3 and apart(codes[1], codes[2]) else ""
    text = f"the splits differ in their classes: {label!r} is {where}{torn}; see data.split"
    return [Finding("shift", "warning", text)]


def _strange_words(dataset: Dataset, codes: list[int]) -> list[Finding]:
    strange = {code: float((dataset.x[rows_of(dataset, code)] == UNKNOWN).mean()) for code in codes[1:]}
    if max(strange.values()) <= STRANGE:
        return []
    where = listed((f"{share:.0%} in {_name(code)}" for code, share in strange.items()), "and")
    text = (
        f"many words do not occur in training ({where}) and read as unknown; more training texts would help"
    )
    return [Finding("shift", "note", text)]


def _lengths(dataset: Dataset, codes: list[int]) -> list[Finding]:
    lengths = {code: dataset.spans[dataset.spans[:, 2] == code, 1].astype(np.float64) for code in codes}
    first, *others = (Moments.of(values) for values in lengths.values())
    if max(first.distance(other) for other in others) <= 1:
        return []
    where = listed((f"{np.median(values):.0f} in {_name(code)}" for code, values in lengths.items()), "and")
    text = f"the splits differ in the lengths of their sequences (half are up to {where}); see data.split"
    return [Finding("shift", "warning", text)]


def _name(code: int) -> str:
    return "training" if code == 0 else SPLITS[code]
