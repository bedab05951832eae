"""Begin, run and watch a search."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from gru_tune.cli.lasting import READER, lasting
from gru_tune.cli.output import FILE, RESULTS, tell, watcher, width
from gru_tune.errors import NothingCompleted, SearchInterrupted
from gru_tune.study.files import unwritable
from gru_tune.study.results import StudyFolder
from gru_tune.wording import visible

overrides = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the config, e.g. training.epochs=3.",
)


@click.command()
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
@click.option(
    "--memory-per-worker",
    "memory",
    metavar="SIZE",
    help="End a worker that needs more, as 4GB; the same as --set search.memory_per_worker=SIZE.",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Train on a Ray cluster: HOST:PORT of its head, or auto for the one of this machine.",
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
    memory: str | None,
    ray: str | None,
    settings: tuple[str, ...],
    fresh: bool,
    out: Path,
    quiet: bool,
    json_log: bool,
) -> None:
    """Search, or go on with a search that was stopped."""
    from gru_tune import config as configs
    from gru_tune.study import study

    if ray is not None and workers == 0:
        raise click.UsageError("--workers 0 trains in this process, and --ray on a cluster: leave one out")
    click.get_current_context().with_resource(lasting(READER))  # a search goes on when its reader has gone
    short = {"trials": trials, "minutes": minutes, "seed": seed, "memory_per_worker": memory}
    given = [f"search.{key}={value}" for key, value in short.items() if value is not None]
    loaded = configs.load(config, (*settings, *given))
    watch = watcher(quiet, json_log)
    try:
        folder = study.run(loaded, out=out, workers=workers, ray=ray, fresh=fresh, watch=watch)
    except SearchInterrupted as stopped:
        # All that shapes the question or says where it lies: without it, the run would be refused.
        chosen = {**short, "workers": workers, "ray": ray, "out": out if out != RESULTS else None}
        again = _command("run", config, set=settings, **chosen)
        raise SearchInterrupted(f"{stopped}; `{again}` goes on", stopped.number) from None
    except NothingCompleted:
        _page(StudyFolder(out / loaded.name), json_log)  # it shows why
        raise
    if not json_log:
        from gru_tune.report import read, terminal, words

        found = read.study(folder.path)
        click.echo(terminal.text(found, top=5, width=width()))
        click.echo(f"\n{visible(words.brief(found))}")  # the first lines may have scrolled away
    _page(folder, json_log)


def _page(folder: StudyFolder, quiet: bool) -> None:
    """Write the page of a study that has ended, and say where."""
    from gru_tune import page
    from gru_tune.report import read

    try:
        written = page.write(read.study(folder.path))
    except OSError as error:
        again = shlex.join(["gru-tune", "report", "--html", str(folder.path)])
        tell([f"{unwritable(error, folder.report)}; then `{again}` writes it"])
    else:
        if not quiet:
            click.echo(f"The report as a page: {written}")


def _command(name: str, config: Path, **options: Any) -> str:
    """A command line that can be pasted into a shell; options without a value are left out."""
    words = ["gru-tune", name, str(config)]
    for key, given in options.items():
        option = key.replace("_", "-")
        for value in given if isinstance(given, tuple) else () if given is None else (given,):
            words += [f"--{option}", str(value)]
    return shlex.join(words)


@click.command()
@click.argument("study", type=FILE, default=RESULTS)
@click.option("--plain", is_flag=True, help="Print lines, also on a terminal.")
@click.option("--json-log", is_flag=True, help="Show what happens as one JSON object a line.")
def watch(study: Path, plain: bool, json_log: bool) -> None:
    """Follow a run from another terminal; Ctrl-C ends the watching, not the run."""
    from gru_tune.study.follow import follow

    follow(study, watcher(False, json_log, plain))


@click.command()
@click.argument("config", type=FILE)
@overrides
@click.option(
    "--time", "timed", is_flag=True, help="Time a few steps of a small, a middling and a large model."
)
def check(config: Path, settings: tuple[str, ...], timed: bool) -> None:
    """Check a config and its data, and say what was understood, without training."""
    from gru_tune import check as checks

    click.echo(visible(checks.run(config, settings, time=timed)))


@click.command()
@click.argument("data", type=FILE, required=False)
@click.option("--out", type=FILE, help="The file to write (default: named after the data).")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(data: Path | None, out: Path | None, force: bool) -> None:
    """Write a commented config, guessed from a data file where one is given."""
    from gru_tune import init as starter

    click.echo(starter.write(data, out, force))
