"""A Ray cluster: trials are tasks on its nodes, and what they write comes back as they go on.

A task is a generator that runs ``remote.perform``; a thread for each takes what it tells, and
puts files in their places. Nodes may join and leave while trials run.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.executors import remote
from gru_tune.executors.base import Train, WorkerDied, read_progress
from gru_tune.executors.cluster import Cluster, Share
from gru_tune.executors.remote import Prepared, Sent, Task
from gru_tune.executors.worker import Start
from gru_tune.study.files import replacing
from gru_tune.trial import Fault, Job, Outcome

PIECE = 16 * 2**20  # bytes of an object of the store
LOOK = 1.0  # seconds between two looks at the cluster
GONE = 15  # looks without an answer of its head, 15 to 45 seconds; after 60 Ray ends this process
PATIENCE = 2.0  # seconds that nodes have to clean up at the end
NEVER_SENT = ("model.keras", "error.txt")  # a job leaves them, and starts from none of them


@dataclass
class _Flight:
    """A task that was submitted."""

    future: Future[Any]
    references: Any  # Ray's generator of what it tells
    homes: dict[int, Path]  # by argument: where what is written there belongs
    job: Job | None = None
    node: str | None = None  # once it runs
    verdict: WorkerDied | None = None  # why it was abandoned


class Ray:
    """As many trials side by side as the cluster has room for, and ``most`` at most."""

    blocking = False

    def __init__(
        self, train: Train, cluster: Cluster, share: Share, start: Start, most: int | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self._train, self._cluster, self._share, self._start = train, cluster, share, start
        self._most, self._say = most, say
        self._run = secrets.token_hex(8)
        self._data: dict[Path, Prepared] = {}
        self._flights: dict[Future[Any], _Flight] = {}
        self._warming: list[Any] = []
        self._room, self._silent, self._told = cluster.room(share), 0, False
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def slots(self) -> int:
        """At least 1: a trial that finds no room waits in Ray's queue until a node joins."""
        return max(1, self._room if self._most is None else min(self._most, self._room))

    def warm(self, function: Callable[[], Any]) -> None:
        task = Task(self._run, self._start, function, ())
        self._warming = [self._cluster.submit(task, self._share) for _ in range(self.slots)]

    def submit(self, job: Job) -> Future[Outcome]:
        self._refuse_alone()
        folder = Path(job.folder)
        flight = self._send(self._train, [self._sent_job(job)], {0: folder})
        flight.job = job
        return flight.future

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Paths are of this machine: files and prepared data travel there, what is written comes back."""
        self._refuse_alone()
        homes = {number: path for number, path in enumerate(arguments) if isinstance(path, Path)}
        return self._send(function, [self._sent(argument) for argument in arguments], homes).future

    def abandon(self, future: Future[Any], reason: str, fault: Fault) -> None:
        if (flight := self._flights.get(future)) is not None:
            self._cancel(flight, WorkerDied(reason, fault))

    def progress(self) -> list[dict[str, Any]]:
        """Of the trials that run; those in Ray's queue do not. Raises ``StudyError`` when the cluster is gone."""
        if self._silent >= GONE:
            raise _gone(f"the head of the Ray cluster at {self._cluster.address} no longer answers")
        self._refuse_alone()
        if not self._room and not self._told:
            self._say("no machine of the Ray cluster has room for a trial; waiting for one")
        self._told = not self._room
        flights = list(self._flights.values())
        return read_progress(flight.job for flight in flights if flight.job and flight.node)

    def close(self, kill: bool = False) -> None:
        if self._closed.is_set():
            return
        flights = list(self._flights.values())
        # Whatever is asked of a cluster that is gone may wait for long.
        gone = self._silent > 0 or not self._cluster.here()
        if gone:
            for flight in flights:
                self._over(flight, error=WorkerDied("the cluster is gone", Fault.LOST))
        elif kill:
            for flight in flights:
                self._cancel(flight, WorkerDied("it was ended with the search"))
        wait([flight.future for flight in flights], PATIENCE if kill else None)
        self._closed.set()
        self._watcher.join(PATIENCE)
        self._warming.clear()
        self._data.clear()
        if not gone:
            self._cluster.everywhere(remote.forget, self._run, PATIENCE)

    def _refuse_alone(self) -> None:
        """Raise ``StudyError`` when Ray has ended on this machine."""
        if not self._cluster.here():
            raise _gone("Ray has ended on this machine, which took it out of the cluster")

    def _watch(self) -> None:
        """Look again and again what there is; a thread of its own, as Ray may let it wait."""
        while not self._closed.wait(LOOK):
            self._silent = 0 if self._cluster.answers() else self._silent + 1
            if not self._silent:
                with suppress(Exception):  # it is looked at again
                    self._room = self._cluster.room(self._share)

    def _cancel(self, flight: _Flight, verdict: WorkerDied) -> None:
        flight.verdict = flight.verdict or verdict
        self._cluster.cancel(flight.references)

    def _send(
        self, function: Callable[..., Any], arguments: Sequence[Any], homes: dict[int, Path]
    ) -> _Flight:
        task = Task(self._run, self._start, function, arguments)
        flight = _Flight(Future(), self._cluster.submit(task, self._share), homes)
        self._flights[flight.future] = flight
        threading.Thread(target=self._follow, args=(flight,), daemon=True).start()
        return flight

    def _follow(self, flight: _Flight) -> None:
        """Take what a task tells, until it is over."""
        try:
            for told in self._cluster.told(flight.references):
                if isinstance(told, remote.Ended):
                    self._over(flight, result=told.result)
                    return
                self._heard(flight, told)
            raise WorkerDied("its worker is gone")
        except BaseException as error:
            if flight.future in self._flights:
                # It may run on, when its files cannot be written here.
                self._cluster.cancel(flight.references)
                self._over(flight, error=flight.verdict or self._cluster.fault(error, flight.node))

    def _heard(self, flight: _Flight, told: Any) -> None:
        if isinstance(told, remote.Begun):
            flight.node = told.node
        elif isinstance(told, remote.Written):
            if (home := flight.homes.get(told.argument)) is not None:
                _put(home, told)
        elif isinstance(told, remote.Unable):
            raise WorkerDied(f"its worker could not start ({told.reason})", Fault.START)
        elif isinstance(told, remote.Starved):
            self._cancel(flight, WorkerDied(f"{told.reason} (search.memory_per_worker)", Fault.MEMORY))

    def _over(self, flight: _Flight, result: Any = None, error: BaseException | None = None) -> None:
        """The place is free before anybody hears of it."""
        if self._flights.pop(flight.future, None) is None:
            return
        if error is not None:
            flight.future.set_exception(error)
        else:
            flight.future.set_result(result)

    def _sent_job(self, job: Job) -> Sent:
        folder = Path(job.folder)
        states = (path for path in folder.iterdir() if path.is_file() and path.name not in NEVER_SENT)
        data = self._prepared(Path(job.data)) if job.data else None
        return Sent(folder.name, {path.name: path.read_bytes() for path in states}, job, data)

    def _sent(self, argument: Any) -> Any:
        if isinstance(argument, Job):  # of a call: it has no folder
            return Sent("", {}, argument, self._prepared(Path(argument.data)))
        if not isinstance(argument, Path):
            return argument
        if (argument / "info.json").exists():
            return self._prepared(argument)
        return Sent(argument.name, {".": argument.read_bytes()} if argument.is_file() else {})

    def _prepared(self, folder: Path) -> Prepared:
        """A folder of prepared data in the object store, where it is put once."""
        if folder not in self._data:
            files = {path.name: self._cluster.put(path, PIECE) for path in folder.iterdir()}
            self._data[folder] = Prepared(len(self._data), files)
        return self._data[folder]


def _gone(what: str) -> StudyError:
    return StudyError(
        f"{what}; everything finished is saved, and the same command goes on once there is a cluster"
    )


def _put(home: Path, told: remote.Written) -> None:
    """Do at home what was done on the node; a node can name no other place than those it was given."""
    inner = PurePosixPath(told.path)
    if inner.is_absolute() or ".." in inner.parts:
        raise ValueError(f"a node of the cluster wants to write {told.path}")
    place = home / inner
    if told.content is None:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(exist_ok=True)
    with replacing(place, durable=place.suffix != ".json") as beside:
        beside.write_bytes(told.content)
