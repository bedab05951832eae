"""What holds for every test process."""

from __future__ import annotations

import os

# Before anything imports Keras: the searches would otherwise put it on the parent's backend,
# and a test that trains in this process would train on that one.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from hypothesis import settings

# The same inputs in every run, however busy the machine is.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
