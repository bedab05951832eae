"""Hyperband over keras-tuner's oracle, with brackets that end whatever happens.

keras-tuner counts completed trials only, so that one failure can leave a bracket waiting
for ever; it knows no limit on the number of trials, and takes a space of one configuration
for an exhausted one. Its brackets and their sizes are kept, the filling of them is not.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from gru_tune.errors import StudyError
from gru_tune.space import Space
from gru_tune.strategies._codec import encode
from gru_tune.strategies._oracle import COMPLETED, FAILED, IDLE, RUNNING, STOPPED, HalvingOracle, Quiet
from gru_tune.strategies.base import Proposal
from gru_tune.strategies.hyperband import Rungs, brackets, shrunk
from gru_tune.trial import Objective

Bracket = dict[str, Any]  # keras-tuner's: bracket_num, and rounds of {past_id, id}


class HyperbandOracle(Quiet, HalvingOracle):  # type: ignore[misc]
    """A trial of keras-tuner's is one trial of the study in one rung of one bracket."""

    def __init__(
        self, space: Space, objective: Objective, seed: int, cap: int | None, epochs: int, factor: int
    ) -> None:
        widest = next(brackets(epochs, factor))
        self._plan: dict[int, Rungs] = {
            len(rungs) - 1: rungs for rungs in islice(brackets(epochs, factor), len(widest))
        }
        self._place: dict[str, tuple[Bracket, int]] = {}  # where each of keras-tuner's trials stands
        self._brackets: list[Bracket] = []
        self._latest: dict[int, str] = {}  # keras-tuner's trial of each trial's highest rung
        self._dry = False  # no new configuration can be found
        super().__init__(
            space, objective, seed, cap, epochs,
            max_epochs=epochs, factor=factor, hyperband_iterations=None,
        )  # fmt: skip

    # What the study asks of it.

    def number(self, trial: Any) -> int:
        past = self._entry(trial.trial_id)["past_id"]
        number = super().number(trial) if past is None else self.numbers[past]
        self._latest[number] = trial.trial_id
        return number

    def stretch(self, trial: Any) -> tuple[int, int, bool]:
        bracket, rung = self._place[trial.trial_id]
        rungs = self._plan[bracket["bracket_num"]]
        return rungs[rung - 1][1] if rung else 0, rungs[rung][1], rung + 1 < len(rungs)

    def finished(self, number: int) -> bool:
        identity = self._latest[number]
        bracket, rung = self._place[identity]
        if rung + 1 == len(bracket["rounds"]) or self.trials[identity].status == FAILED:
            return True
        # One that raising the number of trials could still fill keeps all its checkpoints.
        above = len(bracket["rounds"][rung + 1])
        return not self._unfilled(bracket) and above >= self._sizes(bracket)[rung + 1]

    def propose(self, trial_id: str) -> dict[str, Any]:
        self._remove_completed_brackets()
        for bracket in self._brackets:
            if self._growing(bracket):
                values = self._random_values()
                if values is not None:
                    return self._enter(trial_id, bracket, 0, None, values)
                self._dry = True
            for rung in range(1, len(bracket["rounds"])):
                best = self._promotable(bracket, rung)
                if best is not None:
                    values = encode(self.space, self.values[self.numbers[best]])
                    return self._enter(trial_id, bracket, rung, best, values)
        if self.room and not self._dry:
            values = self._random_values()
            if values is not None:
                return self._enter(trial_id, self._new_bracket(), 0, None, values)
            self._dry = True
        return {"status": IDLE if self.ongoing_trials else STOPPED}

    def adopt(self, trial_id: str, given: Proposal) -> None:
        if given.first_epoch == 0:
            bracket, rung, past = self._open_bracket(), 0, None
        else:
            past = self._latest.get(given.trial)
            if past is None:
                raise _misfit(given)
            bracket, rung = self._place[past][0], self._place[past][1] + 1
        rungs = self._plan[bracket["bracket_num"]]
        if rung >= len(rungs) or rungs[rung][1] != given.last_epoch:
            raise _misfit(given)
        self._enter(trial_id, bracket, rung, past, {})

    def place(self, trial_id: str, raw: dict[str, Any]) -> dict[str, Any]:
        return self._enter(trial_id, self._open_bracket(), 0, None, raw)

    # Brackets.

    def _open_bracket(self) -> Bracket:
        """The one that a new configuration enters."""
        growing = self._brackets and self._unfilled(self._brackets[-1])
        return self._brackets[-1] if growing else self._new_bracket()

    def _enter(
        self, trial_id: str, bracket: Bracket, rung: int, past: str | None, values: dict[str, Any]
    ) -> dict[str, Any]:
        bracket["rounds"][rung].append({"past_id": past, "id": trial_id})
        self._place[trial_id] = (bracket, rung)
        return {"status": RUNNING, "values": values}

    def _new_bracket(self) -> Bracket:
        if self._place:  # keras-tuner has begun the first one by itself
            self._increment_bracket_num()
            self._start_new_bracket()
        bracket: Bracket = self._brackets[-1]
        return bracket

    def _unfilled(self, bracket: Bracket) -> bool:
        return len(bracket["rounds"][0]) < int(self._plan[bracket["bracket_num"]][0][0])

    def _growing(self, bracket: Bracket) -> bool:
        return self.room and not self._dry and self._unfilled(bracket)

    def _sizes(self, bracket: Bracket) -> list[int]:
        """How many trials each rung will have had in the end.

        Fewer than planned where the search ran out of trials before the first rung was full,
        and where fewer of the rung below are left alive.
        """
        rounds = bracket["rounds"]
        planned = [count for count, _ in self._plan[bracket["bracket_num"]]]
        sizes = shrunk(planned, planned[0] if self._growing(bracket) else len(rounds[0]))
        for rung in range(1, len(sizes)):
            dead = sum(self.trials[entry["id"]].status == FAILED for entry in rounds[rung - 1])
            sizes[rung] = max(min(sizes[rung], sizes[rung - 1] - dead), len(rounds[rung]))
        return sizes

    def _promotable(self, bracket: Bracket, rung: int) -> str | None:
        """The best of the rung below, once it is sure to be among those that go on.

        It is when more trials have ended there than will be left behind; a failed one has
        ended, and is worse than all others.
        """
        sizes, below = self._sizes(bracket), bracket["rounds"][rung - 1]
        taken = {entry["past_id"] for entry in bracket["rounds"][rung]}
        waiting = [self.trials[entry["id"]] for entry in below if entry["id"] not in taken]
        ended = [trial for trial in waiting if trial.status in (COMPLETED, FAILED)]
        alive = [trial for trial in ended if trial.status == COMPLETED]
        if len(taken) >= sizes[rung] or len(ended) <= sizes[rung - 1] - sizes[rung] or not alive:
            return None
        sign = -1 if self.objective.direction == "max" else 1
        best: str = min(alive, key=lambda trial: sign * trial.score).trial_id
        return best

    def _remove_completed_brackets(self) -> None:
        """Forget brackets that are full, but never one that more trials could still fill."""
        self._brackets = [
            bracket
            for bracket in self._brackets
            if self._unfilled(bracket)
            or any(len(r) < n for r, n in zip(bracket["rounds"], self._sizes(bracket), strict=True))
        ]

    def _entry(self, trial_id: str) -> dict[str, str | None]:
        bracket, rung = self._place[trial_id]
        entry: dict[str, str | None] = bracket["rounds"][rung][-1]
        return entry

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        return self._plan[bracket_num][round_num][0]

    def _get_epochs(self, bracket_num: int, round_num: int) -> int:
        return self._plan[bracket_num][round_num][1]


def _misfit(given: Proposal) -> StudyError:
    return StudyError(
        f"trial {given.trial} (epochs {given.first_epoch} to {given.last_epoch}) of the log does not fit "
        "this hyperband search: begin afresh, or under another name"
    )
