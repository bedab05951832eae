"""The tables of a comparison: a line a matter, a column a study."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gru_tune.knobs import table
from gru_tune.report.comparing.course import By, Curve, after, best_by, first_at
from gru_tune.report.comparing.entries import Entry, common
from gru_tune.report.numbers import duration, number, span, value
from gru_tune.report.read import Study
from gru_tune.report.settings import DOMAINS, leaves
from gru_tune.wording import plural

ABSENT = "–"
QUARTERS = (0.25, 0.5, 0.75, 1.0)
FIXED = "(in brackets: not searched over in that study, its config has this value)"


@dataclass(frozen=True)
class Row:
    """One matter: a value for every study as JSON knows it, and how each is shown; ``fixed`` are those in brackets."""

    name: str
    values: list[Any]
    show: Callable[[Any], str] = str
    fixed: tuple[int, ...] = ()

    @property
    def texts(self) -> list[str]:
        texts = [ABSENT if v is None else self.show(v) for v in self.values]
        return [f"({text})" if place in self.fixed else text for place, text in enumerate(texts)]


@dataclass(frozen=True)
class Section:
    """One table."""

    key: str
    title: str
    rows: list[Row]

    @property
    def note(self) -> str:
        """What a reader of the table must know; mostly nothing."""
        return FIXED if any(row.fixed for row in self.rows) else ""


def sections(entries: Sequence[Entry]) -> list[Section]:
    """All tables of a comparison, of other tasks or data only the first; those without a line are left out."""
    studies = [entry.study for entry in entries]
    asked = Section("asked", "What is asked", _asked(studies))
    if not common(entries).related:
        return [asked]
    found = [
        asked,
        Section("differs", "Where the configs differ", _differing(studies)),
        Section("course", "Best score of the search so far", _course(entries)),
        Section("winners", "Winners", _winners(studies)),
    ]
    return [section for section in found if section.rows]


def _asked(studies: Sequence[Study]) -> list[Row]:
    return [
        Row("task", [study.asked.get("task") for study in studies]),
        Row("data", [str(study.asked.get("data", ""))[:12] or None for study in studies]),
        Row("objective", [f"{study.objective.name} ({study.objective.direction})" for study in studies]),
        Row("strategy", [study.asked.get("strategy") for study in studies]),
        Row("trials", [len(study.ranked) for study in studies], "{:,}".format),
        Row("failed", [study.failed for study in studies], "{:,}".format),
        Row("trainings", [len(study.course) for study in studies], "{:,}".format),
        Row("time", [study.seconds for study in studies], duration),
    ]


def _differing(studies: Sequence[Study]) -> list[Row]:
    configs = [
        dict(leaves(study.asked.get("question") or study.asked.get("space") or {})) for study in studies
    ]
    # The objective is told above, also where a config leaves it to the task.
    names = {name: None for config in configs for name in config if name != "search.objective"}
    rows = (Row(name, [config.get(name) for config in configs], _setting) for name in names)
    return [row for row in rows if any(v != row.values[0] for v in row.values)]


def _setting(setting: Any) -> str:
    """``8, 16 or 32``, ``0.001 to 0.1 (log)``, or the value itself."""
    if not isinstance(setting, Mapping):
        return json.dumps(setting, ensure_ascii=False) if isinstance(setting, list) else value(setting)
    if isinstance(setting.get("choice"), list):
        return ", ".join(
            value(option) if not isinstance(option, list | dict) else str(option)
            for option in setting["choice"]
        )
    ranges = [setting[kind] for kind in DOMAINS if isinstance(setting.get(kind), list)]
    if len(ranges) != 1 or len(ranges[0]) != 2:
        return json.dumps(setting, ensure_ascii=False)
    low, high = ranges[0]
    extra = ["log"] if setting.get("log") else []
    extra += [f"step {value(setting['step'])}"] if setting.get("step") else []
    return f"{value(low)} to {value(high)}" + (f" ({', '.join(extra)})" if extra else "")


def trainings(count: float) -> str:
    """``12 trainings``."""
    return plural(round(count), "training")


def _course(entries: Sequence[Entry]) -> list[Row]:
    """At the quarters of what the shortest search had; then how long each took to the worst of their ends."""
    quarters: dict[str, Row] = {}  # of a short search two may be the same training
    ends: list[Row] = []
    axes: dict[By, Callable[[float], str]] = {"trainings": trainings, "seconds": duration}
    for by, said in axes.items():
        curves = [best_by(entry.study, by) for entry in entries]
        if not all(curves):
            continue
        shortest = min(curve[-1].x for curve in curves)
        for quarter in QUARTERS:
            x = quarter * shortest if by == "seconds" else max(1, round(quarter * shortest))
            name = f"after {said(x)}"
            quarters[name] = Row(name, [after(curve, x) for curve in curves], number)
        if common(entries).scores:
            ends.append(_reached(entries, curves, said, by))
    rows = [row for row in quarters.values() if any(score is not None for score in row.values)]
    if rows:
        rows.append(Row("at its end", [_end(entry.study) for entry in entries], number))
    return [*rows, *ends]


def _reached(entries: Sequence[Entry], curves: Sequence[Curve], said: Callable[[float], str], by: str) -> Row:
    objective = entries[0].study.objective
    worst = max((curve[-1].score for curve in curves), key=objective.sort_key)
    show = said if by == "seconds" else "{:,.0f}".format
    return Row(f"{by} to {number(worst)}", [first_at(curve, worst, objective) for curve in curves], show)


def _end(study: Study) -> float | None:
    curve = best_by(study, "trainings")
    return curve[-1].score if curve else None


def _winners(studies: Sequence[Study]) -> list[Row]:
    winners = [study.winner for study in studies]
    if not any(winners):
        return []
    rows = [Row("trial", [winner and winner.number for winner in winners])]
    names = dict.fromkeys(name for winner in winners if winner for name in winner.values)
    rows += [_knob(studies, name) for name in names]
    rows.append(Row("parameters", [winner and winner.parameters for winner in winners], "{:,}".format))
    rows.append(Row("score in the search", [winner and winner.score for winner in winners], number))
    rows.append(Row("finals (mean)", [_final(study, "mean") for study in studies], number))
    rows.append(Row("finals (spread)", [_final(study, "spread") for study in studies], number))
    for split, looks in (
        # Of the fresh seeds the best one is kept, which flatters it.
        ("kept run on validation", [study.validated for study in studies]),
        ("test", [study.test for study in studies]),
    ):
        pairs = [_metric(study, look) for study, look in zip(studies, looks, strict=True)]
        rows.append(Row(split, [pair and pair[0] for pair in pairs], number))
        rows.append(Row(f"{split} (95 %)", [pair and pair[1] for pair in pairs], span))
    best = [study.best_baseline("validation") for study in studies]
    rows.append(Row("best baseline", [pair and pair[0] for pair in best]))
    rows.append(Row("its validation", [pair and pair[1] for pair in best], number))
    rows.append(Row("its test", [_baseline_test(study) for study in studies], number))
    return [row for row in rows if any(v is not None for v in row.values)]


def _knob(studies: Sequence[Study], name: str) -> Row:
    """A hyperparameter of the winners; where a study does not search over it, what its config says."""
    values: list[Any] = []
    fixed: list[int] = []
    for place, study in enumerate(studies):
        known = study.winner.values if study.winner else {}
        given = _given(study, name) if study.winner and name not in known else None
        values.append(known.get(name, given))
        fixed += [place] if given is not None else []
    return Row(name, values, value, tuple(fixed))


def _given(study: Study, name: str) -> Any:
    """The one value that the config gives a knob; None where it is searched over, or there is no such layer."""
    knob = table().get("units" if name.startswith("units_") else name)
    if knob is None:  # of another version
        return None
    found: Any = study.asked.get("question") or {}
    for key in knob.path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if name != knob.name:
        layer = int(name.removeprefix(f"{knob.name}_"))
        assert study.winner is not None
        depth = study.winner.values.get("depth") or _given(study, "depth")
        if isinstance(depth, int) and layer > depth:
            return None
        if isinstance(found, list):
            found = found[layer - 1] if layer <= len(found) else None
    return None if isinstance(found, Mapping | list) else found


def _baseline_test(study: Study) -> float | None:
    """What the best baseline on validation has on the test split, once the winner's result there is known."""
    best = study.best_baseline("validation")
    if best is None or study.test is None:
        return None
    return study.baselines("test").get(best[0], {}).get(study.objective.name)


def _final(study: Study, what: str) -> float | None:
    found = study.finalists.get(study.winner.number) if study.winner else None
    return found[what] if found else None


def _metric(study: Study, look: Mapping[str, Any] | None) -> tuple[float | None, list[float] | None] | None:
    """The objective on a split, and its interval."""
    if look is None:
        return None
    name = study.objective.name
    return look["metrics"].get(name), look.get("intervals", {}).get(name)
