"""Bounds, lock and licences of the dependencies agree with each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WHERE = {  # the machine that docs/dependencies.md is made on
    "python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux", "platform_system": "Linux",
    "platform_python_implementation": "CPython", "implementation_name": "cpython",
}  # fmt: skip


@pytest.fixture(scope="module")
def project() -> Any:
    if sys.version_info < (3, 11):
        pytest.skip("Python 3.10 cannot read TOML")
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked(project: Any) -> list[Requirement]:
    texts = [
        *project["dependencies"],
        *(text for texts in project["optional-dependencies"].values() for text in texts),
    ]
    return [found for found in map(Requirement, texts) if found.name != project["name"]]


def locked() -> list[Requirement]:
    lines = (ROOT / "constraints" / "ci.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_every_dependency_has_a_lower_and_an_upper_bound(project: Any) -> None:
    for requirement in asked(project):
        operators = {bound.operator for bound in requirement.specifier}
        assert operators in ({">=", "<"}, {"=="}), requirement


def test_the_lock_holds_every_dependency_within_its_bounds(project: Any) -> None:
    pins = {(canonicalize_name(pin.name), version.version) for pin in locked() for version in pin.specifier}
    extras = project["optional-dependencies"]
    pinned = [
        *project["dependencies"],
        *extras["dev"],
        *(text for name in ("onnx", "ray", "mlflow") for text in extras[name]),
    ]
    for requirement in map(Requirement, pinned):
        if requirement.name == project["name"]:
            continue
        versions = {version for name, version in pins if name == canonicalize_name(requirement.name)}
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), (requirement, versions)


def test_the_lock_names_exact_versions_and_no_place() -> None:
    for pin in locked():
        assert [bound.operator for bound in pin.specifier] == ["=="], pin
        assert pin.url is None


def test_the_licence_of_everything_in_the_lock_is_told() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    told = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    needed = {canonicalize_name(pin.name) for pin in locked() if not pin.marker or pin.marker.evaluate(WHERE)}
    assert needed - told == set()
    assert "unknown" not in page
