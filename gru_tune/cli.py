"""The command line: every command loads, calls and prints; what it needs is imported in its body.

Errors that are the user's to mend are one message on stderr and an exit code (1 failed, 2
a wrong config or usage, 130 interrupted); ``--debug`` shows the traceback as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gru_tune import __version__
from gru_tune.errors import GruTuneError, SearchInterrupted
from gru_tune.wording import visible

if TYPE_CHECKING:
    from gru_tune.study.watch import Watcher

FILE = click.Path(path_type=Path)
RESULTS = Path("results")


class Guarded(click.Group):
    """The group that turns errors into messages and exit codes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--debug" in args:  # wherever it stands: it is an afterthought, when something went wrong
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except GruTuneError as error:
            _trace(ctx)
            click.echo(visible(str(error)), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            _trace(ctx)
            click.echo("stopped", err=True)
            ctx.exit(SearchInterrupted.exit_code)
        except BrokenPipeError:  # the reader of a pipe (head, less) has gone
            sys.stderr.close()
            ctx.exit(1)
        except Exception as error:
            _trace(ctx)
            text = f"unexpected error: {type(error).__name__}: {error}; run again with --debug"
            click.echo(visible(text), err=True)
            ctx.exit(1)


def _trace(ctx: click.Context) -> None:
    """With ``--debug``, the traceback of the error that is being handled."""
    if ctx.params.get("debug"):
        import traceback

        click.echo(traceback.format_exc(), err=True, nl=False)


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gru-tune")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """Find the best GRU for your sequences, from a YAML file."""


overrides = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the config, e.g. training.epochs=3.",
)


@main.command()
@click.argument("config", type=FILE)
@click.option(
    "--trials", type=int, help="Different configurations to try; the same as --set search.trials=N."
)
@click.option("--minutes", type=float, help="When to stop at the latest; the same as --set search.minutes=N.")
@click.option("--seed", type=int, help="The same as --set search.seed=N.")
@click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes side by side (default: one a GPU, or one a core; 0: none).",
)
@overrides
@click.option("--fresh", is_flag=True, help="Delete what an earlier run has left, and begin anew.")
@click.option("--out", type=FILE, default=RESULTS, show_default=True, help="Folder of the studies.")
@click.option("--quiet", is_flag=True, help="Show the end only.")
@click.option("--json-log", is_flag=True, help="Show what happens as one JSON object a line.")
def run(
    config: Path,
    trials: int | None,
    minutes: float | None,
    seed: int | None,
    workers: int | None,
    settings: tuple[str, ...],
    fresh: bool,
    out: Path,
    quiet: bool,
    json_log: bool,
) -> None:
    """Search, or go on with a search that was stopped."""
    from gru_tune import config as configs
    from gru_tune.study import study

    short = {"trials": trials, "minutes": minutes, "seed": seed}
    given = [f"search.{key}={value}" for key, value in short.items() if value is not None]
    loaded = configs.load(config, (*settings, *given))
    watch = _watcher(quiet, json_log)
    try:
        folder = study.run(loaded, out=out, workers=workers, fresh=fresh, watch=watch)
    except SearchInterrupted as stopped:
        # All that shapes the question or says where it lies: without it, the run would be refused.
        chosen = {**short, "workers": workers, "out": out if out != RESULTS else None}
        again = _command("run", config, set=settings, **chosen)
        raise SearchInterrupted(f"{stopped}; `{again}` goes on") from None
    from gru_tune import page
    from gru_tune.report import read, terminal

    found = read.study(folder.path)
    if not json_log:
        click.echo(terminal.text(found, top=5, width=_width()))
    try:
        written = page.write(found)
    except OSError as error:
        _tell([f"{folder.report} could not be written: {error.strerror}"])
    else:
        if not json_log:
            click.echo(f"\nThe report as a page: {written}")


@main.command()
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
        _tell(notes)
        click.echo("\n".join(str(path) for path in written))
    else:
        from gru_tune.report import show

        _show(show(results, form or "terminal", top, _width()))


@main.command()
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

        _show(comparing.show(studies, form or "terminal", _width()))


@main.command()
@click.argument("study", type=FILE, default=RESULTS)
@click.option("--plain", is_flag=True, help="Print lines, also on a terminal.")
@click.option("--json-log", is_flag=True, help="Show what happens as one JSON object a line.")
def watch(study: Path, plain: bool, json_log: bool) -> None:
    """Follow a run from another terminal; Ctrl-C ends the watching, not the run."""
    from gru_tune.study.follow import follow

    follow(study, _watcher(False, json_log, plain))


@main.command()
@click.argument("config", type=FILE)
@overrides
@click.option(
    "--time", "timed", is_flag=True, help="Time a few steps of a small, a middling and a large model."
)
def check(config: Path, settings: tuple[str, ...], timed: bool) -> None:
    """Check a config and its data, and say what was understood, without training."""
    from gru_tune import check as checks

    click.echo(visible(checks.run(config, settings, time=timed)))


@main.command()
@click.argument("data", type=FILE, required=False)
@click.option("--out", type=FILE, help="The file to write (default: named after the data).")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(data: Path | None, out: Path | None, force: bool) -> None:
    """Write a commented config, guessed from a data file where one is given."""
    from gru_tune import init as starter

    click.echo(starter.write(data, out, force))


@main.command()
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


existing = click.Path(path_type=Path, exists=True, dir_okay=False)
skipping = click.option(
    "--skip-bad", "skip", is_flag=True, help="Leave out rows that cannot be read, and say which."
)
ensembling = click.option("--ensemble", is_flag=True, help="The mean of all models of the study's ensemble.")


@main.command()
@click.argument("study", type=FILE)
@click.argument("new", type=existing)
@click.option("-o", "--out", type=FILE, help="The CSV file to write (default: standard output).")
@skipping
@ensembling
def predict(study: Path, new: Path, out: Path | None, skip: bool, ensemble: bool) -> None:
    """Predict the rows of a new file with a study's best model."""
    from gru_tune.using import predict as predicting

    text, notes = predicting.predict(study, new, skip=skip, ensemble=ensemble)
    _tell(notes)
    if out is None:
        click.echo(text, nl=False)
    else:
        predicting.save(text, out)


@main.command()
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
        _tell(found.notes)
    click.echo(found.json() if as_json else visible(found.text()))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    import json

    from gru_tune import config as configs

    click.echo(json.dumps(configs.json_schema(), indent=2, ensure_ascii=False))


@main.command()
def doctor() -> None:
    """Show versions, devices, and which fast paths are available."""
    from gru_tune import doctor as doctors

    click.echo(doctors.describe())


def _show(text: str) -> None:
    """Exactly, for another program; on a terminal nothing that stands in the data may command it."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=False, color=True)


def _tell(notes: Iterable[str]) -> None:
    """What the user should know, beside the output and not in it."""
    for note in notes:
        click.echo(visible(note), err=True)


def _command(name: str, config: Path, **options: Any) -> str:
    """A command line that can be pasted into a shell; options without a value are left out."""
    import shlex

    words = ["gru-tune", name, str(config)]
    for option, given in options.items():
        for value in given if isinstance(given, tuple) else () if given is None else (given,):
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _watcher(quiet: bool, json_log: bool, plain: bool = False) -> Watcher:
    """How a run is shown: JSON, not at all, live on a terminal, or as plain lines."""
    from gru_tune.study import live
    from gru_tune.study.live import Live
    from gru_tune.study.progress import JsonLines, Plain
    from gru_tune.study.watch import Watcher

    if json_log or quiet:
        return JsonLines() if json_log else Watcher()
    return Live() if not plain and live.possible() else Plain()


def _width() -> int | None:
    """The columns of the terminal; None in a pipe, where nothing is cut."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
