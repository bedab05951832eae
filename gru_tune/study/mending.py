"""A record that makes sense, from the whole lines of a damaged one.

An outcome without its launch means nothing, and a search goes on only when all that it proposed is
told in its order. What a lost launch said follows from the other lines: those of a further attempt
or seed repeat it, and a search that is asked in its place proposes the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gru_tune.errors import StudyError
from gru_tune.space import Values
from gru_tune.strategies import Proposal, Strategy
from gru_tune.study.events import Died, Event, Finished, Header, Launch, Run, Started
from gru_tune.study.finals import Finals
from gru_tune.study.history import History, Told, replay
from gru_tune.study.loop import trial_seed
from gru_tune.study.missing import OfRun, Unknown, missing
from gru_tune.study.salvage import Line
from gru_tune.trial import Epoch, Outcome
from gru_tune.wording import listed


@dataclass(frozen=True)
class Sources:
    """Where a lost launch can be known from, besides the other lines."""

    strategy: Callable[[], Strategy | None]  # a fresh one; None where the search cannot be made again
    confirmed: Callable[[int, Values], bool]  # whether the table has the trial with just these values
    epochs: Callable[
        [Run, int, int], tuple[Epoch, ...]
    ]  # those after one and up to another, as far as they are known


@dataclass
class Mended:
    """``events`` follow one from the other; ``told`` says what was done about the rest, with its line."""

    history: History
    events: list[Event]
    told: list[tuple[int, str]] = field(default_factory=list)
    stuck: bool = False  # whether the search cannot go on from them


def mend(header: Header, lines: Sequence[Line], sources: Sources) -> Mended:
    """What can be kept of the ``lines`` behind the header, and what follows from them, in its place."""
    lines = list(lines)
    aside: list[tuple[int, str]] = []
    hopeless: set[int] = set()  # trials whose launch cannot be found out
    while True:
        attempt = _Attempt(header, lines, sources, hopeless)
        try:
            found = attempt.run()
        except Unknown as unknown:
            of_it = [
                place for place, line in enumerate(lines)
                if (place >= unknown.place and attempt.in_search(line.event) == unknown.trial)
                or (place == unknown.place and attempt.final(line.event) == unknown.trial)
            ]  # fmt: skip
            if not of_it and unknown.trial in hopeless:
                raise ValueError(f"trial {unknown.trial}: {unknown.why}") from None
            if not of_it:  # and nothing is known of the search after that: neither of others without a trace
                traces = {attempt.in_search(line.event) or 0 for line in lines}
                hopeless |= set(range(unknown.trial, max(traces) + 1)) - traces
                hopeless.add(unknown.trial)
                continue
            numbers = [lines[place].number for place in of_it]
            for place, number in zip(of_it, numbers, strict=True):
                lines[place] = Line(number, None)
            which = f"lines {listed(numbers, 'and')} are" if len(numbers) > 1 else f"line {numbers[0]} is"
            aside.append((numbers[0], f"{which} set aside: {unknown.why} (trial {unknown.trial})"))
            continue
        found.told = sorted([*found.told, *aside], key=lambda pair: pair[0])
        return found


class _Attempt:
    """One way through the lines; raises ``Unknown`` for a trial without which another is tried."""

    def __init__(self, header: Header, lines: list[Line], sources: Sources, hopeless: set[int]) -> None:
        self.lines, self.sources, self.hopeless = lines, sources, hopeless
        self.history = History.of(header.facts)
        self.mended = Mended(self.history, [header])
        self.seed = int(header.facts["seed"])
        self.workers = 1
        self.strategy: Strategy | None = None

    def run(self) -> Mended:
        lost = missing(self.lines, self.history.repeats, self.hopeless)
        if any(line.event is None for line in self.lines) or lost:
            self.strategy = self.sources.strategy()
        for place, line in enumerate(self.lines):
            if line.event is None and line.why:
                self._say(place, f"line {line.number} is damaged: {line.why}")
            if line.kind == "run":
                self._take(Started(self.workers, self._time(place)), place)
            for what in lost[place]:
                if isinstance(what, int):
                    self._make_launch(what, place)
                else:
                    self._make_outcome(what, place)
            if line.event is not None:
                self._take(line.event, place)
        return self.mended

    def in_search(self, event: Event | None) -> int | None:
        """The trial that an event of the search is of; None for all others."""
        return event.run[0] if isinstance(event, OfRun) and event.run[1] <= self.history.repeats else None

    def final(self, event: Event | None) -> int | None:
        """The trial that an event of the finals is of; None for all others."""
        return event.run[0] if isinstance(event, OfRun) and self.in_search(event) is None else None

    def _take(self, event: Event, place: int, told: bool = True) -> None:
        """The next event; with ``told`` the strategy is told of a proposal."""
        if isinstance(event, Started):
            self.workers = event.workers
        if (trial := self.final(event)) is not None and trial not in self.history.asked:
            self._say(place, f"{self.lines[place].named()} is set aside: its trial is lost")
            return
        if isinstance(event, Finished | Died) and event.run not in self.history.flights:
            self._take(self._repeated(event, place), place)
        if isinstance(event, Finished) and not _follows(
            event.outcome, self.history.flights[event.run].launch
        ):
            raise Unknown(event.run[0], place, "what its trial had come to before is lost")
        self.mended.events.append(event)
        for step in replay([event], self.history):
            if self.strategy is None:
                continue
            if isinstance(step, Told):
                self.strategy.tell(step.trial, step.score, step.cost)
            elif told:
                self._replay(self.strategy, step, place)

    def _replay(self, strategy: Strategy, step: Launch, place: int) -> None:
        """Tell the strategy of a proposal; one of more epochs may be left out, but a new trial has its number."""
        proposal = Proposal(step.trial, step.values, step.first_epoch, step.last_epoch, step.checkpoint)
        try:
            strategy.replay(proposal)
        except StudyError:
            if step.first_epoch:
                raise Unknown(step.trial, place, "the search would not have trained it further") from None
            self.strategy, self.mended.stuck = None, True

    def _repeated(self, event: Finished | Died, place: int) -> Launch:
        """The launch of another repeat, or of a final: both follow from the launches of the trial."""
        trial, repeat = event.run
        if repeat <= self.history.repeats:
            known = self.history.missing.get(trial, {}).get(repeat)
        else:
            known = Finals().like(self.history, trial) if trial in self.history.trials else None
        if known is None:
            raise Unknown(trial, place, "it ends a job that never began")
        seed = trial_seed(self.seed, trial, repeat)
        self._say(
            place, f"the launch of trial {trial}, repeat {repeat}, is made again from the trial's others"
        )
        return replace(known, attempt=event.attempt, repeat=repeat, seed=seed, time=event.time)

    def _make_launch(self, trial: int, place: int) -> None:
        """The launch of a trial that is missing: as its other lines have it, or as the search asks for it again."""
        rest = [line.event for line in self.lines[place:] if self.in_search(line.event) == trial]
        later = next((event for event in rest if isinstance(event, Launch)), None)
        seed = trial_seed(self.seed, trial)
        if later is not None and not later.proposed:
            launch = replace(later, attempt=1, repeat=1, seed=seed, accumulation=1, time=self._time(place))
            self._say(place, f"the launch of trial {trial} is made again from its other lines")
            self._take(launch, place)
            return
        asked = self.strategy.ask() if self.strategy else None
        if not isinstance(asked, Proposal) or asked.trial != trial:
            raise Unknown(trial, place, "how its trial began is lost")
        known = (
            later.values
            if later
            else self.history.trials[trial].values
            if trial in self.history.trials
            else None
        )
        sure = asked.values == known if known is not None else self.sources.confirmed(trial, asked.values)
        if rest and not sure:
            raise Unknown(trial, place, "the values that its trial was trained with are lost")
        launch = Launch(
            trial, 1, dict(asked.values), seed, asked.first_epoch, asked.last_epoch, asked.checkpoint, self._time(place)
        )  # fmt: skip
        self._say(place, f"the launch of trial {trial} is made again: the search proposes it in this place")
        self._take(launch, place, told=False)

    def _make_outcome(self, run: Run, place: int) -> None:
        """The outcome of a job whose trial was trained further, so that it has neither failed nor been cut short."""
        flight = self.history.flights.get(run)
        later = (
            line.event
            for line in self.lines[place:]
            if isinstance(line.event, Finished) and line.event.run == run
        )
        known = next(later, None)
        launch = flight.launch if flight else None
        epochs = self.sources.epochs(run, launch.first_epoch, launch.last_epoch) if launch else ()
        if launch is None or known is None or not epochs or epochs[-1].number != launch.last_epoch:
            raise Unknown(run[0], place, "what its trial had come to before is lost")
        seconds = sum(epoch.seconds for epoch in epochs)
        outcome = replace(known.outcome, epochs=epochs, seconds=seconds, error=None, fault=None, cut=False)
        self._say(
            place, f"the outcome of trial {run[0]}, {launch.last_epoch} epochs, is made again from curves.csv"
        )
        self._take(Finished(launch.attempt, outcome, self._time(place), run[1]), place)

    def _time(self, place: int) -> float:
        """When a lost line was written, or somewhat later."""
        after = (line.event.time for line in self.lines[place:] if line.event is not None)
        return next(after, self.mended.events[-1].time)

    def _say(self, place: int, text: str) -> None:
        self.mended.told.append((self.lines[place].number, text))


def _follows(outcome: Outcome, launch: Launch) -> bool:
    """Whether an outcome can be that of a launch; without a checkpoint a job begins at the first epoch again."""
    numbers = [epoch.number for epoch in outcome.epochs]
    return not numbers or (numbers[0] in (1, launch.first_epoch + 1) and numbers[-1] <= launch.last_epoch)
