"""How many workers this machine holds, and what each of them gets: cores, or a GPU."""

from __future__ import annotations

import os
import subprocess
from ctypes.util import find_library
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from gru_tune.executors.base import Configure
from gru_tune.executors.worker import Start


def cores() -> tuple[int, ...]:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def gpus() -> tuple[str, ...]:
    """The identifiers of the GPUs to use: ``CUDA_VISIBLE_DEVICES`` where set, else all there are.

    None without CUDA's libraries: TensorFlow and JAX would compute on the CPU all the same.
    """
    return present() if cuda() else ()


def present() -> tuple[str, ...]:
    """The same, whether anything can use them or not."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(part for part in visible.split(",") if part.strip() not in ("", "-1"))
    return _listed()


def backend(asked: str) -> tuple[str, str]:
    """What Keras computes with here when ``asked`` (auto, tensorflow, jax), and why, in a few words."""
    if asked != "auto":
        return asked, "as the config asks"
    if gpus():
        return "tensorflow", "its cuDNN kernels are the fastest on a GPU"
    idle = "; for the GPU, pip install 'gru-tune[gpu]'" if present() else ""
    return "jax", f"the fastest on a CPU{idle}"


@cache
def cuda() -> bool:
    """Whether cuDNN is there: as a package, as the extra ``gpu`` installs it, or in the system."""
    names = (f"nvidia-cudnn-cu{version}" for version in (11, 12, 13))
    return any(_installed(name) for name in names) or find_library("cudnn") is not None


def _installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


@cache
def _listed() -> tuple[str, ...]:
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(str(number) for number in range(listing.count("GPU ")))


def starts(
    workers: int | None,
    configure: Configure | None,
    output: Path | None,
    per_gpu: int = 1,
    memory: int | None = None,
) -> list[Start]:
    """What every worker is told; by default ``per_gpu`` a GPU, or one a core without a GPU.

    More workers than GPUs share them in turn. Cores are shared out evenly; with more
    workers than cores several get the same one. ``memory``: the bytes that each may take.
    """
    devices, available = gpus(), cores()
    count = workers or per_gpu * len(devices) or len(available)
    told = []
    for slot in range(count):
        share = available[slot * len(available) // count : (slot + 1) * len(available) // count]
        share = share or (available[slot % len(available)],)
        environment = {"CUDA_VISIBLE_DEVICES": devices[slot % len(devices)]} if devices else {}
        printed = None if output is None else str(output)
        told.append(Start(configure, share, len(share), environment, printed, memory))
    return told
