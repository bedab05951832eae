"""What every benchmark shares: the environment of the processes it times, and where it was measured."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from gru_tune.study import machine


def environment(cache: str | Path, backend: str | None = None) -> dict[str, str]:
    """That of a process: Keras' backend where it is named, and where compiled programs are kept."""
    own = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "XDG_CACHE_HOME": str(cache)}
    own.pop("JAX_COMPILATION_CACHE_DIR", None)
    own.pop("KERAS_BACKEND", None)
    return {**own, "KERAS_BACKEND": backend} if backend else own


def surroundings(packages: Collection[str]) -> str:
    """Versions of whatever is installed, and the machine, in a line each."""
    versions = {**machine.versions(), **{name: machine.version(name) for name in packages}}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    device = machine.devices(cores, 0)
    return (
        ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        + f".  \n{device['processor']}, {cores} {'core' if cores == 1 else 'cores'}, {device['system']}."
    )
