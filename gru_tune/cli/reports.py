"""Show what studies have found."""

from __future__ import annotations

from pathlib import Path

import click

from gru_tune.cli.output import FILE, RESULTS, show, tell, width


@click.command()
@click.argument("results", type=FILE, default=RESULTS)
@click.option("--top", type=click.IntRange(0), help="Trials to show, the best ones; 0 shows all.")
@click.option("--csv", "form", flag_value="csv", help="Print trials.csv.")
@click.option("--json", "form", flag_value="json", help="Print one JSON object, with all curves.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a Markdown page.")
@click.option("--html", is_flag=True, help="Write report.html into the folder of the study, or of each.")
@click.option("--png", type=FILE, metavar="DIR", help="Write the main pictures of report.html into a folder.")
@click.option(
    "--live", is_flag=True, help="Show report.html in the browser while a run goes on; until Ctrl-C."
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port of --live (default: a free one).")
def report(
    results: Path,
    top: int | None,
    form: str | None,
    html: bool,
    png: Path | None,
    live: bool,
    port: int | None,
) -> None:
    """Show the ranked trials of a study, or all studies below a folder."""
    wanted = [
        name
        for name, given in {f"--{form}": form, "--html": html, "--png": png, "--live": live}.items()
        if given
    ]
    if len(wanted) > 1:
        raise click.UsageError(f"{' and '.join(wanted)} are different reports; ask for one at a time")
    if port is not None and not live:
        raise click.UsageError("--port is the port of --live; add --live")
    if live:
        from gru_tune.page.serve import serve

        serve(results, port, click.echo)
    elif html or png:
        from gru_tune.page import files

        written, notes = files.pages(results, top) if png is None else files.pictures(results, png)
        tell(notes)
        click.echo("\n".join(str(path) for path in written))
    else:
        from gru_tune import report as reporting

        show(reporting.show(results, form or "terminal", top, width()))
        if form == "csv":  # which has no place for a sentence
            tell(reporting.doubts(results))


@click.command()
@click.argument("studies", type=FILE, nargs=-1, required=True)
@click.option("--csv", "form", flag_value="csv", help="Print CSV.")
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a Markdown page.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a page with pictures.")
def compare(studies: tuple[Path, ...], form: str | None, html: Path | None) -> None:
    """Show studies side by side: what they ask, their searches, their winners, and how sure a difference is."""
    if form and html:
        raise click.UsageError(f"--{form} and --html are different reports; ask for one at a time")
    if html is not None:
        from gru_tune.page import compared

        click.echo(compared.write(studies, html))
    else:
        from gru_tune.report import comparing

        show(comparing.show(studies, form or "terminal", width()))
