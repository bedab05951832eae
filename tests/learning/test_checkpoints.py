"""Training that is killed and goes on: the same numbers, whatever is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune.errors import TrainingError
from gru_tune.learning import resuming
from gru_tune.learning.checkpoints import (
    RUNNING,
    Damaged,
    State,
    reached,
    read_state,
    state_name,
    write_state,
)
from gru_tune.learning.fitting import Fit
from gru_tune.learning.training import open_dataset, train
from gru_tune.trial import Epoch, Job, Outcome
from tests.learning.learning_data import job, sequences
from tests.learning.scoring import predict

STATE = State(
    scores=(0.5, 0.25),
    variables=[np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, np.int32), np.zeros((0, 2), np.uint32)],
    job="a job",
    epochs=(Epoch(2, {"loss": 0.1}, {"mse": 0.25}, 1.5, 0.5),),
    best=0.25,
    best_weights=[np.ones(3, np.float32)],
)  # fmt: skip


class Killed(BaseException):
    """What nothing in a worker catches."""


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch is saved."""
    monkeypatch.setattr(resuming, "LEAST", 0.0)
    monkeypatch.setattr(resuming, "SHARE", 0)


def killed(one: Job, epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempt ``one``; it is killed after an epoch, before that is saved."""
    save = resuming.Saver.__call__

    def saving(self: resuming.Saver, fit: Fit) -> None:
        if len(fit.scores) == epoch:
            raise Killed
        save(self, fit)

    with monkeypatch.context() as patched:
        patched.setattr(resuming.Saver, "__call__", saving)
        with pytest.raises(Killed):
            train(one)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs that are trained from now on."""
    trained: list[int] = []
    learn = Fit.learn

    def learning(self: Fit, number: int) -> dict[str, float]:
        trained.append(number)
        return learn(self, number)

    monkeypatch.setattr(Fit, "learn", learning)
    return trained


def of_regression(tmp_path: Path, **knobs: Any) -> Job:
    return job(sequences("regression"), tmp_path, "mse", **knobs)


def without_seconds(outcome: Outcome) -> list[Any]:
    assert outcome.error is None
    return [(epoch.number, epoch.train, epoch.validation) for epoch in outcome.epochs]


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_state(tmp_path / "a.state", STATE)
    found = read_state(tmp_path / "a.state")
    for one, other in zip(found.variables, STATE.variables, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert found.best_weights is not None
    np.testing.assert_array_equal(found.best_weights[0], np.ones(3))
    facts = {"variables": [], "best_weights": None}
    assert replace(found, **facts) == replace(STATE, **facts)
    assert [path.name for path in tmp_path.iterdir()] == ["a.state"]


def test_no_damaged_byte_goes_unseen(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    write_state(path, STATE)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(Damaged):
            read_state(path)
        path.write_bytes(whole[:place])
        with pytest.raises(Damaged):
            read_state(path)
    path.write_bytes(whole)
    assert read_state(path).scores == STATE.scores


HUGE = (
    b"\x93NUMPY\x01\x00\x56\x00"
    + b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(85)
    + b"\n"
)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(100), b"", b"[" * 9000, HUGE])
def test_a_state_that_is_none_has_reached_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RUNNING).write_bytes(bytes(32) + content)
    assert reached(tmp_path / RUNNING) == 0


def test_the_folder_of_a_study_that_was_moved_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_state(tmp_path / "trials" / "1" / RUNNING, State((0.5,), []))
    assert not any(tmp_path.iterdir())


def test_a_state_that_could_not_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.state"
    write_state(path, STATE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_state(path, replace(STATE, scores=(0.9,)))
    assert read_state(path).scores == STATE.scores
    assert [file.name for file in tmp_path.iterdir()] == ["a.state"]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "knobs",
    [
        {"schedule": "cosine", "dropout": 0.3, "recurrent_dropout": 0.2, "depth": 2},
        {"schedule": "plateau", "optimizer": "sgd", "normalization": "batch", "min_delta": 0.5},
        {"optimizer": "nadam", "patience": 2, "learning_rate": 0.3},
    ],
)
def test_a_killed_training_goes_on_to_the_same_numbers(
    knobs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the digit: as if it had not been killed, twice."""
    whole = of_regression(tmp_path, **{"epochs": 6, **knobs})
    at_once = train(whole)
    again = replace(whole, folder=str(tmp_path / "again"))
    killed(again, 2, monkeypatch)
    killed(again, 4, monkeypatch)
    trained = counted(monkeypatch)
    after = train(again)
    assert trained[0] == 4
    assert without_seconds(after) == without_seconds(at_once)
    models = [
        predict(f"{f}/model.keras", whole.data, whole.settings, "test") for f in (whole.folder, again.folder)
    ]
    np.testing.assert_array_equal(models[0].y_pred, models[1].y_pred)


@pytest.mark.usefixtures("always")
def test_a_stretch_that_is_killed_goes_on_within_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = of_regression(tmp_path, epochs=6, dropout=0.3)
    at_once = train(whole)
    first = replace(whole, folder=str(tmp_path / "parts"), last_epoch=2, checkpoint=True)
    before = train(first)
    best = min(epoch.validation["mse"] for epoch in before.epochs)
    second = replace(first, first_epoch=2, last_epoch=6, best_before=best, checkpoint=False)
    killed(second, 5, monkeypatch)
    trained = counted(monkeypatch)
    after = train(second)
    assert trained == [5, 6]
    assert without_seconds(before) + without_seconds(after) == without_seconds(at_once)


@pytest.mark.usefixtures("always")
def test_a_best_epoch_before_the_kill_is_the_model_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = of_regression(tmp_path, epochs=5, learning_rate=1.0, optimizer="sgd")
    at_once = train(whole)
    scores = [epoch.validation["mse"] for epoch in at_once.epochs]
    assert scores.index(min(scores)) < 2, scores
    again = replace(whole, folder=str(tmp_path / "again"))
    killed(again, 4, monkeypatch)
    train(again)
    models = [
        predict(f"{f}/model.keras", whole.data, whole.settings, "test") for f in (whole.folder, again.folder)
    ]
    np.testing.assert_array_equal(models[0].y_pred, models[1].y_pred)


@pytest.mark.usefixtures("always")
def test_what_was_spent_before_the_kill_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = of_regression(tmp_path, epochs=4)
    killed(one, 3, monkeypatch)
    state = read_state(Path(one.folder) / RUNNING)
    spent = [replace(epoch, seconds=1000.0) for epoch in state.epochs]
    write_state(Path(one.folder) / RUNNING, replace(state, epochs=tuple(spent)))
    assert 2000 < train(one).seconds < 2100


@pytest.mark.usefixtures("always")
def test_a_deadline_that_passed_meanwhile_leaves_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = of_regression(tmp_path, epochs=5)
    killed(one, 3, monkeypatch)
    outcome = train(replace(one, deadline=time.time() - 1))
    assert (outcome.cut, [epoch.number for epoch in outcome.epochs]) == (True, [1, 2])
    assert (Path(one.folder) / "model.keras").exists()


@pytest.mark.usefixtures("always")
def test_a_damaged_state_is_told_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = of_regression(tmp_path, epochs=4)
    at_once = train(replace(one, folder=str(tmp_path / "at once")))
    killed(one, 3, monkeypatch)
    path = Path(one.folder) / RUNNING
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    trained = counted(monkeypatch)
    assert without_seconds(train(one)) == without_seconds(at_once)
    assert trained == [1, 2, 3, 4]
    assert capsys.readouterr().err == f"trial 1: {path} is damaged and not used: its checksum is wrong\n"


def test_a_stretch_without_its_state_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = of_regression(tmp_path, epochs=3)
    second = replace(one, first_epoch=2, best_before=-1.0)
    path = Path(one.folder) / state_name(2)
    write_state(path, STATE)
    outcome = train(second)
    assert [epoch.number for epoch in outcome.epochs] == [1, 2, 3]
    assert (Path(one.folder) / "model.keras").exists()
    assert capsys.readouterr().err == (
        f"trial 1: {path} is damaged and not used: it is of another model\ntrial 1: begins at epoch 1 again\n"
    )


OTHERS: list[Any] = [
    pytest.param(lambda one: replace(one, trial=2), id="trial"),
    pytest.param(lambda one: replace(one, repeat=2), id="repeat"),
    pytest.param(lambda one: replace(one, seed=12), id="seed"),
    pytest.param(lambda one: replace(one, accumulation=2), id="accumulation"),
    pytest.param(lambda one: replace(one, last_epoch=3), id="epochs"),
    pytest.param(
        lambda one: replace(
            one, settings=replace(one.settings, training=replace(one.settings.training, learning_rate=0.01))
        ),
        id="settings",
    ),
]


@pytest.mark.parametrize("other", OTHERS)
def test_another_job_has_another_digest(other: Callable[[Job], Job], tmp_path: Path) -> None:
    one = of_regression(tmp_path, epochs=4)
    data = open_dataset(one.data)
    assert resuming.digest(other(one), data, "jax") != resuming.digest(one, data, "jax")


def test_another_attempt_has_the_same_digest_and_other_data_another(tmp_path: Path) -> None:
    one = of_regression(tmp_path, epochs=4)
    data = open_dataset(one.data)
    name = resuming.digest(one, data, "jax")
    later = replace(one, folder="elsewhere", data="elsewhere", deadline=1.0, progress="there")
    assert resuming.digest(later, data, "jax") == name
    assert resuming.digest(one, data, "cudnn") != name
    x = np.array(data.x)
    x[-1, 0] += 1
    assert resuming.digest(one, replace(data, x=x), "jax") != name


@pytest.mark.usefixtures("always")
def test_the_state_of_another_job_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = of_regression(tmp_path, epochs=4)
    killed(one, 3, monkeypatch)
    trained = counted(monkeypatch)
    train(replace(one, seed=12))
    assert trained == [1, 2, 3, 4]


def test_saving_takes_a_twentieth_of_the_time_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def save(path: Path, state: State) -> None:
        nonlocal now
        assert (path, state.job) == (tmp_path / RUNNING, "its name")
        now += 2.0
        saved.append(now)

    class Epochs:
        def state(self) -> State:
            return STATE

    saved: list[float] = []
    monkeypatch.setattr(resuming.time, "perf_counter", lambda: now)
    monkeypatch.setattr(resuming, "write_state", save)
    one = replace(of_regression(tmp_path), folder=str(tmp_path))
    saver = resuming.Saver(one, "its name")
    for _ in range(1000):
        now += 1.5
        saver(Epochs())  # type: ignore[arg-type]
    assert saved[0] == 6 + 2.0  # after the first epoch at which five seconds were over
    pauses = np.diff(saved) - 2.0
    assert set(pauses) == {40.5}  # 20 times two seconds, at the end of an epoch
    assert 2.0 * len(saved) / now < 0.05


def test_a_short_training_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "LEAST", 1000.0)
    one = of_regression(tmp_path, epochs=3)
    train(one)
    assert [path.name for path in Path(one.folder).iterdir()] == ["model.keras"]


def test_a_training_that_fails_after_going_on_tells_all_its_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, always: None
) -> None:
    one = of_regression(tmp_path, epochs=5)
    killed(one, 3, monkeypatch)
    learn = Fit.learn

    def failing(self: Fit, number: int) -> dict[str, float]:
        if number == 4:
            raise TrainingError("no")
        return learn(self, number)

    monkeypatch.setattr(Fit, "learn", failing)
    outcome = train(one)
    assert (outcome.error, [epoch.number for epoch in outcome.epochs]) == ("no", [1, 2, 3])


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from gru_tune.learning.training import configure, train
configure(sys.argv[1], 1)
from gru_tune.learning import resuming
from gru_tune.trial import Outcome
from tests.learning.learning_data import job, sequences
resuming.LEAST, resuming.SHARE = 0.0, 0
folder = Path(sys.argv[2])
one = job(sequences("regression", count=600), folder, "mse", epochs=40, dropout=0.2, batch_size=8)
outcome = train(replace(one, progress=str(folder / "progress.json")))
print(repr([(e.number, e.train, e.validation) for e in outcome.epochs]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_kill_9_in_the_middle_of_a_training(backend: str, tmp_path: Path) -> None:
    """A kill costs one epoch at most, and the numbers are those of a training that was not killed."""
    root = Path(__file__).parents[2]

    def start(folder: Path) -> subprocess.Popen[str]:
        folder.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, backend, str(folder)],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    whole, _ = start(tmp_path / "whole").communicate(timeout=120)
    folder = tmp_path / "killed"
    reached = [0]
    for _ in range(4):
        process = start(folder)
        path = folder / "progress.json"
        wait_for(lambda: process.poll() is not None or epoch_of(path) > reached[-1] + 3)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        reached.append(epoch_of(path))
    assert reached[-1] > 12
    state = read_state(folder / "trial" / RUNNING)
    assert len(state.scores) >= reached[-1] - 1
    after, told = start(folder).communicate(timeout=120)
    assert after == whole
    assert f"trial 1: goes on after epoch {len(state.scores)}" in told


def epoch_of(path: Path) -> int:
    import json

    return int(json.loads(path.read_text(encoding="utf-8"))["epoch"]) if path.exists() else 0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)
