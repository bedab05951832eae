"""keras-tuner behind its fence: what importing and running a search leaves behind."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gru_tune import strategies as package

SOURCES = sorted(Path(package.__file__).parent.parent.rglob("*.py"))
PROGRAM = """
import json, os, sys
from gru_tune import strategies
from gru_tune.space import Hyperparameter, Space
from gru_tune.trial import Objective
from gru_tune.values import Float
light = [name for name in ("numpy", "sklearn", "keras", "keras_tuner") if name in sys.modules]
before = dict(os.environ)
space = Space((Hyperparameter("dropout", Float(0.0, 0.5)),))
for name, section in strategies.STRATEGIES.items():
    if name not in ("grid", "gp"):  # no grid of a range, and no PyTorch
        search = strategies.create(section(seed=1), space, Objective("loss", "min"), 9)
        for _ in range(6):
            search.tell(search.ask().trial, 0.5)
print(json.dumps({
    "light": light, "changed": sorted(n for n in set(os.environ) ^ set(before) if not n.startswith("KMP_")),  # scikit-learn's
    "heavy": "tensorflow" in sys.modules, "keras_tuner": "keras_tuner" in sys.modules,
    "devices": list(sys.modules["jax"]._src.xla_bridge._backends) if "jax" in sys.modules else [],
}))
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, object]:
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_the_package_is_light_to_import(seen: dict[str, object]) -> None:
    assert seen["light"] == []


def test_a_search_never_loads_tensorflow(seen: dict[str, object]) -> None:
    assert seen["keras_tuner"]
    assert not seen["heavy"]


def test_no_device_is_taken(seen: dict[str, object]) -> None:
    """JAX would claim most of a GPU's memory, which belongs to the workers."""
    assert seen["devices"] == []


def test_the_environment_of_the_workers_is_untouched(seen: dict[str, object]) -> None:
    assert not seen["changed"]


def test_one_module_alone_imports_keras_tuner() -> None:
    importers = {path.name for path in SOURCES if "keras_tuner" in _imports(path)}
    assert importers == {"_oracle.py"}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
