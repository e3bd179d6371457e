"""The command line: `duly COMMAND`. A user's mistake is one sentence and exit code 2, never a traceback."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from duly.commands import cases, service, setup, steps, texts
from duly.console import Refusal, fail

app = typer.Typer(
    name="duly",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Duly makes a school's complaints inbox keep its promises: every letter kept, every case opened, "
    "every limit of the policy counted and nudged.",
    epilog="Start with [bold]duly demo[/bold] to see it work, or [bold]duly init[/bold] for a school of your own.",
)

for room in (setup, service, cases, steps, texts):
    room.register(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"duly {version('duly')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Say which edition this is."),
    ] = None,
) -> None:
    """What all commands share."""


def main() -> None:
    """Run a command; a refusal is one sentence on standard error and its exit code."""
    try:
        app()
    except Refusal as refusal:
        sys.exit(fail(refusal))
    except BrokenPipeError:
        sys.stderr.close()  # `duly cases | head` is no fault
        sys.exit(0)
