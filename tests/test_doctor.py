from __future__ import annotations

import pytest

from gru_tune import doctor


def test_names_versions_devices_and_the_fast_path() -> None:
    text = doctor.describe()
    for package in doctor.PACKAGES:
        assert package in text
    assert "cores" in text
    assert "fast path" in text


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert doctor.version("no-such-package-as-this") is None


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert doctor.nvidia_gpus() == []
