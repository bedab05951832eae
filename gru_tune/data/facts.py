"""What ``check`` tells about prepared data: counts and lengths, and warnings worth a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import missing_counts
from gru_tune.data.raw import Classes, Numbers, Quantities, Raw, Words

IMBALANCE = 0.8
FEW = 20  # with fewer validation sequences than this, the ranks of the trials are mostly chance


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
    spans = dataset.spans[dataset.spans[:, 2] == code]
    if not raw.per_row:
        return np.asarray(dataset.spans[:, 2] == code)
    mask = np.zeros(len(dataset.y), np.bool_)
    for start, length, _ in spans:
        mask[start : start + length] = True
    return mask


def warnings(raw: Raw, dataset: Dataset, copies: dict[str, int], unseen: Sequence[str]) -> list[str]:
    """Sentences on what makes a score doubtful or an input useless."""
    notes = []
    training = units_of(raw, dataset, 0)
    if lost := int((~dataset.valid).sum()):
        unit = "rows" if raw.per_row else "sequences"
        notes.append(
            f"{lost:,} of {len(dataset.valid):,} {unit} miss their target and are not learned or scored"
        )
    for split, count in copies.items():
        if count:
            total = len(dataset.of(split))  # type: ignore[arg-type]
            notes.append(
                f"{count:,} of {total:,} {split} sequences occur in training as well; the score flatters by them"
            )
    if isinstance(raw.y, Classes):
        notes += _on_classes(raw.y, dataset, training, unseen)
    notes += _on_validation(raw, dataset)
    if isinstance(raw.x, Numbers):
        notes += _on_columns(raw, raw.x, dataset)
    return notes


def _on_validation(raw: Raw, dataset: Dataset) -> list[str]:
    """Whether the split that ranks the trials can tell them apart."""
    known = units_of(raw, dataset, 1) & dataset.valid
    count = int(known.sum())
    if not count:
        return []
    if isinstance(raw.y, Classes) and len(found := set(raw.y.values[known].tolist())) == 1:
        return [
            f"all {count:,} validation targets are {found.pop()!r}: a score on them says little; see data.split"
        ]
    if not raw.per_row and count < FEW:
        return [
            f"only {count} of the sequences validate: differences between trials may be chance; see data.split"
        ]
    return []


def copies(raw: Raw, dataset: Dataset) -> dict[str, int]:
    """How many validation and test sequences are in training, value for value."""
    if raw.layout == "timeline":
        return {}
    rows = raw.x.ids[:, None] if isinstance(raw.x, Words) else np.nan_to_num(raw.x.values, nan=1e300)
    content = [hash(rows[start : start + length].tobytes()) for start, length, _ in dataset.spans.tolist()]
    code = dataset.spans[:, 2]
    seen = {content[n] for n in np.flatnonzero(code == 0).tolist()}
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


def _on_classes(
    y: Classes, dataset: Dataset, training: NDArray[np.bool_], unseen: Sequence[str]
) -> list[str]:
    notes = []
    if unseen:
        lost = int((np.asarray(dataset.y) >= len(dataset.info["labels"])).sum())
        shown = ", ".join(unseen[:5]) + (" …" if len(unseen) > 5 else "")
        noun = "class occurs" if len(unseen) == 1 else "classes occur"
        notes.append(
            f"{len(unseen)} {noun} only outside training ({shown}; {lost:,} targets) and always count as wrong"
        )
    counts = np.bincount(dataset.y[training & dataset.valid])
    share = counts.max() / counts.sum()
    if share > IMBALANCE:
        name = dataset.info["labels"][int(counts.argmax())]
        notes.append(
            f"{share:.0%} of the training targets are {name!r}: accuracy says little, look at macro_f1 "
            "(and try class_weights: balanced)"
        )
    return notes


def _on_columns(raw: Raw, x: Numbers, dataset: Dataset) -> list[str]:
    notes = []
    training = np.zeros(len(dataset.x), np.bool_)
    for start, length, _ in dataset.spans[dataset.of("train")]:
        training[start : start + length] = True
    values = x.values[training]
    flat = [n for n, name in enumerate(x.names) if name not in x.fixed and _constant(values[:, n])]
    if flat:
        notes.append(_several([x.names[n] for n in flat], "never changes in training and tells nothing"))
    counts = [name for name, column in zip(x.names, x.values.T, strict=True) if _counts_rows(column)]
    if counts:
        notes.append(_several(counts, "only counts the rows; leave it out with data.inputs"))
    if not raw.per_row and isinstance(raw.y, Classes | Quantities):
        leaks = [name for n, name in enumerate(x.names) if n not in flat and _tells(raw, x.values[:, n])]
        if leaks:
            told = raw.y.names[0]
            notes.append(
                _several(
                    leaks, f"never changes within a sequence and tells {told!r} by itself; is it a leak?"
                )
            )
    return notes


def _several(names: Sequence[str], what: str) -> str:
    if len(names) == 1:
        return f"input {names[0]!r} {what}"
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return f"each of {len(names)} inputs ({shown}) {what}"


def _constant(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 0 and bool((known == known[0]).all())


def _counts_rows(column: NDArray[np.float64]) -> bool:
    return len(column) >= 10 and bool((np.diff(column) == 1).all())


def _tells(raw: Raw, column: NDArray[np.float64]) -> bool:
    """Whether a column is one value a sequence, a few values in all, and each goes with one target."""
    first = column[raw.starts]
    if not np.array_equal(column, np.repeat(first, raw.lengths), equal_nan=True):
        return False
    targets = raw.y.values.reshape(len(first), -1)[:, 0]
    pairs = {(value, target) for value, target in zip(first.tolist(), targets.tolist(), strict=True)}
    distinct, told = len({value for value, _ in pairs}), len({target for _, target in pairs})
    return 1 < distinct <= len(first) / 2 and told > 1 and len(pairs) == distinct


def _quantiles(lengths: NDArray[np.int64]) -> dict[str, int]:
    shares = {"min": 0, "p50": 50, "p95": 95, "max": 100}
    return {name: int(np.percentile(lengths, share, method="higher")) for name, share in shares.items()}
