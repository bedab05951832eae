"""The head of the page: a few big numbers, and what they mean in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gru_tune.page.importance import Importances, knob_advice
from gru_tune.page.made import Grid
from gru_tune.page.winner import called
from gru_tune.report import words
from gru_tune.report.advice import advice
from gru_tune.report.numbers import duration, number, signed, span
from gru_tune.report.read import Study
from gru_tune.trial import Objective
from gru_tune.wording import plural


@dataclass(frozen=True)
class Tile:
    """A big number, what it is, and what to know about it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """A question a reader has, the sentences that answer it, and a small table where there is one."""

    question: str
    sentences: list[str]
    grid: Grid | None = None


def tiles(study: Study) -> list[Tile]:
    """The numbers a reader looks for first."""
    return [*_score(study), *_test(study), *_price(study), *_baseline(study), *_work(study)]


def groups(study: Study, importances: Importances | None) -> list[Group]:
    """The summary in words; a question without an answer is left out."""
    found = words.grouped(study)
    all_groups = [
        Group("Who won, and by how much" if study.finished else "Who leads so far", found["won"]),
        Group("How sure", found["sure"]),
        Group("Against what costs nothing", list(_against(study)), baselines(study)),
        Group("What it cost", found["cost"]),
        Group("What to try next", [*advice(study), *knob_advice(study, importances)]),
    ]
    return [group for group in all_groups if group.sentences or group.grid]


def baselines(study: Study) -> Grid | None:
    """The objective of every baseline and of the winner, by split; None without baselines.

    Baselines have no loss; where that is the objective, they are told by what the winner is judged by.
    """
    judged = {"validation": study.validated, "test": study.test}
    name = study.objective.name
    if not study.best_baseline("validation"):
        name = next(
            (
                look["against"]["objective"]["name"]
                for look in judged.values()
                if look and look.get("against")
            ),
            name,
        )
    splits = [split for split in ("validation", "test") if study.baselines(split)]
    if not splits:
        return None
    names = dict.fromkeys(baseline for split in splits for baseline in study.baselines(split))
    rows = [
        [baseline, *(number(study.baselines(split).get(baseline, {}).get(name)) for split in splits)]
        for baseline in names
    ]
    if any(judged[split] for split in splits):
        won = [_reached(study, split, judged[split], name) for split in splits]
        rows.insert(0, [f"the {called(study)}", *won])
    return Grid(f"The {called(study)} and the baselines", [name, *splits], rows)


def _reached(study: Study, split: str, judged: Mapping[str, Any] | None, name: str) -> str:
    """What the winner reached; on validation the mean of the finals, since its kept run is the best of several."""
    kept = number((judged or {}).get("metrics", {}).get(name))
    final = next(iter(study.finalists.values()), None)
    if split != "validation" or judged is None or final is None:
        return kept
    runs = len(final["scores"])
    if name == study.objective.name:
        return f"{number(final['mean'])} (mean of {plural(runs, 'fresh seed')})"
    return f"{kept} (best of {plural(runs, 'fresh seed')})"


def _score(study: Study) -> Iterator[Tile]:
    winner, name = study.winner, study.objective.name
    if winner is None:
        yield Tile(name, "–", "no trial has a score")
        return
    found = study.finalists.get(winner.number)
    where = words.over(study).removeprefix(" on the ")
    if found is None:
        so_far = "" if study.finished else ", the leader so far"
        yield Tile(name + so_far, number(winner.score), f"{where}, the best of many: flattered")
        return
    seeds = plural(len(found["scores"]), "fresh seed")
    yield Tile(
        f"{name}, confirmed", words.around(found).replace("± ", "±\N{NO-BREAK SPACE}"), f"{where}, {seeds}"
    )


def _test(study: Study) -> Iterator[Tile]:
    test, name = study.test, study.objective.name
    if test and name in test["metrics"]:
        intervals = test.get("intervals", {})
        note = "" if intervals else "too few cases for an interval"  # the loss never has one
        note = f"95 % confidence {span(intervals[name])}" if name in intervals else note
        yield Tile(f"{name}, test", number(test["metrics"][name]), note)


def _price(study: Study) -> Iterator[Tile]:
    """With two objectives, what the winner costs."""
    if study.winner and study.objective.cost:
        value, unit = words.price(study.winner).split(" ", 1)
        front = plural(len(study.front), "trial")
        yield Tile(study.objective.cost, value, f"{unit}; the Pareto set has {front}")


def _baseline(study: Study) -> Iterator[Tile]:
    split = "test" if study.test and study.best_baseline("test") else "validation"
    if best := study.best_baseline(split):
        yield Tile("best baseline", number(best[1]), f"{best[0]}, {split}")


def _work(study: Study) -> Iterator[Tile]:
    going = "running" if study.folder.in_use() else "cut off"
    counts = [(study.stopped, "stopped early"), (study.failed, "failed"), (len(study.running), going)]
    note = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    yield Tile("trials", f"{len(study.ranked):,}", note)
    yield Tile("time", duration(study.seconds), "of work on this study")


def _against(study: Study) -> Iterator[str]:
    """How far the winner is from the best baseline; where it is no better the verdict has said so."""
    split, judged = ("test", study.test) if study.test else ("validation", study.validated)
    against = (judged or {}).get("against")
    if against and against["beaten"]:
        measure, interval = Objective(**against["objective"]), against["interval"]
        score = against["score"]
        sure = f" (95 % confidence: {span(interval, signed, score)})" if interval else ""
        yield (
            f"On the {split} split the winner beats the best baseline, “{against['name']}”: {measure.name} "
            f"{number(score)} against {number(against['rival'])}, a difference of "
            f"{signed(against['difference'], score)}{sure}."
        )
