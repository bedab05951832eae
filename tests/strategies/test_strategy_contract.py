"""What every strategy must do, whatever it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru_tune.errors import ConfigError
from gru_tune.space import Space, key
from gru_tune.strategies import STRATEGIES, WAIT, Proposal
from tests.strategies.strategy_cases import (
    ACCURACY,
    BIG,
    CONSTRAINED,
    EMPTY,
    EPOCHS,
    FINITE,
    LAYERS,
    MIXED,
    SCARCE,
    SINGLE,
    SMALL,
    bowl,
    create,
    drive,
    new,
    noise,
)  # fmt: skip

# PyTorch is large, and no dependency: where it is not installed the Gaussian process of Optuna is left out.
NAMES = [name for name in STRATEGIES if name != "gp" or find_spec("torch")]
ENDLESS = [name for name in NAMES if name != "grid"]


@pytest.mark.parametrize("name", NAMES)
class TestEveryStrategy:
    @pytest.mark.parametrize("where", FINITE.values(), ids=FINITE)
    @pytest.mark.parametrize("in_flight", [1, 4])
    def test_covers_a_finite_space_exactly_and_then_ends(
        self, name: str, where: Space, in_flight: int
    ) -> None:
        """keras-tuner gives up early on a small space, or goes on with duplicates for ever."""
        strategy = create(name, where, trials=40)
        made = new(drive(strategy, noise, in_flight=in_flight))
        assert sorted(key(p.values) for p in made) == sorted(key(values) for values in where.grid())
        assert "of the space" in str(strategy.ended)
        assert strategy.ask() is None

    def test_says_that_all_have_been_tried(self, name: str) -> None:
        strategy = create(name, SMALL, trials=40)
        assert len(new(drive(strategy, noise))) == 15
        assert strategy.ended == "all 15 configurations of the space have been tried"

    def test_an_empty_space_has_one_configuration(self, name: str) -> None:
        strategy = create(name, EMPTY)
        made = new(drive(strategy, noise))
        assert [p.values for p in made] == [{}]
        assert strategy.ended == "the only configuration of the space has been tried"

    def test_a_space_of_single_values(self, name: str) -> None:
        assert [p.values for p in new(drive(create(name, SINGLE), noise))] == [{"units": 64, "dropout": 0.2}]

    def test_trials_is_the_number_of_configurations(self, name: str) -> None:
        strategy = create(name, SMALL, trials=7)
        made = new(drive(strategy, noise, in_flight=3))
        assert [p.trial for p in made] == [1, 2, 3, 4, 5, 6, 7]
        assert strategy.ended == "all 7 trials are done"

    def test_no_limit_on_trials(self, name: str) -> None:
        assert len(new(drive(create(name, SMALL, trials=None, minutes=1.0), noise))) == 15

    def test_failures_do_not_stop_it(self, name: str) -> None:
        """keras-tuner ends after three in a row, and Hyperband's brackets wait for ever."""
        for score in (None, float("nan"), float("inf"), -float("inf")):
            strategy = create(name, LAYERS, trials=20)
            assert len(new(drive(strategy, lambda p, s=score: s, in_flight=3))) == 20

    def test_some_failures(self, name: str) -> None:
        strategy = create(name, LAYERS, trials=28)
        made = drive(strategy, lambda p: None if p.trial % 3 else noise(p), in_flight=3)
        assert len({key(p.values) for p in new(made)}) == 28

    def test_is_deterministic(self, name: str) -> None:
        first, second = (drive(create(name, LAYERS, trials=15, seed=5), noise, in_flight=2) for _ in range(2))
        assert first == second

    def test_waits_rather_than_ends_while_something_is_in_flight(self, name: str) -> None:
        strategy = create(name, EMPTY)
        proposal = strategy.ask()
        assert isinstance(proposal, Proposal)
        assert strategy.ask() == WAIT
        assert strategy.ask() == WAIT
        assert strategy.ended is None
        assert not strategy.finished(proposal.trial)

    def test_tell_refuses_what_is_not_in_flight(self, name: str) -> None:
        strategy = create(name, SMALL)
        with pytest.raises(ValueError, match="not in flight"):
            strategy.tell(1, 0.5)
        proposal = strategy.ask()
        assert isinstance(proposal, Proposal)
        strategy.tell(proposal.trial, 0.5)
        with pytest.raises(ValueError, match="not in flight"):
            strategy.tell(proposal.trial, 0.5)

    def test_a_proposal_is_the_callers_to_change(self, name: str) -> None:
        strategy = create(name, SMALL, trials=40)
        made = drive(strategy, lambda p: p.values.clear() or 0.5)  # type: ignore[func-returns-value]
        assert len(new(made)) == 15

    def test_values_survive_the_log(self, name: str) -> None:
        where = LAYERS if name == "grid" else MIXED
        for proposal in drive(create(name, where, trials=15), noise):
            assert json.loads(json.dumps(proposal.values)) == proposal.values

    def test_writes_no_files_and_prints_nothing(
        self,
        name: str,
        tmp_path: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(str(tmp_path))
        drive(create(name, SMALL, trials=8), lambda p: None if p.trial == 2 else noise(p))
        assert list(tmp_path.iterdir()) == []  # type: ignore[attr-defined]
        assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ENDLESS)
class TestEndlessSpaces:
    @pytest.mark.parametrize("in_flight", [1, 3])
    def test_stays_in_the_space_without_duplicates(self, name: str, in_flight: int) -> None:
        made = drive(create(name, MIXED, trials=30), bowl, in_flight=in_flight)
        assert all(MIXED.contains(p.values) for p in made)
        assert len({key(p.values) for p in new(made)}) == 30
        kinds = {
            hp: {type(p.values[hp]) for p in made if hp in p.values}
            for hp in ("units", "dropout", "bidirectional")
        }
        assert kinds == {"units": {int}, "dropout": {float}, "bidirectional": {bool}}

    @pytest.mark.parametrize("in_flight", [1, 3])
    def test_stays_where_a_constraint_leaves_little(self, name: str, in_flight: int) -> None:
        made = new(drive(create(name, SCARCE, trials=25, seed=2), bowl, in_flight=in_flight))
        assert all(SCARCE.contains(p.values) for p in made)
        assert len({key(p.values) for p in made}) == 25

    def test_reaches_both_ends_of_a_stepped_float(self, name: str) -> None:
        """keras-tuner's ``Float(0, 0.5, step=0.1)`` stops at 0.4."""
        made = drive(create(name, MIXED, trials=60), noise)
        assert {p.values["dropout"] for p in made} == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5}

    def test_neighbouring_seeds_are_not_shifted_copies(self, name: str) -> None:
        """In keras-tuner seed s + d gives the stream of seed s, shifted by one trial; 0 is no seed."""
        streams = {
            seed: drive(create(name, MIXED, trials=8, seed=seed), noise) for seed in (0, 1, 2, 3, 5, 9)
        }
        rates = [p.values["learning_rate"] for made in streams.values() for p in new(made)]
        assert len(set(rates)) == len(rates)
        assert drive(create(name, MIXED, trials=8, seed=0), noise) == streams[0]

    def test_the_number_of_trials_changes_no_proposal(self, name: str) -> None:
        short, long = (new(drive(create(name, MIXED, trials=n), bowl, most=9)) for n in (9, 12))
        assert short == long[:9]

    def test_without_any_limit_it_is_refused(self, name: str) -> None:
        with pytest.raises(ConfigError, match="would never end"):
            create(name, MIXED, trials=None)

    def test_direction(self, name: str) -> None:
        down = drive(create(name, MIXED, trials=14), bowl)
        up = drive(create(name, MIXED, ACCURACY, trials=14), lambda p: -bowl(p))
        assert up == down


@dataclass
class Recorder:
    """A study that does what a list of numbers says, and keeps a log."""

    strategy: object
    log: list[tuple[str, object]] = field(default_factory=list)
    flying: list[Proposal] = field(default_factory=list)

    def act(self, choice: int) -> None:
        """Ask (half of the time), or tell one in flight a score or a failure."""
        if choice % 2 == 0 or not self.flying:
            proposal = self.strategy.ask()  # type: ignore[attr-defined]
            if isinstance(proposal, Proposal):
                self.flying.append(proposal)
                self.log.append(("proposed", proposal))
            return
        proposal = self.flying.pop(choice // 2 % len(self.flying))
        score = None if choice % 7 == 0 else random.Random(choice).random()
        self.strategy.tell(proposal.trial, score)  # type: ignore[attr-defined]
        self.log.append(("told", (proposal.trial, score)))


def replayed(log: list[tuple[str, object]], strategy: object) -> Recorder:
    again = Recorder(strategy)
    for event, what in log:
        again.log.append((event, what))
        if event == "proposed":
            assert isinstance(what, Proposal)
            again.strategy.replay(what)  # type: ignore[attr-defined]
            again.flying.append(what)
        else:
            trial, score = what  # type: ignore[misc]
            again.strategy.tell(trial, score)  # type: ignore[attr-defined]
            again.flying = [p for p in again.flying if p.trial != trial]
    return again


def check_resume(name: str, where: Space, choices: list[int], cut: int, trials: int) -> None:
    def fresh() -> object:
        keys = {"initial": 2} if name == "bayesian" else {}
        return create(name, where, trials=trials, epochs=EPOCHS, **keys)

    goes_on_alike(fresh, choices, cut)


def goes_on_alike(fresh: Callable[[], object], choices: list[int], cut: int) -> None:
    """A search that was killed after ``cut`` of these acts, and one that was not, do the same."""
    whole = Recorder(fresh())
    for choice in choices[:cut]:
        whole.act(choice)
    resumed = replayed(whole.log, fresh())
    for choice in choices[cut:]:
        whole.act(choice)
        resumed.act(choice)
    assert resumed.log == whole.log


ACTIONS = st.lists(st.integers(0, 1000), min_size=4, max_size=80)


@pytest.mark.parametrize("where", [LAYERS, SMALL, CONSTRAINED], ids=["layers", "small", "constrained"])
@pytest.mark.parametrize("name", ["random", "grid", "hyperband"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(choices=ACTIONS, share=st.floats(0, 1), trials=st.integers(1, 30))
def test_a_resumed_search_goes_on_as_if_never_interrupted(
    name: str, where: Space, choices: list[int], share: float, trials: int
) -> None:
    check_resume(name, where, choices, int(share * len(choices)), trials)


@pytest.mark.parametrize("where", [LAYERS, MIXED, SCARCE], ids=["layers", "mixed", "scarce"])
@settings(max_examples=10, deadline=None, derandomize=True)
@given(choices=st.lists(st.integers(0, 1000), min_size=10, max_size=24), share=st.floats(0.3, 0.9))
def test_a_resumed_bayesian_search_likewise(where: Space, choices: list[int], share: float) -> None:
    check_resume("bayesian", where, choices, int(share * len(choices)), 20)


@pytest.mark.parametrize("name", NAMES)
def test_more_trials_may_be_asked_for_after_the_end(name: str) -> None:
    study = Recorder(create(name, LAYERS, trials=9))
    while study.strategy.ended is None:  # type: ignore[attr-defined]
        study.act(len(study.log) % 2)
    longer = replayed(study.log, create(name, LAYERS, trials=20))
    made = [p for _, p in study.log if isinstance(p, Proposal)] + drive(longer.strategy, noise)  # type: ignore[arg-type]
    assert len({key(p.values) for p in made}) == 20
    assert [p.trial for p in new(made)] == list(range(1, 21))


@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_trials_are_replayed_without_computing_them_again(name: str) -> None:
    """A Bayesian search of this size would take minutes to propose; none asks who proposed what it replays."""
    source = name if name in ("grid", "hyperband") else "random"
    study = Recorder(create(source, BIG, trials=1000, epochs=EPOCHS))
    while study.strategy.ended is None:  # type: ignore[attr-defined]
        study.act(len(study.log) % 2)
    resumed = replayed(study.log, create(name, BIG, trials=1001))
    proposal = resumed.strategy.ask()  # type: ignore[attr-defined]
    assert isinstance(proposal, Proposal)
    assert proposal.trial == 1001
