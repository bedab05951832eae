"""The minutes of a study: what fits into them, when they are over, and what became of the forecast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gru_tune.learning.pace import Pace
from gru_tune.space import Values
from gru_tune.study.finals import AFTER, SHARE, Finals
from gru_tune.study.hanging import Vigil
from gru_tune.study.history import History
from gru_tune.study.log import Launch
from gru_tune.study.loop import MINUTES
from gru_tune.timing import Forecast, forecast
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config


@dataclass
class Minutes:
    """The minutes of one run of the program; without ``pace`` nothing is known of what things take."""

    config: Config
    info: Mapping[str, Any]  # as in ``Dataset.info``
    slots: int
    pace: Pace | None = None
    began: float = field(default_factory=time.time)
    law: Pace | None = None  # what is expected where nothing was measured

    def deadline(self, history: History) -> float | None:
        """``time.time()`` at which all is to be over; None without a limit."""
        given = self.config.search.minutes
        return None if given is None else self.began + max(60 * given - history.seconds, 0.0)

    def finals(self) -> Finals:
        """The finals, and what they may take."""
        own, given = self.config.winner, self.config.search.minutes
        found, after = self.forecast(), AFTER * (self.pace.slowness if self.pace else 1.0)
        foreseen = found.finals if found else 0.0
        if given is not None:
            after = min(after, SHARE / 2 * 60 * given)
        return Finals(own.finalists, own.seeds, given, bool(own.retrain), foreseen, after, own.within)

    def over(self, history: History) -> str:
        """Why nothing is searched for any more: these minutes have ended the search before."""
        ended, given = history.ended, self.config.search.minutes
        return MINUTES if ended and ended.minutes and given and given <= ended.minutes else ""

    def first_epoch(self, launch: Launch) -> float:
        """Seconds until a job is expected to have trained one epoch; another may have compiled its model."""
        if self.pace is None:
            return 0.0
        return self.pace.trial(self.config.settings(launch.values), self.info, epochs=1, compiled=True)

    def vigil(self) -> Vigil:
        """Who tells which jobs hang."""
        pace = self.pace or self.law

        def expected(launch: Launch) -> float:
            return pace.trial(self.config.settings(launch.values), self.info, epochs=1) if pace else 0.0

        return Vigil(self.config.search.hung_after, expected, slowness=1.0 if self.pace else None)

    def epoch(self, values: Values) -> float | None:
        """Seconds of one epoch of a configuration; None where that is not known."""
        return self.pace.epoch(self.config.settings(values), self.info) if self.pace else None

    def forecast(self, before: float = 0.0) -> Forecast | None:
        """What the search is expected to do, of whose minutes earlier runs have used ``before`` seconds."""
        if self.pace is None:
            return None
        return forecast(self.config, self.pace, self.info, self.slots, before + time.time() - self.began)

    def head(self) -> dict[str, Any]:
        """For the head of the log, so that a study that goes on decides by the same numbers."""
        return {"pace": self.pace.facts()} if self.pace else {}

    def facts(self, found: Forecast) -> dict[str, Any]:
        """A forecast, for ``study.json``."""
        return {"forecast": {**asdict(found), **_asked(self.config)}}


def foretold(facts: Mapping[str, Any], config: Config) -> bool:
    """Whether ``study.json`` has a forecast of just the minutes and trials that are asked for now."""
    found = facts.get("forecast") or {}
    return {key: found.get(key) for key in ("minutes", "planned")} == _asked(config) if found else False


def expected(facts: Mapping[str, Any]) -> float | None:
    """Seconds that ``study.json`` foretells for all its trials and the finals; None where it does not know."""
    found = facts.get("forecast") or {}
    return found.get("asked") if found.get("planned") == facts.get("planned") else None


def _asked(config: Config) -> dict[str, Any]:
    return {"minutes": config.search.minutes, "planned": config.search.limit(config.space)}


def verdict(facts: Mapping[str, Any], config: Config) -> Iterator[str]:
    """Where the forecast that ``study.json`` has was wrong, what came of it: one line, or none.

    None also where it was made for other minutes, or another number of trials.
    """
    if not foretold(facts, config):
        return
    found = facts["forecast"]
    if found["trials"] not in (None, facts["trained"]):
        told = plural(found["trials"], "trial")
        yield f"{told} were expected to fit into the {found['minutes']:g} min; {facts['trained']:,} did"
