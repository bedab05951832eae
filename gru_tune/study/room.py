"""Whether the workers of a search fit into the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from gru_tune.errors import ConfigError, Problem
from gru_tune.executors.places import backend, cores, gpus
from gru_tune.learning import memory
from gru_tune.learning.extremes import SIZE_KNOBS, corners
from gru_tune.learning.sizes import parameters
from gru_tune.learning.volume import Volume
from gru_tune.quantities import gigabytes
from gru_tune.timing import drawn
from gru_tune.wording import plural

if TYPE_CHECKING:
    from gru_tune.config import Config
    from gru_tune.data.dataset import Dataset
    from gru_tune.knobs import Settings

MATTER = (*SIZE_KNOBS, "batch_size", "max_length", "window", "optimizer")
CORNERS = 2000  # that are looked at, at most
GIGA = 1e9
# Bytes of its own that a worker with the smallest of models needs.
LEAST = {"jax": 300_000_000, "tensorflow": 800_000_000}


def refuse_too_little(config: Config, backend: str) -> None:
    """Raise ``ConfigError`` for a limit below what a worker takes before it has trained anything."""
    limit, least = config.search.memory, LEAST[backend]
    if limit is not None and limit < least:
        text = (
            f"a worker takes about {gigabytes(least)} on {backend} for the smallest of models, and must not take more "
            f"than {gigabytes(limit)}: give it more"
        )
        raise ConfigError([Problem(("search", "memory_per_worker"), text)])


def doubts(config: Config, dataset: Dataset, workers: int | None = None) -> Iterator[str]:
    """What does not fit, a sentence each: the largest configuration, for so many workers (None: the usual number).

    And how much of the space that concerns.
    """
    devices = gpus()
    count = workers or config.search.workers_per_gpu * len(devices) or len(cores())
    name, _ = backend(config.backend)
    volume, info = Volume.of(dataset), dataset.info

    def needs(settings: Settings) -> int:
        return memory.worker(volume, settings, info, name, bool(devices))

    limit, whole = config.search.memory, memory.machine()
    if limit is not None and whole is not None and count * limit > whole:
        yield (
            f"{plural(count, 'worker')} of {gigabytes(limit)} each (search.memory_per_worker) may take "
            f"{gigabytes(count * limit)} together, and the machine has {gigabytes(whole)}"
        )
    space = config.space
    units = [hp.name for hp in space.hyperparameters if hp.name.startswith("units")]
    edges = islice(filter(space.allows, corners(space, MATTER, units)), CORNERS)
    some = drawn(config)
    largest = max(chain(some, map(config.settings, edges)), key=needs)
    room = memory.gpu() if devices else memory.machine()
    beside = -(-count // len(devices)) if devices else count  # workers that share it
    need = needs(largest) * beside
    if room is None or need <= room:
        return
    too_large = [settings for settings in some if needs(settings) * beside > room]
    where = "GPU's memory" if devices else "machine's memory"
    remedy = (
        "take fewer --workers, or limit search.max_parameters"
        if beside > 1
        else "limit search.max_parameters, or take shorter sequences"
    )
    yield (
        f"{plural(beside, 'worker')} with the largest configuration ({_named(largest)}) may need "
        f"{need / GIGA:,.0f} GB, and the {where} has {room / GIGA:,.0f} GB: {remedy} "
        f"({_how_many(too_large, some, info)})"
    )


def _how_many(too_large: Sequence[Settings], some: Sequence[Settings], info: Mapping[str, Any]) -> str:
    """The share of ``some`` configurations that is too large, and how large the smallest of these is."""
    if not too_large:
        return "hardly any other of the space is too large"
    least = min(parameters(settings, info) for settings in too_large)
    share = f"about {100 * len(too_large) / len(some):.2g} %" if len(too_large) < len(some) else "all"
    return f"{share} of the space is too large, from about {float(f'{least:.2g}'):,.0f} parameters on"


def _named(settings: Settings) -> str:
    model = settings.model
    units = " + ".join(str(u) for u in model.units)
    both = ", both directions" if model.bidirectional else ""
    return f"{model.cell} {units}{both}, batches of {settings.training.batch_size}"
