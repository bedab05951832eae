"""How much memory a worker needs for a configuration, told from sizes alone; and how much there is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gru_tune.knobs import Settings
from gru_tune.learning.batches import EVALUATION_STEPS
from gru_tune.learning.sizes import parameters
from gru_tune.learning.volume import PART, Volume

FLOAT = 4  # bytes
# Measured on a CPU with JAX (docs/search.md); those of TensorFlow are rough.
BASE = {"jax": 250_000_000, "tensorflow": 800_000_000}  # bytes of a worker that trains a tiny model
KEPT = 16  # numbers that are kept for the gradient, for each in the states of a layer
COPIES = 14  # of the weights: Keras' and JAX's own, gradients, the best ones, and what is made in between
MOMENTS = {"sgd": 0, "rmsprop": 1, "adagrad": 1, "lion": 1}  # of the weights as well; the others have 2
STRETCH = 2 * 16  # parts of batches that are handed over at once, and their copy


def worker(volume: Volume, settings: Settings, info: Mapping[str, Any], backend: str, gpu: bool) -> int:
    """Bytes that training ``settings`` takes at its peak; ``info`` as in ``Dataset.info``.

    The data are not counted: workers share them. On a CPU JAX takes batches in parts.
    """
    model, training = settings.model, settings.training
    length, size = volume.longest(settings, info)
    whole = gpu or backend != "jax" or model.normalization == "batch"
    rows = size if whole else min(size, PART)
    width = (2 if model.bidirectional else 1) * sum(model.units)
    features = int(info["features"])
    states = length * rows * (KEPT * width + 2 * (features or model.embedding))
    # What is predicted goes in larger batches, but keeps nothing.
    batches = max(STRETCH * PART * length, EVALUATION_STEPS) * (features or 1)
    weights = parameters(settings, info) * (COPIES + MOMENTS.get(training.optimizer, 2))
    return BASE[backend] + FLOAT * (states + batches + weights)


def machine() -> int | None:
    """Bytes of memory that this process and its workers may take; None where that cannot be told."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    try:  # a container may have less
        return min(found, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return found


def gpu() -> int | None:
    """Bytes of memory of the smallest GPU; None where that cannot be told."""
    asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listing = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
        return min(int(line) for line in listing.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
