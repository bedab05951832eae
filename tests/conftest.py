"""What holds for every test process."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

# Before anything imports Keras: the searches would otherwise put it on the parent's backend,
# and a test that trains in this process would train on that one.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from hypothesis import settings

# The same inputs in every run, however busy the machine is.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# What is ignored here, as by a shell for its background, every program that a test starts would ignore.
with suppress(ValueError):  # not the main thread
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
