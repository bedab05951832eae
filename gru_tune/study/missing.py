"""What is missing between the whole lines of a damaged record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gru_tune.study.events import Died, Finished, Launch, Run, Stopped
from gru_tune.study.salvage import Line

OfRun = Launch | Finished | Died | Stopped
FAR = 100_000  # trials in a row, of which no trace is left: so many are not lost but were never there


class Unknown(Exception):
    """Nothing can be made of what the search's lines tell of a trial, from a place on."""

    def __init__(self, trial: int, place: int, why: str) -> None:
        self.trial, self.place, self.why = trial, place, why


def missing(lines: Sequence[Line], repeats: int, hopeless: set[int]) -> dict[int, list[int | Run]]:
    """What is lost of the search, by the place it stood in: that of a damaged line, where there is one.

    A trial stands for the launch of one of its proposals, a run for its outcome.
    """
    found: dict[int, list[int | Run]] = defaultdict(list)
    running: set[Run] = set()
    stage: dict[
        int, int | None
    ] = {}  # the first epoch of every trial's latest proposal, as far as it is known
    ended: dict[int, set[int]] = defaultdict(set)  # the repeats of it that have an outcome
    latest: dict[int, int] = {}  # the place of every trial's latest event
    newest = hole = -1  # the places of the last new trial, and of the last damaged line

    def lost(what: int | Run, place: int) -> None:
        trial = what if isinstance(what, int) else what[0]
        found[hole if hole > latest.get(trial, -1) else place].append(what)

    def begin(trial: int, first_epoch: int | None) -> None:
        stage[trial], ended[trial] = first_epoch, set()
        running.add((trial, 1))

    for place, line in enumerate(lines):
        event = line.event
        hole = place if event is None else hole
        if not isinstance(event, OfRun) or event.run[1] > repeats:
            continue
        trial, repeat = run = event.run
        if trial > max(stage, default=0) + FAR:
            raise Unknown(trial, place, "its number is far beyond all others")
        if hole > newest:  # trials are numbered as they are proposed
            for number in range(max(stage, default=0) + 1, trial):
                if number not in hopeless:
                    lost(number, place)
                    begin(number, 0)
        if isinstance(event, Launch):
            if event.proposed:
                if event.first_epoch and trial not in stage:
                    raise Unknown(trial, place, "how its trial began is lost")
                if event.first_epoch:
                    for other in set(range(1, repeats + 1)) - ended[trial]:
                        lost((trial, other), place)
                newest = place if trial not in stage else newest
                begin(trial, event.first_epoch)
            elif trial not in stage or stage[trial] not in (None, event.first_epoch):
                lost(trial, place)
                begin(trial, event.first_epoch)
            else:
                stage[trial] = event.first_epoch
            running.add(run)
        elif trial not in stage or (
            isinstance(event, Finished | Died) and run not in running and repeat in ended[trial]
        ):
            lost(trial, place)
            begin(trial, None)
        if isinstance(event, Finished):
            running.discard(run)
            ended[trial].add(repeat)
        latest[trial] = place
    return found
