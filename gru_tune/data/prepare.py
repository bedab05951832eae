"""From a config to prepared data: read, gather, split, fit on training, encode.

Nothing is fitted on anything but the training split, and nothing here depends on the
value a trial gives a knob: every trial of a study reads the same arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gru_tune import kinds, sources
from gru_tune.data import facts as told
from gru_tune.data import features, spans, splits
from gru_tune.data.dataset import SPLITS, Dataset
from gru_tune.data.encoding import Method
from gru_tune.data.raw import Classes, Quantities, Raw, Words
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

    preprocessing: JSON-able, whatever was fitted and is needed to read new rows the same way
    facts:         JSON-able counts for ``check``
    notes:         warnings, a sentence each
    fingerprint:   sha256 of the data as read
    """

    dataset: Dataset
    preprocessing: Mapping[str, Any]
    facts: Mapping[str, Any]
    notes: tuple[str, ...]
    fingerprint: str


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
    raw = kinds.read(section, frame, config.task)
    fingerprint = raw.fingerprint()
    codes, notes = splits.assign(raw, section.split_section, config.search.seed)
    if raw.layout == "sequences" and (codes < 0).any():
        raw, codes = raw.select(codes >= 0), codes[codes >= 0]
    found, more = _spans(config, raw, codes)
    inputs, targets = _encode(config, raw, codes, method)
    dataset = Dataset(
        layout=raw.layout,
        target=_target(raw),
        x=inputs.x,
        y=targets.y,
        valid=targets.valid,
        spans=found,
        info=_info(config, raw, inputs, targets),
    )
    _enough(raw, dataset)
    copies = told.copies(raw, dataset)
    return Prepared(
        dataset=dataset,
        preprocessing=_preprocessing(config, raw, inputs, targets),
        facts=told.facts(raw, dataset, copies),
        notes=(*frame.notes, *raw.notes, *notes, *more, *told.warnings(raw, dataset, copies, targets.unseen)),
        fingerprint=fingerprint,
    )


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
    notes = []
    for code in (splits.VALIDATION, splits.TEST):
        held = codes == code
        if len(raw.lengths) == 1 and held.any() and held.argmax() < (codes == splits.TRAIN).argmax():
            notes.append(f"the {SPLITS[code]} split begins before the training split in time")
    found, more = spans.long_enough(spans.stretches(raw, codes), _max_window(config), _horizon(config))
    return found, notes + more


def _encode(
    config: Question, raw: Raw, codes: NDArray[np.int8], method: Method
) -> tuple[features.Inputs, features.Targets]:
    training = codes == splits.TRAIN
    rows = training if raw.layout == "timeline" else np.repeat(training, raw.lengths)
    if isinstance(raw.x, Words):
        inputs = features.words(raw.x, rows)
    else:
        missing = getattr(config.data, "missing", "refuse")
        inputs = features.numbers(raw.x, rows, raw.starts, missing, method, raw.layout == "timeline")
    chosen = rows if raw.per_row else training
    if isinstance(raw.y, Classes):
        return inputs, features.classes(raw.y, chosen)
    return inputs, features.quantities(raw.y, chosen, inputs, method)


def _target(raw: Raw) -> Any:
    if isinstance(raw.y, Quantities):
        return "numbers" if raw.per_row else "number"
    return "labels" if raw.per_row else "label"


def _info(config: Question, raw: Raw, inputs: features.Inputs, targets: features.Targets) -> dict[str, Any]:
    info: dict[str, Any] = {
        "task": config.task,
        "kind": config.data.kind,
        "features": 0 if inputs.vocabulary else len(inputs.names),
        "inputs": list(inputs.names),
        "targets": list(raw.y.names),
        "labels": list(targets.labels),
        "input_scale": inputs.scale,
        "target_scale": targets.scale,
        "vocabulary": inputs.vocabulary,
        "target_inputs": features.columns_of(raw.y, inputs),
    }
    if raw.layout == "timeline":
        info |= {
            "horizon": config.data.horizon,
            "stride": config.data.stride,
            "max_window": _max_window(config),
            "season": raw.season,
        }
    return info


def _preprocessing(
    config: Question, raw: Raw, inputs: features.Inputs, targets: features.Targets
) -> dict[str, Any]:
    section: DataSection = config.data
    static = set(kinds.KINDS[section.kind].model_fields)
    return {
        "task": config.task,
        "section": section.model_dump(mode="json", include=static),
        "inputs": list(raw.x.names) + ([] if isinstance(raw.x, Words) else list(raw.x.texts)),
        "features": list(inputs.names),
        **inputs.fitted,
        "input_scale": inputs.scale,
        "targets": list(raw.y.names),
        "labels": list(targets.labels),
        "target_scale": targets.scale,
    }


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
