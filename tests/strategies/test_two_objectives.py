"""A score and a cost at once: what every strategy that can weigh them must do."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from gru_tune import strategies
from gru_tune.errors import ConfigError
from gru_tune.space import Space, key
from gru_tune.strategies import STRATEGIES, WAIT, Proposal, Strategy
from gru_tune.strategies.base import Observation
from gru_tune.trial import Objective
from tests.strategies.strategy_cases import (
    CONDITIONAL,
    CONSTRAINED,
    EPOCHS,
    LAYERS,
    MIXED,
    SMALL,
    loss,
    noise,
)

TWO = Objective("loss", "min", "parameters")
WEIGHING = [name for name in STRATEGIES if STRATEGIES[name].WEIGHS and (name != "gp" or find_spec("torch"))]
GUIDED = [name for name in WEIGHING if STRATEGIES[name].LEARNS]
Told = tuple[float | None, float | None]


def create(
    name: str, where: Space, objective: Objective = TWO, known: strategies.Known = (), **keys: Any
) -> Strategy:
    section = STRATEGIES[name](objectives=[objective.name, "parameters"], **keys)
    return strategies.create(section, where, objective, EPOCHS, known=known)


def told(proposal: Proposal) -> Told:
    """The loss of ``strategy_cases``, which is least at 128 units, and the square of the units: half the digits failed."""
    units = float(proposal.values.get("units") or 10)
    return None if proposal.trial % 7 == 0 else loss(proposal.values), units**2


def drive(strategy: Strategy, in_flight: int = 1, answer: Any = told, most: int = 10_000) -> list[Proposal]:
    made: list[Proposal] = []
    flying: list[Proposal] = []
    while len(made) < most:
        proposal = strategy.ask() if len(flying) < in_flight else WAIT
        if proposal is None:
            break
        if isinstance(proposal, Proposal):
            made.append(proposal)
            flying.append(proposal)
        else:
            done = flying.pop(0)
            strategy.tell(done.trial, *answer(done))
    return made


@pytest.mark.parametrize("name", WEIGHING)
class TestEveryStrategyThatWeighsTwo:
    @pytest.mark.parametrize(
        "where", [SMALL, CONDITIONAL, CONSTRAINED], ids=["small", "conditional", "constrained"]
    )
    def test_covers_a_finite_space_exactly_and_then_ends(self, name: str, where: Space) -> None:
        strategy = create(name, where, trials=40)
        made = drive(strategy, in_flight=3)
        assert sorted(key(p.values) for p in made) == sorted(key(values) for values in where.grid())
        assert "of the space" in str(strategy.ended)

    def test_is_deterministic(self, name: str) -> None:
        first, second = (drive(create(name, LAYERS, trials=10, seed=5), in_flight=2) for _ in range(2))
        assert first == second

    def test_a_replay_goes_on_the_same(self, name: str) -> None:
        where = LAYERS if name == "grid" else MIXED
        made = drive(create(name, where, trials=15))
        again = create(name, where, trials=15)
        for proposal in made[:12]:
            again.replay(proposal)
            again.tell(proposal.trial, *told(proposal))
        assert made[:12] + drive(again) == made

    def test_with_a_stopper_as_well(self, name: str) -> None:
        """The later score and cost of a trial take the place of the earlier ones."""
        made = drive(create(name, LAYERS, trials=9, stopper="asha"), in_flight=2)
        again = create(name, LAYERS, trials=9, stopper="asha")
        for proposal in made[:8]:
            again.replay(proposal)
            again.tell(proposal.trial, *told(proposal))
        assert {p.last_epoch for p in made} == {1, 3, 9}
        assert len({p.trial for p in made + drive(again)}) == 9

    def test_all_may_fail(self, name: str) -> None:
        made = drive(create(name, SMALL, trials=9), in_flight=2, answer=lambda p: (None, None))
        assert len(made) == 9

    def test_the_direction_of_the_score_counts(self, name: str) -> None:
        where = LAYERS if name == "grid" else MIXED
        down = drive(create(name, where, trials=12))
        up = drive(
            create(name, where, Objective("accuracy", "max", "parameters"), trials=12),
            answer=lambda p: (None if told(p)[0] is None else -(told(p)[0] or 0.0), told(p)[1]),
        )
        assert down == up


@pytest.mark.parametrize("name", GUIDED)
class TestGuidedStrategies:
    def test_the_cost_draws_the_search_to_small_models(self, name: str) -> None:
        """Where the loss does not tell the units apart, they are as small as in no search for the loss alone."""

        def flat(p: Proposal) -> Told:
            return loss({n: v for n, v in p.values.items() if n != "units"}), float(
                p.values["units"] or 0
            ) ** 2

        def late(strategy: Strategy, answer: Any) -> float:
            units = [float(p.values["units"] or 0) for p in drive(strategy, answer=answer)[trials // 2 :]]
            return float(np.mean([math.log2(u) for u in units]))

        trials = 20 if name == "gp" else 40
        two = late(create(name, MIXED, trials=trials), flat)
        section = STRATEGIES[name](trials=trials)
        one = late(strategies.create(section, MIXED, Objective("loss", "min"), EPOCHS), lambda p: flat(p)[:1])
        assert two < one - 0.5

    def test_the_scale_of_the_cost_does_not_matter(self, name: str) -> None:
        """Milliseconds or minutes: what counts is how many times as much one costs as the other."""
        made = drive(create(name, MIXED, trials=12))
        scaled = drive(
            create(name, MIXED, trials=12), answer=lambda p: (told(p)[0], 4 * float(told(p)[1] or 0))
        )
        rates = [[p.values["learning_rate"] for p in some[:11]] for some in (made, scaled)]
        assert rates[0] == pytest.approx(rates[1])

    def test_what_is_known_has_its_cost(self, name: str) -> None:
        def known(count: int) -> list[Observation]:
            made = drive(create("random", MIXED, trials=count, seed=9))
            return [Observation(p.values, *told(p)) for p in made]

        strategy = create(name, MIXED, known=known(20), trials=2)
        without = drive(create(name, MIXED, trials=2))
        assert [p.values for p in drive(strategy)] != [p.values for p in without]

    def test_a_failure_counts_as_the_worst_in_both(self, name: str) -> None:
        strategy: Any = create(name, MIXED, trials=9)
        reached = [(0.5, 100.0), (0.2, 400.0), (None, None), (0.9, 10.0)]
        for score, cost in reached:
            proposal = strategy.ask()
            strategy.tell(proposal.trial, score, cost)
        oracle = strategy._oracle
        entries = [oracle._study.trials[oracle._places[number]].values for number in range(1, 5)]
        assert entries[2] == [0.5, math.log(400)]  # when it failed
        assert entries[3] == [0.9, math.log(10)]


@pytest.mark.parametrize("name", [name for name in STRATEGIES if not STRATEGIES[name].WEIGHS])
def test_what_looks_at_one_objective_says_who_can(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create(name, SMALL)
    assert str(caught.value) == (
        f"search.objectives: {name} looks at one objective only: take random, grid, quasirandom, tpe, gp or genetic, "
        "or give search.objective"
    )


def test_the_sentence_names_them_all() -> None:
    assert {name for name in STRATEGIES if STRATEGIES[name].WEIGHS} == {
        "random", "grid", "quasirandom", "tpe", "gp", "genetic",
    }  # fmt: skip


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
def test_the_gaussian_process_keeps_the_front_of_many_trials() -> None:
    from gru_tune.strategies._optuna import SEEN_BY_TWO

    strategy: Any = create("gp", MIXED, trials=None, minutes=1.0)
    strategy._oracle._sampler = _at_random
    reached: dict[int, tuple[float, float]] = {}

    def answer(p: Proposal) -> tuple[float, float]:
        reached[p.trial] = (noise(p), math.exp(10 * noise(Proposal(p.trial + 1000, {}, 0, 1, False))))
        return reached[p.trial]

    made = drive(strategy, answer=answer, most=150)
    points = np.array([reached[p.trial] for p in made if p.trial in reached])
    beaten = [(points <= row).all(1) & (points < row).any(1) for row in points]
    front = {round(math.log(points[i][1]), 6) for i in range(len(points)) if not beaten[i].any()}
    seen = [t.values for t in strategy._oracle._seen().trials if t.values is not None]
    assert len(seen) == SEEN_BY_TWO
    assert len(front) > 3
    assert front <= {round(cost, 6) for _, cost in seen}


def _at_random(seed: int) -> Any:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)
