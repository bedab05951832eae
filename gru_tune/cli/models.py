"""Use the model that a study has found."""

from __future__ import annotations

from pathlib import Path

import click

from gru_tune.cli.output import FILE, tell
from gru_tune.wording import visible

existing = click.Path(path_type=Path, exists=True, dir_okay=False)
skipping = click.option(
    "--skip-bad", "skip", is_flag=True, help="Leave out rows that cannot be read, and say which."
)
ensembling = click.option("--ensemble", is_flag=True, help="The mean of all models of the study's ensemble.")


@click.command()
@click.argument("study", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["keras", "saved_model", "onnx", "tflite"]),
    required=True,
    help="What to export to.",
)
@click.option("-o", "--out", type=FILE, help="The folder to write (default: exports, in the study's).")
def export(study: Path, form: str, out: Path | None) -> None:
    """Bring the winner into another format, checked against Keras, with its preprocessing."""
    from gru_tune import export as exports

    click.echo(exports.run(study, form, out))


@click.command()
@click.argument("study", type=FILE)
@click.argument("new", type=existing)
@click.option("-o", "--out", type=FILE, help="The CSV file to write (default: standard output).")
@skipping
@ensembling
def predict(study: Path, new: Path, out: Path | None, skip: bool, ensemble: bool) -> None:
    """Predict the rows of a new file with a study's best model."""
    from gru_tune.using import predict as predicting

    text, notes = predicting.predict(study, new, skip=skip, ensemble=ensemble)
    tell(notes)
    if out is None:
        click.echo(text, nl=False)
    else:
        predicting.save(text, out)


@click.command()
@click.argument("study", type=FILE)
@click.argument("labelled", type=existing)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@skipping
@ensembling
def evaluate(study: Path, labelled: Path, as_json: bool, skip: bool, ensemble: bool) -> None:
    """Score a study's best model on a new file that has the target."""
    from gru_tune.using import evaluate as evaluating

    found = evaluating.evaluate(study, labelled, skip=skip, ensemble=ensemble)
    if not as_json:
        tell(found.notes)
    click.echo(found.json() if as_json else visible(found.text()))
