"""Search spaces for those who have none in mind: ``model: defaults``, and what ``gru-tune init`` writes.

THE table of usual values and ranges, by kind of data and task. They follow published practice:

- Greff, Srivastava, Koutník, Steunebrink, Schmidhuber: "LSTM: A Search Space Odyssey", IEEE TNNLS 28 (2017):
  the learning rate matters most, then the size of the layers, and the two hardly depend on each other
- Bengio: "Practical Recommendations for Gradient-Based Training of Deep Architectures" (2012): learning
  rates are searched on a logarithmic scale, batches of 32 are a good start, early stopping is free
- Reimers, Gurevych: "Optimal Hyperparameters for Deep LSTM-Networks for Sequence Labeling Tasks" (2017):
  Adam, one or two bidirectional layers of some 100 units, dropout, gradients scaled down to norm 1
- Masters, Luschi: "Revisiting Small Batch Training for Deep Neural Networks" (2018): batches of 32 and less
- Smith: "A disciplined approach to neural network hyper-parameters" (2018): dropout, batch size and
  learning rate regularise together, and are to be searched together
- Conneau, Kiela, Schwenk, Barrault, Bordes: "Supervised Learning of Universal Sentence Representations"
  (2017): the largest state over all steps beats the last one in texts
- Hewamalage, Bergmeir, Bandara: "Recurrent Neural Networks for Time Series Forecasting" (2021): one or two
  layers, and every window scaled by values of its own
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gru_tune.knobs import NUMBERS, table
from gru_tune.language.document import Document
from gru_tune.language.document_nodes import Fault
from gru_tune.wording import listed, show

WORD = "defaults"
SECTIONS = ("model", "training")  # that may be this word, or have it as a key
LANGUAGE = ("text", "tokens")
FEW = ("series", "wide", "arrays")  # kinds with few sequences, as a rule: an epoch is a few steps
WINDOWS = (24, 48)  # steps of a timeline


@dataclass(frozen=True)
class Usual:
    """What a knob usually is, as a config says it; ``kinds`` and ``tasks`` name the only ones (empty: all)."""

    knob: str
    value: Any
    note: str = ""
    kinds: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def applies(self, kind: str, task: str) -> bool:
        own = (not self.kinds or kind in self.kinds) and (not self.tasks or task in self.tasks)
        return own and table()[self.knob].applies(kind, task)


USUAL = (
    Usual("max_length", 400, "longer sequences are cut", LANGUAGE, ("classification", "regression")),
    Usual("window", {"choice": list(WINDOWS)}, "steps of the past the model sees"),
    Usual("scale", {"choice": ["standard", "last"]}, "last: relative to the window's last value", ("timeline",), ("forecasting",)),
    Usual("units", {"choice": [32, 64, 128]}, "hidden units", LANGUAGE),
    Usual("units", {"choice": [16, 32, 64, 128]}, "hidden units", NUMBERS),
    Usual("depth", {"int": [1, 2]}, "stacked layers"),
    Usual("embedding", {"choice": [32, 64, 128]}, "size of the word vectors", LANGUAGE),
    Usual("bidirectional", True, "reads in both directions", LANGUAGE, ("labelling",)),
    Usual("bidirectional", {"choice": [False, True]}, "reads in both directions", LANGUAGE),
    Usual("pooling", {"choice": ["last", "max"]}, "the last state, or every unit's largest over all steps",
          tasks=("classification", "regression")),
    Usual("dropout", {"float": [0.0, 0.5], "step": 0.1}),
    Usual("optimizer", "adam"),
    Usual("learning_rate", {"log": [5e-4, 1e-2]}),
    Usual("batch_size", {"choice": [16, 32, 64]}),
    Usual("epochs", 200, "at most", FEW),
    Usual("epochs", 30, "at most"),
    Usual("clip_norm", 1.0, "keeps long sequences from exploding"),
    Usual("patience", 20, "epochs without a better objective", FEW),
    Usual("patience", 4, "epochs without a better objective"),
)  # fmt: skip


def usual(section: str, kind: str, task: str) -> list[Usual]:
    """The table's rows for one section of a config, one a knob, in their order."""
    rows: dict[str, Usual] = {}
    for row in USUAL:
        if table()[row.knob].section == section and row.applies(kind, task):
            rows.setdefault(row.knob, row)
    return list(rows.values())


def expand(source: Document) -> Document:
    """The config with ``defaults`` written out: all that the table has and the config does not give itself.

    With those of the model come those of the data's knobs, and of a training section that is not there.
    """
    data = source.data
    if not isinstance(data, dict):
        return source
    data, faults = dict(data), []
    asked = set()
    for section in SECTIONS:
        given = {WORD: True} if data.get(section) == WORD else data.get(section)
        if not isinstance(given, dict) or WORD not in given:
            continue
        data[section] = {key: value for key, value in given.items() if key != WORD}
        if given[WORD] is True:
            asked.add(section)
        elif given[WORD] is not False:
            text = f"{section}.{WORD}: expected true or false, got {show(given[WORD])}"
            faults.append(Fault(source.locate((section, WORD)), text))
    if "model" in asked:
        asked |= {"data"} if isinstance(data.get("data"), dict) else set()
        asked |= {"training"} if data.get("training") is None else set()
    kind = data["data"].get("kind") if isinstance(data.get("data"), dict) else None
    filled = {section: _filled(section, data.get(section) or {}, kind, data.get("task")) for section in asked}
    # What is wrong with a section that is not in the file is told where it was asked for.
    keys = {(section,): source.locate(("model",), key=True) for section in asked} | dict(source.keys)
    notes = source.notes
    if "training" in asked:
        notes = ()
    elif "model" in asked:
        notes = _not_searched(data["training"], kind, data.get("task"))
    return replace(source, data={**data, **filled}, keys=keys, faults=(*source.faults, *faults), notes=notes)


def _not_searched(training: Any, kind: Any, task: Any) -> tuple[str, ...]:
    """What defaults of the model alone leave fixed, since there is a training section: a sentence or none."""
    if not isinstance(training, dict):
        return ()
    usually = [row.knob for row in usual("training", kind, task) if isinstance(row.value, dict)]
    left = [name for name in usually if name not in training]
    if not left:
        return ()
    verb = "is" if len(left) == 1 else "are"
    text = (
        f"{listed(left, 'and')} {verb} not searched over, as the training section is given without defaults; "
    )
    return (text + "write training: {defaults: true, …} to search over the usual ranges",)


def _filled(section: str, own: dict[str, Any], kind: Any, task: Any) -> dict[str, Any]:
    filled = dict(own)
    for row in usual(section, kind, task):
        knob = table()[row.knob]
        if knob.name == "depth" and isinstance(own.get("units"), list):
            continue  # an entry a layer: they say how deep
        if not knob.group:
            filled.setdefault(knob.name, row.value)
        elif isinstance(filled.get(knob.group, {}), dict):
            filled[knob.group] = {knob.name: row.value, **filled.get(knob.group, {})}
    return filled
