"""From a config to prepared data: read, gather, split, fit on training, encode.

Nothing is fitted on anything but the training split, and nothing here depends on the
value a trial gives a knob: every trial of a study reads the same arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gru_tune import kinds, sources
from gru_tune.data import checks, folds, named, spans, splits
from gru_tune.data import facts as told
from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import Method
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.data.raw import Raw
from gru_tune.errors import ConfigError, DataError, Problem
from gru_tune.kinds.base import DataSection
from gru_tune.knobs import possible, table
from gru_tune.values import Domain, Scalar


class Question(Protocol):
    """What preparing needs of a config."""

    @property
    def task(self) -> str: ...
    @property
    def data(self) -> Any: ...
    @property
    def search(self) -> Any: ...
    @property
    def folder(self) -> Path: ...
    def domain(self, name: str) -> Scalar | Domain: ...


@dataclass(frozen=True)
class Prepared:
    """The data of a study, and everything worth knowing about it.

    With folds all but ``others`` is of the first one, whose model is handed over.

    preprocessing: JSON-able, whatever was fitted and is needed to read new rows the same way
    facts:         JSON-able counts for ``check``
    notes:         warnings, a sentence each
    fingerprint:   sha256 of the data as read
    others:        the data of the second fold and those after it, each fitted on its own training part
    """

    dataset: Dataset
    preprocessing: Mapping[str, Any]
    facts: Mapping[str, Any]
    notes: tuple[str, ...]
    fingerprint: str
    others: tuple[Dataset, ...] = ()


def prepare(config: Question) -> Prepared:
    """Read and encode the data of a study.

    Raises ``DataError`` in one sentence for whatever is wrong with the data, ``ConfigError``
    for keys that do not go together.
    """
    section: DataSection = config.data
    method = _method(config)
    if problems := section.problems(config.task):
        raise ConfigError(problems)
    frame = sources.read(section, config.folder)
    try:
        raw = kinds.read(section, frame, config.task)
    except DataError as error:
        raise named.with_others(error, section, frame) from None
    fingerprint = raw.fingerprint()
    assigned, notes = folds.assign(raw, section.split_section, config.search.seed)
    parts = _fitted(config, raw, assigned, method)
    first = next(parts)
    others = tuple(part.dataset for part in parts)
    raw, dataset = first.raw, first.dataset
    copies = told.copies(raw, dataset)
    said = (*frame.notes, *raw.notes, *notes, *first.notes)
    findings = checks.findings(config, frame, raw, dataset, copies, said)
    found = [finding.to_json() for finding in findings]
    return Prepared(
        dataset=dataset,
        preprocessing=first.fitted.to_json(),
        facts={**told.facts(raw, dataset, copies), "folds": len(assigned), "checks": found},
        notes=tuple(finding.text for finding in findings),
        fingerprint=fingerprint,
        others=others,
    )


@dataclass(frozen=True)
class _Part:
    """One fold: the sequences that are in it, and what was fitted on those that train."""

    raw: Raw
    fitted: Preprocessing
    dataset: Dataset
    notes: list[str]


def _fitted(
    config: Question, raw: Raw, assigned: Sequence[NDArray[np.int8]], method: Method
) -> Iterator[_Part]:
    for number, codes in enumerate(assigned, start=1):
        try:
            yield _fit(config, raw, codes, method)
        except DataError as error:
            if len(assigned) == 1:
                raise
            where = f"fold {number} of {len(assigned)}; with fewer data.split.folds each is larger"
            raise DataError(f"{error} ({where})") from None


def _fit(config: Question, raw: Raw, codes: NDArray[np.int8], method: Method) -> _Part:
    section = config.data
    if raw.layout == "sequences" and (codes < 0).any():
        raw, codes = raw.select(codes >= 0), codes[codes >= 0]
    found, notes = _spans(config, raw, codes)
    fitted = Preprocessing.fit(
        raw,
        codes == splits.TRAIN,
        task=config.task,
        section=section.model_dump(mode="json", include=set(kinds.KINDS[section.kind].model_fields)),
        method=method,
        max_window=_max_window(config) if raw.layout == "timeline" else None,
    )
    dataset = Dataset(
        layout=raw.layout,
        target=fitted.target,
        x=fitted.inputs.apply(raw.x, raw.starts),
        y=fitted.encode(raw.y),
        valid=raw.y.known,
        spans=found,
        info=fitted.info(),
    )
    _enough(raw, dataset)
    return _Part(raw, fitted, dataset, notes)


def _method(config: Question) -> Method:
    """How numbers are scaled in the arrays; raises ``ConfigError`` when trials would differ in that."""
    if not table()["scale"].applies(config.data.kind, config.task):
        return "standard"
    options = set(possible(config.domain("scale")) or ())
    if options <= {"standard", "window", "last"}:
        return "standard"
    if len(options) == 1:
        return "minmax" if "minmax" in options else "none"
    message = "minmax and none cannot be searched over, the data are scaled once; choose among standard, window and last"
    raise ConfigError([Problem(("data", "scale"), message)])


def _spans(config: Question, raw: Raw, codes: NDArray[np.int8]) -> tuple[NDArray[np.int64], list[str]]:
    if raw.layout == "sequences":
        return spans.sequences(raw, codes), []
    return spans.long_enough(spans.stretches(raw, codes), _max_window(config), _horizon(config))


def _max_window(config: Question) -> int:
    windows = [w for w in possible(config.domain("window")) or () if isinstance(w, int)]
    return max(windows)


def _horizon(config: Question) -> int:
    return int(config.data.horizon) if config.task == "forecasting" else 0


def _enough(raw: Raw, dataset: Dataset) -> None:
    """Every split that is there has a target to learn or to score."""
    for code, split in enumerate(SPLITS):
        known = dataset.valid[told.units_of(raw, dataset, code)]
        if split == "test" and not len(known):
            continue
        if not known.any():
            lack = "is empty" if not len(known) else "has no known target"
            raise DataError(f"data.split: the {split} split {lack}; give it more rows")
