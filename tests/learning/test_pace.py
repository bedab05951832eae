"""How long configurations take, by a law and a few measurements."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import pytest

from gru_tune.knobs import Settings, settle
from gru_tune.learning import memory
from gru_tune.learning.pace import BEGINNING, Measured, Pace, expected_seconds
from gru_tune.learning.pacing import EPOCHS, measure
from gru_tune.learning.volume import Volume
from gru_tune.trial import Objective
from tests.learning.learning_data import sequences

DATA = sequences(count=600)
VOLUME = Volume.of(DATA)


def law(settings: Settings) -> float:
    amounts = VOLUME.training(settings, DATA.info), VOLUME.validating(settings, DATA.info)
    return expected_seconds(*amounts, settings, DATA.info, "jax")


def pace(*points: tuple[float, float], compiles: float = 2.0) -> Pace:
    return Pace(VOLUME, "jax", points, compiles)


def test_a_measured_model_has_its_own_seconds() -> None:
    small, large = settle({"units": 4}), settle({"units": 256, "depth": 2})
    found = Pace.fit(
        VOLUME, "jax", [Measured(law(large), 7.0, 2.0, 6.0), Measured(law(small), 0.5, 1.0, 2.0)]
    )
    assert found.epoch(small, DATA.info) == pytest.approx(0.5)
    assert found.epoch(large, DATA.info) == pytest.approx(7.0)
    assert found.compiles == pytest.approx(8.0 / 3.0)
    between = found.epoch(settle({"units": 64}), DATA.info)
    assert 0.5 < between < 7.0


def test_beyond_the_measured_ones_their_ends_go_on() -> None:
    found = pace((law(settle({"units": 64})), 3.0))
    for settings in (settle({"units": 2}), settle({"units": 512})):
        assert found.epoch(settings, DATA.info) == pytest.approx(3 * law(settings))


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"units": 256}, {"units": 64}),
        ({"depth": 2}, {"depth": 1}),
        ({"bidirectional": True}, {}),
        ({"batch_size": 4}, {"batch_size": 64}),
        ({"max_length": 9}, {"max_length": 3}),
    ],
)
def test_what_is_more_work_takes_longer_and_more_memory(
    more: dict[str, object], less: dict[str, object]
) -> None:
    found = pace((0.1, 1.0))
    large, small = settle(dict(more)), settle(dict(less))
    assert found.epoch(large, DATA.info) > found.epoch(small, DATA.info)
    if "batch_size" not in more:
        needs = [memory.worker(VOLUME, one, DATA.info, "jax", gpu=False) for one in (large, small)]
        assert needs[0] > needs[1]


def test_a_trial_is_compiling_and_its_epochs() -> None:
    found, settings = pace((0.1, 1.0)), settle({"epochs": 10})
    epoch, compiling = found.epoch(settings, DATA.info), found.compiling(settings, DATA.info)
    assert found.trial(settings, DATA.info) == pytest.approx(BEGINNING + compiling + 10 * epoch)
    assert found.trial(settings, DATA.info, epochs=2, compiled=True) == pytest.approx(BEGINNING + 2 * epoch)
    assert compiling > pace((0.1, 1.0), compiles=1.0).compiling(settings, DATA.info)


def test_a_pace_goes_through_json() -> None:
    found = pace((0.1, 1.0), (0.5, 2.0))
    assert Pace.read(json.loads(json.dumps(found.facts()))) == found


def test_a_large_batch_is_kept_whole_on_a_gpu() -> None:
    settings = settle({"batch_size": 512, "units": 512})
    parts, whole = (memory.worker(VOLUME, settings, DATA.info, "jax", gpu) for gpu in (False, True))
    assert whole > parts


def test_a_model_is_trained_for_a_moment(tmp_path: Path) -> None:
    DATA.save(tmp_path)
    settings = settle({"units": 4, "batch_size": 16, "learning_rate": 10.0, "patience": 1})
    found = measure(tmp_path, settings, Objective("accuracy", "max"), ("accuracy",), "jax")
    assert EPOCHS > 1
    assert 0 < found.epoch < 5
    assert found.compiling > found.epoch / 100
    assert found.expected <= law(settings)  # some of the data, at one length


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="this process computes with another backend")
def test_compiling_is_timed_although_all_is_compiled_already(tmp_path: Path) -> None:
    """Neither this process nor the persistent cache of JAX is asked while timing; both are afterwards."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    DATA.save(tmp_path / "data")
    names = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"
    former = [getattr(jax.config, name) for name in names]
    compilation_cache.reset_cache()
    try:
        for name, setting in zip(names, (str(tmp_path / "xla"), 0.0), strict=True):
            jax.config.update(name, setting)
        jax.jit(lambda x: x + 1)(3.0)  # the cache is in use before
        found = [
            measure(
                tmp_path / "data", settle({"units": 8}), Objective("accuracy", "max"), [], "jax"
            ).compiling
            for _ in range(2)
        ]
        kept = [path.name for path in (tmp_path / "xla").iterdir()]
        jax.jit(lambda x: x * 2 + 1)(3.0)
        assert len(list((tmp_path / "xla").iterdir())) > len(kept) > 0
    finally:
        for name, setting in zip(names, former, strict=True):
            jax.config.update(name, setting)
        compilation_cache.reset_cache()
    assert not [name for name in kept if "learn" in name or "score" in name]
    assert min(found) > 0.0
