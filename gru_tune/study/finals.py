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
from statistics import fmean, median, stdev, variance
from typing import Any

from gru_tune.study.history import History
from gru_tune.study.log import Launch, Run
from gru_tune.study.table import best
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
    retrain: bool = False  # whether the winner is trained once more after them

    def chosen(self, history: History) -> list[Trial]:
        """The trials that are trained again, best first."""
        return best(history.trials.values(), history.objective, self.finalists if self.seeds else 0)

    def due(self, history: History) -> Iterator[Run]:
        """The runs that have no outcome yet: a first seed of every finalist, then a second …"""
        chosen = self.chosen(history)
        for repeat in range(history.repeats + 1, history.repeats + self.seeds + 1):
            yield from ((t.number, repeat) for t in chosen if not history.settled((t.number, repeat)))

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
        training = median(_expected(history, t) for t in chosen)
        rounds = math.ceil(len(list(self.due(history))) / slots) + self.retrain
        if any(repeat > history.repeats for _, repeat in history.runs):
            rounds += 1 + self.seeds  # a search that has ended begins again only for a whole trial
        # What runs when the search ends still ends its epoch.
        epoch = max(_training(history, t) / t.epochs[-1].number for t in chosen)
        return min(MARGIN * rounds * training + epoch, SHARE * 60 * self.minutes)

    def fits(self, history: History, trial: int, deadline: float | None) -> bool:
        """Whether a run of ``trial`` is likely to end in time."""
        if deadline is None:
            return True
        expected = _expected(history, history.trials[trial])
        return time.time() + expected * (1 + self.retrain) <= deadline


def _expected(history: History, trial: Trial) -> float:
    """Seconds of one more training of ``trial``: as many epochs as usual, where the end of the minutes cut it short."""
    done = trial.epochs[-1].number
    usual = median(t.epochs[-1].number for t in history.trials.values() if t.score is not None)
    epochs = max(done, min(usual, history.asked[trial.number]))
    return _training(history, trial) * epochs / done


def _training(history: History, trial: Trial) -> float:
    """Seconds of one training, without compiling: what a trial has compiled, the finals find."""
    return (trial.seconds - trial.compiling) / history.repeats


@dataclass(frozen=True)
class Finalist:
    """What the fresh seeds say of one trial; ``interval`` holds its mean with 95 % confidence."""

    trial: int
    search: float | None  # the score that made it a finalist; None where it failed since
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
    """The finalists, best mean first, and the one that wins: the smallest of the tied that are close to the best."""

    finalists: tuple[Finalist, ...]
    winner: int
    repeat: int  # the run whose weights are kept: its best on the validation split

    def facts(self) -> dict[str, Any]:
        """For ``study.json``."""
        return asdict(self)


def decide(
    trials: Mapping[int, Trial], finals: Mapping[int, Sequence[Trial]], objective: Objective
) -> Verdict | None:
    """Who wins by the runs of the finals; None without any that gave a score.

    The spread of one run is taken to be the same for all finalists, since a few seeds each
    tell it together better than apart; means are compared by Student's t with the degrees of
    freedom of all. A finalist with a failed seed wins only where every one has some.
    """
    known = {n: runs for n, runs in finals.items() if n in trials and any(r.score is not None for r in runs)}
    if not known:
        return None
    scores = {n: tuple(run.score for run in runs if run.score is not None) for n, runs in known.items()}
    sound = [n for n, runs in known.items() if len(scores[n]) == len(runs)] or list(known)
    freedom = sum(len(some) - 1 for some in scores.values())
    squares = sum((len(some) - 1) * variance(some) for some in scores.values() if len(some) > 1)
    margin = _student(freedom) * math.sqrt(squares / freedom) if freedom else None  # of a single run
    leader = min(sound, key=lambda n: objective.sort_key(fmean(scores[n])))
    finalists = [
        Finalist(
            trial=number, search=trials[number].score, scores=scores[number],
            failed=len(runs) - len(scores[number]), mean=fmean(scores[number]),
            spread=stdev(scores[number]) if len(scores[number]) > 1 else None,
            interval=_around(fmean(scores[number]), margin, len(scores[number]), objective),
            parameters=trials[number].parameters, seconds=fmean(run.seconds for run in runs),
            tied=number in sound and _tied(scores[number], scores[leader], margin),
        )
        for number, runs in known.items()
    ]  # fmt: skip
    finalists.sort(key=lambda one: (objective.sort_key(one.mean), one.trial))
    # With few seeds much is tied: a small model wins over a better one only within a run's own spread.
    spread = math.sqrt(squares / freedom) if freedom else 0.0
    close = [one for one in finalists if one.tied and abs(one.mean - fmean(scores[leader])) <= spread]
    winner = min(close, key=lambda one: (one.parameters or math.inf, objective.sort_key(one.mean)))
    kept = best(known[winner.trial], objective, 1)[0]
    return Verdict(tuple(finalists), winner.trial, kept.repeat)


def _around(
    mean: float, margin: float | None, count: int, objective: Objective
) -> tuple[float, float] | None:
    """The interval, within what the metric can be: shares are from 0 to 1, errors from 0 up."""
    if margin is None:
        return None
    half = margin / math.sqrt(count)
    least = -math.inf if objective.name == "r2" else 0.0
    most = 1.0 if objective.direction == "max" else math.inf
    return max(mean - half, least), min(mean + half, most)


def _tied(scores: Sequence[float], best: Sequence[float], margin: float | None) -> bool:
    apart = abs(fmean(scores) - fmean(best))
    return apart == 0 or (margin is not None and apart <= margin * math.sqrt(1 / len(scores) + 1 / len(best)))


def _student(freedom: int) -> float:
    """The quantile that ``CONFIDENCE`` of Student's distribution lies within, on either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))
