"""Why the process of a job is gone, as far as can be known from outside."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from gru_tune.executors.base import WorkerDied
from gru_tune.executors.worker import NO_MEMORY
from gru_tune.quantities import gigabytes
from gru_tune.trial import Fault

CGROUPS = Path("/sys/fs/cgroup")
KILL = getattr(signal, "SIGKILL", 9)  # Windows has none
ORDERED = (KILL, signal.SIGTERM)  # by somebody, and no flaw of the worker


def died(code: int | None, said: str | None, limit: int | None, starved: bool) -> WorkerDied:
    """What is told of a process that ended with ``code`` (negative: by that signal; None: unknown).

    ``said``: its last words, "" once it had begun, None when it said nothing; ``limit``: the bytes
    it was allowed; ``starved``: the kernel has killed for want of memory since its job began.
    """
    ordered = code is None or -code in ORDERED
    if said:
        return WorkerDied(f"its worker could not start ({said})", Fault.START)
    if said is None and not ordered:
        return WorkerDied(f"its worker could not start ({_how(code)}); see workers.log", Fault.START)
    if code is None:
        return WorkerDied("its worker is gone")
    if code == NO_MEMORY and limit is not None:
        text = f"its worker needed more than {gigabytes(limit)} (search.memory_per_worker)"
        return WorkerDied(text, Fault.MEMORY)
    if -code == KILL and starved:
        return WorkerDied("the kernel killed its worker for want of memory", Fault.MEMORY)
    if code >= 0:
        return WorkerDied(f"its worker ended by itself ({_how(code)}); see workers.log")
    return WorkerDied(f"its worker was killed ({_how(code)})" + ("" if ordered else "; see workers.log"))


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"signal {-code}, {name}" + (", often for want of memory" if -code == KILL else "")


@dataclass(frozen=True)
class Kills:
    """How often the kernel had killed for want of memory when a job began, where its process counts."""

    file: Path
    before: int

    @classmethod
    def now(cls, process: int) -> Kills:
        """The count for a process that runs."""
        file = _counter(process)
        return cls(file, _count(file))

    def more(self) -> bool:
        """Whether there was another since."""
        return _count(self.file) > self.before


def _counter(process: int) -> Path:
    """The file that counts the kills in the control group of a process; else that of the whole machine."""
    try:
        groups = Path(f"/proc/{process}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        groups = []
    for _, controllers, path in (group.split(":", 2) for group in groups):
        second = CGROUPS / path.lstrip("/") / "memory.events"
        first = CGROUPS / "memory" / path.lstrip("/") / "memory.oom_control"
        if not controllers and second.is_file():
            return second
        if "memory" in controllers.split(",") and first.is_file():
            return first
    return Path("/proc/vmstat")


def _count(file: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", file.read_text(encoding="ascii"), re.MULTILINE)
    except (OSError, ValueError):  # no Linux
        return 0
    return int(found[1]) if found else 0
