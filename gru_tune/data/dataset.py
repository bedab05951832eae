"""The prepared data of a study: plain arrays in a folder, memory-mapped by every worker.

The arrays do not depend on any knob, so that they are made once: vocabulary size, length,
window and scaling by window are applied when batches are made (``samples``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Dataset:
    """All sequences of a study, end to end, with their targets.

    Sequences (``layout="sequences"``): ``spans[i] = (start, length, split)`` is sequence i,
    rows ``start … start + length - 1`` of ``x``. A timeline (``layout="timeline"``): every
    span is an unbroken stretch of rows of one split; windows are cut from it later.

    x:      (rows, features) float32 scaled numbers, or (rows,) int32 word ids by falling
            frequency in the training split: 0 never occurs (padding), 1 unknown, 2 … words
    y:      by ``target``:
            ``label``   (sequences,) int32, class of a sequence; classes that the training
                        split lacks have ids from ``len(labels)`` up
            ``number``  (sequences, targets) float32, scaled
            ``labels``  (rows,) int32, a class at every row
            ``numbers`` (rows, targets) float32, scaled, a value at every row
            (a timeline always has ``labels`` or ``numbers``)
    valid:  bool, as long as y: False where the target is missing
    spans:  (spans, 3) int64; the third column indexes ``SPLITS``
    info:   JSON facts, see below

    ``info`` always has ``task``, ``kind``, ``features`` (0 for words), ``inputs`` (column
    names), ``targets`` (column names), ``labels`` (class names, [] for numbers),
    ``input_scale`` and ``target_scale`` ({"mean": […], "std": […]} per column: original =
    scaled * std + mean), ``vocabulary`` (number of ids incl. 0 and 1; 0 for numbers),
    ``target_inputs`` (for every target its column among the inputs, or None). Timelines
    add ``horizon``, ``stride``, ``max_window`` (largest window of the space), ``season``
    (steps, or None).
    """

    layout: Literal["sequences", "timeline"]
    target: Literal["label", "number", "labels", "numbers"]
    x: NDArray[Any]
    y: NDArray[Any]
    valid: NDArray[np.bool_]
    spans: NDArray[np.int64]
    info: Mapping[str, Any] = field(default_factory=dict)

    def of(self, split: Split) -> NDArray[np.int64]:
        """The indices of the spans of one split."""
        return np.flatnonzero(self.spans[:, 2] == SPLITS.index(split))

    def save(self, folder: Path) -> None:
        """Write every array as ``.npy`` beside ``info.json`` (written last: it marks a whole set)."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("x", "y", "valid", "spans"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        info = {"layout": self.layout, "target": self.target, "info": dict(self.info)}
        (folder / "info.json").write_text(json.dumps(info, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Dataset:
        """Open a saved set; the arrays are memory-mapped and read-only."""
        info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("x", "y", "valid", "spans")
        }
        return cls(layout=info["layout"], target=info["target"], info=info["info"], **arrays)
