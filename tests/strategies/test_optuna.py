"""What is particular to the strategies over Optuna's samplers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import RandomSampler

from gru_tune.errors import ConfigError
from gru_tune.space import Condition, Hyperparameter, Space, key
from gru_tune.strategies import STRATEGIES, Proposal, _optuna
from gru_tune.strategies._optuna import SEEN, OptunaOracle, ProcessOracle
from gru_tune.strategies._search import OracleSearch
from gru_tune.trial import Objective
from gru_tune.values import Choice, Float, Int
from tests.strategies.strategy_cases import LAYERS, MIXED, SCARCE, SMALL, bowl, create, drive, noise, space
from tests.strategies.test_strategy_contract import Recorder, check_resume, replayed

TORCH = find_spec("torch") is not None  # what the Gaussian process needs; large, and no dependency
NAMES = ["tpe", *(["gp"] if TORCH else []), "cmaes", "genetic", "quasirandom"]
LEARNING = ["tpe", "cmaes", "genetic"]
PLANE = space(Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0)))
BRANCH = space(
    Hyperparameter("depth", Choice((1, 2))),
    Hyperparameter("units_2", Float(0.0, 1.0), (Condition("depth", (2,)),)),
    Hyperparameter("rate", Float(0.0, 1.0)),
)


def oracle(name: str, where: Space, **keys: Any) -> tuple[Any, OptunaOracle]:
    search = create(name, where, **keys)
    assert isinstance(search, OracleSearch)
    assert isinstance(search._oracle, OptunaOracle)
    return search, search._oracle


def best(name: str, seed: int, trials: int) -> float:
    return min(bowl(p) for p in drive(create(name, MIXED, trials=trials, seed=seed), bowl))


@pytest.mark.parametrize("name", LEARNING)
def test_it_beats_random_search(name: str) -> None:
    seeds = range(1, 5)
    assert np.mean([best(name, s, 60) for s in seeds]) < 0.7 * np.mean([best("random", s, 60) for s in seeds])


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_the_gaussian_process_beats_random_search() -> None:
    assert best("gp", 1, 24) < best("random", 1, 24) - 0.02


def test_a_sobol_sequence_is_more_even_than_chance() -> None:
    def emptiest(name: str, seed: int) -> int:
        made = drive(create(name, PLANE, trials=65, seed=seed), noise)[1:]
        cells = [int(8 * float(p.values["x"] or 0)) * 8 + int(8 * float(p.values["y"] or 0)) for p in made]
        return 64 - len(set(cells))

    assert [emptiest("quasirandom", seed) for seed in (1, 2)] == [0, 0]  # 64 points, one in each cell
    assert min(emptiest("random", seed) for seed in (1, 2)) > 10


# Replay: what samplers note down in the study must come back.


@pytest.mark.parametrize("where", [LAYERS, MIXED, SCARCE], ids=["layers", "mixed", "scarce"])
@pytest.mark.parametrize("name", ["tpe", "cmaes", "genetic", "quasirandom"])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(choices=st.lists(st.integers(0, 1000), min_size=20, max_size=60), share=st.floats(0.3, 0.9))
def test_a_resumed_search_goes_on_as_if_never_interrupted(
    name: str, where: Space, choices: list[int], share: float
) -> None:
    check_resume(name, where, choices, int(share * len(choices)), 28)


@settings(max_examples=2, deadline=None, derandomize=True)
@given(choices=st.lists(st.integers(0, 1000), min_size=24, max_size=30), share=st.floats(0.3, 0.9))
@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_a_resumed_gaussian_process_likewise(choices: list[int], share: float) -> None:
    check_resume("gp", LAYERS, choices, int(share * len(choices)), 20)


def generations(own: OptunaOracle) -> list[int]:
    """The generation of every trial; -1 for one drawn at random before the first."""
    notes = [trial.system_attrs for trial in own._study.trials]
    return [next((value for name, value in note.items() if "generation" in name), -1) for note in notes]


@pytest.mark.parametrize("name", ["cmaes", "genetic"])
def test_generations_survive_an_interruption(name: str) -> None:
    """Their state is in the study's attributes: lost, the next generation would be the first again."""
    whole = Recorder(create(name, MIXED, trials=80))
    for step in range(100):
        whole.act(1 + step % 2 if step else 0)
    search, resumed = oracle(name, MIXED, trials=80)
    replayed(whole.log, search)
    assert generations(resumed) == generations(whole.strategy._oracle)  # type: ignore[attr-defined]
    assert max(generations(resumed)) >= 2
    ahead = drive(search, bowl, most=10)
    assert ahead == drive(whole.strategy, bowl, most=10)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["tpe", "cmaes", "genetic", "quasirandom"])
def test_a_replay_takes_what_was_proposed_even_if_it_would_propose_otherwise_today(name: str) -> None:
    log = Recorder(create("random", LAYERS, trials=20))
    for step in range(20):
        log.act(step % 2)
    search, own = oracle(name, LAYERS, trials=20)
    replayed(log.log, search)
    assert [own.values[n] for n in sorted(own.values)] == [
        p.values for _, p in log.log if isinstance(p, Proposal)
    ]
    proposal = search.ask()
    assert key(proposal.values) not in {key(p.values) for _, p in log.log if isinstance(p, Proposal)}


# What the samplers are told.


def entered(own: OptunaOracle, number: int) -> Any:
    return own._study.trials[own._places[number]]


@pytest.mark.parametrize(("name", "whole"), [("tpe", False), ("cmaes", True), ("genetic", True)])
def test_what_is_not_in_force_is_told_only_where_the_sampler_needs_it(name: str, whole: bool) -> None:
    search, own = oracle(name, BRANCH, trials=12)
    made = drive(search, noise)
    assert {p.values["depth"] for p in made} == {1, 2}
    for proposal in made:
        assert ("units_2" in proposal.values) == (proposal.values["depth"] == 2)
        params = entered(own, proposal.trial).params
        assert ("units_2" in params) == (whole or proposal.values["depth"] == 2)


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_the_gaussian_process_sees_the_middle_where_a_hyperparameter_is_not_in_force() -> None:
    search, own = oracle("gp", BRANCH, trials=6)
    made = drive(search, noise)
    seen = own._seen().trials
    assert [t.params["units_2"] for t in seen] == [p.values.get("units_2", 0.5) for p in made]


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_the_gaussian_process_sees_only_so_many_trials_and_no_extreme_score() -> None:
    search, own = oracle("gp", PLANE, trials=None, minutes=1.0)
    assert isinstance(own, ProcessOracle)
    own._sampler = lambda seed: RandomSampler(seed=seed)
    drive(search, lambda p: 1e12 if p.trial == 1 else noise(p), most=150)
    done = [t.value for t in own._seen().trials if t.value is not None]
    assert len(done) == SEEN
    assert max(done) < 10


@pytest.mark.parametrize("name", NAMES)
def test_what_is_in_flight_is_running(name: str) -> None:
    search, own = oracle(name, PLANE, trials=9)
    proposals = [search.ask() for _ in range(3)]
    search.tell(proposals[0].trial, 0.5)
    assert [entered(own, p.trial).state.name for p in proposals] == ["COMPLETE", "RUNNING", "RUNNING"]


@pytest.mark.parametrize(("direction", "worst"), [("min", 0.9), ("max", 0.2)])
def test_a_failure_counts_as_the_worst_score_so_far(direction: Any, worst: float) -> None:
    search = create("tpe", PLANE, Objective("score", direction), trials=9)
    own = search._oracle  # type: ignore[attr-defined]
    scores = [None, 0.2, 0.9, None, 0.5]
    for score in scores:
        proposal = search.ask()
        assert isinstance(proposal, Proposal)
        search.tell(proposal.trial, score)
    told = [entered(own, number).value for number in range(1, 6)]
    assert told == [0.2, 0.2, 0.9, worst, 0.5]  # the first waited until there was a score


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quasirandom"])
def test_a_failing_region_is_avoided(name: str) -> None:
    """Optuna's samplers forget trials that failed, and return to the spot again and again."""

    def score(p: Proposal) -> float | None:
        x, y = float(p.values["x"] or 0), float(p.values["y"] or 0)
        return None if x > 0.5 else (x - 0.3) ** 2 + (y - 0.6) ** 2

    trials = 30 if name == "gp" else 60
    late = drive(create(name, PLANE, trials=trials), score)[trials // 2 :]
    assert sum(float(p.values["x"] or 0) > 0.5 for p in late) <= len(late) // 3


# Never twice.


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_tried_before_is_moved_to_a_neighbour(name: str) -> None:
    where = space(Hyperparameter("units", Int(1, 100)), Hyperparameter("size", Int(1, 100)))
    _, own = oracle(name, where, trials=9)
    tried = {"units": 50, "size": 50}
    own._tried_so_far.add(key(tried))
    moved = own._untried(tried)
    assert moved is not None
    assert moved != tried
    assert all(abs(int(moved[n] or 0) - 50) <= 20 for n in tried)
    assert own._untried({"units": 7, "size": 7}) == {"units": 7, "size": 7}


def test_the_end_of_the_space_is_told_as_by_the_others() -> None:
    for name in NAMES:
        search = create(name, space(Hyperparameter("depth", Int(1, 3))), trials=9)
        assert len(drive(search, noise)) == 3
        assert search.ended == "all 3 configurations of the space have been tried"


# Sentences.


@pytest.mark.parametrize(
    ("name", "keys", "sentence"),
    [
        ("tpe", {"trials": 30}, "tpe: 30 configurations, the first 10 of them at random"),
        ("tpe", {"trials": 30, "initial": 5}, "tpe: 30 configurations, the first 5 of them at random"),
        ("gp", {"trials": 5}, "gp: 5 configurations, all of them at random: it learns from trial 11 on"),
        ("cmaes", {}, "cmaes: 20 configurations, the first 10 of them at random"),
        ("genetic", {}, "genetic: 20 configurations in generations of 8, the first at random"),
        (
            "genetic",
            {"trials": 8},
            "genetic: 8 configurations, all of them at random: it learns from trial 9 on",
        ),
        ("quasirandom", {}, "quasirandom: 20 configurations"),
    ],
)
def test_the_sentence_before_the_start(name: str, keys: dict[str, Any], sentence: str) -> None:
    assert STRATEGIES[name](**keys).describe(MIXED, 9) == sentence


def test_without_pytorch_the_config_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gru_tune.strategies.gp.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        create("gp", SMALL)
    assert str(error.value) == (
        "search.strategy: gp needs PyTorch: pip install 'gru-tune[gp]', "
        "or take bayesian or tpe, which do without"
    )


def test_only_the_gaussian_process_loads_pytorch() -> None:
    code = (
        "import json, sys\n"
        "from tests.strategies.strategy_cases import SMALL, create, drive, noise\n"
        "for name in ('tpe', 'cmaes', 'genetic', 'quasirandom'):\n"
        "    drive(create(name, SMALL, trials=12), noise)\n"
        "print(json.dumps([m for m in ('torch', 'tensorflow') if m in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("name", NAMES)
def test_later_scores_are_heard_together_before_the_next_draw(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, own = oracle(name, PLANE, trials=None, minutes=1.0)
    drive(search, noise, most=12)
    made: list[object] = []
    make = _optuna._study
    monkeypatch.setattr(_optuna, "_study", lambda words: made.append(words) or make(words))
    for number in range(1, 9):
        search.revise(number, number / 100)
    assert not made
    search.ask()
    assert len(made) == 1
    heard = {round(trial.value, 6) for trial in own._seen().trials if trial.value is not None}
    assert {number / 100 for number in range(1, 9)} <= heard


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize("cost", [None, "parameters"])
def test_the_shorter_climb_of_the_gaussian_process_is_one_optuna_knows(cost: str | None) -> None:
    """The names are Optuna's own, without a promise: renamed, proposals would be slow again without a word."""
    from optuna.samplers import GPSampler

    section = STRATEGIES["gp"](strategy="gp")
    search: Any = section.create(PLANE, Objective("loss", "min", cost), 1)
    plain, own = vars(GPSampler()), vars(search._oracle._sampler(1))
    assert plain.keys() == own.keys()
    changed = {key for key in plain if key.startswith(("_n_", "_tol")) and plain[key] != own[key]}
    expected = {"_n_startup_trials", "_n_local_search"}
    if cost:
        expected |= {"_n_preliminary_samples", "_n_qmc_samples_ehvi", "_tol"}
    assert changed == expected
