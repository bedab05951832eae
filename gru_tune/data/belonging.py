"""What ties sequences together that a split should not tear apart: groups, and time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.findings import Finding, few
from gru_tune.data.frame import Frame
from gru_tune.data.raw import Raw

if TYPE_CHECKING:
    import pandas as pd

    from gru_tune.kinds.base import DataSection

# Words in the name of a column.
GROUPS = {
    "id", "uid", "uuid", "subject", "patient", "participant", "person", "user", "customer", "client", "member",
    "speaker", "author", "writer", "machine", "engine", "device", "sensor", "vehicle", "driver", "rider", "animal",
    "plant", "site", "station", "household", "house", "environment", "group", "session", "recording",
}  # fmt: skip
NO_GROUPS = {"label", "labels", "class", "classes", "target", "category", "tag", "tags", "split", "fold"}
DATES = {"date", "datetime", "time", "timestamp", "created", "published"}
FEWEST = 20  # sequences in validation and test


def torn(section: DataSection, frame: Frame, raw: Raw, dataset: Dataset) -> list[Finding]:
    """Groups with sequences on both sides of a split, and splits that mix past and future."""
    if raw.layout == "timeline":
        return _timelines(raw, dataset)
    if section.split_section.group is not None or (dataset.spans[:, 2] > 0).sum() < FEWEST:
        return []
    return [*_groups(section, frame, raw, dataset), *_times(section, frame, raw, dataset)]


def _groups(section: DataSection, frame: Frame, raw: Raw, dataset: Dataset) -> list[Finding]:
    """A column that is named like a group and has the same values in training and elsewhere."""
    held = dataset.spans[:, 2] > 0
    shared: dict[str, int] = {}
    for name, values in _others(section, frame, raw, GROUPS):
        members = values.astype(str).to_numpy()
        known = np.isin(members[held], members[dataset.spans[:, 2] == 0])
        if len(np.unique(members)) <= len(members) / 2 and known.mean() >= 0.5:
            shared[name] = int(known.sum())
    if not shared:
        return []
    name = max(shared, key=lambda name: shared[name])
    also = f" (and so with {few([other for other in shared if other != name])})" if len(shared) > 1 else ""
    text = (
        f"{shared[name]:,} of {held.sum():,} validation and test sequences share their {name!r} with training{also}, "
        "so that the scores are those of known ones; for others, keep it whole with data.split: "
        f"{{by: group, group: {name}}}"
    )
    return [Finding("groups", "warning", text)]


def _times(section: DataSection, frame: Frame, raw: Raw, dataset: Dataset) -> list[Finding]:
    """Sequences with a date: held-out ones from before training, or from all over the same time."""
    name, times, remedy = _starts(section, frame, raw)
    if name is None or len(np.unique(times)) < len(times) / 2:
        return []
    code = dataset.spans[:, 2]
    middle = float(np.median(times[code == 0]))
    for number, split in enumerate(SPLITS[1:], start=1):
        if (code == number).any() and times[code == number].max() < middle:
            text = (
                f"the {split} split begins before the training split in time, and most training sequences come after "
                f"its last one; if training should not know the future, {remedy}"
            )
            return [Finding("time", "warning", text)]
    if raw.split is not None or section.split_section.by is not None:
        return []
    text = (
        f"the sequences have a date ({name!r}) and are split at random, so that training knows what came after "
        f"validation and test; to score on later ones, {remedy}"
    )
    return [Finding("time", "note", text)]


def _starts(section: DataSection, frame: Frame, raw: Raw) -> tuple[str | None, NDArray[np.float64], str]:
    """The time column, when every sequence begins, and how to split by it."""
    stamps = raw.origin.stamps
    if stamps is not None and stamps.dates is not None:
        return stamps.name, stamps.values[raw.starts], "set data.split: {by: time}"
    for name, values in _others(section, frame, raw, DATES):
        times = _dates(values)
        if times is not None:
            return name, times, f"sort the file by {name!r} and set data.split: {{by: time}}"
    return None, np.empty(0), ""


def _others(
    section: DataSection, frame: Frame, raw: Raw, words: set[str]
) -> list[tuple[str, pd.Series[Any]]]:
    """Columns with such a name that are neither targets, ids nor splits, with one value a sequence."""
    if frame.table is None or not len(raw.origin.rows):
        return []
    one_each = len(raw.origin.rows) == len(raw.lengths)
    used = {*raw.y.names, section.split_section.column, getattr(section, "series", None)}
    found = []
    for name in frame.table.columns:
        parts = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", str(name))}
        if name in used or not parts & words or parts & NO_GROUPS:
            continue
        rows = frame.table[name].iloc[raw.origin.rows]
        first = rows if one_each else rows.iloc[raw.starts]
        constant = one_each or np.array_equal(rows.astype(str), np.repeat(first.astype(str), raw.lengths))
        if constant and not first.isna().any():
            found.append((str(name), first))
    return found


def _dates(values: pd.Series[Any]) -> NDArray[np.float64] | None:
    """Text as dates in seconds; None where it holds something else."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return None
    try:
        dates = pd.to_datetime(values, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        return None
    return np.asarray(dates.astype("int64"), np.float64)


def _timelines(raw: Raw, dataset: Dataset) -> list[Finding]:
    """Training rows of a timeline that come after rows that validate or test."""
    if raw.groups is not None:
        return []
    owner = np.searchsorted(raw.starts, dataset.spans[:, 0], side="right")
    found = []
    for code, split in enumerate(SPLITS[1:], start=1):
        later = earlier = 0
        for line in np.unique(owner[dataset.spans[:, 2] == code]):
            spans = dataset.spans[owner == line]
            first = spans[spans[:, 2] == code, 0].min()
            training = spans[spans[:, 2] == 0]
            later += int((training[:, 0] + training[:, 1] - np.maximum(training[:, 0], first)).clip(0).sum())
            earlier += bool(len(training) and first < training[:, 0].min())
        if later:
            rows = int(dataset.spans[dataset.spans[:, 2] == 0, 1].sum())
            begins = f"the {split} split begins before" + ("" if earlier else " the end of")
            text = (
                f"{begins} the training split in time: {later:,} of {rows:,} training rows come after its first row; "
                "if training should not know the future, set data.split: {by: time}"
            )
            found.append(Finding("time", "warning", text))
    return found
