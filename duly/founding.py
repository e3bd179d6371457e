"""The files of a new school, worded from a few answers and proved by loading them before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parseaddr
from importlib import resources
from typing import Any

from duly.app import utc_now

ROLES = {
    "headteacher": "The headteacher",
    "dsl": "The designated safeguarding lead",
    "clerk": "The clerk to the governors",
    "chair": "The chair of governors",
    "office": "The school office",
}
BODIES = (
    ("la", "The local authority", "its complaints and admissions teams: address to be filled in"),
    ("admissions", "The admissions authority", "address to be filled in"),
    ("lado", "The local authority designated officer (LADO)", "telephone to be filled in"),
    ("mash", "The multi-agency safeguarding hub (MASH)", "telephone to be filled in"),
    (
        "dfe",
        "The Department for Education",
        "Ministerial and Public Communications Division, Piccadilly Gate, Store Street, Manchester M1 2WD",
    ),
)


@dataclass(frozen=True)
class Founding:
    """What a school answered."""

    name: str
    prefix: str
    inbox: str
    website: str
    people: Mapping[str, str]  # role -> "Name <address>"
    smtp_port: int = 2525


def today() -> date:
    return utc_now().date()


def files(school: Founding, on: date, secret: str) -> dict[str, str]:
    """File name -> text. Raises ValueError with a sentence when an answer cannot be used."""
    from jinja2 import Environment, StrictUndefined

    from procedure import calendar_file, school_file

    facts = _facts(school, on)
    wording = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701 - TOML
    out = {}
    for name in ("duly.toml", "school.toml", "calendar.toml"):
        template = resources.files("duly").joinpath(f"templates/{name}.j2").read_text(encoding="utf-8")
        out[name] = wording.from_string(template).render(facts)
    why = "# Signs reply addresses. Keep it secret and keep a copy: without it old reply addresses fail."
    out[".env"] = f"{why}\nDULY_SECRET={secret}\n"
    school_file.load(out["school.toml"], "school.toml")
    calendar_file.load(out["calendar.toml"], "calendar.toml")
    return out


def _facts(school: Founding, on: date) -> dict[str, Any]:
    if not re.fullmatch(r"[A-Za-z]{2,4}", school.prefix):
        raise ValueError(f"the prefix {school.prefix!r} is not two to four letters")
    for label, value in (("name", school.name), ("website", school.website), *school.people.items()):
        if '"' in value or "\\" in value or any(ord(letter) < 32 for letter in value):
            raise ValueError(f"the answer for {label} holds a quotation mark, a backslash or a control character")
    inbox = _address(school.inbox, "inbox")[1]
    people = []
    for role, given in school.people.items():
        name, addr = _address(given, role)
        people.append(
            {
                "id": "head" if role == "headteacher" else role,
                "name": name or ROLES[role],
                "email": addr,
                "roles": [role],
            }
        )
    return {
        "id": re.sub(r"[^a-z0-9]+", "-", school.name.lower()).strip("-") or "school",
        "name": school.name,
        "prefix": school.prefix.upper(),
        "inbox": inbox,
        "domain": inbox.partition("@")[2],
        "website": school.website,
        "people": people,
        "bodies": [{"id": i, "name": n, "contact": c} for i, n, c in BODIES],
        "checked_on": on.isoformat(),
        "years": [_year(first) for first in _years(on)],
        "smtp_port": school.smtp_port,
    }


def _address(given: str, what: str) -> tuple[str, str]:
    name, addr = parseaddr(given)
    if not re.fullmatch(r"[^@\s<>\"\\]+@[A-Za-z0-9.-]+", addr):
        raise ValueError(f"the answer for {what}, {given!r}, holds no mail address; write Name <address>")
    return name, addr


def _years(on: date) -> tuple[int, int]:
    """The school year of that day and the next; one begins on 1 September."""
    first = on.year if on.month >= 9 else on.year - 1
    return first, first + 1


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _year(first: int) -> dict[str, Any]:
    """The usual pattern of an English school year; a guess for the office to correct."""
    spring = _monday(date(first + 1, 1, 7))
    terms = [
        ("autumn", date(first, 9, 1), date(first, 12, 18), _monday(date(first, 10, 29))),
        ("spring", spring, date(first + 1, 3, 27), _monday(date(first + 1, 2, 17))),
        ("summer", date(first + 1, 4, 14), date(first + 1, 7, 21), _monday(date(first + 1, 5, 29))),
    ]
    return {
        "label": f"{first}-{(first + 1) % 100:02d}",
        "terms": [
            {
                "name": name,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "half_start": half.isoformat(),
                "half_end": (half + timedelta(days=4)).isoformat(),
            }
            for name, start, end, half in terms
        ],
    }
