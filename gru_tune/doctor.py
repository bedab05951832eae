"""``gru-tune doctor``: what this machine has, and which fast paths training will take."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from gru_tune.executors.places import cores
from gru_tune.quiet import quiet_stderr
from gru_tune.study import machine
from gru_tune.study.machine import version

PACKAGES = (*machine.PACKAGES, "pyarrow", "pydantic", "click", "pyyaml", "rich")


def describe() -> str:
    """A text for the terminal; imports TensorFlow, so it takes a few seconds."""
    lines = [f"python        {platform.python_version()} on {platform.system()} {platform.machine()}"]
    lines += [f"{name:<13} {version(name) or 'not installed'}" for name in PACKAGES]
    lines += ["", f"cores         {len(cores())} usable"]
    gpus = nvidia_gpus()
    lines.append(f"gpus          {', '.join(gpus) if gpus else 'none found by nvidia-smi'}")
    with quiet_stderr():
        lines += ["", *_tensorflow(bool(gpus))]
    return "\n".join(lines)


def nvidia_gpus() -> list[str]:
    """The names of the GPUs the driver knows, without loading a framework."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _tensorflow(gpus_present: bool) -> list[str]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
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
