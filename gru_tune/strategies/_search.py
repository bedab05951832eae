"""A strategy over one of keras-tuner's oracles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gru_tune.strategies._oracle import RUNNING, Quiet
from gru_tune.strategies.base import WAIT, Proposal
from gru_tune.values import Scalar


class OracleSearch:
    """Ask, tell and replay; holds what is in flight. Begins with ``first``, configurations that may have gaps."""

    def __init__(self, oracle: Quiet, first: Sequence[Mapping[str, Scalar]] = ()) -> None:
        oracle.first = first
        self.ended: str | None = None
        self._oracle = oracle
        self._in_flight: dict[int, Any] = {}

    def ask(self, new: bool = True) -> Proposal | Literal["wait"] | None:
        if self.ended is not None:
            return None
        if not new:
            return WAIT if self._in_flight else None
        trial = self._oracle.begin()
        if trial.status == RUNNING:
            number = self._oracle.numbers[trial.trial_id]
            self._in_flight[number] = trial
            return Proposal(number, dict(self._oracle.values[number]), *self._oracle.stretch(trial))
        if self._in_flight:
            return WAIT
        self.ended = self._oracle.ending()
        return None

    def tell(self, trial: int, score: float | None, cost: float | None = None) -> None:
        if trial not in self._in_flight:
            raise ValueError(f"trial {trial} is not in flight")
        finite = score is not None and math.isfinite(score)
        self._oracle.end(self._in_flight.pop(trial), score if finite else None, cost)

    def revise(self, trial: int, score: float | None, cost: float | None = None) -> None:
        self._oracle.revise(trial, score if score is not None and math.isfinite(score) else None, cost)

    def replay(self, proposal: Proposal) -> None:
        self._in_flight[proposal.trial] = self._oracle.begin(proposal)

    def finished(self, trial: int) -> bool:
        return trial not in self._in_flight and self._oracle.finished(trial)
