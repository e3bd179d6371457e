"""`duly init`: the files of a new school, by a few questions or from flags."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from duly.console import Refusal, refusals

FILES = ("duly.toml", "school.toml", "calendar.toml", ".env")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(rich_help_panel="The service")(init)


def init(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = Path(),
    name: Annotated[str | None, typer.Option(help="The school's name.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Two to four letters that begin each reference.")] = None,
    inbox: Annotated[str | None, typer.Option(help="The complaints inbox, a mail address.")] = None,
    website: Annotated[str | None, typer.Option(help="Where the procedure is published.")] = None,
    headteacher: Annotated[str | None, typer.Option(help='"Name <address>".')] = None,
    dsl: Annotated[str | None, typer.Option(help='The designated safeguarding lead, "Name <address>".')] = None,
    clerk: Annotated[str | None, typer.Option(help='The clerk to the governors, "Name <address>".')] = None,
    chair: Annotated[str | None, typer.Option(help='The chair of governors, "Name <address>".')] = None,
    office: Annotated[str | None, typer.Option(help='The school office, "Name <address>".')] = None,
    smtp_port: Annotated[int, typer.Option(help="Port of the SMTP door.")] = 2525,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write duly.toml, school.toml, calendar.toml and .env for a new school; asks what no flag says."""
    from duly import founding

    there = [file for file in FILES if (folder / file).exists()]
    if there and not force:
        raise Refusal(f"{', '.join(there)} already in {folder}; --force replaces them", 2)
    people = {"headteacher": headteacher, "dsl": dsl, "clerk": clerk, "chair": chair, "office": office}
    with refusals():
        school = founding.Founding(
            name=_ask(name, "The school's name"),
            prefix=_ask(prefix, "Two to four letters that begin each reference, for example SL"),
            inbox=_ask(inbox, "The complaints inbox (a mail address)"),
            website=_ask(website, "Where the procedure is published (an address of the web)"),
            people={
                role: _ask(given, f"{founding.ROLES[role]}, as Name <address>") for role, given in people.items()
            },
            smtp_port=smtp_port,
        )
        texts = founding.files(school, founding.today(), secrets.token_urlsafe(32))
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        path = folder / file
        path.touch(mode=0o600 if file == ".env" else 0o644)
        path.write_text(text, encoding="utf-8")
        typer.echo(f"written: {path}")
    typer.echo("Now check calendar.toml and the outside bodies in school.toml, then run: duly doctor")


def _ask(given: str | None, question: str) -> str:
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise Refusal(f"{question}: not given; say it with a flag (duly init --help)", 2)
    return str(typer.prompt(question))
