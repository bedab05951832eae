"""The reference of every key of a config, made from the models that check it.

``python -m gru_tune.reference > docs/configuration.md``; a test holds the file equal.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from gru_tune.config.defaults import USUAL
from gru_tune.config.sections import ModelSection, TrackingSection, TrainingSection, WinnerSection
from gru_tune.kinds import KINDS
from gru_tune.knobs import Knob, table
from gru_tune.language import Strict
from gru_tune.sources.builtin import BUILTINS
from gru_tune.strategies import STRATEGIES
from gru_tune.tasks import TASKS

SECTIONS: dict[str, type[Strict]] = {"model": ModelSection, "training": TrainingSection}

INTRODUCTION = """\
# The configuration language

A config is one YAML file. Only `task` and `data` are required; every other key has a default. The tables below are
made from the models that check a config (`python -m gru_tune.reference`); `gru-tune schema` prints the same as JSON
Schema. `gru-tune run --set training.epochs=3` overrides any key, with the same checks.

**Any knob is either a value or a space.** A space is one of

    {choice: [32, 64, 128]}
    {int: [1, 3]}                    # both ends included; + step:, log: true
    {float: [0.0, 0.5]}              # both ends included; + step:, log: true
    {log: [1e-4, 1e-2]}              # short for a range with log: true

Any space may have a condition beside it, `{choice: [0.1, 0.2], when: {cell: gru}}`: it is in force only where the
other knobs have one of the values named, and elsewhere the knob has its default (docs/search.md).

`units` may also be a list with an entry a layer, each a value or a space. A knob that is in force only under a
condition (the units of a third layer in a model of two, the momentum of an optimizer that has none) is left out of
the configurations where it is not, and empty in the table.

The file is read as YAML with the traps of YAML 1.1 closed: `1e-4` and `500_000` are numbers, `yes`, `no`, `on` and `off`
are words, dates and times stay text, a key given twice is an error. A value that begins with `#` must be quoted.

## Top level

| key | default | meaning |
|---|---|---|
| `name` | the file's stem | names the folder of the results |
| `task` | required | `classification`, `regression`, `forecasting` or `labelling` |
| `data` | required | the data and how it is shown to the model |
| `model` | `{}` | what is built |
| `training` | `{}` | how it is trained |
| `search` | `{}` | how configurations are chosen |
| `winner` | `{}` | how the best of them is confirmed |
| `tracking` | `{}` | which other tools are told of the study |
| `metrics` | all of the task | the validation metrics to compute besides the objective |
"""


def text() -> str:
    """The whole page, in Markdown."""
    parts = (
        _data(),
        _builtins(),
        _knobs("model"),
        _knobs("training"),
        _defaults(),
        _search(),
        _winner(),
        _tracking(),
        _metrics(),
    )
    return "\n".join([INTRODUCTION, *(line for part in parts for line in part)]) + "\n"


def _data() -> Iterator[str]:
    shared = set.intersection(*(set(model.model_fields) for model in KINDS.values()))
    yield "## data\n\nOf every kind:\n"
    yield from _fields(next(iter(KINDS.values())), shared - {"kind"})
    yield "\n`split` is a column, or a mapping:\n"
    from gru_tune.kinds import SplitSection

    yield from _fields(SplitSection, set(SplitSection.model_fields))
    for kind, model in KINDS.items():
        yield f"\n### kind: {kind}\n\n{(model.__doc__ or '').splitlines()[0]}\n"
        yield from _fields(model, set(model.model_fields) - shared)
    yield "\n### Knobs of the data\n"
    yield from _table(k for k in table().values() if k.section == "data")


def _builtins() -> Iterator[str]:
    yield "\n### Builtin data\n"
    yield "`path: builtin:NAME`, or `builtin:NAME?length=500&seed=3`. Only `imdb` and `reuters` are downloaded, by Keras.\n"
    yield "| name | kind | parameters |\n|---|---|---|"
    for name, entry in BUILTINS.items():
        given = inspect.signature(entry.load()).parameters.values()
        yield f"| `{name}` | {entry.kind} | {', '.join(f'`{p.name}={p.default}`' for p in given) or '–'} |"


def _metrics() -> Iterator[str]:
    yield "\n## Metrics\n\nWhat `search.objective` and `metrics` may name, and which way is better.\n"
    yield "| task | metric (default objective in bold) |\n|---|---|"
    for task in TASKS.values():
        targets = {"labelling": ("labels", "numbers")}.get(task.name, (None,))
        for target in targets:
            best = task.default_objective(target)
            shown = (
                f"**{m}** ({way})" if m == best else f"{m} ({way})" for m, way in task.metrics(target).items()
            )
            of = {"labels": " of classes", "numbers": " of numbers"}.get(target or "", "")
            yield f"| {task.name}{of} | {', '.join(shown)} |"
    yield ""
    yield (
        "Regression and the labelling of numbers are scored in the units of the data; `last_` looks at the last step of\n"
        "every sequence alone. Forecasts are scored on standardised values, `original_` in the units of the data; `mase`\n"
        "is against the naive forecast of the training split. `span_f1` needs tags like `B-city`, `I-city`."
    )


def _knobs(section: str) -> Iterator[str]:
    yield f"\n## {section}\n"
    own = SECTIONS[section]
    if own.model_fields:
        yield from _fields(own, set(own.model_fields))
        yield ""
    yield from _table(k for k in table().values() if k.section == section)


def _defaults() -> Iterator[str]:
    yield (
        "\n### Default spaces\n\n"
        "`model: defaults` stands for all rows below that apply to the kind of data and the task and that the config does not\n"
        "give itself, `{defaults: true, units: 64}` for all but those given beside it. It fills in the knobs of `data` as well,\n"
        "and those of `training` where there is no such section; `training: defaults` does so for itself. Of two rows for a knob\n"
        "the first counts.\n"
    )
    yield "| knob | kinds of data | tasks | value |\n|---|---|---|---|"
    for row in USUAL:
        knob = table()[row.knob]
        kinds, tasks = (
            ", ".join(names) or "all" for names in (row.kinds or knob.kinds, row.tasks or knob.tasks)
        )
        path, value = ".".join(knob.path), json.dumps(row.value).replace('"', "")
        yield f"| `{path}` | {kinds} | {tasks} | `{value}` |"


def _search() -> Iterator[str]:
    shared = set.intersection(*(set(model.model_fields) for model in STRATEGIES.values()))
    yield f"\n## search\n\n`strategy` is {', '.join(f'`{name}`' for name in STRATEGIES)} (default `random`).\n"
    yield from _fields(next(iter(STRATEGIES.values())), shared - {"strategy"})
    for name, model in STRATEGIES.items():
        yield f"\n### strategy: {name}\n\n{(model.__doc__ or '').splitlines()[0]}\n"
        own = set(model.model_fields) - shared
        if own:
            yield from _fields(model, own)


def _winner() -> Iterator[str]:
    yield f"\n## winner\n\n{(WinnerSection.__doc__ or '').splitlines()[0]}\n"
    yield from _fields(WinnerSection, set(WinnerSection.model_fields))


def _tracking() -> Iterator[str]:
    yield f"\n## tracking\n\n{(TrackingSection.__doc__ or '').splitlines()[0]} See docs/tracking.md.\n"
    yield from _fields(TrackingSection, set(TrackingSection.model_fields))


def _table(knobs: typing.Iterable[Knob]) -> Iterator[str]:
    yield "| knob | takes | default | meaning |\n|---|---|---|---|"
    for knob in knobs:
        name = f"{knob.group}.{knob.name}" if knob.group else knob.name
        meaning = knob.help + (f" ({knob.unit})" if knob.unit else "")
        only = [f"kind {', '.join(knob.kinds)}"] if knob.kinds else []
        only += [", ".join(knob.tasks)] if knob.tasks else []
        meaning += f"; only for {' and '.join(only)}" if only else ""
        meaning += f"; in force when {knob.when.text}" if knob.when else ""
        yield f"| `{name}` | {_cell(knob.expects)} | {_plain(knob.default)} | {_cell(meaning)} |"


def _fields(model: type[Strict], names: set[str]) -> Iterator[str]:
    yield "| key | default | meaning |\n|---|---|---|"
    for name, info in model.model_fields.items():
        if name not in names:
            continue
        key = info.alias or name
        default = info.get_default(call_default_factory=True)
        yield _row(key, info)
        if isinstance(default, Strict):
            yield from (_row(f"{key}.{inner}", own) for inner, own in type(default).model_fields.items())


def _row(key: str, info: FieldInfo) -> str:
    return f"| `{key}` | {_default(info)} | {_cell(info.description or '')} |"


def _default(info: FieldInfo) -> str:
    return "required" if info.is_required() else _plain(info.get_default(call_default_factory=True))


def _plain(value: Any) -> str:
    if isinstance(value, Strict):  # its keys have rows of their own
        return "`{}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{str(value).lower() if isinstance(value, bool) else 'null' if value is None else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(text(), end="")
