"""A strategy whose trials are trained in rungs of epochs, of which only the better ones climb on."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Literal

from gru_tune.errors import StudyError
from gru_tune.strategies.base import WAIT, Proposal, SearchSection, Strategy
from gru_tune.strategies.rungs import rungs
from gru_tune.strategies.stopping import Halving, Median, Rule
from gru_tune.trial import Objective


class EarlyStopping:
    """A strategy around a strategy; ``Strategy`` says what its methods do.

    The inner one proposes the configurations and hears the score of every rung, a later one
    of a trial in place of the earlier; which trials go on is the rule's to say, by the score alone.
    """

    def __init__(self, strategy: Strategy, rule: Rule, objective: Objective) -> None:
        self.ended: str | None = None
        self._strategy, self._rule, self._objective = strategy, rule, objective
        self._asked: dict[int, Proposal] = {}  # what the inner strategy proposed, by trial
        self._flying: set[int] = set()
        self._known: set[int] = set()  # trials whose score the inner strategy has heard

    def ask(self, new: bool = True) -> Proposal | Literal["wait"] | None:
        if self.ended is not None:
            return None
        going = self._rule.next(last=False)
        if going is None:
            proposal = self._strategy.ask(new)
            if isinstance(proposal, Proposal):
                self._enter(proposal)
                return self._stretch(proposal.trial)
            if self._flying:
                return WAIT
            going = self._rule.next(last=True)
        if going is None:
            self.ended = self._strategy.ended  # none as long as new trials may come later
            return None
        self._climb(going)
        return self._stretch(going)

    def tell(self, trial: int, score: float | None, cost: float | None = None) -> None:
        if trial not in self._flying:
            raise ValueError(f"trial {trial} is not in flight")
        self._flying.remove(trial)
        finite = score is not None and math.isfinite(score)
        self._rule.reached(
            trial, self._objective.sort_key(score) if finite and score is not None else math.inf
        )
        if trial in self._known:
            self._strategy.revise(trial, score, cost)
        else:
            self._known.add(trial)
            self._strategy.tell(trial, score, cost)

    def revise(self, trial: int, score: float | None, cost: float | None = None) -> None:
        self._strategy.revise(trial, score, cost)

    def replay(self, proposal: Proposal) -> None:
        if proposal.first_epoch == 0:
            self._strategy.replay(proposal)
            self._enter(proposal)
        elif proposal.trial in self._asked and proposal.trial not in self._flying:
            with suppress(ValueError):  # then it does not fit, see below
                self._climb(proposal.trial)
        if proposal.trial not in self._flying or self._stretch(proposal.trial) != proposal:
            raise StudyError(
                f"trial {proposal.trial} (epochs {proposal.first_epoch} to {proposal.last_epoch}) of the log does not "
                "fit this search and its stopper: begin afresh, or under another name"
            )

    def finished(self, trial: int) -> bool:
        return trial not in self._flying and self._rule.finished(trial)

    def _enter(self, proposal: Proposal) -> None:
        self._asked[proposal.trial] = proposal
        self._flying.add(proposal.trial)
        self._rule.enter(proposal.trial)

    def _climb(self, trial: int) -> None:
        self._rule.climb(trial)
        self._flying.add(trial)

    def _stretch(self, trial: int) -> Proposal:
        first, last, more = self._rule.rung(trial)
        return Proposal(trial, dict(self._asked[trial].values), first, last, more)


def stop_early(strategy: Strategy, search: SearchSection, objective: Objective, epochs: int) -> Strategy:
    """``strategy`` with the stopper of ``search`` around it, if there is one."""
    if search.stopper is None:
        return strategy
    steps = rungs(search, epochs)
    rule: Rule
    if search.stopper == "median":
        rule = Median(steps)
    else:
        rule = Halving(steps, search.factor, search.trials, search.stopper == "hyperband")
    return EarlyStopping(strategy, rule, objective)
