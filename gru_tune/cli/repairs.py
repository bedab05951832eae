"""Mend what a disk has damaged."""

from __future__ import annotations

from pathlib import Path

import click

from gru_tune.cli.output import FILE
from gru_tune.wording import visible


@click.command()
@click.argument("study", type=FILE)
def repair(study: Path) -> None:
    """Mend the damaged record of a study: keep what is whole, and say what was lost.

    The damaged file stays beside it, as trials.jsonl.damaged.
    """
    from gru_tune.study import repair as repairing

    click.echo(visible("\n".join(repairing.repair(study))))
