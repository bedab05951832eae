"""Writes docs/dependencies.md: every package that an installation pulls in, its licence, and what it is for.

Run where ``.[dev,gp,dashboard]`` is installed, with Python 3.11 or newer: ``make licences``. Ends with the code 1 and a sentence
when a package names no licence, or one that asks for more than to be named.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "gru-tune"
EXTRAS = ("", "onnx", "png", "tensorboard", "mlflow", "ray", "gp", "dashboard", "dev")
# What the file of the licence says, where the package's metadata do not.
KNOWN = {"axe-playwright-python": "MIT", "namex": "Apache-2.0"}
# Permissive ones, and the MPL, whose terms end with the files of the package itself.
NAMES = {
    "0BSD": "0BSD", "AFL-2.1": "AFL-2.1", "Apache": "Apache-2.0", "BSD": "BSD", "BSL": "BSL-1.0", "CC0": "CC0-1.0", "ISC": "ISC",
    "LLVM-exception": "LLVM-exception", "MIT": "MIT", "MPL": "MPL-2.0", "Mozilla Public License": "MPL-2.0",
    "PSF": "PSF-2.0", "Python Software Foundation": "PSF-2.0", "Zlib": "Zlib",
}  # fmt: skip
REFUSED = re.compile(r"\b(A|L)?GPL|GNU|Commons Clause|SSPL|Proprietary", re.IGNORECASE)
REMEDY = "read theirs, then do without the package or add it to KNOWN in constraints/licences.py"
HEAD = """# Dependencies and their licences

Everything that an installation of this project pulls in on Linux, with Python 3.11; made by `make licences`, which
fails when a package names no licence or one that is not permissive (the MPL counts as permissive here: its terms end
with the files of the package itself). Nothing of these packages is copied into this repository.
The extra `gpu` is not listed: it adds NVIDIA's CUDA libraries, which come under NVIDIA's own terms.

Lower and upper bounds stand in `pyproject.toml`: above are the newest major versions that were tried, below the oldest
with which `make lowest` ends well (the extras' are not part of that). `constraints/ci.txt` has the exact versions that the tests run with
(`make lock` makes it anew, for every Python from 3.10 on), and `make audit` asks whether one of them has a known
vulnerability.

| package | licence | for |
|---|---|---|"""


def main() -> int:
    """Print the page; 1 when a licence is unknown or not permissive."""
    used: dict[str, list[str]] = {}
    for extra in EXTRAS:
        for name in reached(extra):
            used.setdefault(name, []).append(extra)
    licences = {name: KNOWN.get(name) or licence_of(distribution(name)) for name in sorted(used)}
    rows = [
        f"| {name} | {licence or 'unknown'} | {purpose(used[name])} |" for name, licence in licences.items()
    ]
    print("\n".join([HEAD, *rows]))
    if wrong := ", ".join(name for name, licence in licences.items() if not licence):
        print(f"no permissive licence is known of {wrong}: {REMEDY}", file=sys.stderr)
    return 1 if wrong else 0


def purpose(extras: list[str]) -> str:
    """Who needs a package: every installation, or some extras."""
    if "" in extras:
        return "every installation"
    return ", ".join(f"`[{extra}]`" for extra in extras if extra != "dev") or "`[dev]`"


def asked(extra: str) -> list[str]:
    """What the project asks for itself (an editable installation may tell of an earlier state)."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: list[str] = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return found


def reached(extra: str) -> set[str]:
    """The packages that the project with this extra (without: the project alone) needs here."""
    found: set[str] = set()
    waiting = [(PROJECT, extra)]
    seen = set(waiting)
    while waiting:
        name, own = waiting.pop()
        try:
            texts = asked(own) if name == PROJECT else distribution(name).requires or []
        except PackageNotFoundError:  # of an extra that is not installed
            continue
        found.add(name)
        for requirement in map(Requirement, texts):
            if requirement.marker and not requirement.marker.evaluate({"extra": own}):
                continue
            needed = canonicalize_name(requirement.name)
            new = {(needed, inner) for inner in ("", *requirement.extras)} - seen
            seen |= new
            waiting += new
    return found - {PROJECT} - (reached("") if extra else set())


def licence_of(package: Distribution) -> str:
    """The licence by the metadata, in short names; empty when it is unknown or not permissive."""
    told: Any = package.metadata  # a mapping that gives all values of a key
    classifiers = [
        text.removeprefix("License :: ")
        for text in told.get_all("Classifier") or ()
        if text.startswith("License")
    ]
    for texts in ([told.get("License-Expression")], classifiers, [told.get("License")]):
        words = " and ".join(text for text in texts if text)
        if words:
            return "" if REFUSED.search(words) else " and ".join(short(words))
    return ""


def short(words: str) -> Iterable[str]:
    """The known licences that are named in a text."""
    return sorted({name for word, name in NAMES.items() if re.search(rf"\b{re.escape(word)}", words)})


if __name__ == "__main__":
    sys.exit(main())
