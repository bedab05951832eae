"""The cluster itself: joining and leaving it, what it has room for, and what its errors mean."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.executors.addresses import SECONDS, foreign, form, reachable
from gru_tune.executors.base import WorkerDied
from gru_tune.executors.remote import Task, perform
from gru_tune.study.files import FULL, in_part
from gru_tune.trial import Fault

REUSED = 50  # tasks of one process, which TensorFlow makes grow with every trial


@dataclass(frozen=True)
class Share:
    """What a trial takes of a node."""

    cpus: float = 1
    gpus: float = 0
    memory: int | None = None  # bytes


class Cluster:
    """The cluster that this process has joined."""

    def __init__(self, address: str) -> None:
        import ray

        self.address = address
        # Made once: every new one is told to the head. A process keeps the GPU it has begun with, so it
        # must not serve where it would get another; and what it has gained with former trials counts
        # as taken, where there is a limit.
        self._perform = ray.remote(max_calls=REUSED)(perform)
        self._perform_alone = ray.remote(max_calls=1)(perform)
        self._several = False  # a node has more than one GPU
        own = self._nodes()[ray.get_runtime_context().get_node_id()]
        self._socket = str(own["RayletSocketName"])

    def backend(self, asked: str) -> tuple[str, str]:
        """What Keras computes with on the nodes when ``asked`` (auto, tensorflow, jax), and why."""
        if asked != "auto":
            return asked, "as the config asks"
        if self._gpus():
            return "tensorflow", "its cuDNN kernels are the fastest on the GPUs of the cluster"
        return "jax", "the fastest on a CPU, and the cluster has no GPU"

    def share(self, cpus: int, trials_per_gpu: int, memory: int | None) -> Share:
        """What a trial takes: a part of a GPU as well, where there are any."""
        return Share(cpus, 1 / trials_per_gpu if self._gpus() else 0, memory)

    def room(self, share: Share) -> int:
        """Trials side by side on all nodes together, whoever else uses them."""
        found = [node["Resources"] for node in self._nodes().values()]
        self._several = self._several or any(node.get("GPU", 0) > 1 for node in found)
        return sum(_fits(node, share) for node in found)

    def submit(self, task: Task, share: Share) -> Any:
        """Hand a task over; returns the generator of references to what it tells."""
        alone = share.memory or (share.gpus and self._several)
        function = self._perform_alone if alone else self._perform
        return function.options(
            num_returns="streaming", max_retries=0, num_cpus=share.cpus, num_gpus=share.gpus,
            memory=share.memory, name=getattr(task.function, "__name__", "task"),
        ).remote(task)  # fmt: skip

    def told(self, references: Any) -> Iterator[Any]:
        """What a task tells, as it does."""
        import ray

        for reference in references:
            yield ray.get(reference)

    def cancel(self, references: Any) -> None:
        """End a task and its process, or take it out of the queue."""
        import ray

        with suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(references, force=True)

    def put(self, path: Path, piece: int) -> list[Any]:
        """The bytes of a file as objects of the store."""
        import ray

        with path.open("rb") as file:
            return [ray.put(content) for content in iter(lambda: file.read(piece), b"")]

    def everywhere(self, function: Callable[..., Any], argument: str, seconds: float) -> None:
        """Call a function on every node, as far as that can be done in so many seconds."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task = ray.remote(num_cpus=0, max_retries=0)(function)
        with suppress(Exception):
            places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in self._nodes()]
            ray.wait(
                [task.options(scheduling_strategy=place).remote(argument) for place in places],
                num_returns=len(places), timeout=seconds,
            )  # fmt: skip

    def fault(self, error: BaseException, node: str | None) -> BaseException:
        """What an error of Ray means for a task that ran on ``node``; the task's own error is given back.

        Without a node it did not begin to run: what was raised then is of the machine, as a package that is missing.
        """
        from ray import exceptions

        if isinstance(error, exceptions.RayTaskError):
            own = error.cause if isinstance(error.cause, Exception) else error
            if node is None:
                return WorkerDied(f"its worker could not start ({_line(own)})", Fault.START)
            full = isinstance(own, OSError) and (own.errno in FULL or in_part(own))
            return self._there(own, node) if full else own
        if isinstance(error, exceptions.OutOfMemoryError):
            return WorkerDied("its machine ran out of memory, so Ray ended it", Fault.MEMORY)
        if isinstance(error, exceptions.RuntimeEnvSetupError):
            return WorkerDied(f"its worker could not start ({_line(error)})", Fault.START)
        if not isinstance(error, exceptions.RayError):
            return error
        if isinstance(error, exceptions.NodeDiedError) or self._lost(node):
            return WorkerDied("the machine it ran on is gone", Fault.LOST)
        if isinstance(error, exceptions.WorkerCrashedError):
            return WorkerDied("its worker ended unexpectedly; Ray's logs on its machine tell more")
        return WorkerDied(f"Ray could not run it ({type(error).__name__}: {_line(error)})", Fault.LOST)

    def answers(self) -> bool:
        """Whether the head can be reached."""
        return reachable(self.address) is None

    def here(self) -> bool:
        """Whether Ray still runs on this machine; where not, it ends this process at the next thing it is asked."""
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(SECONDS)
                asked.connect(self._socket)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # it is busy
            return True
        return True

    def leave(self) -> None:
        """End the connection, and with it all that still runs for this process."""
        import ray

        ray.shutdown()

    def _lost(self, node: str | None) -> bool:
        """Whether a node has gone; its tasks may end some moments before it does, and Ray knows it later."""
        if node is None:
            return False
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                found = self._nodes().get(node)
                if found is None or reachable(_place(found)) is not None:
                    return True
                time.sleep(0.2)
        except Exception:  # this process has left the cluster by now
            return False
        return False

    def _there(self, error: Any, node: str) -> Any:
        """An ``OSError`` of a full disk, which names the node whose disk it is."""
        with suppress(Exception):
            address = self._nodes()[node]["NodeManagerAddress"]
            said = f"{error.strerror or error} on the node {address} of the cluster"
            return OSError(error.errno or errno.ENOSPC, said, error.filename)
        return error

    def _gpus(self) -> float:
        return float(sum(node["Resources"].get("GPU", 0) for node in self._nodes().values()))

    def _nodes(self) -> dict[str, dict[str, Any]]:
        """What Ray tells of the nodes that are alive, by their identifiers."""
        import ray

        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        return {node["NodeID"]: node for node in nodes if node["Alive"]}


@contextmanager
def joined(address: str | None) -> Iterator[Cluster | None]:
    """The cluster at an address, left again at the end; None without one. Raises ``StudyError``."""
    if address is None:
        yield None
        return
    cluster = join(address)
    try:
        yield cluster
    finally:
        cluster.leave()


def join(address: str) -> Cluster:
    """Connect to the cluster at ``host:port``, or with ``auto`` to the one of this machine. Raises ``StudyError``."""
    if address.startswith("ray://"):
        raise StudyError(
            f"--ray {address}: run the command on a machine of the cluster and give --ray auto, or the address of "
            "its head as host:port; ray:// is for programs outside of it"
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Whoever asks something after this process has left must not begin a cluster of its own.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        import ray
        from ray._private import services, worker
    except ImportError:
        raise StudyError("--ray needs the package ray: pip install 'gru-tune[ray]'") from None
    found = _of_this_machine() if address == "auto" else address
    if form(found) is None:
        found = str(services.canonicalize_bootstrap_address(found))  # as Ray itself does for localhost
    if (reason := reachable(found) or foreign(found)) is not None:  # Ray itself would try for minutes
        raise StudyError(f"--ray {address}: there is no Ray cluster at {found} ({reason})")
    worker._worker_logs_enabled = False  # no public switch keeps its messages out of the display
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(address=found, log_to_driver=False, logging_level=logging.FATAL)
    except (RuntimeError, ValueError, ConnectionError, ray.exceptions.RayError) as error:
        raise StudyError(f"the Ray cluster at {found} cannot be joined: {_line(error)}") from None
    finally:
        with suppress(ValueError):  # not the main thread
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return Cluster(ray.get_runtime_context().gcs_address)


def _of_this_machine() -> str:
    """Where Ray finds a cluster: ``RAY_ADDRESS``, else the one that this machine is a part of."""
    from ray._private import services  # what ``ray.init("auto")`` does first; nothing public says it

    try:
        return str(services.get_ray_address_from_environment("auto", None))
    except ConnectionError:
        raise StudyError(
            "--ray auto: no Ray cluster was found on this machine; start one with `ray start --head`, join one with "
            "`ray start --address=HOST:PORT`, or give its address"
        ) from None


def _place(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"


def _fits(node: dict[str, float], share: Share) -> int:
    """Trials that fit into one node."""
    limits = [int(node.get("CPU", 0) / share.cpus)]
    if share.gpus:
        limits.append(int(node.get("GPU", 0) / share.gpus + 1e-9))
    if share.memory:
        limits.append(int(node.get("memory", 0) / share.memory))
    return min(limits)


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:500]
