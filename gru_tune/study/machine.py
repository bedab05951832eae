"""What a study was computed with, for its ``study.json``; nothing heavy is imported."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

PACKAGES = (
    "gru-tune",
    "tensorflow",
    "keras",
    "keras-tuner",
    "jax",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
)


def version(package: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Python and the packages whose version can change a result."""
    found = {package: version(package) for package in PACKAGES}
    return {"python": platform.python_version(), **{name: v for name, v in found.items() if v is not None}}


def devices(cores: int, gpus: int) -> dict[str, Any]:
    """The machine in a few words."""
    return {"system": platform.platform(), "processor": _processor(), "cores": cores, "gpus": gpus}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
