"""The files a trial leaves behind: its model, the state to go on from, its progress, its error.

All are written beside and put in place at once: whoever reads them sees a whole file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODEL = "model.keras"
STATE = "state.weights.h5"
SCORES = "state.json"
ERROR = "error.txt"


def save_model(model: Any, folder: Path) -> None:
    """The architecture and weights alone: nothing that needs this package to be loaded."""
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"beside.{MODEL}"
    # The tensors, not lists of one: a model of lists warns whoever calls it with an array.
    keras.Model(model.inputs[0], model.outputs[0], name="gru_tune").save(beside)
    os.replace(beside, folder / MODEL)


def save_state(model: Any, scores: Sequence[float], folder: Path) -> None:
    """Weights, optimizer and the objective of all epochs so far: what training goes on from."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"beside.{STATE}"
    model.save_weights(beside, overwrite=True)
    os.replace(beside, folder / STATE)
    write_text(folder / SCORES, json.dumps({"scores": list(scores)}))


def restore_state(model: Any, folder: Path) -> list[float]:
    """Put weights and optimizer back; returns the objective of the epochs before.

    Raises ``FileNotFoundError`` when the state is not there.
    """
    model.load_weights(folder / STATE)
    scores: list[float] = json.loads((folder / SCORES).read_text(encoding="utf-8"))["scores"]
    return scores


def write_text(path: Path, text: str) -> None:
    """Replace the file ``path`` at once, making its folder where need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.beside")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
