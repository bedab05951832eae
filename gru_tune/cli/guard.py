"""Errors that are the user's to mend are one message on stderr and an exit code.

1: failed, 2: a wrong config or usage; 130, 143 and 129: stopped by Ctrl-C, SIGTERM or a closed
terminal (128 and the signal's number, as shells have it); ``--debug`` shows the traceback as well.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import click

from gru_tune.cli.lasting import TERMINAL, lasting
from gru_tune.cli.watchdog import Watchdog
from gru_tune.errors import GruTuneError
from gru_tune.study.interrupt import Interrupt
from gru_tune.wording import visible


class Guarded(click.Group):
    """The group that turns errors and signals into messages and exit codes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--debug" in args:  # wherever it stands: it is an afterthought, when something went wrong
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def main(self, args: Any = None, *rest: Any, **extra: Any) -> Any:
        """Without ``args`` the process is the command's own, and ends at once when a signal ended the command.

        To take down an interpreter with Keras and JAX in it takes seconds where the machine is busy,
        and a batch system gives ten; all that is to be saved is saved by then.
        """
        try:
            return super().main(args, *rest, **extra)
        except SystemExit as end:
            if args is None and isinstance(end.code, int) and end.code > 128:
                with suppress(OSError):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(end.code)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        with Watchdog(), lasting(TERMINAL), Interrupt() as interrupt:
            try:
                return self._guarded(ctx)
            except KeyboardInterrupt:
                _trace(ctx)
                _tell("stopped")
                ctx.exit(128 + interrupt.number)

    def _guarded(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except GruTuneError as error:
            _trace(ctx)
            _tell(str(error))
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # the reader of a pipe (head, less) has gone
            sys.stderr.close()
            ctx.exit(1)
        except OSError as error:  # a place that cannot be written or read
            _trace(ctx)
            where = f"{error.filename}: " if error.filename else ""
            _tell(f"{where}{error.strerror or error}")
            ctx.exit(1)
        except Exception as error:
            _trace(ctx)
            _tell(f"unexpected error: {type(error).__name__}: {error}; run again with --debug")
            ctx.exit(1)


def _tell(text: str) -> None:
    """Say it on stderr, where anybody reads that."""
    with suppress(BrokenPipeError):
        click.echo(visible(text), err=True)


def _trace(ctx: click.Context) -> None:
    """With ``--debug``, the traceback of the error that is being handled."""
    if ctx.params.get("debug"):
        import traceback

        click.echo(traceback.format_exc(), err=True, nl=False)
