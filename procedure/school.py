"""The school: its people and roles, its addresses, the outside bodies a letter may name, its hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

from procedure.words import Role


@dataclass(frozen=True)
class Person:
    id: str  # "clerk", "a.okafor": the name used on the command line and in entries
    name: str
    email: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Body:
    """An outside body (la, lado, mash, dfe, admissions, ico ...) and when somebody last checked it."""

    id: str
    name: str
    contact: str
    checked_on: date


@dataclass(frozen=True)
class School:
    id: str  # "southlands": the school_id of every row, the name of its calendar
    name: str
    prefix: str  # "SL", the first part of a reference
    addresses: tuple[str, ...]  # mail addresses that letters may be sent to
    sender: str  # From of letters, "complaints@southlands.example"
    website: str  # where the procedure is published (L52, L388)
    policy: str  # "southlands-2023"
    timezone: str = "Europe/London"
    hours: tuple[time, time] = (time(8, 30), time(16, 30))  # nudges go out inside these, on school days
    people: tuple[Person, ...] = ()
    bodies: tuple[Body, ...] = field(default=())

    def holders(self, role: Role) -> tuple[Person, ...]:
        return tuple(p for p in self.people if role in p.roles)

    def person(self, person_id: str) -> Person | None:
        return next((p for p in self.people if p.id == person_id), None)

    def body(self, body_id: str) -> Body | None:
        return next((b for b in self.bodies if b.id == body_id), None)
