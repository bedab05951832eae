"""The sentences every report begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gru_tune.report.numbers import duration, knobs, number, signed, span
from gru_tune.report.read import Study
from gru_tune.study.pareto import rule
from gru_tune.trial import Objective, Trial
from gru_tune.wording import listed, masked, plural

FAILURES_SHOWN = 3
LEAST = {
    "parameters": "the fewest parameters",
    "seconds": "the shortest epochs",
    "latency": "the lowest latency",
}
CONSTANT = ("majority class", "training mean", "training median")  # baselines that look at no input


def sentences(study: Study) -> list[str]:
    """What the study found, what it asked, how it went; the most important first."""
    return [
        text
        for text in (
            verdict(study),
            _doubt(study),
            _winner(study),
            _choice(study),
            _finals(study),
            _test(study),
            _course(study),
            _failures(study),
            _divided(study),
            _ended(study),
            _model(study),
        )
        if text
    ]


def grouped(study: Study) -> dict[str, list[str]]:
    """What the study found by what is asked about it: who ``won``, how ``sure`` that is, what it ``cost``."""
    groups = {
        "won": [verdict(study), _doubt(study), _winner(study), _choice(study)],
        "sure": [_finals(study), _test(study)],
        "cost": [_course(study), _ended(study)],
    }
    return {name: [text for text in texts if text] for name, texts in groups.items()}


def verdict(study: Study) -> str:
    """Who won, by how much; a winner that does not beat the baselines is said so first of all."""
    winner, objective = study.winner, study.objective
    if winner is None or winner.score is None:
        return f"No trial of {study.name} has been completed{' yet' if not study.failed else ''}."
    judged, split = (study.test, "test") if study.test else (study.validated, "validation")
    against = judged.get("against") if judged else None
    if judged and against and not against["beaten"]:
        measure, baseline = Objective(**against["objective"]), against["name"]
        score, rival = against["score"], against["rival"]
        worse = not measure.better(score, rival)
        start = "Nothing was learned: the" if baseline in CONSTANT else "The"
        sure = _within(against["interval"], score)
        return (
            f"{start} best model does not beat the baseline “{baseline}”{'' if worse else ' beyond the noise'}: "
            f"{measure.name} {number(score)} against {number(rival)} on the {split} split, a difference of "
            f"{signed(against['difference'], score)}{sure}."
        )
    known = study.best_baseline("validation")
    if known and not judged and not objective.better(winner.score, known[1]):
        start = "So far the best model does" if study.unfinished else "The best model does"
        return (
            f"{start} not beat the baseline “{known[0]}”: {objective.name} {number(winner.score)} "
            f"against {number(known[1])} on the validation split."
        )
    where = " on the first fold" if study.folds > 1 else ""
    beats = f"; the best baseline, “{known[0]}”, has {number(known[1])}{where}" if known else ""
    place = "leads so far" if study.unfinished else "wins" if objective.cost else "is the best"
    return f"Trial {winner.number} of {study.name} {place}: {objective.name} {_score(study)}{beats}."


def _doubt(study: Study) -> str:
    return f"Not certain: {study.doubt}; until then the scores of the search decide." if study.doubt else ""


def brief(study: Study) -> str:
    """The verdict in one short line: ``Winner: trial 6, accuracy 0.9741 on the test split; better than “…” (0.9630).``"""
    winner, name = study.winner, study.objective.name
    if winner is None:
        return f"No trial of {study.name} has been completed."
    judged, split = (study.test, "test") if study.test else (study.validated, "validation")
    if against := (judged or {}).get("against"):
        measure, score, rival = Objective(**against["objective"]), against["score"], against["rival"]
        how = "not clearly better" if measure.better(score, rival) else "no better"
        how = "better" if against["beaten"] else how
        shown = f"{measure.name} {number(score)}"
        beside = f"; {how} than “{against['name']}” ({number(rival)})"
    elif judged and name in judged["metrics"]:
        shown, beside = f"{name} {number(judged['metrics'][name])}", ""
    else:
        return f"Winner: trial {winner.number}, {name} {_score(study)}."
    return f"Winner: trial {winner.number}, {shown} on the {split} split{beside}."


def _within(interval: Sequence[float] | None, score: float) -> str:
    return (
        f" (95 % confidence: {span(interval, signed, score)})"
        if interval
        else " (too few independent cases for an interval)"
    )


def _score(study: Study) -> str:
    """``0.9312 ± 0.0041 over 3 fresh seeds on the validation split (0.9401 in the search)``."""
    assert study.winner is not None
    found = study.finalists.get(study.winner.number)
    if found is None:
        return f"{number(study.winner.score)}{over(study)}"
    seeds = plural(len(found["scores"]), "fresh seed")
    return f"{around(found)} with {seeds}{over(study, len(found['scores']))}"


def confirmed(study: Study, trial: Trial) -> str:
    """What the fresh seeds of a trial reach; empty for one that was in no finals."""
    found = study.finalists.get(trial.number)
    return around(found) if found else ""


def around(finalist: Mapping[str, Any]) -> str:
    """``0.9312 ± 0.0041``: the mean of the fresh seeds and their spread."""
    mean, spread = finalist["mean"], finalist["spread"]
    return number(mean) + ("" if spread is None else f" ± {number(spread, mean)}")


def over(study: Study, runs: int | None = None) -> str:
    """`` on the validation split``; with folds, over how many of them so many runs of a trial were spread."""
    if study.folds == 1:
        return " on the validation split"
    seen = study.folds if runs is None else min(runs, study.folds)
    of = "" if seen == study.folds else f"{seen} of "
    return f" on the validation splits of {of}{study.folds} folds"


def _finals(study: Study) -> str:
    """What the fresh seeds took from the search's score, and why the winner is the winner."""
    winner = study.winner
    if winner is None or not study.finalists:
        return ""
    found = study.finalists[winner.number]
    search, mean = found["search"], found["mean"]
    same = "on their folds " if study.folds > 1 else ""
    text = f"Finals: {same}the search saw {number(search, mean)}, fresh seeds {number(mean)}"
    text += f" (95 % confidence: {span(found['interval'])})" if found["interval"] else ""
    if search is not None and study.objective.better(search, mean):
        text += f"; the search flattered it by {number(abs(search - mean), mean)}"
    tied = [trial for trial, one in study.finalists.items() if one["tied"] and trial != winner.number]
    if study.objective.cost:  # the rule is said where the winner is
        text += f". Trials {listed([winner.number, *tied], 'and')} cannot be told apart" if tied else ""
    elif len(study.finalists) > 1:
        text += f". {_why(study, winner.number, tied)}"
    return text + "."


def _why(study: Study, winner: int, tied: Sequence[int]) -> str:
    """Why the winner is the winner: by its mean, or among those that are tied and close by its size."""
    found = study.finalists
    own, size = found[winner], found[winner].get("parameters")
    best = min(found, key=lambda trial: (study.objective.sort_key(found[trial]["mean"]), trial != winner))
    if best != winner:
        rival = found[best]
        if size and rival.get("parameters") and size < rival["parameters"]:
            return (
                f"Trial {winner} wins: it cannot be told apart from trial {best} ({number(own['mean'])} against "
                f"{number(rival['mean'])}) and is smaller ({size:,} parameters against {rival['parameters']:,})"
            )
        return f"Trial {winner} wins: trial {best} has a better mean ({number(rival['mean'])}), but not with all its seeds"
    text = f"Trial {winner} wins with the best mean of its fresh seeds"
    if not tied:
        return text
    means = [number(found[trial]["mean"]) for trial in tied]
    if len(set(means)) == 1:
        means = [means[0] + (" each" if len(tied) > 1 else "")]
    text += f"; {_trials(tied)} ({listed(means, 'and')}) cannot be told apart from it"
    smaller = [trial for trial in tied if (found[trial].get("parameters") or math.inf) < (size or 0)]
    if not smaller:
        return f"{text}, and {'is' if len(tied) == 1 else 'are'} no smaller"
    if any(found[trial]["failed"] for trial in smaller):
        return text
    which = _trials(smaller) if len(smaller) < len(tied) else "it" if len(tied) == 1 else "they"
    lie = "lies" if len(smaller) == 1 else "lie"
    return f"{text}; though smaller, {which} {lie} more than a run's spread behind"


def _trials(numbers: Sequence[int]) -> str:
    return f"trial{'s' * (len(numbers) > 1)} {listed(numbers, 'and')}"


def _choice(study: Study) -> str:
    """With two objectives, the rule by which the winner was chosen, and what it gave up."""
    winner, objective = study.winner, study.objective
    if winner is None or not objective.cost:
        return ""
    means = {number: found["mean"] for number, found in study.finalists.items()}
    scores = means or {trial.number: trial.score for trial in study.front}
    best = min(scores, key=lambda number: (objective.sort_key(scores[number]), number != winner.number))
    text = f"Two objectives: the winner is {rule(objective.name, objective.cost, study.within)}, with {price(winner)}"
    if best != winner.number:
        other = next(trial for trial in study.ranked if trial.number == best)
        text += f"; trial {best} has the best, {number(scores[best])}, with {price(other)}"
    return f"{text}. The Pareto set has {plural(len(study.front), 'trial')}."


def price(trial: Trial) -> str:
    """What a trial costs: ``1,234 parameters``, ``0.0310 s an epoch`` or ``0.4200 ms a sequence``."""
    cost = trial.cost
    if trial.objective.cost == "parameters" and cost is not None:
        return f"{cost:,} parameters"
    return f"{number(cost)} {'s an epoch' if trial.objective.cost == 'seconds' else 'ms a sequence'}"


def _winner(study: Study) -> str:
    winner = study.winner
    if winner is None or winner.best is None:
        return ""
    parameters = f", {winner.parameters:,} parameters" if winner.parameters else ""
    kept = study.kept if study.kept is not None and study.kept.best is not None else winner
    assert kept.best is not None
    epochs = f"best at epoch {kept.best.number} of {kept.epochs[-1].number}"
    if found := study.finalists.get(winner.number):  # the table has the epochs of the search
        runs = len(found["scores"])
        which = f"the best of its {runs} fresh runs" if runs > 1 else "its fresh run"
        epochs = f"best.keras is {which}: epoch {kept.best.number} of {kept.epochs[-1].number}"
    if again := study.retrained:
        epochs = f"trained again on training and validation, {plural(again['epochs'], 'epoch')}"
    title = "Leader" if study.unfinished else "Winner"
    return f"{title}: {knobs(winner.values)} ({epochs}{parameters})."


def _test(study: Study) -> str:
    test = study.test
    if test is None:
        return ""
    intervals = test.get("intervals", {})
    metrics = ", ".join(
        f"{name} {number(v)}" + (f" {span(intervals[name])}" if name in intervals else "")
        for name, v in test["metrics"].items()
    )
    baseline = study.best_baseline("test")
    against = f"; “{baseline[0]}” has {study.objective.name} {number(baseline[1])}" if baseline else ""
    looks = len(study.facts.get("test", ()))
    often = (
        "evaluated once" if looks == 1 else f"evaluated for {looks} winners in turn, so no longer quite fresh"
    )
    if study.facts.get("test_lost"):
        often = "evaluated again after what was known of it was lost, so no longer quite fresh"
    return f"Test split, {often}: {metrics}{against}."


def _course(study: Study) -> str:
    asked, done = study.asked, len(study.ranked)
    aim = "highest" if study.objective.direction == "max" else "lowest"
    text = (
        f"Asked: {asked.get('task', '?')}, {_strategy(asked)} search for the {aim} "
        f"{study.objective.name}{' of the validation split' if study.folds == 1 else over(study)}"
    )
    text += f" and {LEAST[study.objective.cost]}. " if study.objective.cost else ". "
    text += f"{plural(done, 'trial')} in {duration(study.seconds)}"
    if study.stopped:
        text += f", {study.stopped:,} of them stopped early"
        if study.stopped + study.failed == done:
            text += ", so that none was trained in full"
    if study.failed:
        text += f", {study.failed:,} of them failed"
    if study.finals_due:
        text += "; the finals are not over"
    if study.running:
        text += f"; without an outcome so far: {', '.join(str(n) for n in study.running)}"
    return text + "."


def _strategy(asked: Mapping[str, Any]) -> str:
    stopper = asked.get("question", {}).get("search", {}).get("stopper")
    return str(asked.get("strategy", "?")) + (f" with {stopper}" if stopper else "")


def _failures(study: Study) -> str:
    reasons = by_reason(study)
    if not reasons:
        return ""
    shown = "; ".join(f"{_some(trials)}: {reason}" for reason, trials in reasons[:FAILURES_SHOWN])
    more = sum(len(trials) for _, trials in reasons[FAILURES_SHOWN:])
    return f"Failed: {shown}" + (f"; and {more:,} more in trials.csv" if more else "") + "."


def by_reason(study: Study) -> list[tuple[str, list[int]]]:
    """The trials that failed, ascending, by their reason; the commonest first. Its numbers are those of the first."""
    found: dict[str, tuple[str, list[int]]] = {}
    for trial in sorted(study.ranked, key=lambda trial: trial.number):
        if trial.error:
            found.setdefault(masked(trial.error), (trial.error, []))[1].append(trial.number)
    return sorted(found.values(), key=lambda one: (-len(one[1]), one[1]))


def _some(trials: Sequence[int]) -> str:
    """``trial 3``, ``trials 1, 4 and 5``, ``trials 1, 4, 5 and 20 more``."""
    more = len(trials) - FAILURES_SHOWN
    shown: list[object] = [*trials[:FAILURES_SHOWN], *([f"{more:,} more"] if more > 0 else [])]
    return f"trial{'s' * (len(trials) > 1)} {listed(shown, 'and')}"


def _divided(study: Study) -> str:
    """Trials that needed more memory than there was, and were trained all the same."""
    found = sorted(t.number for t in study.ranked if t.accumulation > 1 and not t.error)
    if not found:
        return ""
    was = "was" if len(found) == 1 else "were"
    return f"Too large for the memory at first: {_some(found)} {was} trained with every batch in parts."


def _ended(study: Study) -> str:
    state = study.facts.get("state")
    if state == "stopped":
        return "Not finished: it was stopped; run it again to go on."
    if state == "running" and study.folder.in_use():
        planned = study.facts.get("planned")
        of = f" of {planned:,}" if planned else ""
        finals = f", {plural(study.finals_done, 'training')} of the finals" if study.finals_done else ""
        return f"Not finished: it is running, and has done {len(study.ranked):,}{of} trials{finals}."
    if state == "running":  # a kill leaves no word behind
        return "Not finished: it was killed, or ended by an error; run it again to go on."
    if study.lost:
        what = (
            f"to train trial{'s' * (len(study.running) > 1)} {listed(study.running, 'and')}"
            if study.running
            else "to go on with the finals"
        )
        return f"Not finished: outcomes are missing from the record; run it again {what}."
    ended = study.facts.get("ended")
    return f"Ended: {str(ended).rstrip('.')}." if ended else ""


def _model(study: Study) -> str:
    return f"Model: {study.folder.best}" if study.folder.best.exists() else ""
