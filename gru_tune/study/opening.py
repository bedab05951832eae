"""What a run says before its first trial: what is known already, what will be searched, how far it may get."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gru_tune import constraints, strategies
from gru_tune.check import hopeless_stopper
from gru_tune.study.described import note
from gru_tune.study.loop import Search
from gru_tune.study.minutes import Minutes, expected, foretold
from gru_tune.study.results import StudyFolder, read_json
from gru_tune.study.watch import Plan, Watcher
from gru_tune.trial import Status

if TYPE_CHECKING:
    from gru_tune.config import Config


def announce(
    config: Config,
    folder: StudyFolder,
    watch: Watcher,
    search: Search,
    deadline: float | None,
    minutes: Minutes,
) -> None:
    """Say what is going to happen, and begin the display."""
    trials = search.history.trials
    if looks := read_json(folder.facts).get("test"):
        day = time.strftime("%Y-%m-%d", time.localtime(looks[0]["time"]))
        watch.say(
            f"the test split was opened on {day}: a choice made knowing its number makes the next one flattering"
        )
    if trials or search.history.flights:
        watch.say(f"going on with {folder.path}: {len(trials)} trial{'s' * (len(trials) != 1)} done")
    if not trials:
        epochs = config.epochs
        for text in constraints.describe(config, minutes.info, minutes.epoch):
            watch.say(text)
        watch.say(strategies.describe(config.search, config.space, epochs))
        for doubt in hopeless_stopper(config):
            watch.say(doubt)
        # One that the study began with stays: it is what the end is compared with.
        known = foretold(read_json(folder.facts), config)
        if not known and (found := minutes.forecast(search.history.seconds)) is not None:
            note(folder, **minutes.facts(found))
            for text in found.sentences(config):
                watch.say(text)
    watch.begin(
        Plan(
            name=config.name,
            folder=folder.path,
            objective=search.history.objective,
            total=config.search.limit(config.space),
            done={number: trial.seconds for number, trial in trials.items()},
            failed=[number for number, trial in trials.items() if trial.status is Status.FAILED],
            slots=search.executor.slots,
            deadline=deadline,
            best=search.history.best,
            folds=search.history.folds,
            repeats=search.history.repeats,
            finals=config.winner.finalists * config.winner.seeds,
            forecast=expected(read_json(folder.facts)),
        )
    )
