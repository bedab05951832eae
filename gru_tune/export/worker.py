"""The process that converts: TensorFlow without a GPU, whose kernels would be written into the file."""

from __future__ import annotations

import os
from functools import partial

from gru_tune.errors import ExportError
from gru_tune.executors.base import WorkerDied
from gru_tune.executors.local import Local
from gru_tune.executors.places import cores
from gru_tune.executors.worker import Start
from gru_tune.export.convert import Checked, Order, convert
from gru_tune.export.formats import FORMATS, others
from gru_tune.learning import training


def start() -> Local:
    """One worker, silent: converters print pages."""
    told = Start(
        configure=partial(training.configure, "tensorflow"),
        threads=len(cores()),
        environment={"CUDA_VISIBLE_DEVICES": "-1"},
        output=os.devnull,
    )
    return Local(training.train, [told])


def converted(order: Order) -> Checked:
    """``convert(order)`` in a worker. Raises ``ExportError`` for whatever goes wrong there."""
    worker = start()
    try:
        checked: Checked = worker.call(convert, order).result()
        return checked
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(
            f"{FORMATS[order.form].title}: the conversion failed ({_reason(error)}), and nothing was written; "
            f"try another --format: {others(order.form)}"
        ) from error
    finally:
        worker.close(kill=True)  # nobody waits for it, who stops in the middle


def _reason(error: Exception) -> str:
    """Type and first line: some messages are pages long."""
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return first if isinstance(error, WorkerDied) else f"{type(error).__name__}: {first}"
