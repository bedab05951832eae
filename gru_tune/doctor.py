"""``gru-tune doctor``: what this machine has, and which fast paths training will take."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from gru_tune.executors.places import backend, cores, cuda, present
from gru_tune.learning import training
from gru_tune.quiet import quiet_stderr
from gru_tune.study import machine
from gru_tune.study.machine import version

PACKAGES = (*machine.PACKAGES, "pyarrow", "pydantic", "click", "pyyaml", "rich", "ray")


def describe() -> str:
    """A text for the terminal; imports TensorFlow and JAX, so it takes a few seconds."""
    lines = [f"python        {platform.python_version()} on {platform.system()} {platform.machine()}"]
    lines += [f"{name:<13} {version(name) or 'not installed'}" for name in PACKAGES]
    lines += ["", f"cores         {len(cores())} usable"]
    lines.append(f"gpus          {_gpus()}")
    lines.append("backend       auto takes {}: {}".format(*backend("auto")))
    with quiet_stderr():
        lines += ["", *_jax(), "", *_tensorflow(bool(present()))]
    return "\n".join(lines)


def nvidia_gpus() -> list[str]:
    """The names of the GPUs the driver knows, without loading a framework.

    Names alone: which of them training uses is for ``places.gpus`` to say.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _gpus() -> str:
    names, used = nvidia_gpus(), present()
    found = ", ".join(names) or "none found by nvidia-smi"
    if names and not cuda():
        return f"{found}; not used without CUDA's libraries: pip install 'gru-tune[gpu]'"
    return found if len(used) == len(names) else f"{found}; training uses {len(used)} (CUDA_VISIBLE_DEVICES)"


def _jax() -> list[str]:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # to look takes no GPU's memory
    try:
        import jax

        devices = ", ".join(device.device_kind for device in jax.devices())
    except Exception as error:
        return [f"jax           cannot be used: {error}"]
    return [
        f"jax           sees {devices}; {_try_jax(jax)}",
        "fast path     jax for gru with activation tanh and no recurrent dropout;",
        "              anything else is jax-scan: compiled as well, but slower",
        f"programs      {_programs()}",
    ]


def _try_jax(jax: object) -> str:
    try:
        works = float(jax.jit(lambda x: x + x)(1.0)) == 2.0  # type: ignore[attr-defined]
    except Exception as error:
        return f"compiling does not work here ({type(error).__name__}: {error})"
    return "compiling works" if works else "compiled programs give wrong results here"


def _programs() -> str:
    """Where JAX keeps what it has compiled, as ``training.configure`` sets it."""
    asked = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    folder = training.cache_folder() if asked is None else Path(asked) if asked else None
    if folder is None:
        return "not kept: every process compiles its own"
    size = 0
    for file in folder.glob("*"):
        with suppress(OSError):  # another process may have removed it
            size += file.stat().st_size
    most = f" of at most {training.CACHE / 1e6:,.0f}" if asked is None else ""
    return f"kept in {folder}: {size / 1e6:,.1f}{most} MB"


def _tensorflow(gpus_present: bool) -> list[str]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # importing TensorFlow imports Keras
    try:
        import tensorflow as tf
    except Exception as error:
        return [f"tensorflow    cannot be imported: {error}"]
    seen = tf.config.list_physical_devices("GPU")
    lines = [f"tensorflow    sees {len(seen)} GPU(s)"]
    if gpus_present and not seen:
        lines.append("              install the CUDA build to use it: pip install 'gru-tune[gpu]'")
    if seen:
        lines.append("fast path     cuDNN for gru and lstm with activation tanh and no recurrent dropout;")
        lines.append("              anything else runs step by step, several times slower")
    else:
        lines.append(f"fast path     xla: {_try_xla(tf)}")
    return lines


def _try_xla(tf: object) -> str:
    """Compile and run something small, rather than believe a version number."""
    try:
        double = tf.function(lambda x: x + x, jit_compile=True)  # type: ignore[attr-defined]
        works = float(double(1.0)) == 2.0
    except Exception as error:
        return f"does not work here ({type(error).__name__}: {error})"
    return "training steps are compiled for this CPU" if works else "gives wrong results here"
