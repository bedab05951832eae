"""Optuna: a storage that optuna-dashboard, or a script of the user, opens.

A finished trial cannot be changed there. One that the search may train further is left
running until it is settled; where a study goes on with one all the same, it is told anew.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from gru_tune.errors import StudyError
from gru_tune.report import as_optuna
from gru_tune.report.read import Study
from gru_tune.study.log import Launch
from gru_tune.trackers.base import Begun, Stale, Stretch, Tracker
from gru_tune.trial import Trial

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

GRACE = 5  # seconds after which the lock of a journal counts as left by a kill; it is held for one write
FIRST = b'{"op_code":'  # how every journal begins
NUMBERS = "Optuna counts from 0: number 0 is trial 1 of gru-tune, as the attribute trial says"


class Optuna(Tracker):
    """Writes into a storage: ``place`` is a URL (``sqlite:///…``) or the path of a journal."""

    title: ClassVar[str] = "Optuna"

    def __init__(self, place: str) -> None:
        self._place = place
        self._storage: BaseStorage | None = None

    @property
    def opens(self) -> str:
        return f"optuna-dashboard {self._place}"

    def begin(self, study: Begun) -> None:
        if "space" not in study.asked:
            raise StudyError("an older version of gru-tune began it, and did not note its search space")
        if self._storage is None:
            self._storage = _open(self._place)
        self._begun, self._store = study, self._storage
        self._ranges = as_optuna.distributions(study.asked, [])
        self._new: dict[int, Launch] = {}  # trials that are not in the storage
        self._curves: dict[int, dict[int, float]] = defaultdict(dict)  # and epochs
        self._done: dict[int, FrozenTrial] = {}  # and ends
        self._id = self._study_id(study)
        trials = self._store.get_all_trials(self._id)
        self._known: dict[int, FrozenTrial] = {trial.user_attrs["trial"]: trial for trial in trials}

    def launched(self, launch: Launch) -> None:
        if launch.trial not in self._known:
            self._new.setdefault(launch.trial, launch)

    def ended(self, stretch: Stretch) -> None:
        number = stretch.launch.trial
        known = self._known.get(number)
        if stretch.launch.repeat > 1:
            return
        if known is not None and known.state.is_finished():
            if stretch.number > known.user_attrs["jobs"]:
                raise Stale
        elif not self._begun.objective.cost:  # with two objectives Optuna keeps no curves
            self._curves[number] |= as_optuna.curve(replace(stretch.run, epochs=stretch.outcome.epochs))

    def settled(self, trial: Trial, jobs: int, time: float) -> None:
        known = self._known.get(trial.number)
        if known is not None and known.state.is_finished():
            return
        done = as_optuna.frozen(trial, self._ranges)
        done.datetime_complete = datetime.fromtimestamp(time)
        done.user_attrs |= {"jobs": jobs, "status": trial.status.value}
        done.user_attrs |= {"error": trial.error} if trial.error else {}
        self._done[trial.number] = done

    def flush(self) -> None:
        """New trials come in the order of their numbers, and in one piece, with the end where it is known."""
        for number, launch in sorted(self._new.items()):
            trial = self._done.pop(number, None) or self._running(launch)
            trial.datetime_start = datetime.fromtimestamp(launch.time)
            trial.intermediate_values = self._curves.pop(number, {})
            trial._trial_id = self._store.create_new_trial(self._id, trial)
            self._known[number] = trial
        for number, curve in self._curves.items():
            for epoch, value in curve.items():
                self._store.set_trial_intermediate_value(self._known[number]._trial_id, epoch, value)
        for number, trial in self._done.items():
            self._finish(self._known[number]._trial_id, trial)
            self._known[number] = trial
        self._new, self._done, self._curves = {}, {}, defaultdict(dict)

    def over(self, study: Study) -> None:
        facts = {
            "winner": study.winner.number if study.winner else None,
            "finals": {str(number): one["mean"] for number, one in study.finalists.items()},
            "test": study.test["metrics"] if study.test else None,
        }
        for key, value in facts.items():
            self._store.set_study_user_attr(self._id, key, value)

    def forget(self) -> None:
        self._store.delete_study(self._id)

    def close(self) -> None:
        if self._storage is not None:
            self._storage.remove_session()

    def _study_id(self, study: Begun) -> int:
        """The study in the storage, begun there if it is not; what has its name may be another one."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        known = {one.study_name: one.user_attrs.get("began") for one in self._store.get_all_studies()}
        name = study.name if known.get(study.name, study.mark) == study.mark else study.second_name
        if name not in known:
            ways = as_optuna.directions(study.objective)
            made = optuna.create_study(study_name=name, storage=self._store, directions=ways)
            made.set_user_attr("began", study.mark)
            made.set_user_attr("numbers", NUMBERS)
            for key in ("gru_tune", "task", "kind", "strategy", "seed"):
                made.set_user_attr(key, study.asked.get(key))
            cost = study.objective.cost
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                made.set_metric_names([study.objective.name, *([cost] if cost else [])])
        return self._store.get_study_id_from_name(name)

    def _running(self, launch: Launch) -> FrozenTrial:
        from optuna.trial import TrialState, create_trial

        return create_trial(
            state=TrialState.RUNNING,
            params=dict(launch.values),
            distributions={name: self._ranges[name] for name in launch.values},
            user_attrs={"trial": launch.trial},
        )

    def _finish(self, trial_id: int, trial: FrozenTrial) -> None:
        for key, value in trial.user_attrs.items():
            self._store.set_trial_user_attr(trial_id, key, value)
        self._store.set_trial_state_values(trial_id, trial.state, trial.values)


def _open(place: str) -> BaseStorage:
    """The storage of a URL, or of the path of a journal (SQLite, by its ending)."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

    if "://" in place:
        return RDBStorage(place)
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    lock = JournalFileSymlinkLock(place, grace_period=GRACE)
    storage = JournalFileBackend(place, lock_obj=lock)
    if Path(place).is_file():
        lock.acquire()
        try:
            _mend(Path(place))
        finally:
            lock.release()
    return JournalStorage(storage)


def _mend(journal: Path) -> None:
    """Cut off a line that a kill or a full disk has torn: Optuna writes on behind it, and then reads no further.

    Raises ``ValueError`` for a file that is no journal: nothing of it is touched.
    """
    with journal.open("r+b") as file:
        data = file.read()
        if data and not data.startswith(FIRST[: len(data)]):
            raise ValueError(f"{journal} is no journal of Optuna; name another file")
        if not data.endswith(b"\n"):
            file.truncate(data.rfind(b"\n") + 1)
