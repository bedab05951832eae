"""What to try next, in plain sentences, the most useful first.

Every rule is a function that gives a sentence or none, with thresholds that ask for a clear case:
a wrong piece of advice costs a night of training.
"""

from __future__ import annotations

import math
from statistics import fmean

from gru_tune.report.edges import FEW, LEAST, MOSTLY, edges, scored, top
from gru_tune.report.numbers import number
from gru_tune.report.read import Study
from gru_tune.report.words import by_reason
from gru_tune.trial import Status, Trial
from gru_tune.wording import listed, plural

MOST = 6  # sentences
FAILURES = 0.1  # share of the trials that may fail without a word about it, and two at any rate
EARLY = 1 / 3  # of the epochs, before which a best epoch is early
GAP = 1.5  # validation loss over training loss at the last epoch that tells overfitting
QUIET = 0.5  # last share of the trials without a better one, after which more of them hardly help
LATELY = 0.25  # last share of the trials, with two or more better ones in which a search has not settled
LUCK = 2.0  # of a run's spread, that the search may have flattered the winner by

REASONS = (
    (
        ("search.hung_after",),
        "look into workers.log for what it waited for, or set a higher search.hung_after where epochs do take so long",
    ),
    (
        ("nan", "inf", "finite"),
        "lower the upper end of training.learning_rate, or set training.clip_norm: 1.0",
    ),
    (
        ("search.memory_per_worker",),
        "set a smaller training.batch_size or narrower model.units, or a larger search.memory_per_worker",
    ),
    (
        ("memory", "exit code -9", "exhausted"),
        "set a smaller training.batch_size or narrower model.units, or give the run fewer --workers",
    ),
    (("workers.log",), "its last lines there show where it happened"),
)


def advice(study: Study) -> list[str]:
    """At most six sentences; none before there is a score, but for trials that all fail."""
    if study.winner is None:
        return [text for text in (_failures(study),) if text]
    if text := _perfect(study):
        return [text]
    rules = (
        _baseline(study), _failures(study), *edges(study).values(), _epochs(study), _overfitting(study), _course(study),
        _noise(study), _ties(study),
    )  # fmt: skip
    return [text for text in rules if text][:MOST]


def _baseline(study: Study) -> str:
    """A winner that what costs nothing is as good as; the training data tell whether it learned at all."""
    assert study.winner is not None
    known = study.best_baseline("validation")
    against = (study.validated or {}).get("against")
    if against:
        beaten, name = against["beaten"], against["name"]
    elif known and study.winner.score is not None:
        beaten, name = study.objective.better(study.winner.score, known[1]), known[0]
    else:
        return ""
    if beaten:
        return ""
    train = study.winner.best.train.get(study.objective.name) if study.winner.best else None
    if known and train is not None and not study.objective.better(train, known[1]):
        return (
            f"Even on its own training data the winner is no better than “{name}”: it learns too little. Try other "
            "values of training.learning_rate, more training.epochs and more model.units, and look whether the inputs "
            "can tell the target at all."
        )
    return (
        f"The winner does not clearly beat “{name}”: {_data(study)} will help more than other hyperparameters; "
        "without any, use the baseline."
    )


def _data(study: Study) -> str:
    """What of the data may help, for such data."""
    asked, kind = study.asked.get("question", {}).get("data", {}), study.asked.get("kind")
    if kind == "text":
        return "more texts or a larger data.vocabulary"
    if kind != "timeline":
        return "more sequences or inputs that the baseline does not see"
    dates = " (such as data.calendar)" if asked.get("time") and not asked.get("calendar") else ""
    window = asked.get("window")
    longer = f" or a longer past (data.window: {2 * window})" if isinstance(window, int) else ""
    return f"inputs that the baseline does not see{dates}{longer}"


def _perfect(study: Study) -> str:
    """A baseline, or a winner, as good as can be measured: no other trial can be better."""
    assert study.winner is not None
    known, bound = (
        study.best_baseline("validation"),
        study.objective.bounds[study.objective.direction == "max"],
    )
    if known and known[1] == bound:
        return (
            f"“{known[0]}” is already perfect on the validation split: nothing is left to win on these data."
        )
    found = study.finalists.get(study.winner.number)
    if (found["mean"] if found else study.winner.score) == bound:
        return (
            "The winner is perfect on the validation split, which cannot tell better models apart any more: more or "
            "harder validation data could."
        )
    return ""


def _failures(study: Study) -> str:
    """Many trials that failed, by their commonest reason."""
    if study.failed <= max(2, FAILURES * len(study.ranked)):
        return ""
    reason, trials = by_reason(study)[0]
    words = reason.lower()
    help = next((text for signs, text in REASONS if any(sign in words for sign in signs)), "mend that first")
    often = f"most often ({len(trials):,}) with “{reason}”"
    return f"{study.failed:,} of {plural(len(study.ranked), 'trial')} failed, {often}: {help}."


def _epochs(study: Study) -> str:
    """Trials that were still getting better at their last epoch."""
    asked = _asked_epochs(study)
    full = [trial for trial in top(scored(study)) if asked and trial.epochs[-1].number == asked]
    late = sum(trial.best is not None and trial.best.number == asked for trial in full)
    if not asked or len(full) < LEAST or late < MOSTLY * len(full):
        return ""
    return (
        f"{late} of the best {len(full)} trials were best at their last epoch, so they were still learning: set "
        f"training.epochs: {2 * asked} (it is {asked})."
    )


def _overfitting(study: Study) -> str:
    """Trials that were best early and then only learned the training data by heart."""
    best = [trial for trial in top(scored(study)) if trial.epochs[-1].number >= 6]
    early = [
        trial
        for trial in best
        if trial.best and trial.best.number <= EARLY * trial.epochs[-1].number and _gap(trial) > GAP
    ]
    if len(best) < LEAST or len(early) < MOSTLY * len(best):
        return ""
    epoch = round(fmean(trial.best.number for trial in early if trial.best))
    return (
        f"The best trials are best at about epoch {epoch} and overfit from then on (the validation loss ends at "
        f"{fmean(map(_gap, early)):.1f} times that of training): try more model.dropout, model.l2 or training.weight_decay, "
        "or fewer model.units."
    )


def _course(study: Study) -> str:
    """Whether more trials of the same kind would help; those that were stopped early had no chance to be better."""
    whole = [trial for trial in scored(study) if trial.status is not Status.STOPPED]
    trials = sorted(whole, key=lambda trial: trial.number)
    kind = "trials" if len(whole) == len(scored(study)) else "trials that were trained to the end"
    if "configuration" in str(study.facts.get("ended") or ""):  # as strategies say it
        return "The search has run out of configurations: widen a range, or let another hyperparameter vary."
    if len(trials) < 2 * FEW or study.objective.cost:  # what is cheaper and no worse is a gain, too
        return ""
    gains = study.objective.gains(trial.score for trial in trials)
    quiet = len(trials) - 1 - gains[-1]
    if quiet >= QUIET * len(trials):
        return (
            f"The last {quiet:,} of {len(trials):,} {kind} found nothing better: more of them will hardly help; "
            "change the space, the inputs or the epochs instead."
        )
    lately = [index for index in gains if index >= (1 - LATELY) * len(trials)]
    if len(lately) >= 2:
        return (
            f"The search was still getting better, {len(lately)} times in its last quarter: give it more, such as "
            f"search.trials: {2 * len(study.ranked)}; it goes on where it stopped."
        )
    return ""


def _noise(study: Study) -> str:
    """Seeds that differ as much as the best configurations, so that a score tells little."""
    assert study.winner is not None
    found = study.finalists.get(study.winner.number)
    if not found or not found["spread"] or found["search"] is None:
        return ""
    spread = found["spread"]
    repeats = int(study.asked.get("question", {}).get("search", {}).get("repeats", 1))
    mean = found["mean"]
    more = f"train every trial more than once: search.repeats: {max(3, 2 * repeats)}"
    flattered = study.objective.sort_key(found["mean"]) - study.objective.sort_key(found["search"])
    if flattered > LUCK * spread:
        return (
            f"The search saw the winner {number(flattered, mean)} better than fresh seeds do, {flattered / spread:.1f} times the "
            f"spread of a run ({number(spread, mean)}): it was chosen by luck in part; {more}."
        )
    scores = [trial.score for trial in top(scored(study), FEW) if trial.score is not None]
    apart = abs(scores[0] - scores[-1])
    if len(scores) == FEW and spread > apart:
        return (
            f"The spread of one configuration over seeds ({number(spread, mean)}) is larger than the best {FEW} trials are apart "
            f"({number(apart, mean)}): their order is noise; {more}."
        )
    return ""


def _ties(study: Study) -> str:
    """Finalists that cannot be told apart."""
    tied = [trial for trial, one in study.finalists.items() if one["tied"]]
    if len(tied) < 2 or study.objective.cost:
        return ""
    seeds = max(len(one["scores"]) for one in study.finalists.values())
    return (
        f"The choice between trials {listed(tied, 'and')} is within the noise; more seeds might tell them apart, such as "
        f"winner.seeds: {3 * seeds}."
    )


def _asked_epochs(study: Study) -> int | None:
    """The epochs of a trial, where all are asked for the same number."""
    epochs = study.asked.get("question", {}).get("training", {}).get("epochs")
    return epochs if isinstance(epochs, int) else None


def _gap(trial: Trial) -> float:
    """How many times the loss of training that of validation is at the last epoch; 0 where that says nothing."""
    last = trial.epochs[-1]
    train, validation = (split.get("loss", math.nan) for split in (last.train, last.validation))
    return validation / train if train > 0 and math.isfinite(validation) else 0.0
