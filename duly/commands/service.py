"""Commands that run the service and keep its memory: serve, migrate, doctor, demo, replay, rebuild, import-mbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from duly.console import AsPerson, Config, Json, Refusal, acting, console, emit, opened, refusals


def register(app: typer.Typer) -> None:
    """Add these commands."""
    panel = "The service"
    app.command(rich_help_panel=panel)(demo)
    app.command(rich_help_panel=panel)(serve)
    app.command(rich_help_panel=panel)(doctor)
    app.command(rich_help_panel=panel)(migrate)
    app.command(rich_help_panel=panel)(replay)
    app.command(rich_help_panel=panel)(rebuild)
    app.command("import-mbox", rich_help_panel=panel)(import_mbox)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with the database and settings.")] = False,
    stay: Annotated[
        bool, typer.Option("--serve", help="Go on serving afterwards, for a mail client of yours.")
    ] = False,
) -> None:
    """Show the main job: letters in over SMTP, cases, acknowledgements, nudges, through a fortnight."""
    from duly.demo.run import run

    with refusals():
        code = run(console(), keep=keep, serve=stay)
    raise typer.Exit(code)


def serve(config: Config = None) -> None:
    """Run everything: the SMTP door, the workers that read and judge, the clock that nudges."""
    path = str(config.resolve()) if config else ""
    # The same process goes on as the supervisor; the door looks at settings and database first.
    os.execv(sys.executable, [sys.executable, "-m", "duly.serve", path])  # noqa: S606 - our own module


def migrate(config: Config = None) -> None:
    """Bring the database up to this edition of Duly; safe to run again."""
    from duly.app import App
    from duly.settings import load

    with refusals():
        from data.engine import head_is_current
        from data.engine import migrate as up

        app = App(load(config))
        if head_is_current(app.engine):
            typer.echo("The database is up to date.")
            return
        up(app.engine)
    typer.echo("The database has been brought up to date.")


def doctor(
    config: Config = None,
    as_json: Json = False,
    settings: Annotated[bool, typer.Option("--settings", help="List every setting with its meaning.")] = False,
) -> None:
    """Check configuration, database, calendar, relay, model, disk and clock, and say what to do about each."""
    from duly.doctor import examine, list_settings, show

    if settings:
        list_settings(console())
        return
    findings = examine(config)
    if as_json:
        emit(findings)
    else:
        show(console(), findings)
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


def replay(
    letter: Annotated[int, typer.Argument(help="The number of a letter in the journal.")],
    as_person: AsPerson = None,
    config: Config = None,
) -> None:
    """Process a quarantined or unplaced letter again, for example after an update."""
    from data import letters, reads

    with opened(config) as app:
        viewer = acting(app, as_person)
        if letter not in {one.id for one in reads.journal(app.store, viewer)}:
            raise Refusal(f"the journal shows {viewer.id} no letter {letter}; see: duly journal --all")
        letters.again(app.engine, letter)
        while app.processor("replay").work(app.clock()):
            pass
        found = [one for one in reads.journal(app.store, viewer) if one.id == letter]
    for one in found:
        typer.echo(f"Letter {letter}: {one.state} {one.reference or ''} ({one.reason}).")
    if not found:
        typer.echo(f"Letter {letter} stands in a case that {viewer.id} may not see.")


def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    config: Config = None,
) -> None:
    """Derive every case and deadline from the history again, and verify the chain of every history."""
    from data.rebuild import rebuild as derive

    with opened(config) as app:
        differences = derive(app.store, check=check)
    for sentence in differences:
        typer.echo(sentence)
    if not differences:
        typer.echo("Nothing differs: every case and deadline follows from its history.")
    elif check:
        raise typer.Exit(1)


def import_mbox(
    file: Annotated[Path, typer.Argument(help="An mbox file, as mail programs export it.")],
    config: Config = None,
) -> None:
    """Take every letter of an mbox file into the journal; a letter that is there already opens nothing."""
    from duly.importing import import_file

    if not file.is_file():
        raise Refusal(f"there is no file {file}", 2)
    with opened(config) as app:
        taken, settled = import_file(app, file, progress=sys.stderr.isatty())
    typer.echo(f"{taken} letters taken, {settled} settled.")
