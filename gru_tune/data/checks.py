"""Everything that is looked for in the data of a study before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gru_tune.data import belonging, duplicates, leaks, shift
from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import natural
from gru_tune.data.facts import rows_of, units_of
from gru_tune.data.findings import Finding, few, ranked, several
from gru_tune.data.frame import Frame
from gru_tune.data.raw import Classes, Numbers, Raw
from gru_tune.knobs import possible, table
from gru_tune.wording import listed

if TYPE_CHECKING:
    from gru_tune.data.prepare import Question

IMBALANCE = 0.8
RARE = 5  # training examples of a class
FEW = 20  # with fewer validation sequences than this, the ranks of the trials are mostly chance


def findings(
    config: Question,
    frame: Frame,
    raw: Raw,
    dataset: Dataset,
    copies: dict[str, int],
    said: Sequence[str],
) -> list[Finding]:
    """What makes a score doubtful or an input useless, the gravest first.

    copies: how many sequences of the other splits are in training, from ``facts.copies``
    said:   the notes on reading and splitting, which come last
    """
    found = leaks.leaks(raw, dataset)
    found += duplicates.duplicates(config.data.split_section, raw, dataset, copies)
    found += belonging.torn(config.data, frame, raw, dataset)
    found += shift.shifts(raw, dataset, _remedy(config))
    found += _validation(raw, dataset)
    if isinstance(raw.y, Classes):
        found += _classes(config, raw, raw.y, dataset)
    if lost := int((~dataset.valid).sum()):
        unit = "rows" if raw.per_row else "sequences"
        text = f"{lost:,} of {len(dataset.valid):,} {unit} miss their target and are not learned or scored"
        found.append(Finding("missing", "note", text))
    if isinstance(raw.x, Numbers):
        found += _columns(raw.x, dataset)
    return ranked(found, said)


def _remedy(config: Question) -> str:
    """What to do about numbers that lie on another level in validation or test."""
    if not table()["scale"].applies(config.data.kind, config.task):
        return "see data.split"
    tried = {"window", "last"} & set(possible(config.domain("scale")) or ())
    if tried:
        return f"data.scale: {listed(sorted(map(str, tried)))}, which the search tries, is there for that"
    return "data.scale: last or window would read every window relative to itself"


def _validation(raw: Raw, dataset: Dataset) -> list[Finding]:
    """Whether the split that ranks the trials can tell them apart."""
    known = units_of(raw, dataset, 1) & dataset.valid
    count = int(known.sum())
    if count and isinstance(raw.y, Classes) and len(only := set(raw.y.values[known].tolist())) == 1:
        text = f"all {count:,} validation targets are {only.pop()!r}: a score on them says little; see data.split"
        return [Finding("validation", "warning", text)]
    if not raw.per_row and 0 < count < FEW:
        text = f"only {count} of the sequences validate: differences between trials may be chance; see data.split"
        return [Finding("validation", "warning", text)]
    return []


def _classes(config: Question, raw: Raw, y: Classes, dataset: Dataset) -> list[Finding]:
    """Classes that are unknown, rare, absent from a split, or nearly all there is."""
    found: list[Finding] = []
    labels = dataset.info["labels"]
    if unseen := natural(set(y.values.tolist()) - {None, *labels}):
        lost = int((np.asarray(dataset.y) >= len(labels)).sum())
        noun = "class occurs" if len(unseen) == 1 else "classes occur"
        text = f"{len(unseen)} {noun} only outside training ({few(unseen)}; {lost:,} targets) and always count as wrong"
        found.append(Finding("classes", "warning", text))
    counts = {
        split: np.bincount(dataset.y[units_of(raw, dataset, code) & dataset.valid], minlength=len(labels))
        for code, split in enumerate(SPLITS)
    }
    training = counts.pop("train")
    share = training.max() / training.sum()
    if share > IMBALANCE:
        name = labels[int(training.argmax())]
        advice = _against_imbalance(config)
        text = f"{share:.0%} of the training targets are {name!r}{advice}"
        found.append(Finding("imbalance", "warning" if advice else "note", text))
    lacking = {f"fewer than {RARE} training examples": np.flatnonzero(training < RARE)}
    for split, own in counts.items():
        if np.count_nonzero(own) > 1:
            lacking[f"none in {split}"] = np.flatnonzero(own[: len(labels)] == 0)
    parts = [
        f"{len(those)} {'has' if len(those) == 1 else 'have'} {what} ({few([labels[n] for n in those], 2)})"
        for what, those in lacking.items()
        if len(those)
    ]
    if parts:
        text = (
            f"of {len(labels)} classes, {listed(parts, 'and')}: what the scores say about them is chance; "
            "give them more examples or join them"
        )
        found.append(Finding("classes", "note", text))
    return found


def _against_imbalance(config: Question) -> str:
    """What there is to do about a class that is nearly all, and is not done yet."""
    parts = []
    if config.search.metric[1] in (None, "accuracy"):
        parts.append("accuracy says little, look at macro_f1")
    if "balanced" not in (possible(config.domain("class_weights")) or ()):
        parts.append("try class_weights: balanced")
    return f": {listed(parts, 'and')}" if parts else ""


def _columns(x: Numbers, dataset: Dataset) -> list[Finding]:
    """Columns that tell nothing."""
    found = []
    training = rows_of(dataset, 0)
    values = x.values[training]
    flat = [n for n, name in enumerate(x.names) if name not in x.fixed and _constant(values[:, n])]
    if flat:
        text = several([x.names[n] for n in flat], "never changes in training and tells nothing")
        found.append(Finding("columns", "note", text))
    counts = [name for name, column in zip(x.names, x.values.T, strict=True) if _counts_rows(column)]
    if counts:
        text = several(counts, "only counts the rows; leave it out with data.inputs")
        found.append(Finding("columns", "note", text))
    return found


def _constant(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 0 and bool((known == known[0]).all())


def _counts_rows(column: NDArray[np.float64]) -> bool:
    return len(column) >= 10 and bool((np.diff(column) == 1).all())
