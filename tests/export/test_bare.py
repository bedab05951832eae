"""best.keras is for everybody: it loads without this package, on either backend, and says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.studies import TRAINED, study

SCRIPT = """
import json, sys
sys.modules["gru_tune"] = None
import keras, numpy as np
assert keras.backend.backend() == sys.argv[1]
for folder in sys.argv[2:]:
    sample = np.load(folder + "/sample.npz", allow_pickle=False)
    model = keras.models.load_model(folder + "/best.keras")
    out = model.predict_on_batch(sample["x"])
    real = np.ones(out.shape[:1], bool)
    if out.ndim == 3 and out.shape[1] == sample["x"].shape[1]:
        real = np.arange(out.shape[1]) < sample["lengths"][:, None]
    print("\\n" + json.dumps({folder: float(np.abs(out - sample["out"])[real].max())}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_the_models_of_all_tasks_load_in_a_bare_environment(backend: str, tmp_path: Path) -> None:
    folders = [str(study(name).path) for name in TRAINED]
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, backend, *folders], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend}, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    differences = {folder: value for each in found for folder, value in each.items()}
    assert sorted(differences) == sorted(folders)
    assert {folder: value for folder, value in differences.items() if not value <= 1e-5} == {}
