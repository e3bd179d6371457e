"""What the tests of the memory put into it: entries, letters and readings of Southlands."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert

from data import tables
from data.engine import writing
from data.store import Store
from procedure.school import Person
from procedure.words import (
    Address,
    Audience,
    Entry,
    EntryKind,
    Judgement,
    Letter,
    Message,
    Request,
    Role,
    Target,
    Topic,
)
from tests.support.southlands import rulebook

#: A Monday in term, 9.30 in London.
MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
POLICY = "southlands-2023"


def store(engine: Engine) -> Store:
    return Store(engine, rulebook())


def holder(role: Role) -> Person:
    """Somebody at Southlands who holds that role."""
    return rulebook().school.holders(role)[0]


def stranger(*roles: Role) -> Person:
    """Somebody with these roles alone, who is not on the school's list."""
    return Person(id="stranger", name="A. Stranger", email="stranger@southlands.example", roles=frozenset(roles))


def opening(at: datetime = MONDAY, **facts: Any) -> tuple[Entry, Entry]:
    """The first two entries of a complaint about a teacher: opened, and received at stage two."""
    first = {
        "policy": POLICY,
        "letter": 1,
        "door": "smtp",
        "target": Target.STAFF.value,
        "request": Request.FORMAL.value,
        "topics": [Topic.GENERAL.value],
        "flags": [],
        "safeguarding": False,
        "screen": False,
        "stage": "stage2",
        "incident_date": None,
        "anonymous": False,
    }
    return (
        Entry(EntryKind.CASE_OPENED, at, "duly", first | facts),
        Entry(EntryKind.COMPLAINT_RECEIVED, at, "duly", {"letter": 1}),
    )


def letter(key: str, reference: str | None = "SL-2026-0001-2", **more: Any) -> Letter:
    """A letter of ours to a complainant."""
    values: dict[str, Any] = {
        "key": key,
        "name": "acknowledgement",
        "audience": Audience.COMPLAINANT,
        "to_addr": "Mary.Onyango@example.org",
        "subject": "Your complaint",
        "text": "We have your letter.",
        "html": "<p>We have your letter.</p>",
        "reference": reference,
    }
    return Letter(**(values | more))


def message(number: int = 1, **more: Any) -> Message:
    """A letter as read; the number makes its bytes, its content and its Message-ID its own."""
    values: dict[str, Any] = {
        "digest": hashlib.sha256(f"raw {number}".encode()).hexdigest(),
        "content_digest": hashlib.sha256(f"content {number}".encode()).hexdigest(),
        "subject": "The swimming lesson",
        "sender": Address("Mary.Onyango@example.org", "Mary Onyango"),
        "to": (Address("complaints@southlands.example"),),
        "date": MONDAY,
        "message_id": f"letter-{number}@example.org",
        "text": "My daughter was left alone at the pool.",
        "reply_text": "My daughter was left alone at the pool.",
    }
    return Message(**(values | more))


def judgement(**more: Any) -> Judgement:
    values: dict[str, Any] = {
        "topics": (Topic.GENERAL,),
        "target": Target.STAFF,
        "request": Request.FORMAL,
        "confidence": 0.8,
        "model": "test",
    }
    return Judgement(**(values | more))


def journalled(engine: Engine, number: int = 1, at: datetime = MONDAY, **more: Any) -> int:
    """The id of a new letter in the journal, with the bytes of `message(number)`."""
    values: dict[str, Any] = {
        "school_id": rulebook().school.id,
        "received_at": at,
        "door": "smtp",
        "mail_from": "mary.onyango@example.org",
        "rcpt_to": ["complaints@southlands.example"],
        "peer": "127.0.0.1",
        "digest": message(number).digest,
        "size": 5,
        "raw": f"raw {number}".encode(),
        "state": "new",
        "attempts": 0,
    }
    with writing(engine) as connection:
        query = insert(tables.letter).values(**(values | more)).returning(tables.letter.c.id)
        return int(connection.execute(query).scalar_one())
