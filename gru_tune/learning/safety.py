"""A look at a saved model before Keras reads it: it may be a stranger's.

What Keras refuses differs from version to version; this holds for all of them.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gru_tune import bounds
from gru_tune.bounds import Refused

WEIGHTS, ARCHITECTURE = "model.weights.h5", "config.json"
LARGEST = 16 * bounds.MB  # bytes of an architecture: one takes some 50 kB
LAYERS = {
    "BatchNormalization", "Bidirectional", "Dense", "Dropout", "Embedding", "GRU", "InputLayer", "LSTM",
    "LayerNormalization", "Masking", "Reshape", "SimpleRNN", "SpatialDropout1D",
}  # fmt: skip
# What ``factory`` builds models of, by module: all of it (None), or the classes named. Nothing among it holds code.
KNOWN: dict[str | None, set[str] | None] = {
    "keras.layers": LAYERS,
    "keras.initializers": None,
    "keras.regularizers": None,
    "keras.src.ops.numpy": None,
    "keras.src.ops.core": {"Cast"},
    "keras.src.models.functional": {"Functional"},
    "keras": {"DTypePolicy"},
    None: {"__keras_tensor__", "__numpy__", "__slice__"},
}


def refuse_weights(file: Path) -> None:
    """Raise ``Refused``, ``OSError`` or ``BadZipFile`` for weights that are not what they seem.

    Keras writes plain arrays. Links lead to other files, and packed arrays may hold far more
    than the file has bytes.
    """
    import h5py

    bounds.archive(file)
    with zipfile.ZipFile(file) as archive:
        if WEIGHTS not in archive.namelist():
            raise Refused("holds no weights")
        with archive.open(WEIGHTS) as packed, h5py.File(packed, "r") as weights:
            size = sum(_arrays(weights, set()))
            bounds.unpacked(archive.getinfo(WEIGHTS).file_size, size, "train the model anew")


def refuse_architecture(file: Path) -> None:
    """Raise ``Refused``, ``OSError`` or ``BadZipFile`` for an architecture of other parts than this program's."""
    bounds.archive(file)
    with zipfile.ZipFile(file) as archive:
        if ARCHITECTURE not in archive.namelist():
            raise Refused("holds no architecture")
        if archive.getinfo(ARCHITECTURE).file_size > LARGEST:
            raise Refused("holds an architecture that is far too large")
        try:
            found = json.loads(archive.read(ARCHITECTURE))
            strange = next((part for part in _parts(found) if not _known(*part)), None)
        except (ValueError, RecursionError):
            raise Refused("holds an architecture that is no JSON") from None
    if strange is not None:
        raise Refused(f"holds {strange[1]!r} of {strange[0] or 'nowhere'}, of which gru-tune makes no models")


def _arrays(group: Any, seen: set[int]) -> Iterator[int]:
    """The bytes that every array below a group takes in memory."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise Refused(f"holds a link where weights belong ({name})")
        found = group[name]
        address = h5py.h5o.get_info(found.id).addr
        if address in seen:  # a group may hold itself
            continue
        seen.add(address)
        if isinstance(found, h5py.Group):
            yield from _arrays(found, seen)
        elif not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            raise Refused(f"holds weights that lie in another file ({name})")
        else:
            yield int(found.nbytes)


def _parts(found: Any) -> Iterator[tuple[Any, Any]]:
    """Module and class of everything that Keras would make of a JSON."""
    if isinstance(found, list):
        for entry in found:
            yield from _parts(entry)
    elif isinstance(found, dict):
        if "class_name" in found:
            yield found.get("module"), found["class_name"]
        for entry in found.values():
            yield from _parts(entry)


def _known(module: Any, name: Any) -> bool:
    if not isinstance(module, str | None) or not isinstance(name, str) or module not in KNOWN:
        return False
    names = KNOWN[module]
    return names is None or name in names
