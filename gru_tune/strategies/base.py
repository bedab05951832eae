"""What every search has in common: its section of the config, and ask, tell and replay.

A strategy proposes configurations and is told their scores; it trains nothing, stores
nothing and knows no clock. The study loop stands outside.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple, Protocol

from pydantic import Field, field_validator

from gru_tune import quantities
from gru_tune.errors import Path, Problem
from gru_tune.language import Strict
from gru_tune.space import Space, Values
from gru_tune.strategies.objectives import problems as of_objectives
from gru_tune.trial import Objective
from gru_tune.values import Scalar

WAIT: Final = "wait"
Work = Callable[[Values], float]  # how long a configuration takes to train, in any unit


class Observation(NamedTuple):
    """A configuration that was trained; without a score it failed. The cost is there with two objectives."""

    values: Values
    score: float | None
    cost: float | None = None


Known = Sequence[Observation]  # of an earlier study


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

    def ask(self, new: bool = True) -> Proposal | Literal["wait"] | None:
        """The next proposal; ``WAIT`` when one in flight must be told first; None when over.

        ``WAIT`` is only returned while something is in flight, None only when nothing is.
        Without ``new`` no further configuration is proposed, only more epochs for old ones.
        """

    def tell(self, trial: int, score: float | None, cost: float | None = None) -> None:
        """The score of the proposal in flight of this trial; None (or not finite): it failed.

        With two objectives what it costs (above 0) as well. Raises ``ValueError`` for a trial
        that is not in flight.
        """

    def revise(self, trial: int, score: float | None, cost: float | None = None) -> None:
        """A later score of a trial that was told before, in place of that; None: it has failed since."""

    def replay(self, proposal: Proposal) -> None:
        """Take over what a former ``ask`` returned, without computing it again.

        Raises ``StudyError`` for a proposal this search cannot have made.
        """

    def finished(self, trial: int) -> bool:
        """Whether this trial will not be proposed again, so that its checkpoint may be deleted."""


class StopWhen(Strict):
    """When a search is good enough."""

    no_gain_for: int | None = Field(
        None, ge=1, le=1_000_000, description="trials in a row that were no better than the best before them"
    )
    score: float | None = Field(
        None, allow_inf_nan=False, description="a value of the objective that is as good as is needed"
    )


class SearchSection(Strict):
    """How configurations are chosen, how many, and which one wins."""

    BUDGET: ClassVar[frozenset[str]] = frozenset(
        {
            "trials", "minutes", "keep", "retries", "max_failures", "hung_after", "memory_per_worker",
            "workers_per_gpu", "cpus_per_worker", "stop_when",
        }
    )  # fmt: skip
    """The keys that may change when a study goes on; all others change its question."""

    YOUNGER: ClassVar[frozenset[str]] = frozenset(
        {
            "repeats", "stopper", "factor", "min_epochs", "try_first", "earlier", "constraints",
            "max_parameters", "max_seconds_per_epoch", "objectives",
        }
    )  # fmt: skip
    """Fields that studies begun before there was the key do not have in their question."""

    LEARNS: ClassVar[bool] = False  # whether the scores of earlier trials change what is proposed
    WEIGHS: ClassVar[bool] = True  # whether it looks at two objectives (or at none)

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
    objectives: list[str] | None = Field(
        None,
        description="in place of objective: a metric and a cost to weigh against it, "
        "parameters, seconds (of an epoch) or latency (of one sequence), as [accuracy, parameters]",
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
        1,
        ge=0,
        le=100,
        description="further attempts for a trial whose worker process has died or hangs; "
        "want of memory is met once more in any case, with batches in two parts",
    )
    max_failures: int | None = Field(
        10,
        ge=1,
        description="failed trials in a row that end the search, as do its first three if they fail alike; "
        "null to go on whatever happens",
    )
    hung_after: float | None = Field(
        10.0,
        ge=2,
        allow_inf_nan=False,
        description="times as long as expected without the end of an epoch (5 minutes at least for the first, "
        "1 minute for each after it), after which a worker is killed; null waits for ever",
    )
    memory_per_worker: str | None = Field(
        None,
        description="memory of its own that a worker may take before it is ended, as 4GB or 500MB; null sets no limit",
    )
    cpus_per_worker: int = Field(
        1,
        ge=1,
        le=1024,
        description="cores of each trial on a Ray cluster (--ray); one machine shares its own out",
    )
    workers_per_gpu: int = Field(
        1, ge=1, le=64, description="trials side by side on each GPU: several where the models are small"
    )
    stopper: Literal["asha", "hyperband", "median"] | None = Field(
        None,
        description="ends bad trials early: asha and hyperband train all for a few epochs and go on with the best, "
        "median ends what is worse than half of the others; null trains every trial to its end",
    )
    factor: int = Field(
        3,
        ge=2,
        le=100,
        description="of asha and hyperband: from one rung to the next a trial gets this many times the epochs, "
        "and one in this many trials gets there",
    )
    min_epochs: int = Field(
        1,
        ge=1,
        le=100_000,
        description="of a stopper: the epochs that every trial gets before it may be ended",
    )
    try_first: list[dict[str, Scalar]] = Field(
        default_factory=list,
        description="configurations to begin with, as {hyperparameter: value}; what one leaves out is drawn",
    )
    earlier: str | None = Field(
        None,
        alias="from",
        description="a results folder of the same data whose trials this search learns from, relative to the config",
    )
    constraints: list[str] = Field(
        default_factory=list,
        description="comparisons that every configuration must satisfy, such as units_2 <= units_1",
    )
    max_parameters: int | None = Field(
        None, ge=1, description="configurations whose model has more weights than this are never tried"
    )
    max_seconds_per_epoch: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="configurations whose epochs are expected to take longer on this machine are never tried",
    )
    stop_when: StopWhen = Field(
        default_factory=lambda: StopWhen(),
        description="what ends the search before its trials and minutes do",
    )

    @field_validator("memory_per_worker", mode="before")
    @classmethod
    def _amount(cls, value: object) -> object:
        if value is not None:
            quantities.memory(value)
        return value

    @property
    def memory(self) -> int | None:
        """The bytes that a worker may take."""
        return None if self.memory_per_worker is None else quantities.memory(self.memory_per_worker)

    @property
    def metric(self) -> tuple[Path, str | None]:
        """The metric that ranks the trials (None: the task's own), and its place in the config."""
        if self.objectives:
            return ("search", "objectives", 0), self.objectives[0]
        return ("search", "objective"), self.objective

    def unasked(self) -> list[str]:
        """The younger keys that this config leaves at their default: no part of its question."""
        fields = type(self).model_fields
        return [
            fields[name].alias or name
            for name in sorted(self.YOUNGER)
            if getattr(self, name) == fields[name].get_default(call_default_factory=True)
        ]

    def problems(self, space: Space) -> list[Problem]:
        """What keeps this search from being run over ``space``; none means ``create`` works."""
        if self.limit(space) is None and self.minutes is None:
            text = "the search would never end: give it a number of trials, or minutes"
            return [Problem(("search", "trials"), text)]
        if self.earlier is not None and not self.LEARNS:
            text = f"{self.strategy} learns nothing from earlier trials: take bayesian, tpe, gp, cmaes or genetic, or leave from out"
            return [Problem(("search", "from"), text)]
        return of_objectives(self)

    def limit(self, space: Space) -> int | None:
        """The number of configurations that will be proposed at most (None: no limit)."""
        size = space.size
        if math.isinf(size):
            return self.trials
        return int(size) if self.trials is None else min(self.trials, int(size))

    def describe(self, space: Space, epochs: int) -> str:
        """What is going to happen, in one sentence without a full stop."""
        return f"{self.strategy}: {amount(self, space)}"

    def create(
        self, space: Space, objective: Objective, epochs: int, work: Work | None = None, known: Known = ()
    ) -> Strategy:
        """A fresh search; loads keras-tuner. ``epochs`` are those of a trial (hyperband: at most).

        Where the order is free, what ``work`` says takes longest comes first. It begins with
        ``try_first``, and where it ``LEARNS`` with what is ``known``.
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


def unlearned(space: Space, first: int) -> str:
    """What is said of a search that ends with its ``first`` configurations, from which it would learn."""
    return (
        f"all of them at random: it learns from trial {first + 1} on" if space.size > first else "at random"
    )


def derive(seed: int, *parts: int | str) -> int:
    """A seed made from another: 1 to 2**32 - 1, far from those of neighbouring seeds and parts."""
    text = ":".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % (2**32 - 1) + 1
