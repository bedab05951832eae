"""KerasTuner's and Optuna's own searches, by ask and tell: nothing of theirs is mended or replaced.

Both are given whole numbers and lists of numbers in their order, which suits them best.
KerasTuner's stepped floats, which never reach their end, are given as lists.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
from collections import deque
from typing import Any, Literal

from benchmarks.searching.problems import Problem
from gru_tune.space import Hyperparameter, Values
from gru_tune.strategies import WAIT, Proposal
from gru_tune.values import Choice, Float, Int, Scalar

KERASTUNER = ("RandomSearch", "BayesianOptimization", "Hyperband")
OPTUNA = ("no pruner", "median", "successive halving", "hyperband")
MANY = 100_000  # trials or iterations: the budget of epochs ends the search


class KerasTunerSearch:
    """One of KerasTuner's oracles, with its defaults; conditions are its conditional scopes.

    Every trial of its Hyperband is one rung, told the score it reached there.
    """

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        import keras_tuner

        goal = keras_tuner.Objective("score", problem.objective.direction)
        common = {"objective": goal, "hyperparameters": _scopes(problem), "seed": seed}
        oracles = keras_tuner.oracles
        if name == "Hyperband":
            self._oracle = oracles.HyperbandOracle(
                max_epochs=problem.epochs, hyperband_iterations=MANY, **common
            )
        elif name == "BayesianOptimization":
            self._oracle = oracles.BayesianOptimizationOracle(max_trials=MANY, **common)
        else:
            self._oracle = oracles.RandomSearchOracle(max_trials=MANY, **common)
        self._oracle.verbose = 0
        self._oracle.save = self._oracle._save_trial = lambda *_: None  # files change no proposal
        self._problem = problem
        self._asked = 0
        self._in_flight: dict[int, Any] = {}

    def ask(self) -> Proposal | Literal["wait"] | None:
        with contextlib.redirect_stdout(io.StringIO()):  # a print of its conditions
            trial = self._oracle.create_trial(f"slot {self._asked + 1}")
        if trial.status != "RUNNING":
            return WAIT if self._in_flight else None
        self._asked += 1
        self._in_flight[self._asked] = trial
        raw = trial.hyperparameters.values
        first, last = raw.get("tuner/initial_epoch", 0), raw.get("tuner/epochs", self._problem.epochs)
        return Proposal(self._asked, self._problem.space.restrict(raw), first, last, False)

    def tell(self, trial: int, score: float | None) -> None:
        own = self._in_flight.pop(trial)
        own.status = "COMPLETED" if score is not None else "FAILED"
        if score is not None:
            self._oracle.update_trial(own.trial_id, {"score": score})
        self._oracle.end_trial(own)


class OptunaSearch:
    """Optuna's TPE and one of its pruners, with their defaults; an epoch at a time, as they are used.

    Every epoch's own score is reported, the best one returned in the end.
    """

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        pruners = optuna.pruners
        choices: dict[str, optuna.pruners.BasePruner] = {
            "no pruner": pruners.NopPruner(),
            "median": pruners.MedianPruner(),
            "successive halving": pruners.SuccessiveHalvingPruner(),
            "hyperband": pruners.HyperbandPruner(max_resource=problem.epochs),
        }
        self._study = optuna.create_study(
            direction="maximize" if problem.objective.direction == "max" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=choices[name],
        )
        self._failed, self._pruned = optuna.trial.TrialState.FAIL, optuna.trial.TrialState.PRUNED
        self._problem = problem
        self._trials: list[tuple[Any, Values]] = []
        self._epochs: list[int] = []  # that each trial has been trained
        self._going: deque[int] = deque()

    def ask(self) -> Proposal | Literal["wait"] | None:
        if self._going:
            number = self._going.popleft()
        else:
            number = len(self._trials)
            trial = self._study.ask()
            self._trials.append((trial, _suggest(trial, self._problem)))
            self._epochs.append(0)
        done = self._epochs[number]
        return Proposal(number, self._trials[number][1], done, done + 1, True)

    def tell(self, number: int, score: float | None) -> None:
        trial, values = self._trials[number]
        self._epochs[number] += 1
        now = self._epochs[number]
        last = float(self._problem.train(values).scores[now - 1])
        if score is None or not math.isfinite(last):
            self._study.tell(trial, state=self._failed)
            return
        trial.report(last, now)
        if now == self._problem.epochs:
            self._study.tell(trial, score)
        elif trial.should_prune():
            self._study.tell(trial, state=self._pruned)
        else:
            self._going.append(number)


def _scopes(problem: Problem) -> Any:
    """The space as a user of KerasTuner declares it."""
    import keras_tuner

    declared = keras_tuner.HyperParameters()
    for hp in problem.space.hyperparameters:
        with contextlib.ExitStack() as scopes:
            for condition in hp.conditions:
                scopes.enter_context(declared.conditional_scope(condition.parent, list(condition.values)))
            _declare(declared, hp)
    return declared


def _declare(declared: Any, hp: Hyperparameter) -> None:
    domain = hp.domain
    if isinstance(domain, Int):
        if domain.log:
            declared.Int(hp.name, domain.low, domain.high, sampling="log")
        else:
            declared.Int(hp.name, domain.low, domain.high, domain.step)
    elif isinstance(domain, Float) and domain.step is None:
        declared.Float(hp.name, domain.low, domain.high, sampling="log" if domain.log else "linear")
    else:
        declared.Choice(hp.name, list(domain.values()))


def _suggest(trial: Any, problem: Problem) -> Values:
    """One configuration, as a user of Optuna asks for it: what is not in force is not asked for."""
    values: Values = {}
    for hp in problem.space.hyperparameters:
        if hp.in_force(values):
            values[hp.name] = _one(trial, hp)
    return values


def _one(trial: Any, hp: Hyperparameter) -> Scalar:
    domain = hp.domain
    value: Scalar
    if isinstance(domain, Int):
        value = trial.suggest_int(hp.name, domain.low, domain.high, step=domain.step, log=domain.log)
    elif isinstance(domain, Float) and domain.step is None:
        value = trial.suggest_float(hp.name, domain.low, domain.high, log=domain.log)
    elif isinstance(domain, Choice) and any(isinstance(option, str | bool) for option in domain.options):
        value = trial.suggest_categorical(hp.name, domain.options)
    else:
        value = domain.values()[trial.suggest_int(hp.name, 0, int(domain.size) - 1)]
    return value
