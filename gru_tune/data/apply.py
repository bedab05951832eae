"""New rows for a finished study: read as its own were, encoded by what was fitted to those.

Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gru_tune import kinds, sources
from gru_tune.data import spans, splits
from gru_tune.data.dataset import Dataset
from gru_tune.data.encoding import UNKNOWN, Labels
from gru_tune.data.faults import Faults
from gru_tune.data.features import NumberInputs, WordInputs
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.data.raw import Classes, Numbers, Raw, Words
from gru_tune.data.sifting import sift
from gru_tune.errors import DataError
from gru_tune.kinds import DataSection
from gru_tune.kinds.timeline import Timeline
from gru_tune.wording import plural

NEAR = 0.1  # the share by which steps of time may differ and still be called equal: months do


@dataclass(frozen=True)
class NewData:
    """New rows: all of them are in the test split of ``dataset``.

    ``series`` are the timelines that ``dataset`` goes beyond, in the order of its spans,
    where it is for forecasts of what no row of the file tells; else empty. ``notes`` are
    what the user should know, a sentence each.
    """

    dataset: Dataset
    raw: Raw
    series: NDArray[np.int64]
    notes: tuple[str, ...]


def read(fitted: Preprocessing, path: Path, window: int, *, labelled: bool, skip: bool) -> NewData:
    """Read the rows of ``path`` for a model that looks at ``window`` of a timeline's.

    With ``labelled`` the targets are read as well, and only rows that have one are in the
    data; without, all are. ``skip`` leaves bad rows out. Raises ``DataError`` in one
    sentence for whatever cannot be read.
    """
    section = _section(fitted, path)
    frame = replace(sources.read(section, Path()), words=_words(fitted))
    if section.kind == "arrays":
        raw = kinds.read(section, frame, fitted.task, labelled)
        raw, left_out = _whole_arrays(raw, fitted, frame.name, skip)
        broken = np.zeros(0, np.bool_)
    else:
        frame, broken, left_out = sift(frame, section, fitted, labelled, skip)
        raw = kinds.read(section, frame, fitted.task, labelled)
    _refuse_other_inputs(raw, fitted, frame.name)
    x = fitted.inputs.apply(raw.x, raw.starts)
    y, valid = (fitted.encode(raw.y), raw.y.known) if labelled else _no_targets(fitted, raw)
    ahead = int(section.horizon) if isinstance(section, Timeline) and fitted.task == "forecasting" else 0
    series = np.empty(0, np.int64)
    if not fitted.timeline:
        found = spans.sequences(raw, np.full(len(raw.lengths), splits.TEST, np.int8))
    else:
        codes = np.where(broken[raw.origin.rows], splits.DROPPED, splits.TEST).astype(np.int8)
        found = spans.stretches(raw, codes)
        at_end = ahead > 0 and not labelled
        if fitted.task != "labelling":
            needed = window + (0 if at_end else ahead)
            found, series, short = _long_enough(raw, found, needed, at_end, skip, frame.name)
            left_out += short
        if at_end:
            x, y, valid, found = _beyond(x, found, window, ahead, len(fitted.targets))
    dataset = Dataset(
        layout=raw.layout, target=fitted.target, x=x, y=y, valid=valid, spans=found,
        info={**fitted.info(), "max_window": window if fitted.timeline else None},
    )  # fmt: skip
    if labelled and not valid.any():
        raise DataError(f"no row of {frame.name} has a value of {' and '.join(map(repr, fitted.targets))}")
    notes = (*frame.notes, *raw.notes, *_strange(raw, fitted, frame.name), *left_out)
    return NewData(dataset, raw, series, notes)


def _section(fitted: Preprocessing, path: Path) -> DataSection:
    """The study's data section for another file: what it holds is known, how it is written is not."""
    form = "auto" if path.suffix.lower() in sources.SUFFIXES else fitted.section["format"]
    if form == "auto" and path.suffix.lower() not in sources.SUFFIXES:
        suffixes = ", ".join(sorted(sources.SUFFIXES))
        raise DataError(f"{path.name} has a suffix that is not known; rename it to one of {suffixes}")
    kind = kinds.KINDS[fitted.section["kind"]]
    known: dict[str, Any] = {
        "path": str(path.absolute()), "format": form, "delimiter": None, "split": None,
        "inputs": list(fitted.columns), "target_type": "classes" if fitted.labels else "numbers",
    }  # fmt: skip
    if fitted.section["kind"] == "arrays":
        known |= {"tokens": isinstance(fitted.inputs, WordInputs), "split_key": None}
    return kind.model_validate(
        {**fitted.section, **{k: v for k, v in known.items() if k in kind.model_fields}}
    )


def _words(fitted: Preprocessing) -> frozenset[str]:
    """The columns that hold words, whatever they look like in another file."""
    categories = fitted.inputs.categories.words if isinstance(fitted.inputs, NumberInputs) else ()
    return frozenset(categories) | (frozenset(fitted.targets) if fitted.labels else frozenset())


def _whole_arrays(raw: Raw, fitted: Preprocessing, name: str, skip: bool) -> tuple[Raw, list[str]]:
    """Without the sequences that miss an input, where training refused these."""
    if not isinstance(raw.x, Numbers) or getattr(fitted.inputs, "missing", "") != "refuse":
        return raw, []
    holes = np.isnan(raw.x.values).any(axis=1)
    bad = np.logical_or.reduceat(holes, raw.starts)
    faults = Faults(name, len(raw.lengths), "sequences")
    faults.add("an input is missing", bad)
    return (raw.select(~bad) if bad.any() and skip else raw), faults.settle(skip)


def _refuse_other_inputs(raw: Raw, fitted: Preprocessing, name: str) -> None:
    if isinstance(raw.x, Words) or not isinstance(fitted.inputs, NumberInputs):
        return
    found, wanted = {*raw.x.names, *raw.x.texts}, {*fitted.inputs.columns, *fitted.inputs.categories.words}
    if found != wanted:
        raise DataError(f"{name} has {len(found)} numbers a step where the study was made from {len(wanted)}")


def _no_targets(fitted: Preprocessing, raw: Raw) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Targets that mean nothing, all of them known: no sample is left out for the want of one."""
    steps = fitted.target in ("labels", "numbers")
    count = int(raw.lengths.sum()) if steps else len(raw.lengths)
    valid = np.ones(count, np.bool_)
    if steps and isinstance(raw.x, Words) and "" in raw.x.words:  # what stands for a sequence without a word
        valid = raw.x.ids != raw.x.words.index("")
    if fitted.labels:
        return np.zeros(count, np.int32), valid
    return np.zeros((count, len(fitted.targets)), np.float32), valid


def _long_enough(
    raw: Raw, found: spans.Spans, needed: int, at_end: bool, skip: bool, name: str
) -> tuple[spans.Spans, NDArray[np.int64], list[str]]:
    """The stretches of ``needed`` rows or more (with ``at_end``, that end with their timeline), and whose they are.

    Raises ``DataError`` when a timeline has none, unless such may be left out and others remain.
    """
    owner = np.searchsorted(raw.starts, found[:, 0], side="right") - 1
    fits = found[:, 1] >= needed
    if at_end:
        fits &= found[:, 0] + found[:, 1] == (raw.starts + raw.lengths)[owner]
    short = np.setdiff1d(np.arange(len(raw.lengths)), owner[fits])
    if not len(short):
        return found[fits], owner[fits], []
    where = " at its end" if at_end else ""
    rows = f"{needed:,} good ones in a row{where}"
    if not raw.origin.ids:
        raise DataError(f"{name} has {int(raw.lengths[0]):,} rows, and the model needs {rows}")
    first = f"{raw.origin.ids[short[0]]!r} with {int(raw.lengths[short[0]]):,} rows"
    told = f"{len(short):,} of {len(raw.lengths):,} series of {name} are too short (the first is {first})"
    if not skip or not fits.any():
        remedy = "; make them longer, or leave them out with --skip-bad" if fits.any() else ""
        raise DataError(f"{told}: the model needs {rows}{remedy}")
    return found[fits], owner[fits], [f"left out: {told}: the model needs {rows}"]


def _beyond(
    x: NDArray[Any], found: spans.Spans, window: int, horizon: int, targets: int
) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.bool_], spans.Spans]:
    """The last ``window`` rows of every stretch, and ``horizon`` empty ones to be forecast after them."""
    rows = (found[:, 0] + found[:, 1])[:, None] + np.arange(-window, 0)
    both = window + horizon
    longer = np.zeros((len(found), both, x.shape[1]), x.dtype)
    longer[:, :window] = x[rows]
    count = len(found) * both
    starts = np.arange(len(found)) * both
    made = np.column_stack([starts, np.full(len(found), both), found[:, 2]]).astype(np.int64)
    y, valid = np.zeros((count, targets), np.float32), np.ones(count, np.bool_)
    return longer.reshape(count, x.shape[1]), y, valid, made


def _strange(raw: Raw, fitted: Preprocessing, name: str) -> Iterator[str]:
    """What is in the new rows that was not in training: words, classes, another rhythm."""
    if isinstance(raw.x, Words) and isinstance(fitted.inputs, WordInputs):
        unknown = fitted.inputs.apply(raw.x, raw.starts) == UNKNOWN
        if "" in raw.x.words:
            unknown &= raw.x.ids != raw.x.words.index("")
        if count := int(unknown.sum()):
            share = f"{count:,} of {len(unknown):,} words of {name} ({100 * count / len(unknown):.2g} %)"
            yield f"{share} were not in training and are read as unknown"
    if isinstance(raw.x, Numbers) and isinstance(fitted.inputs, NumberInputs):
        for column, words in fitted.inputs.categories.words.items():
            new = [word for word in raw.x.texts[column].tolist() if word is not None and word not in words]
            if new:
                rows = f"{plural(len(new), 'row')} of {name}"
                yield f"{rows} with a {column!r} that training lacks, such as {new[0]!r}"
    if isinstance(raw.y, Classes) and isinstance(fitted.goal, Labels) and (unseen := fitted.unseen(raw.y)):
        count = int(np.isin(raw.y.values.astype(str), unseen).sum())
        shown = ", ".join(map(repr, unseen[:5]))
        yield f"{plural(count, 'target')} of {name} of a class that training lacks ({shown}), counted as wrong where classes are counted"
    if missing := int((~raw.y.known).sum()):
        yield f"{plural(missing, 'target')} of {len(raw.y.known):,} missing in {name}, not counted"
    stamps = raw.origin.stamps
    steps = np.empty(0) if stamps is None else stamps.steps(raw.lengths)
    if stamps is not None and fitted.step and len(steps):
        here = float(np.median(steps))
        if abs(here - fitted.step) > NEAR * fitted.step:
            apart = f"{stamps.words(here)} apart, and those of the study {stamps.words(fitted.step)}"
            yield f"rows of {name} are {apart}: the model was not made for such steps"
