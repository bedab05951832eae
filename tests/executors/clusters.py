"""A Ray cluster of several nodes on this machine, heard on the loopback alone."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Read when Ray is imported or a node begins: the loopback instead of the machine's address, and our modules.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# A node that was killed is known to be dead within a few seconds.
HEALTH = {"health_check_period_ms": 500, "health_check_timeout_ms": 3000, "health_check_failure_threshold": 3}
SMALL = {"include_dashboard": False, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1"}


class Nodes:
    """A head without a core for tasks, and nodes with one core each."""

    def __init__(self, folder: str, count: int) -> None:
        from ray.cluster_utils import Cluster

        self._cluster: Any = Cluster(
            True, head_node_args={"num_cpus": 0, "temp_dir": folder, "_system_config": HEALTH, **SMALL}
        )
        self.nodes = [self.add() for _ in range(count)]

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, **resources: float) -> Any:
        return self._cluster.add_node(**{"num_cpus": 1, **SMALL, **resources})

    def kill(self, node: Any) -> None:
        """As a machine that loses its power: nothing is told, all its processes end."""
        self._cluster.remove_node(node, allow_graceful=False)
        if node in self.nodes:
            self.nodes.remove(node)

    def kill_head(self) -> None:
        self._cluster.head_node.kill_gcs_server(check_alive=False)

    def kill_own(self) -> None:
        """End Ray on the machine of the driver, whose node is the head's, and leave the head."""
        self._cluster.head_node.kill_raylet(check_alive=False)

    def end(self) -> None:
        self._cluster.shutdown()


@contextmanager
def nodes(count: int) -> Iterator[Nodes]:
    folder = tempfile.mkdtemp(prefix="ray")  # sockets lie in it, whose paths must be short
    environment = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), environment)))
    cluster = Nodes(folder, count)
    try:
        yield cluster
    finally:
        cluster.end()
        if environment is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = environment
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(true: Callable[[], object], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False
