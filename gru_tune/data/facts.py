"""What ``check`` tells about prepared data: counts, lengths and shares of every split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import missing_counts
from gru_tune.data.raw import Classes, Numbers, Raw, Words


def facts(raw: Raw, dataset: Dataset, copies: dict[str, int]) -> dict[str, Any]:
    """JSON-able facts: sizes, columns, lengths, and for every split its share of each."""
    lengths = dataset.spans[:, 1]
    found: dict[str, Any] = {
        "layout": raw.layout,
        "rows": len(dataset.x),
        "sequences": len(raw.lengths),
        "inputs": [*raw.x.names, *(raw.x.texts if isinstance(raw.x, Numbers) else ())],
        "targets": list(raw.y.names),
        "labels": list(dataset.info["labels"]),
        "features": dataset.info["features"],
        "words": max(0, dataset.info["vocabulary"] - 2),
        "lengths": _quantiles(lengths),
        "missing": missing_counts(raw.x) if isinstance(raw.x, Numbers) else {},
        "missing_targets": int((~dataset.valid).sum()),
        "duplicates": copies,
        "season": raw.season,
        "splits": {split: _of_split(raw, dataset, code) for code, split in enumerate(SPLITS)},
    }
    return found


def units_of(raw: Raw, dataset: Dataset, code: int) -> NDArray[np.bool_]:
    """Which entries of ``y`` belong to one split."""
    return rows_of(dataset, code) if raw.per_row else np.asarray(dataset.spans[:, 2] == code)


def rows_of(dataset: Dataset, code: int) -> NDArray[np.bool_]:
    """Which rows of ``x`` belong to one split."""
    mask = np.zeros(len(dataset.x), np.bool_)
    for start, length, _ in dataset.spans[dataset.spans[:, 2] == code].tolist():
        mask[start : start + length] = True
    return mask


def copies(raw: Raw, dataset: Dataset) -> dict[str, int]:
    """How many validation and test sequences are in training, value for value."""
    return {} if raw.layout == "timeline" else across(contents(inputs(raw, dataset), dataset.spans), dataset)


def inputs(raw: Raw, dataset: Dataset) -> NDArray[Any]:
    """The rows as they tell sequences apart: all words, of which ``dataset.x`` knows training's alone."""
    return raw.x.ids if isinstance(raw.x, Words) else dataset.x


def contents(rows: NDArray[Any], spans: NDArray[np.int64]) -> list[int | None]:
    """A hash of what every sequence holds; None for nothing."""
    return [
        hash(rows[start : start + length].tobytes()) if length else None
        for start, length, _ in spans.tolist()
    ]


def across(content: list[int | None], dataset: Dataset) -> dict[str, int]:
    """How many sequences of validation and of test have a content that training has."""
    code = dataset.spans[:, 2]
    seen = {content[n] for n in np.flatnonzero(code == 0).tolist()} - {None}
    return {
        split: sum(content[n] in seen for n in np.flatnonzero(code == SPLITS.index(split)).tolist())
        for split in ("validation", "test")
        if (code == SPLITS.index(split)).any()
    }


def _of_split(raw: Raw, dataset: Dataset, code: int) -> dict[str, Any]:
    spans, mask = dataset.spans[dataset.spans[:, 2] == code], units_of(raw, dataset, code)
    known = mask & dataset.valid
    found: dict[str, Any] = {
        "sequences": len(spans),
        "rows": int(spans[:, 1].sum()),
        "targets": int(known.sum()),
    }
    if isinstance(raw.y, Classes):
        names, counts = np.unique(raw.y.values[known].astype(str), return_counts=True)
        found["classes"] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    elif known.any():
        values = raw.y.values[known]
        found["target"] = {
            name: {
                "mean": float(v.mean()),
                "std": float(v.std()),
                "min": float(v.min()),
                "max": float(v.max()),
            }
            for name, v in zip(raw.y.names, values.T, strict=True)
        }
    return found


def _quantiles(lengths: NDArray[np.int64]) -> dict[str, int]:
    shares = {"min": 0, "p50": 50, "p95": 95, "max": 100}
    return {name: int(np.percentile(lengths, share, method="higher")) for name, share in shares.items()}
