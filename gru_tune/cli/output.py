"""What the commands share: how paths are given, and how results are shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gru_tune.wording import visible

if TYPE_CHECKING:
    from gru_tune.study.watch import Watcher

FILE = click.Path(path_type=Path)
RESULTS = Path("results")


def show(text: str) -> None:
    """Exactly, for another program; on a terminal nothing that stands in the data may command it."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=False, color=True)


def tell(notes: Iterable[str]) -> None:
    """What the user should know, beside the output and not in it."""
    for note in notes:
        click.echo(visible(note), err=True)


def watcher(quiet: bool, json_log: bool, plain: bool = False) -> Watcher:
    """How a run is shown: JSON, not at all, live on a terminal, or as plain lines."""
    from gru_tune.study import live
    from gru_tune.study.live import Live
    from gru_tune.study.progress import JsonLines, Plain
    from gru_tune.study.watch import Watcher

    if json_log or quiet:
        return JsonLines() if json_log else Watcher()
    return Live() if not plain and live.possible() else Plain()


def width() -> int | None:
    """The columns of the terminal; None in a pipe, where nothing is cut."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
