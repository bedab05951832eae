"""What follows a fault: when a job is tried again and how, and when a search is hopeless."""

from __future__ import annotations

from itertools import islice

from gru_tune.errors import NothingCompleted
from gru_tune.study.history import Flight, History
from gru_tune.study.log import Died, Launch
from gru_tune.trial import Fault, Outcome
from gru_tune.wording import masked, plural

PARTS = 2  # that the batches of a job are divided into when they do not fit into the memory
OWN_LIMIT = "search.memory_per_worker"  # stands in the reason where a worker passed it
LOST = 5  # times the whole program or a machine may go during one job before that job is given up
STARTS = 2  # times in a row that no worker can start for one job, after which none ever will
ALIKE = 3  # trials, the first ones, that all fail alike: the others would as well


def given_up(flight: Flight, retries: int) -> str | None:
    """Why a job without an outcome is not tried again; None while it may be.

    A worker that died or hung uses up one of the ``retries``. Want of memory is met once with
    batches in parts; a lost machine or a worker that cannot start is not the job's fault.
    """
    if flight.lost >= LOST:
        return f"the whole search was killed, or its machine lost, {flight.lost} times while it ran"
    died = flight.died
    if died is not None and died.fault is Fault.MEMORY and flight.launch.accumulation > 1:
        # Where a worker passed a limit of its own, the machine had room for the others.
        room = "more --memory-per-worker" if OWN_LIMIT in died.reason else "fewer --workers"
        return (
            f"{died.reason}, also with batches in {flight.launch.accumulation} parts; only a new study, or --fresh, "
            f"tries it again: with a smaller batch_size, fewer units, or {room}"
        )
    if flight.deaths > retries:
        reason = died.reason if died is not None else "its worker died"
        return f"{reason}, {plural(flight.deaths, 'attempt')}"
    return None


def again(launch: Launch, died: Died) -> str:
    """What is told of a job that is tried again: ``trial 7: its worker is gone; it is tried again``."""
    parts = f" with batches in {PARTS} parts" if died.fault is Fault.MEMORY else ""
    return f"trial {launch.trial}: {died.reason}; it is tried again{parts}"


def failure(trial: int, error: str, fault: Fault | None = None, seconds: float = 0.0) -> Outcome:
    """The outcome of a job that has none of its own; its attempts took so many ``seconds``."""
    return Outcome(trial, epochs=(), parameters=0, seconds=seconds, fast_path="", error=error, fault=fault)


def hopeless(history: History) -> str:
    """Why no further trial is worth its time: all that ended have failed, the first ones for one reason. Else ""."""
    first = [] if history.best else list(islice(history.trials.values(), ALIKE))
    reasons = [trial.error for trial in first if trial.error is not None]
    if len(reasons) < ALIKE or len({masked(reason) for reason in reasons}) > 1:
        return ""
    return f"the first {ALIKE} trials all failed alike: {reasons[0]}"


def refuse_hopeless(history: History, reason: str) -> None:
    """Raise ``NothingCompleted`` when not one of the trials was completed."""
    trials = list(history.trials.values())
    if not trials or any(trial.score is not None for trial in trials):
        return
    if alike := hopeless(history):
        raise NothingCompleted(f"{alike}; mend that and start anew with --fresh")
    count = f"the {len(trials)} trials" if len(trials) > 1 else "the trials (there is one)"
    raise NothingCompleted(f"none of {count} was completed; the last one: {trials[-1].error}; {reason}")
