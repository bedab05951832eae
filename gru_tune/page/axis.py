"""How the values of a hyperparameter are laid out along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gru_tune.page import thin
from gru_tune.page.figure import clipped
from gru_tune.page.thin import short
from gru_tune.report import as_optuna
from gru_tune.report.numbers import value as shown
from gru_tune.report.read import Study
from gru_tune.values import Scalar

WIDE = 100.0  # between the ends of a range that is drawn by its logarithm where the log does not tell
LONGEST = 18  # characters of a word beside an axis
TICKS = 5
FEW = 8  # whole numbers that stand side by side like words


@dataclass(frozen=True)
class Axis:
    """A scale: numbers by their size or its logarithm, words (and few whole numbers) side by side."""

    name: str
    low: float
    high: float
    log: bool = False
    step: float = 0.0  # between two neighbours; 0 where any number may be
    words: tuple[Scalar, ...] = ()  # in the order of the config

    def place(self, value: Scalar) -> float:
        """Where a value lies: of words their number from 0, of numbers the logarithm (base 10) or themselves."""
        if self.words:
            return float(next(n for n, word in enumerate(self.words) if _same(word, value)))
        assert isinstance(value, int | float)
        return math.log10(value) if self.log else float(value)

    @property
    def gap(self) -> float:
        """How far apart neighbouring values are everywhere; 0 where they are not."""
        return 1.0 if self.words else 0.0 if self.log else self.step

    @property
    def ends(self) -> tuple[float, float]:
        """The places of the first and the last value."""
        if self.words:
            return 0.0, float(len(self.words) - 1)
        return self.place(self.low), self.place(self.high)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Places and texts, ready for plotly."""
        if self.words:
            return [float(n) for n in range(len(self.words))], [_word(word) for word in self.words]
        first, last = self.ends
        if self.log:
            decades = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)
            inner = [10.0**n for n in decades if min(n - first, last - n) > (last - first) / 8]
            values = [self.low, *inner, self.high]
        else:
            count = round((self.high - self.low) / self.step) if self.step else TICKS - 1
            every = [self.low + (self.high - self.low) * n / (count or 1) for n in range(count + 1)]
            values = [self._round(v) for v in thin.spread(every, TICKS)]
        return [short(self.place(v)) for v in values], [shown(v) for v in values]

    def _round(self, value: float) -> float:
        """As many digits as tell places on the axis apart."""
        wide = self.high - self.low
        return round(value, 1 - math.floor(math.log10(wide))) if wide > 0 and not self.step else short(value)

    def layout(self) -> dict[str, Any]:
        """The settings of a plotly axis along which ``place`` tells where things are."""
        places, texts = self.ticks()
        first, last = self.ends
        air = max(self.gap / 2, 0.04 * (last - first)) or 0.5
        return {"tickvals": places, "ticktext": texts, "range": [first - air, last + air]}


def axes(study: Study) -> dict[str, Axis]:
    """An axis for every hyperparameter that varies, as wide as its range."""
    ranges = as_optuna.distributions(study.asked, study.ranked)
    declared = study.asked.get("space") or {}
    return {name: _axis(name, ranges[name], name in declared) for name in study.varied}


def _axis(name: str, kind: Any, declared: bool) -> Axis:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(kind, CategoricalDistribution):
        return Axis(name, 0, len(kind.choices) - 1, words=tuple(kind.choices))
    if isinstance(kind, IntDistribution) and kind.high - kind.low < FEW * kind.step:
        return Axis(name, kind.low, kind.high, words=tuple(range(kind.low, kind.high + 1, kind.step)))
    wide = not declared and kind.low > 0 and kind.high >= WIDE * kind.low
    return Axis(name, kind.low, kind.high, kind.log or wide, float(kind.step or 0))


def _same(a: Scalar, b: Scalar) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _word(word: Scalar) -> str:
    return clipped(shown(word), LONGEST)


def places(axis: Axis, values: Sequence[Scalar]) -> list[float]:
    """Where each of the values lies, in five digits."""
    return [short(axis.place(value)) for value in values]
