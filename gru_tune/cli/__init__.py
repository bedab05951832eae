"""The command line: every command loads, calls and prints; what it needs is imported in its body."""

from __future__ import annotations

import click

from gru_tune import __version__
from gru_tune.cli import about, models, repairs, reports, searches
from gru_tune.cli.guard import Guarded


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gru-tune")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """Find the best GRU for your sequences, from a YAML file."""


for command in (
    searches.run, searches.watch, searches.check, searches.init, reports.report, reports.compare,
    models.export, models.predict, models.evaluate, repairs.repair, about.schema, about.doctor,
):  # fmt: skip
    main.add_command(command)
