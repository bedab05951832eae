"""Inputs that give the target away: columns, columns from the future, and words.

Every column is tried alone, on at most ``MOST`` units of training and validation, evenly spread:
sequences in folds, rows fitted on training and scored on validation, because neighbours are alike.
The test split is not looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import Dataset
from gru_tune.data.facts import units_of
from gru_tune.data.findings import Finding, evenly, few, several
from gru_tune.data.raw import Classes, Numbers, Raw, Words

MOST = 10_000  # units looked at in a split
VALUES = 4_000_000  # numbers looked at in all; more features means fewer units
FEWEST = 50  # with fewer units than this, a perfect guess may be luck
FOLDS = 5
TELLS = 0.99  # share of the validation targets that one column gets right
BEATS = 0.1  # share of the largest class' errors that it may make
FOLLOWS = 0.999  # rank correlation with a target that is a number
LAGS = 48  # steps into the future that are tried
DETERMINED = 0.9  # a target's own past explains this share of its steps: any periodic column "knows" them
DOCUMENTS = 20  # a word tells something when as many documents of a class have it …
COVERS = 0.75  # … which are this share of the class (in real questions, "why" has half of the reasons)
NAMES = 0.1  # the same for a word that is the name of the class
TOKENS = 1_000_000  # words looked at

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
REMEDY = "if it is not known when a prediction is made, it is a leak: leave it out with data.inputs"


def leaks(raw: Raw, dataset: Dataset) -> list[Finding]:
    """The inputs that predict the target alone."""
    if isinstance(raw.x, Words):
        return [] if raw.per_row or not isinstance(raw.y, Classes) else _words(raw.x, raw, dataset)
    if dataset.info["task"] == "forecasting":
        return _from_the_future(raw.x, raw, dataset)
    return _columns(raw.x, raw, dataset)


def _columns(x: Numbers, raw: Raw, dataset: Dataset) -> list[Finding]:
    found, target, named = [], raw.y.names[0], []
    units = [np.flatnonzero(units_of(raw, dataset, code) & dataset.valid) for code in (0, 1)]
    if not raw.per_row:
        both = np.concatenate(units)
        named = [name for name, column in zip(x.names, x.values.T, strict=True) if _names(raw, column, both)]
    if named:
        what = f"never changes within a sequence and tells {target!r} by itself; is it a leak? If so, leave it out with data.inputs"
        found.append(Finding("leak", "warning", several(named, what)))
    names, features = _features(x, raw, named)
    if not names:
        return found
    train, held = (evenly(indices, min(MOST, VALUES // len(names))) for indices in units)
    parts = [(train, held)] if raw.per_row else _folds(np.sort(np.concatenate([train, held])))
    scored = np.concatenate([part for _, part in parts])
    if len(scored) < FEWEST:
        return found
    needed, share = FOLLOWS, 0.0
    if isinstance(raw.y, Classes):
        share = np.bincount(dataset.y[scored]).max() / len(scored)
        needed = max(TELLS, 1 - BEATS * (1 - share))
    best: dict[str, tuple[float, str]] = {}
    for (name, how), column in zip(names, features.T, strict=True):
        if isinstance(raw.y, Classes):
            right = [_told(column, np.asarray(dataset.y), fitted, part) for fitted, part in parts]
            score = float(np.concatenate(right).mean())
            sure = score * len(scored) / (len(scored) + 1)  # as if one more were wrong: few prove little
        else:
            score = sure = _followed(column[scored], raw.y.values[scored, 0])
        if sure >= needed and score > best.get(name, (0.0, ""))[0]:
            best[name] = (score, how)
    if not best:
        return found
    least, how = min(best.values())
    what = f"{how} alone " if how and len(best) == 1 else "alone "
    unit = "validation rows" if raw.per_row else "sequences"
    if isinstance(raw.y, Classes):
        what += f"tells {target!r} in {least:.1%} of the {unit} ({share:.0%} are of the largest class)"
    else:
        what += f"follows {target!r} (rank correlation {least:.4f} in the {unit})"
    return [*found, Finding("leak", "warning", several(list(best), f"{what}; {REMEDY}"))]


def _folds(units: Indices) -> list[tuple[Indices, Indices]]:
    """What is fitted and what is scored, fold after fold."""
    fold = np.arange(len(units)) % FOLDS
    return [(units[fold != n], units[fold == n]) for n in range(FOLDS)]


def _names(raw: Raw, column: Floats, units: Indices) -> bool:
    """Whether a column is one value a sequence, a few values in all, and each goes with one target."""
    first = column[raw.starts]
    if not np.array_equal(column, np.repeat(first, raw.lengths), equal_nan=True):
        return False
    targets = raw.y.values.reshape(len(first), -1)[units, 0]
    pairs = {(value, target) for value, target in zip(first[units].tolist(), targets.tolist(), strict=True)}
    distinct, told = len({value for value, _ in pairs}), len({target for _, target in pairs})
    return 1 < distinct <= len(units) / 2 and told > 1 and len(pairs) == distinct


def _features(x: Numbers, raw: Raw, named: list[str]) -> tuple[list[tuple[str, str]], Floats]:
    """What is tried alone, (units, features), with (column, how it is read) for every feature.

    Rows with a target each are read as they are, sequences by summaries of every column; one
    column of sequences that are equally long (``wide``) by its steps.
    """
    tried = [n for n, name in enumerate(x.names) if name not in x.fixed and name not in named]
    columns: list[str] = [*(x.names[n] for n in tried), *x.texts]
    values = np.column_stack([x.values[:, tried], *(_codes(column) for column in x.texts.values())])
    if raw.per_row:
        return [(name, "") for name in columns], values
    if len(columns) == 1 and (raw.lengths == raw.lengths[0]).all():
        steps = values.reshape(len(raw.lengths), -1)
        return [(f"step {n}", "") for n in range(1, steps.shape[1] + 1)], steps
    starts, ends = raw.starts, raw.starts + raw.lengths - 1
    known = np.add.reduceat(~np.isnan(values), starts, axis=0)
    summaries = {
        "by its first value": values[starts],
        "by its last value": values[ends],
        "by its mean": np.add.reduceat(np.nan_to_num(values), starts, axis=0) / np.maximum(known, 1),
        "by its smallest value": np.fmin.reduceat(values, starts, axis=0),
        "by its largest value": np.fmax.reduceat(values, starts, axis=0),
    }
    read = [(name, how) for how in summaries for name in columns]
    return read, np.column_stack(list(summaries.values()))


def _codes(column: NDArray[np.object_]) -> Floats:
    """A column of words as numbers, NaN where missing."""
    codes = np.unique(column.astype(str), return_inverse=True)[1].astype(np.float64)
    codes[column == None] = np.nan  # noqa: E711  element by element
    return codes


def _told(column: Floats, y: NDArray[Any], fitted: Indices, scored: Indices) -> NDArray[np.bool_]:
    """Which classes the nearest fitted value tells (the commonest class there)."""
    fitted = fitted[~np.isnan(column[fitted])]
    if not len(fitted):
        return np.zeros(len(scored), np.bool_)
    values, place = np.unique(column[fitted], return_inverse=True)
    counts = np.zeros((len(values), int(y.max()) + 1))
    np.add.at(counts, (place, y[fitted]), 1)
    middles = (values[1:] + values[:-1]) / 2
    guess = counts.argmax(axis=1)[np.searchsorted(middles, column[scored])]
    return np.asarray((guess == y[scored]) & ~np.isnan(column[scored]))


def _followed(column: Floats, y: Floats) -> float:
    """The rank correlation without its sign; 0 for a few values, which are classes rather."""
    import pandas as pd

    ranks = pd.DataFrame({"column": column, "y": y}).dropna().rank()
    if (ranks.nunique() < FEWEST).any():
        return 0.0
    return abs(float(ranks["column"].corr(ranks["y"])))


def _from_the_future(x: Numbers, raw: Raw, dataset: Dataset) -> list[Finding]:
    """Columns whose step now is the step a target takes later."""
    start, length, _ = max(dataset.spans[dataset.of("train")].tolist(), key=lambda span: int(span[1]))
    rows = slice(start, start + min(length, MOST))
    steps = np.diff(np.asarray(dataset.x[rows], np.float64)[:, : len(x.names)], axis=0)
    found: dict[str, tuple[int, str]] = {}
    for n, target in enumerate(raw.y.names):
        own = np.diff(np.asarray(dataset.y[rows], np.float64)[:, n])
        if len(own) < 10 * LAGS or not own.any() or _own_past(own) > DETERMINED:
            continue
        for lag in range(1, LAGS + 1):
            for column in np.flatnonzero(np.abs(_correlations(steps[:-lag], own[lag:])) > FOLLOWS):
                found.setdefault(x.names[column], (lag, target))
    if not found:
        return []
    lag, target = next(iter(found.values()))
    when = "the next step" if lag == 1 else f"{lag} steps later"
    what = f"holds {target!r} of {when}, which no forecast can know; leave it out with data.inputs"
    return [Finding("leak", "warning", several(list(found), what))]


def _correlations(columns: Floats, y: Floats) -> Floats:
    columns, y = columns - columns.mean(axis=0), y - y.mean()
    spread = np.sqrt((columns**2).sum(axis=0) * (y**2).sum())
    found: Floats = np.divide(y @ columns, spread, out=np.zeros(columns.shape[1]), where=spread > 0)
    return found


def _own_past(steps: Floats, order: int = 16) -> float:
    """How much of its steps a linear function of the ones before explains (R²)."""
    past = np.lib.stride_tricks.sliding_window_view(steps, order)[:-1]
    now = steps[order:]
    left = now - past @ np.linalg.lstsq(past, now, rcond=None)[0]
    return 1 - float((left**2).sum() / max(((now - now.mean()) ** 2).sum(), 1e-300))


def _words(x: Words, raw: Raw, dataset: Dataset) -> list[Finding]:
    """Words that most training texts of one class have, and hardly any others."""
    train = np.flatnonzero((dataset.spans[:, 2] == 0) & dataset.valid)
    train = evenly(train, min(MOST, int(TOKENS / raw.lengths[train].mean())))
    rows = np.concatenate([np.arange(start, start + length) for start, length, _ in dataset.spans[train]])
    pairs = np.unique(np.repeat(np.arange(len(train)), raw.lengths[train]) * len(x.words) + x.ids[rows])
    document, word = pairs // len(x.words), pairs % len(x.words)
    y = np.asarray(dataset.y)[train]
    everywhere = np.bincount(word, minlength=len(x.words))
    told: dict[str, str] = {}
    for code, label in enumerate(dataset.info["labels"]):
        having, size = np.bincount(word[y[document] == code], minlength=len(x.words)), int((y == code).sum())
        for n in np.flatnonzero((having >= DOCUMENTS) & (having >= TELLS * everywhere)):
            name = x.words[n]
            if having[n] >= size * (NAMES if name.lower() == label.lower() else COVERS):
                told[name] = (
                    f"the word {name!r} alone tells the class {label!r} ({having[n]:,} of its {size:,} training texts "
                    f"have it, and {everywhere[n] - having[n]:,} others)"
                )
    if not told:
        return []
    first, *others = told
    more = f"; so do {few([repr(name) for name in others])}" if others else ""
    remedy = "if it is not known when a prediction is made, it is a leak: take it out of the texts"
    return [Finding("leak", "warning", f"{told[first]}{more}; {remedy}")]
