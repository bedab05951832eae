"""What a task of a cluster does on its node: fetch data and files, run, and tell as it goes on.

It works in a folder of its own. Whatever it writes there is told of, and whoever gave the task
puts it into the places at home.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from gru_tune import __version__
from gru_tune.executors.worker import Start, own_memory
from gru_tune.quantities import gigabytes
from gru_tune.trial import Job

LOOK = 0.2  # seconds between two looks at what was written
OLD = 24 * 3600  # seconds unused after which the files of another run are deleted
PREFIX = "gru-tune-run-"
BESIDE = "beside"  # in the name of a file that is being written
_begun: set[str] = set()  # the run that this process works for, once it is configured


class Prepared(NamedTuple):
    """An argument that is a folder of prepared data: its number, and its files in pieces in the object store."""

    number: int
    files: Mapping[str, Sequence[Any]]


class Sent(NamedTuple):
    """An argument that is a path, or a job: its name, and what goes with it."""

    name: str
    files: Mapping[str, bytes]  # by path below it; "." is the path itself
    job: Job | None = None  # the argument is this job, whose folder it is
    data: Prepared | None = None  # and its data


@dataclass(frozen=True)
class Task:
    """A function to call; arguments that are ``Sent`` or ``Prepared`` become paths of the node."""

    run: str  # a word for the run of the program that it belongs to
    start: Start
    function: Callable[..., Any]
    arguments: Sequence[Any]
    version: str = __version__


class Begun(NamedTuple):
    """The first thing told: the task runs, on this node."""

    node: str


class Unable(NamedTuple):
    """The process cannot be made ready."""

    reason: str


class Starved(NamedTuple):
    """The process holds more than it may; it waits to be ended."""

    reason: str


class Written(NamedTuple):
    """A file is new or changed; None: it is gone. ``path`` is below the argument of that number."""

    argument: int
    path: str
    content: bytes | None


class Ended(NamedTuple):
    """The last thing told: what the function returned."""

    result: Any


def perform(task: Task) -> Iterator[Begun | Unable | Starved | Written | Ended]:
    """Run a task; raises what its function raises."""
    import ray

    if (reason := _begin(task)) is not None:
        yield Unable(reason)
        return
    yield Begun(ray.get_runtime_context().get_node_id())
    base = _base(task.run)
    folder = Path(tempfile.mkdtemp(prefix="task-", dir=base))
    try:
        places = {number: folder / str(number) / sent.name for number, sent in _sent(task)}
        arguments = [
            _arrived(task.run, sent, places.get(number)) for number, sent in enumerate(task.arguments)
        ]
        written = _Files(places)
        for _ in written.changes():
            pass  # what was sent is known at home
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(task.function, *arguments)
            while not wait([future], LOOK).done:
                with suppress(FileNotFoundError):
                    os.utime(base)  # it is in use, however long that takes
                yield from written.changes()
                if task.start.memory is not None and own_memory(os.getpid()) > task.start.memory:
                    yield Starved(f"its worker needed more than {gigabytes(task.start.memory)}")
        yield from written.changes()
        yield Ended(future.result())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget(run: str) -> None:
    """Delete what a run has left on this node."""
    shutil.rmtree(_place(run), ignore_errors=True)


def _begin(task: Task) -> str | None:
    """Configure this process before its first task; returns why that cannot be."""
    if task.version != __version__:
        return f"its machine has gru-tune {__version__}, and this one {task.version}: install the same on all"
    if task.run not in _begun and task.start.configure is not None:
        try:
            task.start.configure(task.start.threads)
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0][:500]
    _begun.add(task.run)
    return None


def _place(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"{PREFIX}{run}"


def _base(run: str) -> Path:
    """The folder of a run on this node; those that were not used for a day are deleted."""
    place = _place(run)
    if not place.exists():
        for other in place.parent.glob(f"{PREFIX}*"):
            with suppress(OSError):  # another task deletes them as well
                if time.time() - other.stat().st_mtime > OLD:
                    shutil.rmtree(other, ignore_errors=True)
    place.mkdir(mode=0o700, exist_ok=True)
    os.utime(place)
    return place


def _sent(task: Task) -> Iterator[tuple[int, Sent]]:
    return ((number, sent) for number, sent in enumerate(task.arguments) if isinstance(sent, Sent))


def _arrived(run: str, argument: Any, place: Path | None) -> Any:
    """An argument as the function takes it: data and what was sent are in their ``place`` on this node."""
    if isinstance(argument, Prepared):
        return _unpacked(run, argument)
    if place is None:
        return argument
    place.parent.mkdir(parents=True, exist_ok=True)
    if (job := argument.job) is not None:
        place.mkdir(exist_ok=True)
    for name, content in argument.files.items():
        (place / name).write_bytes(content)
    if job is None:
        return place
    return replace(
        job,
        folder=str(place),
        progress=str(place / Path(job.progress).name) if job.progress else None,
        data=str(_unpacked(run, argument.data)) if argument.data else job.data,
    )


def _unpacked(run: str, data: Prepared) -> Path:
    """The folder of prepared data on this node; the first task that needs it writes it for all of them."""
    import ray
    from filelock import FileLock

    folder = _base(run) / f"data-{data.number}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            beside = folder.with_name(f"{folder.name}.{BESIDE}")
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            for name, pieces in data.files.items():
                with (beside / name).open("wb") as file:
                    for piece in pieces:
                        file.write(ray.get(piece))
            beside.rename(folder)
    return folder


@dataclass
class _Files:
    """What the places of the arguments hold; files are replaced in one step, so that each is read whole."""

    places: Mapping[int, Path]
    _known: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    def changes(self) -> Iterator[Written]:
        """What is new, changed or gone since the last call."""
        now = {
            (number, path.relative_to(place).as_posix()): (path, stamp)
            for number, place in self.places.items()
            for path in (place, *place.rglob("*"))
            if (stamp := _stamp(path)) is not None
        }
        for number, name in self._known.keys() - now.keys():
            del self._known[number, name]
            yield Written(number, name, None)
        for (number, name), (path, stamp) in now.items():
            if self._known.get((number, name)) == stamp:
                continue
            with suppress(FileNotFoundError):  # deleted since it was looked at
                told = Written(number, name, path.read_bytes())
                self._known[number, name] = stamp
                yield told


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes with a file; None where there is none, or none that is whole."""
    if path.name.startswith(f"{BESIDE}.") or path.name.endswith(f".{BESIDE}"):
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_ino) if path.is_file() else None
