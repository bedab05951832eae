"""What holds for every test process."""

from __future__ import annotations

import os

# Before anything imports Keras: the searches would otherwise put it on the parent's backend,
# and a test that trains in this process would train on that one.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
