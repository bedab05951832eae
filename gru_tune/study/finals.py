"""The finals: the best configurations of a search, trained again with fresh seeds.

The best of many trials is in part the luckiest. What it reaches with seeds that had no part
in choosing it says how good it is; and where the seeds differ more than the configurations,
those are tied and the smallest model wins.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, variance
from typing import Any

from gru_tune.study.history import History
from gru_tune.study.log import Launch, Run
from gru_tune.study.table import rank
from gru_tune.trial import Objective, Trial

SHARE = 0.5  # of the minutes, that the finals may take at most
MARGIN = 1.1  # on their expected time
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Finals:
    """Which runs the finals consist of: ``seeds`` of each of the best ``finalists`` trials."""

    finalists: int = 0
    seeds: int = 0
    minutes: float | None = None  # of the whole study

    def chosen(self, history: History) -> list[Trial]:
        """The trials that are trained again, best first."""
        ranked = rank(history.trials.values(), history.objective)
        return [trial for trial in ranked[: self.finalists if self.seeds else 0] if trial.score is not None]

    def due(self, history: History) -> Iterator[Run]:
        """The runs that have no outcome yet: a first seed of every finalist, then a second …"""
        chosen = self.chosen(history)
        for repeat in range(history.repeats + 1, history.repeats + self.seeds + 1):
            yield from ((t.number, repeat) for t in chosen if (t.number, repeat) not in history.runs)

    def like(self, history: History, trial: int) -> Launch:
        """The launch of the search that a final repeats, from the first epoch on."""
        former = history.trials[trial]
        return Launch(
            trial=trial, attempt=1, values=dict(former.values), seed=former.seed, first_epoch=0,
            last_epoch=history.asked[trial], checkpoint=False, time=time.time(),
        )  # fmt: skip

    def reserve(self, history: History, slots: int) -> float:
        """Seconds of the minutes to keep for the finals, guessed from the trials so far."""
        if self.minutes is None or not (chosen := self.chosen(history)):
            return 0.0
        rounds = math.ceil(len(list(self.due(history))) / slots)
        training = median(t.seconds / history.repeats for t in chosen)
        # What runs when the search ends still ends its epoch.
        epoch = max(t.seconds / history.repeats / t.epochs[-1].number for t in chosen)
        return min(MARGIN * rounds * training + epoch, SHARE * 60 * self.minutes)

    def fits(self, history: History, trial: int, deadline: float | None) -> bool:
        """Whether a run of ``trial`` is likely to end in time."""
        expected = history.trials[trial].seconds / history.repeats
        return deadline is None or time.time() + expected <= deadline


@dataclass(frozen=True)
class Finalist:
    """What the fresh seeds say of one trial; ``interval`` holds its mean with 95 % confidence."""

    trial: int
    search: float  # the score that made it a finalist
    scores: tuple[float, ...]
    failed: int  # seeds that gave no score
    mean: float
    spread: float | None  # the standard deviation over the seeds; None with one seed
    interval: tuple[float, float] | None
    parameters: int | None
    seconds: float  # a training
    tied: bool = False  # with the best mean


@dataclass(frozen=True)
class Verdict:
    """The finalists, best mean first, and the one that wins: of the tied ones the smallest."""

    finalists: tuple[Finalist, ...]
    winner: int
    repeat: int  # the run whose weights are kept: its best on the validation split

    def facts(self) -> dict[str, Any]:
        """For ``study.json``."""
        return asdict(self)


def judge(
    trials: Mapping[int, Trial], finals: Mapping[int, Sequence[Trial]], objective: Objective
) -> Verdict | None:
    """Who wins by the runs of the finals; None without any that gave a score.

    The spread of one run is taken to be the same for all finalists, since a few seeds each
    tell it together better than apart; means are compared by Student's t with the degrees of
    freedom of all. A finalist some of whose seeds failed wins only where all have some.
    """
    found = []
    for number, runs in finals.items():
        scores = tuple(run.score for run in runs if run.score is not None)
        if scores and number in trials:
            found.append((number, scores, runs))
    if not found:
        return None
    most = max(len(scores) for _, scores, _ in found)
    whole = [entry for entry in found if len(entry[1]) == most]
    freedom = sum(len(scores) - 1 for _, scores, _ in whole)
    spread = math.sqrt(sum((most - 1) * variance(s) for _, s, _ in whole) / freedom) if freedom else None
    margin = None if spread is None else _student(freedom) * spread / math.sqrt(most)
    best = min((fmean(scores) for _, scores, _ in whole), key=objective.sort_key)
    finalists = []
    for number, scores, runs in whole:
        mean = fmean(scores)
        near = margin is not None and abs(mean - best) <= math.sqrt(2) * margin
        finalists.append(
            Finalist(
                trial=number, search=trials[number].score or math.nan, scores=scores,
                failed=len(runs) - len(scores), mean=mean,
                spread=math.sqrt(variance(scores)) if most > 1 else None,
                interval=None if margin is None else (mean - margin, mean + margin),
                parameters=trials[number].parameters, seconds=fmean(run.seconds for run in runs),
                tied=near or mean == best,
            )
        )  # fmt: skip
    finalists.sort(key=lambda one: (objective.sort_key(one.mean), one.trial))
    tied = [one for one in finalists if one.tied]
    winner = min(tied, key=lambda one: (one.parameters or math.inf, objective.sort_key(one.mean)))
    runs = [run for run in finals[winner.trial] if run.score is not None]
    kept = min(runs, key=lambda run: objective.sort_key(run.score or math.nan))
    return Verdict(tuple(finalists), winner.trial, kept.repeat)


def _student(freedom: int) -> float:
    """The quantile that ``CONFIDENCE`` of Student's distribution lies within, on either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))
