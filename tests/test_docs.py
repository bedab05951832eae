"""Documentation cannot lie: the reference equals the models, every shipped config is valid."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gru_tune import cli, config, reference
from gru_tune.knobs import table

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml")) + sorted((ROOT / "benchmarks").glob("**/*.yaml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_is_valid(path: Path) -> None:
    assert config.load(path).space.size >= 1


def test_the_grid_of_the_tutorials_has_27_points() -> None:
    assert config.load(ROOT / "configs" / "imdb_grid.yaml").space.size == 27


def test_the_reference_equals_the_models() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == reference.text(), "run: python -m gru_tune.reference > docs/configuration.md"


def test_every_knob_is_in_the_reference() -> None:
    page = reference.text()
    assert all(f"`{k.name}`" in page or f".{k.name}`" in page for k in table().values())


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"gru-tune {name}" in readme for name in cli.main.commands)


def test_the_configs_in_the_documentation_are_valid(tmp_path: Path) -> None:
    blocks = [b for page in PAGES for b in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.S)]
    whole = [b for b in blocks if "task" in (yaml.safe_load(b) or {})]
    assert whole
    for number, block in enumerate(whole):
        file = tmp_path / f"example{number}.yaml"
        file.write_text(block, encoding="utf-8")
        config.load(file)


def test_the_scripts_of_the_cluster_page_can_be_read() -> None:
    """Their form alone: neither Slurm nor Kubernetes is here to run them."""
    page = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    scripts = re.findall(r"```bash\n(.*?)```", page, re.S)
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    (job,) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.S))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    groups = [
        job["spec"]["rayClusterSpec"]["headGroupSpec"],
        *job["spec"]["rayClusterSpec"]["workerGroupSpecs"],
    ]
    assert all(group["template"]["spec"]["containers"] for group in groups)
    assert all(isinstance(value, str) for group in groups for value in group["rayStartParams"].values())


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
            assert (page.parent / target).stat().st_size, f"{page.name} links to {target}, which is empty"


def test_links_to_headings_lead_to_one() -> None:
    for page in PAGES:
        for target, name in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text("utf-8")):
            other = page.parent / target if target else page
            assert name in _anchors(other), f"{page.name} links to {target}#{name}"


def _anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_that_a_page_names_exists() -> None:
    """A fault table without its tests would be a promise alone."""
    named = [
        (name, page.parent / path)
        for page in PAGES
        for name, path in re.findall(r"\[`(test_\w+)`\]\((\S+?)\)", page.read_text("utf-8"))
    ]
    assert len(named) > 40
    for name, file in named:
        assert f"def {name}(" in file.read_text("utf-8"), f"{file} has no {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_page_has_a_hole(page: Path) -> None:
    assert not re.search(r"(?m)^@\w+@$|TODO|TBD", page.read_text("utf-8"))
