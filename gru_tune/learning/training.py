"""One job of training, from prepared arrays to an outcome: all that happens in a worker.

Keras is imported when a job begins; ``configure`` must come before that.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gru_tune.data.dataset import Dataset, Split
from gru_tune.knobs import Settings
from gru_tune.learning import checkpoints, failing, resuming
from gru_tune.learning.engines import fast_path, make_engine, make_model
from gru_tune.learning.factory import build, plain_copy
from gru_tune.learning.fitting import Fit, refuse_empty, split_samples
from gru_tune.learning.initial import built
from gru_tune.learning.latency import latency
from gru_tune.learning.samples import Samples
from gru_tune.learning.sizes import parameters
from gru_tune.trial import Epoch, Fault, Job, Outcome

CACHE = 1_000_000_000  # bytes of compiled programs kept on disk; the least used go first


class _Result(NamedTuple):
    epochs: tuple[Epoch, ...] = ()
    parameters: int = 0
    fast_path: str = ""
    error: str | None = None
    fault: Fault | None = None
    cut: bool = False
    latency: float | None = None
    before: float = 0.0  # seconds that earlier attempts have spent on these epochs


def configure(backend: str, threads: int) -> None:
    """Prepare this process for training: call it once, before Keras is imported.

    ``backend`` is tensorflow or jax, ``threads`` this worker's share of the cores; a GPU
    gives memory as it is needed.
    """
    os.environ["KERAS_BACKEND"] = backend
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if backend == "jax":
        _configure_jax(threads)
    else:
        _configure_tensorflow(threads)


def _configure_jax(threads: int) -> None:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ["PJRT_NPROC"] = str(threads)
    # Keras would import TensorFlow, where there is one, to seed it and to save a model: seconds for nothing.
    sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]
    import jax

    # What one worker or run has compiled, the next one reads; where that cannot be, it goes without.
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and (folder := cache_folder()) is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_compilation_cache_max_size", CACHE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def cache_folder() -> Path | None:
    """Where compiled programs are kept, by the user's XDG folders; None where no folder can be made."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    try:
        (base / "gru-tune" / "xla").mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return base / "gru-tune" / "xla"


def _configure_tensorflow(threads: int) -> None:
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    for device in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(device, True)


def warm() -> None:
    """Import what the first job needs, while others prepare it."""
    with _hidden("sklearn", "pandas"):  # Keras imports them for adapters that are not used here
        import keras

    if keras.backend.backend() == "jax":
        import gru_tune.learning.compiled
        import gru_tune.learning.layers  # noqa: F401
    gc.collect()
    gc.freeze()  # what is imported stays: to collect what jobs leave behind need not look at it


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Let an import go without optional packages, unless they are there already."""
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def train(job: Job) -> Outcome:
    """Train the epochs of ``job`` and leave its files in ``job.folder``.

    Never raises for what can go wrong with a trial: the outcome then has an ``error``, and
    the folder the traceback. Outcome.epochs are those that ended well, in this attempt at the
    job or in one that was killed. Raises ``OSError`` when nothing can be written any more.
    """
    start = time.perf_counter()
    try:
        result = _train(job)
    except Exception as error:
        reason, fault = _failed(job, error)
        result = _Result(error=reason, fault=fault)
    clean()
    return Outcome(
        trial=job.trial,
        epochs=result.epochs,
        parameters=result.parameters,
        seconds=result.before + time.perf_counter() - start,
        fast_path=result.fast_path,
        error=result.error,
        cut=result.cut,
        latency=result.latency,
        fault=result.fault,
    )


def load(model_file: str | Path, settings: Settings, dataset: Dataset) -> Any:
    """A saved model of these settings, to be used on ``dataset``; nothing in the file is run."""
    # Not ``load_model``: on JAX that draws first weights for seconds, only to replace them.
    model = built(lambda: build(settings, dataset), seed=0)
    model.load_weights(model_file)
    return model


def open_dataset(folder: str | Path) -> Dataset:
    """The prepared data of a study, memory-mapped; the last one opened is kept."""
    path = Path(folder)
    return _open(str(path), (path / "info.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _open(folder: str, written: int) -> Dataset:
    return Dataset.load(Path(folder))


def _train(job: Job) -> _Result:
    import keras

    dataset = open_dataset(job.data)
    keras.utils.set_random_seed(job.seed % 2**32)
    train, validation = split_samples(dataset, job)
    path = fast_path(job.settings, train)
    model = make_model(job.settings, train, path, job.seed)
    engine = make_engine(model, job.settings, train, path, job.accumulation)
    fit = Fit(job, engine, train, validation)
    name = resuming.digest(job, dataset, path)
    resuming.resume(fit, name)
    error, fault, took = None, None, None
    try:
        fit.run(resuming.Saver(job, name))
        if job.objective.cost == "latency":
            took = latency(fit.engine, validation)
    except Exception as problem:  # what was trained before is still worth telling
        error, fault = _failed(job, problem)
    if error is None:
        _leave(fit, Path(job.folder))
    known = parameters(job.settings, dataset.info)
    return _Result(tuple(fit.epochs), known, path, error, fault, fit.cut, took, fit.seconds)


def _leave(fit: Fit, folder: Path) -> None:
    """The state comes first: saving the best model puts the weights of its epoch back."""
    job = fit.job
    if job.checkpoint:
        state = checkpoints.State(tuple(fit.scores), fit.engine.state())
        checkpoints.write_state(folder / checkpoints.state_name(job.last_epoch), state)
    if fit.best_weights is not None:
        fit.engine.restore(fit.best_weights)
        checkpoints.save_model(plain_copy(fit.engine.model, job.settings, fit.train.dataset), folder)


def open_model(
    model_file: str | Path, data_folder: str | Path, settings: Settings, split: Split
) -> tuple[Any, Samples]:
    """A saved model, and the samples of a split as it takes them; raises ``TrainingError`` without any."""
    samples = Samples(open_dataset(data_folder), split, settings.data)
    refuse_empty(samples)
    return load(model_file, settings, samples.dataset), samples


def _failed(job: Job, error: Exception) -> tuple[str, Fault]:
    """Leave the traceback in the trial's folder; returns the reason for the table, and its kind.

    Raises ``error`` itself when it is none of the trial's.
    """
    if isinstance(error, OSError) and failing.of_the_disk(error):
        error.filename = error.filename or job.folder  # a write that fails does not say where
        raise error
    checkpoints.write_text(Path(job.folder) / checkpoints.ERROR, traceback.format_exc())
    return failing.sentence(error), failing.fault(error)


def clean() -> None:
    """Forget the graphs of this job; without it memory grows with every trial."""
    import keras

    keras.backend.clear_session(free_memory=False)  # collected below
    # On JAX Python's own collecting keeps up, and 0.05 s are much.
    if keras.backend.backend() == "tensorflow":
        gc.collect()
