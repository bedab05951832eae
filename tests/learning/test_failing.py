"""What the exceptions of a training are taken for."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from gru_tune.errors import NotANumber, TrainingError
from gru_tune.learning import checkpoints
from gru_tune.learning.failing import fault, sentence
from gru_tune.learning.fitting import Fit
from gru_tune.learning.training import train
from gru_tune.trial import Fault
from tests.learning.learning_data import job, sequences


class XlaRuntimeError(RuntimeError):
    """Of the same name as JAX's."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), Fault.MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Fault.MEMORY),
        (
            XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),
            Fault.MEMORY,
        ),
        (RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"), Fault.MEMORY),
        (RuntimeError("Failed to create cuBLAS handle: CUBLAS_STATUS_ALLOC_FAILED"), Fault.MEMORY),
        (NotANumber("loss became nan in epoch 3"), Fault.NUMBER),
        (TrainingError("the train split gives no samples"), Fault.ERROR),
        (ValueError("shapes differ"), Fault.ERROR),
        (OSError(errno.ENOENT, "No such file"), Fault.ERROR),
    ],
)
def test_the_kind_of_an_exception(error: Exception, kind: Fault) -> None:
    assert fault(error) is kind


def test_a_reason_is_one_line() -> None:
    assert sentence(ValueError("\n  first\nsecond")) == "ValueError: first"
    assert sentence(MemoryError()) == "MemoryError: "
    assert len(sentence(ValueError("x" * 9999))) == 500


def test_want_of_memory_as_the_framework_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def large(self: Fit, number: int) -> dict[str, float]:
        keras.ops.ones((1 << 20, 1 << 20, 1 << 4))  # 64 TB
        return {}

    monkeypatch.setattr(Fit, "learn", large)
    outcome = train(job(sequences("regression"), tmp_path, "mse"))
    assert outcome.fault is Fault.MEMORY, outcome.error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("place", ["save_model", "write_state", "write_text"])
def test_a_disk_that_takes_nothing_any_more_is_no_fault_of_the_trial(
    number: int, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "nothing can be written")

    monkeypatch.setattr(checkpoints, place, full)
    one = job(sequences("regression"), tmp_path, "mse", epochs=1)
    with pytest.raises(OSError, match="nothing can be written") as caught:
        train(replace(one, checkpoint=True, progress=str(tmp_path / "progress.json")))
    assert caught.value.errno == number
