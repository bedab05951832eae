"""How sure the difference between the winners of two studies is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

from gru_tune import bounds
from gru_tune.report.comparing.entries import Entry, common
from gru_tune.report.numbers import number, signed, span
from gru_tune.report.read import Study

CONFIDENCE = 0.95
EQUAL = ("samples", "unit", "units", "resamples")  # of two looks on the same split: what was drawn


@dataclass(frozen=True)
class Difference:
    """The winner of study ``a`` less that of ``b``, on a split; ``method`` says what the interval is of."""

    a: str
    b: str
    method: str  # paired, seeds, none
    sentence: str
    split: str | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None


def differences(entries: Sequence[Entry]) -> list[Difference]:
    """The study with the best winner against every other; none where scores are of different things."""
    if not common(entries).scores:
        return []
    scored = [entry for entry in entries if entry.study.winner]
    if len(scored) < 2:
        return []
    split = "test" if all(entry.study.test for entry in scored) else "validation"
    objective = scored[0].study.objective
    first, *others = sorted(scored, key=lambda entry: objective.sort_key(_score(entry.study, split)))
    return [_between(first, other, split) for other in others]


def _between(a: Entry, b: Entry, split: str) -> Difference:
    """Paired where both winners were judged on the same resamples; else by the seeds of the finals."""
    paired = _paired(a.study, b.study, split)
    if paired:
        return _known(a, b, "paired", split, *paired)
    seeds = _by_seeds(a.study, b.study)
    if seeds:
        return _known(a, b, "seeds", "validation", *seeds)
    return Difference(
        a.label,
        b.label,
        "none",
        f"{a.label} and {b.label}: how sure their difference is cannot be said; both need finals with two "
        "fresh seeds or more, or winners that this version has judged.",
    )


def _known(
    a: Entry, b: Entry, method: str, split: str, difference: float, interval: tuple[float, float], how: str
) -> Difference:
    sentence = _said(a, b, split, difference, interval, how)
    return Difference(a.label, b.label, method, sentence, split, difference, interval)


def _said(a: Entry, b: Entry, split: str, difference: float, interval: tuple[float, float], how: str) -> str:
    objective = a.study.objective
    sure = interval[0] > 0 or interval[1] < 0
    worse = objective.better(0.0, difference)  # seeds may order two winners in another way than the split
    first, second = (b, a) if worse else (a, b)
    level = (a.study.winner.score if a.study.winner else None) or 0.0
    has = f"{a.label} has {number(abs(difference), level)} {'less' if difference < 0 else 'more'} {objective.name}"
    if difference == 0:
        has = f"both have the same {objective.name}"
    verdict = (
        f"The winner of {first.label} is better than that of {second.label}"
        if sure
        else f"The winners of {a.label} and {b.label} cannot be told apart"
    )
    return f"{verdict}: on the {split} split {has} (95 % confidence: {span(interval, signed, level)}; {how})."


def _paired(a: Study, b: Study, split: str) -> tuple[float, tuple[float, float], str] | None:
    import numpy as np

    looks = [study.test if split == "test" else study.validated for study in (a, b)]
    first, second = looks
    name = a.objective.name
    if not first or not second or any(first.get(key) != second.get(key) for key in EQUAL):
        return None
    values = [_resampled(study, split, name) for study in (a, b)]
    if values[0] is None or values[1] is None or len(values[0]) != len(values[1]):
        return None
    drawn = values[0] - values[1]
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < CONFIDENCE * len(values[0]):  # too many resamples on which the metric is undefined
        return None
    low, high = np.percentile(drawn, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    difference = first["metrics"][name] - second["metrics"][name]
    return (
        difference,
        (float(low), float(high)),
        f"both on the same resamples of {first['units']:,} {first['unit']}",
    )


def _resampled(study: Study, split: str, name: str) -> Any:
    """The metric on every resample: float64 (resamples,); None where it was not kept."""
    import numpy as np

    file = study.folder.resampled(split)
    try:
        bounds.archive(file)
        with np.load(file, allow_pickle=False) as arrays:
            return arrays[name] if name in arrays and len(arrays[name]) else None
    except (OSError, ValueError, BadZipFile):
        return None


def _by_seeds(a: Study, b: Study) -> tuple[float, tuple[float, float], str] | None:
    """Welch, "The generalization of 'Student's' problem when several different population variances are
    involved", 1947.
    """
    scores = [_final_scores(study) for study in (a, b)]
    if min(map(len, scores)) < 2 or all(len(set(found)) == 1 for found in scores):
        return None
    from scipy.stats import ttest_ind

    result = ttest_ind(*scores, equal_var=False)
    interval = result.confidence_interval(CONFIDENCE)
    difference = sum(scores[0]) / len(scores[0]) - sum(scores[1]) / len(scores[1])
    counts = f"{len(scores[0])} and {len(scores[1])}"
    how = f"by {counts} fresh seeds, Welch; it covers the luck of training, not that of the split"
    return difference, (float(interval.low), float(interval.high)), how


def _final_scores(study: Study) -> Sequence[float]:
    found: Mapping[str, Any] = study.finalists.get(study.winner.number, {}) if study.winner else {}
    return [score for score in found.get("scores", ()) if score is not None]


def _score(study: Study, split: str) -> float:
    look = study.test if split == "test" else study.validated
    name = study.objective.name
    assert study.winner is not None
    assert study.winner.score is not None
    return float((look or {}).get("metrics", {}).get(name, study.winner.score))
