"""What commands share: the console, refusals in one sentence, the person who acts, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from duly.app import App
    from procedure.school import Person

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="duly.toml to use (else DULY_CONFIG, else ./duly.toml).", show_default=False),
]
AsPerson = Annotated[
    str | None,
    typer.Option("--as", help="Act as this person of school.toml (else the setting person).", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """What a command will not do, in one sentence; `code` 1: not found or not allowed, 2: wrong use."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def fail(refusal: Refusal) -> int:
    """Say the sentence on standard error; the exit code."""
    typer.secho(f"duly: {refusal}", err=True, fg="red")
    return refusal.code


@cache
def console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def emit(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")


def plain(value: Any) -> Any:
    """JSON for what json does not know: dataclasses, dates, enums, sets."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    return str(value)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the rooms refuse into a Refusal: one sentence, no traceback."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from duly.settings import SettingsError
    from procedure.words import NotAllowed

    try:
        yield
    except SettingsError as error:
        raise Refusal(str(error), 2) from None
    except NotAllowed as error:
        raise Refusal(f"not allowed: {error}") from None
    except (LookupError, ValueError) as error:
        if type(error) in {KeyError, IndexError, UnicodeDecodeError, UnicodeEncodeError}:
            raise  # a fault of ours: the rooms refuse with LookupError or ValueError and a sentence
        raise Refusal(str(error)) from None
    except (OperationalError, ProgrammingError) as error:
        first = str(error.orig).splitlines()[0]
        raise Refusal(f"the database does not answer: {first}; duly doctor says what to do") from None


@contextmanager
def opened(config: Path | None) -> Iterator[App]:
    """The app of the settings in force, with its database ready; refusals in one sentence."""
    from duly.app import App
    from duly.logs import configure
    from duly.settings import load

    with refusals():
        settings = load(config)
        configure("warning" if settings.log_level in {"debug", "info"} else settings.log_level)
        app = App(settings)
        app.ready_database()
        yield app


def acting(app: App, person_id: str | None) -> Person:
    """The person who acts: `--as`, else the setting `person`.

    Raises Refusal when school.toml knows nobody of that id.
    """
    name = person_id or app.settings.person
    person = app.rulebook.school.person(name)
    if person is None:
        known = ", ".join(p.id for p in app.rulebook.school.people)
        raise Refusal(f"school.toml knows nobody called {name!r}; it knows {known}", 2)
    return person
