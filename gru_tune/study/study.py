"""A study from its config to its best model: prepare, begin or go on, search, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gru_tune import constraints, strategies, timing, trackers
from gru_tune.check import refuse_contradictions
from gru_tune.errors import SearchInterrupted, StudyError
from gru_tune.executors.base import Executor, Train
from gru_tune.executors.cluster import Cluster, joined
from gru_tune.executors.in_process import InProcess
from gru_tune.executors.local import Local
from gru_tune.executors.places import backend, cores, starts
from gru_tune.executors.ray import Ray
from gru_tune.executors.worker import Start
from gru_tune.learning.pace import Pace
from gru_tune.learning.volume import Volume
from gru_tune.report import card
from gru_tune.study import earlier, facts, loop, pareto, proposing, room
from gru_tune.study import log as logs
from gru_tune.study.aims import Aims, aims
from gru_tune.study.derived import Derived
from gru_tune.study.described import describe, header, note, question
from gru_tune.study.faults import refuse_hopeless
from gru_tune.study.finals import decide
from gru_tune.study.history import History
from gru_tune.study.interrupt import Interrupt
from gru_tune.study.log import Ended, Finished, Header, Log, Record
from gru_tune.study.minutes import Minutes, verdict
from gru_tune.study.opening import announce
from gru_tune.study.question import refuse_other
from gru_tune.study.results import StudyFolder, read_json, replace_text
from gru_tune.study.table import Table
from gru_tune.study.watch import Watcher
from gru_tune.study.weights import Weights
from gru_tune.study.winner import Finish
from gru_tune.study.winner import Parts as WinnerParts
from gru_tune.study.work import Arrays, Work
from gru_tune.trial import Outcome, Trial
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.dataset import Dataset
    from gru_tune.data.prepare import Prepared


@dataclass(frozen=True)
class Parts:
    """The work a study hands out; tests put stand-ins here."""

    prepare: Callable[[Config], Prepared]
    train: Train
    configure: Callable[[str, int], None] | None  # told the backend, and how many threads it may use
    warm: Callable[[], None] | None  # what a worker may do before its first job is ready
    winner: WinnerParts
    moment: timing.Moment | None = None  # trains a model for a moment; None: nothing is timed


def real_parts() -> Parts:
    """Training with Keras on prepared data."""
    from gru_tune.data.prepare import prepare
    from gru_tune.learning.pacing import measure
    from gru_tune.learning.sampling import write_sample
    from gru_tune.learning.training import configure, train, warm
    from gru_tune.learning.winning import judge, retrain

    return Parts(prepare, train, configure, warm, WinnerParts(judge, retrain, write_sample), measure)


def run(
    config: Config,
    *,
    out: Path,
    workers: int | None = None,
    ray: str | None = None,
    fresh: bool = False,
    watch: Watcher | None = None,
    parts: Parts | None = None,
) -> StudyFolder:
    """Search until the study is over, going on where it was left; returns its folder.

    ``workers`` is the number of processes (None: one a GPU or core; 0: none, all happens
    here); ``ray`` is the address of a cluster that they run on, or auto; ``fresh`` deletes what
    an earlier run has left. Raises ``DataError``,
    ``ConfigError``, ``StudyError`` and, when the user stops it, ``SearchInterrupted``.
    """
    folder, watch = StudyFolder(out / config.name), watch or Watcher()
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder.path} cannot be made: {error.strerror}; choose another --out") from None
    with Interrupt() as interrupt, folder.locked(), joined(ray) as cluster:
        try:
            _Run(config, folder, watch, parts or real_parts(), interrupt, cluster).run(workers, fresh)
        except KeyboardInterrupt:
            if not _trained(folder):
                text = "stopped before the first trial was done; nothing to save yet"
            else:
                text = f"stopped; everything finished is saved in {folder.path}"
            raise SearchInterrupted(text, interrupt.number) from None
        except OSError as error:
            if (problem := folder.failed(error)) is None:
                raise
            raise problem from error
        finally:
            watch.end()
    return folder


def _trained(folder: StudyFolder) -> int:
    """How many trials of a study have an outcome; a log that is damaged tells of none."""
    try:
        record = logs.read(folder.log)
    except (OSError, StudyError):
        return 0
    return len({event.outcome.trial for event in record.events if isinstance(event, Finished)})


@dataclass
class _Run:
    """One run of the program on one study."""

    config: Config
    folder: StudyFolder
    watch: Watcher
    parts: Parts
    interrupt: Interrupt
    cluster: Cluster | None  # that trials run on; None: this machine
    began: float = field(default_factory=time.time)
    record: Record = Record((), 0)  # what an earlier run left, until the search begins

    def run(self, workers: int | None, fresh: bool) -> None:
        trackers.refuse_unusable(self.config)
        earlier.refuse_itself(self.config, self.folder.path)
        self.folder.sweep()
        if fresh:
            trials, known = _trained(self.folder), self.folder.log.exists()
            self.folder.clear()
            if known:
                self.watch.say(f"deleted {self.folder.path}: {plural(trials, 'trial')}")
        self.record = self._former()
        backend = self._backend(self.record)
        room.refuse_too_little(self.config, backend)
        executor = self._executor(workers, backend)
        try:
            if self.parts.warm and read_json(self.folder.facts).get("state") != "finished":
                executor.warm(self.parts.warm)  # workers begin while the data are read
            self._prepare(executor, backend)
        finally:
            executor.close(kill=True)

    def _prepare(self, executor: Executor, backend: str) -> None:
        self.watch.say(f"reading the data of {self.config.name}")
        record = self.record
        prepared = self.parts.prepare(self.config)
        self._refuse_other_data(record, prepared.fingerprint)
        self.config = constraints.constrain(self.config, prepared.dataset.info)
        refuse_contradictions(self.config, prepared)
        aim = aims(self.config, prepared.dataset.target)
        arrays = Arrays(self.folder.prepared, (prepared.dataset, *prepared.others))
        pace = self._pace(record, executor, backend, prepared.dataset, aim, arrays)
        law = Pace.by_law(Volume.of(prepared.dataset), backend)
        minutes = Minutes(self.config, prepared.dataset.info, executor.slots, pace, self.began, law)
        self.config = minutes.config = constraints.constrain(
            self.config, prepared.dataset.info, minutes.epoch
        )
        # Once more: the limit on the seconds may exclude what is to be tried first.
        refuse_contradictions(self.config, prepared)
        known = earlier.recall(record) if record.events else earlier.take(self.config, aim, prepared)
        if known.said:
            self.watch.say(known.said)
        if self.cluster is None:
            for doubt in room.doubts(self.config, prepared.dataset, executor.slots):
                self.watch.say(doubt)
        strategy = self._strategy(aim, prepared.dataset.info, known.known)
        folds = self.config.data.folds
        repeats = self.config.search.repeats * folds
        history = History(aim.objective, slim=True, repeats=repeats, folds=folds)
        loop.catch_up(record.events, history, strategy)
        with Log(self.folder.log, record.size) as log:
            if not record.events:
                head = header(self.config, aim, prepared.fingerprint)
                head["division"] = earlier.division(prepared)
                log.append(Header({**head, **known.head(), **minutes.head()}, time.time()))
            describe(self.folder, self.config, aim, prepared, executor.slots, backend)
            del prepared, record  # the search is long, and needs neither
            self.record = Record((), 0)
            self._search(log, history, strategy, executor, aim, arrays, minutes)

    def _search(
        self,
        log: Log,
        history: History,
        strategy: strategies.Strategy,
        executor: Executor,
        aim: Aims,
        arrays: Arrays,
        minutes: Minutes,
    ) -> None:
        own, last = self.config.search, self.config.winner
        deadline = minutes.deadline(history)
        table = Table(aim.objective, tuple(hp.name for hp in self.config.space.hyperparameters))
        derived = Derived(self.folder, table, history)
        work = Work(self.config, self.folder, aim, history, arrays, derived, Weights(self.folder))
        tracking = trackers.tracking(self.config, self.folder, history.lasting, self.watch.say)

        def ended(run: Trial, outcome: Outcome) -> None:
            work.ended(run, outcome)
            tracking.tell()

        search = loop.Search(
            log=log, history=history, strategy=strategy, executor=executor, seed=own.seed,
            limits=loop.Limits(
                own.retries, own.max_failures, deadline, own.stop_when.no_gain_for, own.stop_when.score,
                minutes.over(history),
            ),
            finals=minutes.finals(),
            make_job=work.job, ended=ended, watch=self.watch, interrupt=self.interrupt,
            began=self.began, first_epoch=minutes.first_epoch, vigil=minutes.vigil(),
            refresh=derived.refresh, reached=work.reached,
        )  # fmt: skip
        finish = Finish(
            self.folder, executor, self.watch, self.parts.winner,
            aim.metrics, aim.objective, bool(last.retrain), arrays,
        )  # fmt: skip
        announce(self.config, self.folder, self.watch, search, deadline, minutes)
        with tracking:
            try:
                reason = search.run()
                self.interrupt.patient = False
                # A run that was killed while it judged the winner has left the end to the next one.
                due = bool(search.launches) or history.ended is None
                if not due:
                    self.watch.say(f"nothing is left to do in {self.folder.path}: {reason}")
                self._finish(history, work, finish)
                work.over()
                note(self.folder, state="finished", ended=reason)
                if due:
                    note(self.folder, finished=time.time(), trained=len(history.trials))
                    for text in verdict(read_json(self.folder.facts), self.config):
                        self.watch.say(text)
                    # Before the tables and the card, which tell how long it all took.
                    search.write(Ended(reason, own.minutes if reason == loop.MINUTES else None, time.time()))
                self._tell(derived)
            except (KeyboardInterrupt, StudyError, OSError):
                with suppress(OSError):  # the record, which may be what could not be written, has it all
                    derived.refresh(now=True)
                    # With finals, their winner stays until the next ones.
                    if not read_json(self.folder.facts).get("finals"):
                        finish.keep(self._leader(history))
                    note(self.folder, state="stopped")
                raise
        refuse_hopeless(history, reason)

    def _pace(
        self, record: Record, executor: Executor, backend: str, dataset: Dataset, aim: Aims, arrays: Arrays
    ) -> Pace | None:
        """What the study began with; it is measured then, where anything depends on it."""
        own, moment = self.config.search, self.parts.moment
        if record.events:
            known = record.header.get("pace")
            return Pace.read(known) if known else None
        if moment is None or (own.minutes is None and own.max_seconds_per_epoch is None):
            return None
        self.watch.say("timing a few models")
        try:
            return timing.measure(self.config, dataset, arrays(), aim, executor, backend, moment)
        except StudyError as error:
            if own.max_seconds_per_epoch is not None:
                raise
            self.watch.say(f"there is no forecast: {error}")
            return None

    def _tell(self, derived: Derived) -> None:
        """The tables once more, the finals in them, and the model's card."""
        found = derived.rebuild()
        if found.winner:
            replace_text(self.folder.card, card.text(found))

    def _finish(self, history: History, work: Work, finish: Finish) -> None:
        """Choose the winner by the finals, hand its model over, and judge it."""
        finals = history.finals() if self.config.winner.finalists else {}
        verdict = decide(history.trials, finals, history.objective, history.folds, self.config.winner.within)
        members = [work.member(run) for runs in finals.values() for run in work.usable(runs)]
        note(self.folder, finals=verdict.facts() if verdict else None, members=members)
        winner = history.runs[verdict.winner, verdict.repeat] if verdict else self._leader(history)
        finish.keep(winner)
        if winner is None:
            return
        settings = self.config.settings(winner.values)
        finish.compare(winner, settings)
        if self.config.winner.retrain:
            finish.retrain(work.alone(winner), finals.get(winner.number, [winner]))
        finish.test(winner, settings)

    def _leader(self, history: History) -> Trial | None:
        """Who wins by the scores of the search."""
        return pareto.leader(history.ranked, history.objective, self.config.winner.within)

    def _former(self) -> Record:
        """What an earlier run left; refused when it asks something else."""
        if not self.folder.log.exists():
            return Record((), 0)
        record = logs.read_sound(self.folder.log)
        for text in record.notes:
            self.watch.say(text)
        if record.events:
            refuse_other(self.folder.path, record.header.get("question", {}), question(self.config))
        if what := facts.loss(self.folder, record.over):
            self._renew(record, what)
        return record

    def _renew(self, record: Record, what: str) -> None:
        """Begin a new ``study.json`` in the place of one that is lost, with what the record knows of it."""
        kept = facts.aside(self.folder)
        text = f"{self.folder.facts} {what}, and is made anew" + (
            f"; the old one is kept as {kept}" if kept else ""
        )
        if record.over:
            text += "; the test split is read again: a choice made knowing its number makes the next one flattering"
        self.watch.say(text)
        paths = [event.outcome.fast_path for event in record.events if isinstance(event, Finished)]
        known = {"backend": "jax"} if any(path.startswith("jax") for path in paths) else {}
        note(self.folder, state="stopped", test_lost=record.over, **known)

    def _refuse_other_data(self, record: Record, fingerprint: str) -> None:
        if record.events and record.header.get("data") != fingerprint:
            raise StudyError(
                f"the data of {self.folder.path} have changed since it began: "
                "start it anew with --fresh, or give this one another name or --out"
            )

    def _backend(self, record: Record) -> str:
        """What the workers compute with; a study that goes on keeps what it began with."""
        if record.events and self.config.backend == "auto":
            return str(read_json(self.folder.facts).get("backend", "tensorflow"))  # the only one at first
        chosen, reason = (self.cluster.backend if self.cluster else backend)(self.config.backend)
        self.watch.say(f"training on {chosen}: {reason}")
        return chosen

    def _executor(self, workers: int | None, backend: str) -> Executor:
        configure = partial(self.parts.configure, backend) if self.parts.configure else None
        if self.cluster is not None:
            own = self.config.search
            start = Start(configure, threads=own.cpus_per_worker, memory=own.memory)
            share = self.cluster.share(own.cpus_per_worker, own.workers_per_gpu, own.memory)
            most = own.limit(self.config.space) if workers is None else workers
            return Ray(self.parts.train, self.cluster, share, start, most, self.watch.say)
        if workers == 0:
            if self.config.search.memory is not None:
                self.watch.say("search.memory_per_worker limits worker processes, and --workers 0 has none")
            if configure:
                configure(len(cores()))
            if self.parts.warm:
                self.parts.warm()  # before the strategy is made: that imports Keras, which then keeps its backend
            return InProcess(self.parts.train)
        per_gpu, memory = self.config.search.workers_per_gpu, self.config.search.memory
        told = starts(workers, configure, self.folder.workers, per_gpu, memory)
        limit = self.config.search.limit(self.config.space)
        if workers is None and limit is not None and limit < len(told):
            told = starts(limit, configure, self.folder.workers, memory=memory)
        return Local(self.parts.train, told)

    def _strategy(self, aim: Aims, info: Mapping[str, Any], known: strategies.Known) -> strategies.Strategy:
        return proposing.strategy(self.config, aim.objective, info, known)
