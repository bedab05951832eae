"""The floors of the house: imports go downward, families keep apart, commands stay light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gru_tune"

# A package stands for its members, unless one of them is named on a floor of its own.
FLOORS = [
    ["errors", "values", "space", "wording", "quantities", "quiet", "bounds"],
    [
        "knobs",
        "trial",
        "study.interrupt",
        "study.events",
        "study.files",
        "study.lines",
        "study.log",
        "study.tail",
        "study.history",
        "study.table",
        "study.pareto",
        "study.results",
        "study.facts",
    ],
    ["language", "data.dataset", "data.frame", "data.raw", "learning.truth", "report"],
    ["sources", "kinds", "tasks", "strategies", "executors", "page", "trackers"],
    ["config", "data"],
    ["learning"],
    ["study", "check", "constraints", "timing", "init", "guess", "doctor", "reference", "export", "using"],
    ["cli"],
]
FAMILIES = ["sources", "kinds", "tasks", "strategies", "executors", "report"]
# Written for Keras and JAX throughout; imported by the others inside functions.
FRAMEWORK_CODE = {f"gru_tune.learning.{name}" for name in ("compiled", "layers", "recurrence")}
HEAVY = {
    "tensorflow", "keras", "keras_tuner", "jax", "pandas", "sklearn", "scipy", "pyarrow", "plotly", "rich", "onnx",
    "onnxruntime", "optuna", "cmaes", "torch", "jinja2", "kaleido", "tensorboard", "mlflow", "ray",
}  # fmt: skip


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(node: ast.AST, inside: bool) -> list[str]:
    """Every name that is imported below ``node``; with ``inside`` also within functions."""
    found: list[str] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found += [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            found += [f"{child.module}.{alias.name}" for alias in child.names]
        elif not for_types_only(child) and (inside or not isinstance(child, ast.FunctionDef)):
            found += imported(child, inside)
    return found


@cache
def own_imports(module: str) -> frozenset[str]:
    """The modules of the package that one imports, a package counting with its members."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    names = set()
    for name in imported(tree, inside=True):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name.count(".") >= 1:
            names.add(name)
    return frozenset(names - {module})


@cache
def reachable(module: str) -> frozenset[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for name in own_imports(waiting.pop()) - seen:
            seen.add(name)
            waiting.append(name)
    return frozenset(seen)


NAMED = sorted((name for names in FLOORS for name in names), key=len, reverse=True)


def part(module: str) -> str:
    """The named part of the house a module belongs to: ``gru_tune.report.html`` -> ``report``."""
    inner = module.removeprefix("gru_tune").removeprefix(".")
    return next((name for name in NAMED if inner == name or inner.startswith(name + ".")), inner)


def test_every_module_has_a_floor() -> None:
    assert {part(m) for m in MODULES} - {"", "__main__"} == set(NAMED)


def test_imports_go_downward() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    wrong = [
        f"{module} (floor {floor[part(module)]}) imports {other} (floor {floor[part(other)]})"
        for module in MODULES
        if part(module) in floor
        for other in sorted(own_imports(module))
        if part(other) in floor and floor[part(other)] > floor[part(module)]
    ]
    assert wrong == []


def test_the_command_line_is_imported_by_nothing() -> None:
    wrong = [m for m in MODULES if part(m) != "cli" and "cli" in {part(other) for other in own_imports(m)}]
    assert wrong == ["gru_tune.__main__"]


def test_families_never_import_each_other() -> None:
    wrong = [
        f"{module} reaches {other}"
        for module in MODULES
        if part(module) in FAMILIES
        for other in sorted(reachable(module))
        if part(other) in FAMILIES and part(other) != part(module)
    ]
    assert wrong == []


def test_one_module_alone_knows_keras_tuner() -> None:
    knows = [
        module
        for module, path in MODULES.items()
        if any(
            name.split(".")[0] == "keras_tuner"
            for name in imported(ast.parse(path.read_text(encoding="utf-8")), inside=True)
        )
    ]
    assert knows == ["gru_tune.strategies._oracle"]


def test_heavy_packages_are_imported_inside_functions() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if not part(module).startswith("_") and ".strategies._" not in module and module not in FRAMEWORK_CODE
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), inside=False)
        if name.split(".")[0] in HEAVY or name.rpartition(".")[0] in FRAMEWORK_CODE
    ]
    assert wrong == []


def test_only_the_command_line_knows_click() -> None:
    knows = {part(m) for m, path in MODULES.items() if "import click" in path.read_text(encoding="utf-8")}
    assert knows == {"cli"}


PROBE = """
import json, sys
from gru_tune.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("\\n" + json.dumps({"code": end.code, "modules": sorted({m.split(".")[0] for m in sys.modules})}))
"""
FRAMEWORKS = {"tensorflow", "keras", "keras_tuner", "jax"}


def loaded_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    end = json.loads(done.stdout.splitlines()[-1])
    assert end["code"] == 0, done.stdout + done.stderr
    return set(end["modules"])


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], FRAMEWORKS | {"numpy", "pandas", "sklearn", "pydantic", "yaml", "rich"}),
        (["schema"], FRAMEWORKS | {"numpy", "pandas", "sklearn"}),
        (["report", "{study}"], FRAMEWORKS | {"numpy", "pandas", "sklearn", "pydantic", "yaml"}),
        (["check", "configs/smoke.yaml"], FRAMEWORKS | {"sklearn"}),
    ],
    ids=["help", "schema", "report", "check"],
)
def test_commands_stay_light(arguments: list[str], forbidden: set[str], tmp_path: Path) -> None:
    from tests.report.builders import study

    folder = study(tmp_path / "toy", trials=3).path
    modules = loaded_by(*(str(folder) if argument == "{study}" else argument for argument in arguments))
    assert modules & forbidden == set()
