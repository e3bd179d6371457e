"""Reading `school.toml`: a school's people and roles, its addresses, the outside bodies a letter may name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from procedure.school import Body, Person, School
from procedure.toml_table import Table, parse
from procedure.words import Role

ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
PREFIX = re.compile(r"[A-Z]{2,6}")
ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")

#: Roles that somebody must hold: the policy gives them duties and names no deputy (A28), and an alert that a
#: child is at risk must have somewhere to go (L238).
NEEDED = (Role.HEADTEACHER, Role.DSL, Role.CLERK, Role.CHAIR)


class SchoolError(ValueError):
    """A school file that cannot be used: the place, the reason, what to do."""


def load(text: str, source: str) -> School:
    """The school that the text describes; `source` is the file's name, for messages.

    Raises SchoolError with one sentence: place and reason.
    """
    file = parse(text, source, SchoolError)
    school = School(
        id=_matching(file, "id", ID, 'small letters, digits and hyphens, such as "southlands"'),
        name=file.text("name"),
        prefix=_matching(file, "prefix", PREFIX, 'two to six capital letters, such as "SL"'),
        addresses=_addresses(file),
        sender=_address(file, "sender"),
        website=file.text("website"),
        policy=file.text("policy"),
        timezone=_timezone(file),
        hours=_hours(file),
        people=tuple(_person(table) for table in file.tables("person", "id")),
        bodies=tuple(_body(table) for table in file.tables("body", "id")),
    )
    file.done()
    _check(school, file)
    return school


def load_named(school_id: str) -> School:
    """A school that comes with Duly: the invented "southlands".

    Raises SchoolError when there is none of that name.
    """
    file = resources.files("procedure") / "schools" / f"{school_id}.toml"
    if not ID.fullmatch(school_id) or not file.is_file():
        raise SchoolError(f"Duly comes with no school called {school_id!r}; write a school.toml with `duly init`")
    return load(file.read_text(encoding="utf-8"), f"{school_id}.toml")


def _person(table: Table) -> Person:
    person = Person(
        id=_matching(table, "id", ID, 'small letters, digits, dots and hyphens, such as "a.okafor"'),
        name=table.text("name"),
        email=_address(table, "email"),
        roles=frozenset(table.many("roles", Role, empty=False)),
    )
    table.done()
    if Role.COMPLAINANT in person.roles:
        raise table.refuse("a complainant is party to a case, not one of the school's people; remove that role")
    if person.id == "duly":
        raise table.refuse('"duly" signs what the service does by itself; choose another id')
    return person


def _body(table: Table) -> Body:
    body = Body(
        id=table.text("id"),
        name=table.text("name"),
        contact=table.text("contact"),
        checked_on=table.day("checked_on"),
    )
    table.done()
    return body


def _matching(table: Table, key: str, pattern: re.Pattern[str], form: str) -> str:
    value = table.text(key)
    if not pattern.fullmatch(value):
        raise table.refuse(f"{key} must be {form}, not {value!r}")
    return value


def _address(table: Table, key: str) -> str:
    return _matching(table, key, ADDRESS, "a mail address")


def _addresses(file: Table) -> tuple[str, ...]:
    addresses = file.texts("addresses", empty=False)
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            raise file.refuse(f"addresses must hold mail addresses, not {address!r}")
    return addresses


def _timezone(file: Table) -> str:
    name = file.text("timezone", "Europe/London")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise file.refuse(f'timezone must be a name such as "Europe/London", not {name!r}') from None
    return name


def _hours(file: Table) -> tuple[time, time]:
    if not file.has("hours"):
        file.texts("hours")
        return School.hours
    try:
        start, end = (time.fromisoformat(text) for text in file.texts("hours"))
    except ValueError:
        raise file.refuse('hours must be two times of day, such as ["08:30", "16:30"]') from None
    if start >= end:
        raise file.refuse(f"hours must begin before they end, not {start:%H:%M} to {end:%H:%M}")
    return start, end


def _check(school: School, file: Table) -> None:
    _once(file, "person", (person.id for person in school.people))
    _once(file, "body", (body.id for body in school.bodies))
    for role in NEEDED:
        if not school.holders(role):
            raise file.refuse(f"nobody holds the role {role}; name the person who does, or who stands in")
    # A reminder sent to the inbox would come back as a letter.
    inbox = {address.lower() for address in (*school.addresses, school.sender)}
    for person in school.people:
        if person.email.lower() in inbox:
            raise file.refuse(f"{person.id} has the address of the inbox, {person.email}; give them their own")


def _once(file: Table, kind: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise file.refuse(f"the {kind} {item} stands twice; keep one")
        seen.add(item)
