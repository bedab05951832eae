"""The finals: the best configurations of a search, trained again with fresh seeds.

The best of many trials is in part the luckiest. What it reaches with seeds that had no part
in choosing it says how good it is; and where the seeds differ more than the configurations,
those are tied and the smallest model wins. With two objectives the cheapest of those close to
the best mean does.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, stdev, variance
from typing import Any

from gru_tune.study import pareto
from gru_tune.study.history import History, fold_of, of_first_fold
from gru_tune.study.log import Launch, Run
from gru_tune.study.table import best, rank
from gru_tune.trial import Objective, Status, Trial

SHARE = 0.5  # of the minutes, that the finals may take at most
MARGIN = 1.1  # on their expected time
AFTER = 6.0  # seconds to compare the winner, to test it and to write all down
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Finals:
    """Which runs the finals consist of: ``seeds`` of each of the best ``finalists`` trials."""

    finalists: int = 0
    seeds: int = 0
    minutes: float | None = None  # of the whole study
    retrain: bool = False  # whether the winner is trained once more after them
    foreseen: float = 0.0  # seconds they may take, as long as there is no trial to tell
    after: float = AFTER  # seconds that are needed when they are over
    within: float = pareto.WITHIN  # with two objectives, of the best score

    def chosen(self, history: History) -> list[Trial]:
        """The trials that are trained again, best first; with two objectives cheapest first."""
        ranked, most = _comparable(history), self.finalists if self.seeds else 0
        if history.objective.cost:
            return pareto.shortlist(ranked, self.within, most)
        return best(ranked, most)

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
        """Seconds of the minutes to keep for the finals and what follows them, by the trials so far."""
        if self.minutes is None:
            return 0.0
        if not (chosen := self.chosen(history)):
            return self.foreseen
        expected = {trial.number: MARGIN * _expected(history, trial) for trial in chosen}
        # Finalists that are not found yet will be much like those that are; fewer may be comparable with the best.
        scored = len(best(history.ranked, self.finalists))
        unknown = [median(expected.values())] * ((self.finalists - scored) * self.seeds)
        due = [expected[number] for number, _ in self.due(history)]
        # What runs when the search ends may end its epoch.
        epoch = max(_training(history, t) / t.epochs[-1].number for t in chosen) / 2
        again = max(expected.values()) if self.retrain else 0.0
        finals = makespan([*due, *unknown], slots) + again + epoch
        return min(finals, SHARE * 60 * self.minutes) + self.after

    def fits(self, history: History, trial: int, deadline: float | None) -> bool:
        """Whether a run of ``trial`` is likely to end in time."""
        end = self.end(deadline)
        expected = _expected(history, history.trials[trial])
        return end is None or time.time() + expected * (1 + self.retrain) <= end

    def end(self, deadline: float | None) -> float | None:
        """When a run is cut short, and then does not count, so that what follows still fits in."""
        return None if deadline is None else deadline - self.after


def _comparable(history: History) -> Iterator[Trial]:
    """The trials, best first, less those that were stopped before the epochs of the best: they would be noise beside it."""
    least = history.asked[history.ranked[0].number] if history.ranked else 0
    return (t for t in history.ranked if t.status is not Status.STOPPED or history.asked[t.number] >= least)


def makespan(seconds: Sequence[float], slots: int) -> float:
    """Until jobs that take so long are all done, each begun in turn as soon as one of the ``slots`` is free."""
    ends = [0.0] * slots
    for one in seconds:
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)


def _expected(history: History, trial: Trial) -> float:
    """Seconds of one more training of ``trial``: as many epochs as usual, where the end of the minutes cut it short."""
    done = trial.epochs[-1].number
    epochs = max(done, min(history.usual_epochs, history.asked[trial.number]))
    return _training(history, trial) * epochs / done


def _training(history: History, trial: Trial) -> float:
    """Seconds of one training, without compiling: what a trial has compiled, the finals find."""
    return (trial.seconds - trial.compiling) / history.repeats


@dataclass(frozen=True)
class Finalist:
    """What the fresh seeds say of one trial; ``interval`` holds its mean with 95 % confidence."""

    trial: int
    search: float | None  # what the search saw, on the folds of the seeds; None where it failed since
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
    """The finalists, best mean first, and the one that wins: the smallest of the tied that are close to the best.

    With two objectives: the cheapest whose mean is within a share of the best.
    """

    finalists: tuple[Finalist, ...]
    winner: int
    repeat: int  # the run whose weights are kept: its best on the validation split (of the first fold)

    def facts(self) -> dict[str, Any]:
        """For ``study.json``."""
        return asdict(self)


def decide(
    trials: Mapping[int, Trial],
    finals: Mapping[int, Sequence[Trial]],
    objective: Objective,
    folds: int = 1,
    within: float = pareto.WITHIN,
) -> Verdict | None:
    """Who wins by the runs of the finals; None without any that gave a score.

    The spread of one run is taken to be the same for all finalists, since a few seeds each
    tell it together better than apart; means are compared by Student's t with the degrees of
    freedom of all. A finalist with a failed seed wins only where every one has some. With folds
    the runs are compared as a randomized block design, since a fold is as hard for one as for
    the other; a finalist needs a run of the first, whose model can be handed over.
    """
    known = {
        number: runs
        for number, runs in finals.items()
        if number in trials and any(run.score is not None for run in of_first_fold(runs, folds))
    }
    if not known:
        return None
    scores = {n: tuple(run.score for run in runs if run.score is not None) for n, runs in known.items()}
    sound = [n for n, runs in known.items() if len(scores[n]) == len(runs)] or list(known)
    level, blocks = _level(known, folds)
    _, alone = _spread(scores.values())
    spread, margin = _spread(level.values(), blocks - 1)
    leader = min(sound, key=lambda n: objective.sort_key(fmean(level[n])))
    finalists = [
        Finalist(
            trial=number, search=_searched(trials[number], runs, folds), scores=scores[number],
            failed=len(runs) - len(scores[number]), mean=fmean(level[number]),
            spread=stdev(scores[number]) if len(scores[number]) > 1 else None,
            interval=_around(fmean(level[number]), alone, len(scores[number]), objective),
            parameters=trials[number].parameters, seconds=fmean(run.seconds for run in runs),
            tied=number in sound and _tied(level[number], level[leader], margin),
        )
        for number, runs in known.items()
    ]  # fmt: skip
    finalists.sort(key=lambda one: (objective.sort_key(one.mean), one.trial))
    top = fmean(level[leader])
    if objective.cost:
        costs = {number: trials[number].cost for number in known}
        close = [one for one in finalists if one.trial in sound and pareto.close(one.mean, top, within)]
    else:
        # With few seeds much is tied: a small model wins over a better one only within a run's own spread.
        costs = {number: trials[number].parameters for number in known}
        close = [one for one in finalists if one.tied and abs(one.mean - top) <= spread]
    winner = min(close, key=lambda one: (costs[one.trial] or math.inf, objective.sort_key(one.mean)))
    kept = rank(of_first_fold(known[winner.trial], folds), objective)[0]
    return Verdict(tuple(finalists), winner.trial, kept.repeat)


def _spread(scores: Collection[Sequence[float]], lost: int = 0) -> tuple[float, float | None]:
    """The standard deviation of one run, that of all together, and what Student's t makes of it.

    ``lost``: the degrees of freedom that went into making the runs comparable. Without any
    left the spread is 0 and its margin None.
    """
    freedom = sum(len(some) - 1 for some in scores) - lost
    if freedom < 1:
        return 0.0, None
    squares = sum((len(some) - 1) * variance(some) for some in scores if len(some) > 1)
    spread = math.sqrt(squares / freedom)
    return spread, _student(freedom) * spread


def _level(finals: Mapping[int, Sequence[Trial]], folds: int) -> tuple[dict[int, list[float]], int]:
    """The scores without what their fold is harder than the others, by least squares; and the number of folds."""
    if folds == 1:
        return {n: [run.score for run in runs if run.score is not None] for n, runs in finals.items()}, 1
    import numpy as np

    runs = [run for some in finals.values() for run in some if run.score is not None]
    score = np.array([run.score for run in runs])
    trial = np.array([[run.number == number for number in finals] for run in runs], float)
    used = sorted({fold_of(run.repeat, folds) for run in runs})
    fold = np.array([[fold_of(run.repeat, folds) == number for number in used] for run in runs], float)
    effects = np.linalg.lstsq(np.hstack([trial, fold]), score, rcond=None)[0][len(finals) :]
    level = score - fold @ effects + effects.mean()
    return {number: level[trial[:, n] > 0].tolist() for n, number in enumerate(finals)}, len(used)


def _searched(trial: Trial, runs: Sequence[Trial], folds: int) -> float | None:
    """The score of the search; with folds on those of ``runs`` alone, so that the two can be compared."""
    if folds == 1 or trial.score is None:
        return trial.score
    of_runs = [fold_of(run.repeat, folds) for run in runs if run.score is not None]
    return fmean(fmean(trial.scores[fold - 1 :: folds]) for fold in of_runs)


def _around(
    mean: float, margin: float | None, count: int, objective: Objective
) -> tuple[float, float] | None:
    """The interval, within what the metric can be."""
    if margin is None:
        return None
    half = margin / math.sqrt(count)
    least, most = objective.bounds
    return max(mean - half, least), min(mean + half, most)


def _tied(scores: Sequence[float], best: Sequence[float], margin: float | None) -> bool:
    apart = abs(fmean(scores) - fmean(best))
    return apart == 0 or (margin is not None and apart <= margin * math.sqrt(1 / len(scores) + 1 / len(best)))


def _student(freedom: int) -> float:
    """The quantile that ``CONFIDENCE`` of Student's distribution lies within, on either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))
