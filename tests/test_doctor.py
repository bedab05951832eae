from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import doctor
from gru_tune.executors import places


def test_names_versions_devices_and_the_fast_paths() -> None:
    text = doctor.describe()
    for package in doctor.PACKAGES:
        assert package in text
    assert "cores" in text
    assert text.count("fast path") == 2
    assert "compiling works" in text
    assert "backend       auto takes {}: {}".format(*places.backend("auto")) in text


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert doctor.version("no-such-package-as-this") is None


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert doctor.nvidia_gpus() == []


@pytest.mark.parametrize(
    ("visible", "said"),
    [("0,1", "A, B"), ("1", "A, B; training uses 1 (CUDA_VISIBLE_DEVICES)"), ("", "A, B; training uses 0 (CUDA_VISIBLE_DEVICES)")],
)  # fmt: skip
def test_gpus_are_those_that_training_uses(visible: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "nvidia_gpus", lambda: ["A", "B"])
    monkeypatch.setattr(doctor, "cuda", lambda: True)
    monkeypatch.setattr(places, "cuda", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert doctor._gpus() == said
    assert places.backend("auto")[0] == ("tensorflow" if visible else "jax")


def test_a_gpu_without_cuda_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (doctor, places):
        monkeypatch.setattr(module, "cuda", lambda: False)
    monkeypatch.setattr(doctor, "nvidia_gpus", lambda: ["A"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert places.gpus() == ()
    assert doctor._gpus() == "A; not used without CUDA's libraries: pip install 'gru-tune[gpu]'"
    assert places.backend("auto") == ("jax", "the fastest on a CPU; for the GPU, pip install 'gru-tune[gpu]'")


def test_the_folder_of_compiled_programs_and_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "gru-tune" / "xla"
    assert doctor._programs() == f"kept in {folder}: 0.0 of at most 1,000 MB"
    (folder / "program").write_bytes(b"0" * 2_500_000)
    assert doctor._programs() == f"kept in {folder}: 2.5 of at most 1,000 MB"


def test_the_users_own_folder_of_compiled_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    assert doctor._programs() == f"kept in {tmp_path}: 0.0 MB"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    assert doctor._programs().startswith("not kept")


def test_where_no_folder_can_be_made_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    assert doctor._programs().startswith("not kept")
