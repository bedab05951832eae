"""How far a run is, and how long it may still take: what every display counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from gru_tune.report.numbers import duration, number, progress
from gru_tune.study.log import Run
from gru_tune.study.watch import Plan
from gru_tune.trial import Status, Trial
from gru_tune.wording import listed, plural

FEW = 2  # trainings a worker: fewer say little of the others, since the first ones compile their models


class Count:
    """How far the search is, and how long it may still take."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.best = plan.best
        # Trials by their number, since a stopper lets one end several times, here and in an earlier run.
        self._seconds = dict(plan.done)
        self._spent = sum(plan.done.values())
        self._failed = set(plan.failed)
        self.finals: int | None = None  # trainings of the finals to come; None: the search is not over

    @property
    def done(self) -> int:
        return len(self._seconds)

    @property
    def failed(self) -> int:
        return len(self._failed)

    def add(self, trial: Trial, best: Trial | None) -> None:
        """A job of a trial ended."""
        self._spent += trial.seconds - self._seconds.get(trial.number, 0.0)
        self._seconds[trial.number] = trial.seconds
        (self._failed.add if trial.score is None else self._failed.discard)(trial.number)
        self.best = best

    def confirmed(self) -> None:
        """A training of the finals ended."""
        self.finals = max((self.finals or 0) - 1, 0)

    def left(self, now: float, running: Iterable[float] = ()) -> float | None:
        """Seconds left, from the mean time of a training and the minutes; None while too little is known.

        ``running`` has the seconds that every training which has not ended has taken by now.
        """
        guesses = []
        trainings = self._waiting()
        if trainings is not None:
            training = self._training()
            if training is None:
                return None
            spent = sum(min(seconds, training) for seconds in running)
            guesses.append(max(trainings * training - spent, 0.0) / self.plan.slots)
        if self.plan.deadline is not None:
            guesses.append(max(self.plan.deadline - now, 0.0))
        return min(guesses, default=None)

    def _training(self) -> float | None:
        """Seconds of a training: the mean, in which the forecast counts as much as the first few."""
        plan, few = self.plan, FEW * self.plan.slots
        seconds, trainings = self._spent, self.done * plan.repeats
        if plan.forecast is not None and plan.total:
            foreseen = plan.forecast * plan.slots / (plan.total * plan.repeats + plan.finals)
            return (seconds + few * foreseen) / (trainings + few)
        enough = trainings >= few or self.finals is not None
        return seconds / trainings if trainings and enough else None

    def _waiting(self) -> int | None:
        """Trainings that have not ended, the finals' among them; None where nothing but time ends the search."""
        if self.finals is not None:
            return self.finals
        if not self.plan.total:
            return None
        return max(self.plan.total - self.done, 0) * self.plan.repeats + self.plan.finals

    def words(self) -> str:
        """``[3/20]``."""
        return f"[{self.done}/{self.plan.total}]" if self.plan.total else f"[{self.done}]"


class FinalsCount:
    """How far the finals are."""

    def __init__(self, due: Sequence[Run]) -> None:
        self.due, self.done = due, 0
        self._scored: dict[int, list[Trial]] = {}  # the runs that count, by their trial

    def words(self) -> str:
        """``finals: 9 trainings with fresh seeds, of trial 3, 1 and 7``."""
        trials = [str(trial) for trial in dict.fromkeys(trial for trial, _ in self.due)]
        return (
            f"finals: {plural(len(self.due), 'training')} with fresh seeds, of trial {listed(trials, 'and')}"
        )

    def ended(self, run: Trial) -> str:
        """``[finals 2/9]  trial 3 with another seed: accuracy 0.8123``."""
        self.done += 1
        head = f"[finals {self.done}/{len(self.due)}]  trial {run.number} with another seed"
        if run.score is None:
            return f"{head} failed: {run.error}"
        if run.status is Status.STOPPED:
            return f"{head} does not count: the minutes were over after epoch {run.epochs[-1].number}"
        self._scored.setdefault(run.number, []).append(run)
        return f"{head}: {run.objective.name} {number(run.score)} (epoch {progress(run)}, {duration(run.seconds)})"

    def leader(self) -> tuple[Trial, float, int] | None:
        """A run of the trial whose fresh seeds have the best mean so far, that mean, and of how many seeds."""
        means = [(runs[0], fmean(run.score for run in runs if run.score is not None), len(runs))
                 for runs in self._scored.values()]  # fmt: skip
        return min(means, key=lambda one: one[0].objective.sort_key(one[1]), default=None)
