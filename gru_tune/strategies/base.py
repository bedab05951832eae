"""What every search has in common: its section of the config, and ask, tell and replay.

A strategy proposes configurations and is told their scores; it trains nothing, stores
nothing and knows no clock. The study loop stands outside.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol

from pydantic import Field

from gru_tune.errors import Problem
from gru_tune.language import Strict
from gru_tune.space import Space, Values
from gru_tune.trial import Objective

WAIT: Final = "wait"
Work = Callable[[Values], float]  # how long a configuration takes to train, in any unit


@dataclass(frozen=True)
class Proposal:
    """One stretch of training a strategy wants: a new trial, or more epochs for an old one."""

    trial: int  # from 1; a promoted trial keeps its number
    values: Values  # the hyperparameters in force
    first_epoch: int  # epochs already trained; 0 for a new trial
    last_epoch: int  # train until this many epochs are done
    checkpoint: bool  # whether the trial may be asked for more epochs later


class Strategy(Protocol):
    """A search, by ask and tell.

    The same config, asked, told and replayed in the same order, proposes the same.
    """

    ended: str | None  # one sentence, once ``ask`` has returned None

    def ask(self) -> Proposal | Literal["wait"] | None:
        """The next proposal; ``WAIT`` when one in flight must be told first; None when over.

        ``WAIT`` is only returned while something is in flight, None only when nothing is.
        """

    def tell(self, trial: int, score: float | None) -> None:
        """The score of the proposal in flight of this trial; None (or not finite): it failed.

        Raises ``ValueError`` for a trial that is not in flight.
        """

    def replay(self, proposal: Proposal) -> None:
        """Take over what a former ``ask`` returned, without computing it again.

        Raises ``StudyError`` for a proposal this search cannot have made.
        """

    def finished(self, trial: int) -> bool:
        """Whether this trial will not be proposed again, so that its checkpoint may be deleted."""


class SearchSection(Strict):
    """How configurations are chosen, how many, and which one wins."""

    BUDGET: ClassVar[frozenset[str]] = frozenset(
        {"trials", "minutes", "keep", "retries", "max_failures", "workers_per_gpu"}
    )
    """The keys that may change when a study goes on; all others change its question."""

    strategy: str
    trials: int | None = Field(
        20,
        ge=1,
        le=1_000_000,
        description="different configurations to try, at most; null sets no limit "
        "(the space or the minutes must then end the search)",
    )
    minutes: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="wall-clock minutes of all runs of the study together, the finals included, or null for no limit; "
        "whichever of trials and minutes comes first ends the search",
    )
    objective: str | None = Field(
        None,
        description="the metric of the validation split that ranks the trials, or null for the task's own",
    )
    seed: int = Field(
        1,
        ge=0,
        le=2**63 - 1,
        description="where all chance in the study comes from: proposals, weights and the order of the data",
    )
    repeats: int = Field(
        1, ge=1, le=100, description="seeds that every trial is trained with; its score is their mean"
    )
    keep: int = Field(3, ge=1, le=10_000, description="trials whose weights are kept, the best ones")
    retries: int = Field(
        1, ge=0, le=100, description="further attempts for a trial whose worker process has died"
    )
    max_failures: int | None = Field(
        10, ge=1, description="failed trials in a row that end the search, or null to go on whatever happens"
    )

    workers_per_gpu: int = Field(
        1, ge=1, le=64, description="trials side by side on each GPU: several where the models are small"
    )

    def problems(self, space: Space) -> list[Problem]:
        """What keeps this search from being run over ``space``; none means ``create`` works."""
        if self.limit(space) is None and self.minutes is None:
            text = "the search would never end: give it a number of trials, or minutes"
            return [Problem(("search", "trials"), text)]
        return []

    def limit(self, space: Space) -> int | None:
        """The number of configurations that will be proposed at most (None: no limit)."""
        size = space.size
        if math.isinf(size):
            return self.trials
        return int(size) if self.trials is None else min(self.trials, int(size))

    def describe(self, space: Space, epochs: int) -> str:
        """What is going to happen, in one sentence without a full stop."""
        return f"{self.strategy}: {amount(self, space)}"

    def create(self, space: Space, objective: Objective, epochs: int, work: Work | None = None) -> Strategy:
        """A fresh search; loads keras-tuner. ``epochs`` are those of a trial (hyperband: at most).

        Where the order is free, what ``work`` says takes longest comes first.
        """
        raise NotImplementedError


def amount(search: SearchSection, space: Space) -> str:
    """How many configurations of how many, in words."""
    limit, size = search.limit(space), space.size
    if limit is None:
        return "as many configurations as fit into the time"
    count = f"{limit:,} configuration" + ("s" if limit != 1 else "")
    if math.isinf(size):
        return count
    if limit < size:
        return f"{limit:,} of the {int(size):,} configurations of the space"
    short = search.trials is not None and limit < search.trials
    return count + (f", all there are ({search.trials:,} trials were asked for)" if short else "")


def derive(seed: int, *parts: int | str) -> int:
    """A seed made from another: 1 to 2**32 - 1, far from those of neighbouring seeds and parts."""
    text = ":".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % (2**32 - 1) + 1
