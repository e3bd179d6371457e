"""The words of letters: three templates a letter in `wording/`, filled in whole or not at all.

A school may reword a template; it cannot send a letter with a hole in it, since a missing fact is an error
that names the letter and the fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError, select_autoescape

FOLDER = Path(__file__).parent / "wording"

# Not strftime: letters are English whatever the locale of the machine.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# C0 and C1 controls and Unicode's own line ends: each of them could begin a second header.
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class MissingFact(ValueError):  # noqa: N818 - says what happened, as the house words do
    """A letter lacks a fact that its wording needs."""


@dataclass(frozen=True)
class Wording:
    """A letter in words: a subject of one line, a plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


def render(name: str, facts: Mapping[str, object]) -> Wording:
    """The wording of the letter `name` with these facts.

    A fact may be None where the template asks for it first ("if due"); an empty text never may.
    Raises MissingFact, naming letter and fact.
    """
    for fact, value in facts.items():
        if isinstance(value, str) and not value.strip():
            raise MissingFact(f"The letter {name!r} cannot be written: the fact {fact!r} is empty.")
    environment = _environment()
    try:
        parts = {kind: environment.get_template(f"{name}.{kind}.j2").render(facts) for kind in _KINDS}
    except UndefinedError as lack:
        raise MissingFact(f"The letter {name!r} cannot be written: the fact {lack.message}.") from lack
    except MissingFact as lack:
        raise MissingFact(f"The letter {name!r} cannot be written: {lack}") from lack
    return Wording(one_line(parts["subject"]), _tidy(parts["text"]), parts["html"].strip() + "\n")


def day_in_words(day: date) -> str:
    """A day as letters write it: "Monday 30 November 2026"."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def one_line(text: str) -> str:
    """The text without line ends and control characters, so that it cannot start a header of its own."""
    return _BREAKS.sub(" ", text).strip()


def up_first(text: str) -> str:
    """The text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


_KINDS = ("subject", "text", "html")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        finalize=_said,
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[Any], str]] = {"day": day_in_words, "up_first": up_first, "one_line": one_line}
    environment.filters |= {name: _of_what_is_known(filter_) for name, filter_ in filters.items()}
    environment.tests["web_address"] = _is_web_address
    return environment


def _said(value: object) -> object:
    """Refuse to write "None" into a letter."""
    if value is None:
        raise MissingFact("a fact that it writes down is not known (None).")
    return value


def _of_what_is_known(filter_: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: filter_(_said(value))


def _is_web_address(text: str) -> bool:
    """Whether the text may become a link; anything else ("javascript:...") stays text."""
    return re.fullmatch(r"https?://[^\s\"'<>]+", text) is not None


def _tidy(text: str) -> str:
    """Blank lines single, no space at the ends of lines, one line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
