"""What an exception of a training means: its kind, its reason in one line, and whether it is the trial's at all."""

from __future__ import annotations

import errno

from gru_tune.errors import NotANumber, TrainingError
from gru_tune.study.files import in_part
from gru_tune.trial import Fault

LENGTH = 500  # characters of a reason
# Every trial would fail with them.
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
# As TensorFlow, XLA, cuDNN and cuBLAS tell of want of memory, on the processor and on the GPU.
OF_MEMORY = (
    "resource_exhausted", "resource exhausted", "out of memory", "out_of_memory", "oom when allocating",
    "failed to allocate", "cannot allocate memory", "alloc_failed",
)  # fmt: skip


def fault(error: BaseException) -> Fault:
    """The kind of fault that an exception tells of."""
    if isinstance(error, NotANumber):
        return Fault.NUMBER
    if isinstance(error, TrainingError):
        return Fault.ERROR
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return Fault.MEMORY
    said = str(error).lower()
    return Fault.MEMORY if any(sign in said for sign in OF_MEMORY) else Fault.ERROR


def of_the_disk(error: BaseException) -> bool:
    """Whether nothing can be written any more: the disk is full, or must not be written to."""
    if not isinstance(error, OSError):
        return False
    return error.errno in OF_THE_DISK or in_part(error)


def sentence(error: BaseException) -> str:
    """Type and first line: some messages of TensorFlow are pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return text if isinstance(error, TrainingError) else f"{type(error).__name__}: {text}"[:LENGTH]
