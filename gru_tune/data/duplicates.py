"""The same content twice: across splits, with another target, and in overlapping windows."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.facts import across, contents, inputs, rows_of
from gru_tune.data.findings import Finding, evenly
from gru_tune.data.raw import Numbers, Raw, Words
from gru_tune.kinds.base import SplitSection
from gru_tune.wording import listed

MANY = 0.01  # of a split: fewer copies hardly move a score
BLOCK = 24  # rows in a row that repeat by no accident
PAIRS = 200  # neighbouring sequences that are compared
SHARED = 8  # steps that two overlapping windows share at least

Ints = NDArray[np.int64]


def duplicates(plan: SplitSection, raw: Raw, dataset: Dataset, exact: dict[str, int]) -> list[Finding]:
    """Copies across splits, equal inputs with different targets, and windows that overlap across splits."""
    if raw.layout == "timeline":
        return _blocks(raw, dataset)
    nearly = exact
    if isinstance(raw.x, Words):
        nearly = across(contents(*_normal(raw.x, dataset.spans)), dataset)
    found = _told(plan, raw, dataset, {s: max(n, nearly[s]) for s, n in exact.items()}, sum(exact.values()))
    if not raw.per_row:
        found += _contradictions(raw, dataset)
    if isinstance(raw.x, Numbers):
        found += _overlaps(dataset)
    return found


def _told(
    plan: SplitSection, raw: Raw, dataset: Dataset, counts: dict[str, int], exact: int
) -> list[Finding]:
    totals = {split: int((dataset.spans[:, 2] == SPLITS.index(split)).sum()) for split in counts}
    parts = [f"{n:,} of {totals[split]:,} {split}" for split, n in counts.items() if n]
    if not parts:
        return []
    if isinstance(raw.x, Words) and plan.group == raw.x.name:
        exact = 0  # equal texts are together: those left are equal only as words, cleaned and in lower case
    near = sum(counts.values()) - exact
    but = f" ({near:,} of them but for case, blanks and punctuation)" if near else ""
    remedy = "keep one of each in the file"
    if raw.split is not None or plan.column is not None:
        remedy = "take them out of training in the file"
    elif isinstance(raw.x, Words) and near < exact:
        remedy = f"keep equal ones together with data.split: {{by: group, group: {raw.x.name}}}"
    elif isinstance(raw.x, Words):
        remedy = (
            f"add a column to the file, {raw.x.name!r} in lower case without blanks and punctuation, and keep "
            "equal ones together with data.split: {by: group, group: that column}"
        )
    text = f"{listed(parts, 'and')} sequences occur in training as well{but}; the score flatters by them: {remedy}"
    many = any(n >= MANY * totals[split] for split, n in counts.items())
    return [Finding("duplicates", "warning" if many else "note", text)]


def _normal(x: Words, spans: Ints) -> tuple[NDArray[np.int32], Ints]:
    """The words without case and punctuation, and where the sequences lie then."""
    forms = ["".join(filter(str.isalnum, word.lower())) for word in x.words]
    numbers = {form: n for n, form in enumerate(dict.fromkeys(forms))}
    keep = np.array([bool(form) for form in forms], np.bool_)[x.ids]
    ids = np.array([numbers[form] for form in forms], np.int32)[x.ids][keep]
    before = np.concatenate([[0], np.cumsum(keep)])
    starts, ends = before[spans[:, 0]], before[spans[:, 0] + spans[:, 1]]
    return ids, np.column_stack([starts, ends - starts, spans[:, 2]])


def _contradictions(raw: Raw, dataset: Dataset) -> list[Finding]:
    """Training sequences whose inputs occur with another target, too."""
    train = np.flatnonzero((dataset.spans[:, 2] == 0) & dataset.valid)
    targets: defaultdict[int | None, Counter[object]] = defaultdict(Counter)
    values = raw.y.values.reshape(len(raw.y.values), -1)
    found = contents(inputs(raw, dataset), dataset.spans[train])
    for content, target in zip(found, values[train].tolist(), strict=True):
        targets[content][tuple(target)] += 1
    count = sum(several.total() for several in targets.values() if len(several) > 1)
    if not count:
        return []
    text = (
        f"{count:,} of {len(train):,} training sequences occur with another {raw.y.names[0]!r}, too, so that no model "
        "can be right about all of them; look whether their targets are mistakes"
    )
    return [Finding("contradictions", "warning" if count >= MANY * len(train) else "note", text)]


def _blocks(raw: Raw, dataset: Dataset) -> list[Finding]:
    """Stretches of ``BLOCK`` rows of a timeline that are in training and again elsewhere."""
    import pandas as pd

    assert isinstance(raw.x, Numbers)
    moving = [n for n, name in enumerate(dataset.info["inputs"]) if name not in raw.x.fixed]
    table = np.column_stack([dataset.x[:, moving], dataset.y])
    rows = pd.util.hash_pandas_object(pd.DataFrame(table), index=False).to_numpy(np.uint64)
    hashes = np.zeros(max(0, len(rows) - BLOCK + 1), np.uint64)
    for step in range(BLOCK):  # a polynomial in the rows, modulo 2**64
        hashes *= np.uint64(1_099_511_628_211)
        hashes += rows[step : step + len(hashes)]
    changes = np.concatenate([[0], np.cumsum(rows[1:] != rows[:-1])])
    # A sensor that stands still repeats itself, too.
    lively = changes[BLOCK - 1 :][: len(hashes)] - changes[: len(hashes)] >= BLOCK // 2
    inside = [_whole(dataset, code, len(hashes)) & lively for code in range(3)]
    again, totals = {}, {}
    for code in (1, 2):
        repeated = inside[code] & np.isin(hashes, hashes[inside[0]])
        covered = np.zeros(len(rows) + 1, np.int64)
        np.add.at(covered, np.flatnonzero(repeated), 1)
        np.add.at(covered, np.flatnonzero(repeated) + BLOCK, -1)
        again[SPLITS[code]] = int((np.cumsum(covered) > 0).sum())
        totals[SPLITS[code]] = int(rows_of(dataset, code).sum())
    parts = [f"{n:,} of {totals[split]:,} {split}" for split, n in again.items() if n]
    if not parts:
        return []
    text = (
        f"{listed(parts, 'and')} rows repeat training rows, in stretches of {BLOCK} and more; the score flatters by "
        "them: take them out of the file"
    )
    many = any(n >= MANY * totals[split] for split, n in again.items())
    return [Finding("duplicates", "warning" if many else "note", text)]


def _whole(dataset: Dataset, code: int, blocks: int) -> NDArray[np.bool_]:
    """Where a block begins that lies in one stretch of the split."""
    mask = np.zeros(blocks, np.bool_)
    for start, length, split in dataset.spans.tolist():
        if split == code:
            mask[start : max(start, start + length - BLOCK + 1)] = True
    return mask


def _overlaps(dataset: Dataset) -> list[Finding]:
    """Sequences that are windows of one record, with neighbours on both sides of a split."""
    code = dataset.spans[:, 2]
    apart = np.flatnonzero((code[1:] != code[:-1]) & ((code[1:] == 0) | (code[:-1] == 0)))
    tried = evenly(apart, PAIRS)
    share = (
        np.mean([_overlap(*(_values(dataset, m) for m in (n, n + 1))) for n in tried]) if len(tried) else 0
    )
    if share < 0.5 or len(apart) < 0.1 * (code > 0).sum():
        return []
    text = (
        f"neighbouring sequences overlap, as windows cut from one record do, and the split tears {share * len(apart):,.0f} "
        "pairs of them apart, so that training knows parts of validation and test: give the record as it is with "
        "kind: timeline, or set data.split: {by: time}"
    )
    return [Finding("overlap", "warning", text)]


def _values(dataset: Dataset, n: int) -> NDArray[np.float32]:
    start, length, _ = dataset.spans[n]
    return np.asarray(dataset.x[start : start + length])


def _overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    """Whether the end of one sequence is the beginning of the next, and is not all the same."""
    for step in np.flatnonzero((first == second[0]).all(axis=1)):
        end = first[step:]
        if step and len(end) >= SHARED and np.array_equal(end, second[: len(end)]) and (end != end[0]).any():
            return True
    return False
