"""Studies that a page must get along with, by what is special about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gru_tune.report import read
from gru_tune.report.read import Study
from tests.report import builders

FINISHED = {**builders.FACTS, "state": "finished"}
HOSTILE = {
    "depth": '<img src=x onerror="document.title=1">',
    "units_1": "</script><script>document.title=2</script>",
    "units_2": "עומק\u202e",  # right-to-left, and a sign that turns round what follows
    "learning_rate": "\"'&amp;`${x}",
    "cell": "🧠 <b>cell</b>",
}
SHOWN = {name.replace("\u202e", "") for name in HOSTILE.values()}
NAME = "</title><script>document.title=3</script> 🧪 שלום"


def whole(folder: Path) -> None:
    builders.study(folder, facts=FINISHED)


def hostile(folder: Path) -> None:
    worst = {split: {NAME: {"accuracy": 0.5}} for split in ("validation", "test")}
    facts = {**FINISHED, "baselines": worst, "notes": [NAME], "task": NAME}
    builders.study(folder, facts=facts, name=NAME, renamed=HOSTILE)
    (folder / "config.yaml").write_text(f"name: {NAME}\n", encoding="utf-8")


def unfinished(folder: Path) -> None:
    builders.launch_only(builders.study(folder, facts={"state": "running"}), 13)


def torn(folder: Path) -> None:
    log = builders.study(folder).log
    log.write_text(log.read_text(encoding="utf-8")[:-40], encoding="utf-8")


def failures(folder: Path) -> None:
    builders.study(folder, trials=25, failing=1, facts={"state": "finished"})


def one(folder: Path) -> None:
    builders.study(folder, trials=1, facts=FINISHED)


def none(folder: Path) -> None:
    builders.study(folder, trials=0)


def many(folder: Path) -> None:
    builders.study(folder, trials=2000, facts=FINISHED)


SPECIAL: dict[str, Callable[[Path], None]] = {
    make.__name__: make for make in (whole, hostile, unfinished, torn, failures, one, none, many)
}


def study(kind: str, folder: Path) -> Study:
    """Make the study on the disk and read it."""
    SPECIAL[kind](folder)
    return read.study(folder)
