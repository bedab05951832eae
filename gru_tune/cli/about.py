"""What can be configured, and what this machine has."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    import json

    from gru_tune import config as configs

    click.echo(json.dumps(configs.json_schema(), indent=2, ensure_ascii=False))


@click.command()
def doctor() -> None:
    """Show versions, devices, and which fast paths are available."""
    from gru_tune import doctor as doctors

    click.echo(doctors.describe())
