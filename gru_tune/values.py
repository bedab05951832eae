"""The three kinds of range a knob can be searched over: Choice, Int and Float.

All are frozen and check their own invariants (``ValueError``), so no empty or inverted
range exists. Every domain maps to and from the unit interval (``from_unit``,
``to_unit``), evenly in the scale the user asked for (linear or logarithmic); finite
domains also list their values in order (``values``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Choice:
    """One of a list of values, without an order."""

    options: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("a choice needs at least one value")
        seen: set[tuple[str, Scalar]] = set()
        for option in self.options:
            key = ("bool" if isinstance(option, bool) else "", option)
            if key in seen:
                raise ValueError(f"{option!r} is listed twice")
            seen.add(key)

    @property
    def size(self) -> float:
        return len(self.options)

    def values(self) -> tuple[Scalar, ...]:
        return self.options

    def contains(self, value: Scalar) -> bool:
        return any(value == o and isinstance(value, bool) == isinstance(o, bool) for o in self.options)

    def from_unit(self, unit: float) -> Scalar:
        return self.options[_bin(unit, len(self.options))]

    def to_unit(self, value: Scalar) -> float:
        return _middle(self.options.index(value), len(self.options))

    def to_config(self) -> dict[str, object]:
        return {"choice": list(self.options)}


@dataclass(frozen=True)
class Int:
    """Whole numbers from ``low`` to ``high``, both included, every ``step``-th."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"the range [{self.low}, {self.high}] is empty")
        if self.step < 1:
            raise ValueError("step must be at least 1")
        if self.log and self.low < 1:
            raise ValueError("a logarithmic range must begin at 1 or above")

    @property
    def size(self) -> float:
        return (self.high - self.low) // self.step + 1

    def values(self) -> tuple[int, ...]:
        return tuple(range(self.low, self.high + 1, self.step))

    def contains(self, value: Scalar) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
            and (value - self.low) % self.step == 0
        )

    def from_unit(self, unit: float) -> int:
        unit = min(max(unit, 0.0), 1.0)
        if not self.log:
            return self.low + self.step * _bin(unit, int(self.size))
        # Half a step beyond both ends, so that the ends are as likely as their neighbours.
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        value = round(math.exp(low + unit * (high - low)))
        index = round((value - self.low) / self.step)
        return self.low + self.step * min(max(index, 0), int(self.size) - 1)

    def to_unit(self, value: Scalar) -> float:
        assert isinstance(value, int)
        if not self.log:
            return _middle((value - self.low) // self.step, int(self.size))
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return (math.log(value) - low) / (high - low)

    def to_config(self) -> dict[str, object]:
        extra: dict[str, object] = {"step": self.step} if self.step != 1 else {}
        return {"int": [self.low, self.high], **extra, **({"log": True} if self.log else {})}


@dataclass(frozen=True)
class Float:
    """Numbers from ``low`` to ``high``; with ``step`` only low, low + step, …, high included."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("the ends of a range must be finite")
        if self.low > self.high:
            raise ValueError(f"the range [{self.low:g}, {self.high:g}] is empty")
        if self.step is not None and not self.step > 0:
            raise ValueError("step must be above 0")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range must begin above 0")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic range takes no step")

    @property
    def size(self) -> float:
        if self.low == self.high:
            return 1
        return math.inf if self.step is None else self._steps(self.step) + 1

    def values(self) -> tuple[float, ...]:
        if self.low == self.high:
            return (self.low,)
        if self.step is None:
            raise ValueError("a range without a step has no list of values")
        return tuple(self._at(k) for k in range(self._steps(self.step) + 1))

    def contains(self, value: Scalar) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.step is None:
            return self.low <= value <= self.high
        return any(math.isclose(value, v, rel_tol=1e-9, abs_tol=1e-12) for v in self.values())

    def from_unit(self, unit: float) -> float:
        unit = min(max(unit, 0.0), 1.0)
        if self.step is not None:
            return self._at(_bin(unit, self._steps(self.step) + 1))
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return min(max(math.exp(low + unit * (high - low)), self.low), self.high)
        return min(max(self.low + unit * (self.high - self.low), self.low), self.high)

    def to_unit(self, value: Scalar) -> float:
        assert isinstance(value, int | float)
        if self.low == self.high:
            return 0.5
        if self.step is not None:
            return _middle(round((value - self.low) / self.step), self._steps(self.step) + 1)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return (math.log(value) - low) / (high - low)
        return (value - self.low) / (self.high - self.low)

    def to_config(self) -> dict[str, object]:
        if self.log:
            return {"log": [self.low, self.high]}
        extra = {} if self.step is None else {"step": self.step}
        return {"float": [self.low, self.high], **extra}

    def _steps(self, step: float) -> int:
        # Rounded, not floored: 0.5 / 0.1 is 4.999… in binary, and 0.5 belongs to the range.
        return math.floor((self.high - self.low) / step + 1e-9)

    def _at(self, index: int) -> float:
        assert self.step is not None
        return float(f"{self.low + index * self.step:.12g}") if index else self.low


Domain = Choice | Int | Float


def _bin(unit: float, count: int) -> int:
    return min(int(min(max(unit, 0.0), 1.0) * count), count - 1)


def _middle(index: int, count: int) -> float:
    return (index + 0.5) / count
