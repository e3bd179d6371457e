"""What is remembered, a class a table. Journal and entries are facts; matter and deadline are derived."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, MetaData, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from data.types import ExactJson, Json, UtcTime, Words

#: SQLite counts rows by INTEGER only; PostgreSQL's integer ends at two thousand million.
BigId = BigInteger().with_variant(Integer, "sqlite")


def words(default: Any = ..., **more: Any) -> Any:
    return Field(default, sa_type=Words, **more)


def moment(default: Any = ..., **more: Any) -> Any:
    return Field(default, sa_type=UtcTime, **more)


def json_value(default: Any = ..., **more: Any) -> Any:
    return Field(default, sa_type=Json, **more)


def row_id() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigId)


def letter_id() -> Any:
    return Field(foreign_key="letter.id", sa_type=BigId, index=True)


class Row(SQLModel):
    """Every table of the house: named constraints (so that migrations can speak of them) and a school."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def partial(name: str, where: str, *columns: str, unique: bool = False) -> Index:
    """An index over the rows that matter; the others cost nothing to write."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


WAITING = "state in ('new', 'claimed')"
POSTABLE = "state in ('queued', 'claimed')"
OUTWARD = "audience = 'complainant'"
NUDGED_LATER = "next_nudge_at is not null"


class LetterRow(Row, table=True):
    """The journal: a letter as it came in, and what became of it.

    States: new, claimed, done, duplicate, automatic, bounce, unplaced, quarantined.
    """

    __tablename__ = "letter"
    __table_args__ = (
        partial("ix_letter_waiting", WAITING, "school_id", "id"),
        partial("uq_letter_content", "content_digest is not null", "school_id", "content_digest", unique=True),
        partial("ix_letter_message_id", "message_id is not null", "school_id", "message_id"),
        partial("ix_letter_reference", "reference is not null", "school_id", "reference"),
        Index("ix_letter_digest", "school_id", "digest"),
        {"sqlite_autoincrement": True},  # an id is never given twice, also after an erasure
    )

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    received_at: datetime = moment()
    door: str = Field(sa_type=Text)
    mail_from: str = words("")
    rcpt_to: list[str] = json_value()
    peer: str = words("")
    digest: str = Field(sa_type=Text)
    size: int
    #: The bytes as received, or the path of a large letter's file relative to the vault.
    raw: bytes | None = None
    raw_file: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="new", sa_type=Text)
    attempts: int = 0
    claimed_by: str | None = Field(default=None, sa_type=Text)
    claimed_until: datetime | None = moment(None)
    reason: str | None = words(None)
    reference: str | None = Field(default=None, sa_type=Text)
    duplicate_of: int | None = Field(default=None, foreign_key="letter.id", sa_type=BigId)
    message_id: str | None = words(None)
    content_digest: str | None = Field(default=None, sa_type=Text)
    from_addr: str | None = words(None)
    from_name: str | None = words(None)
    subject: str | None = words(None)
    sent_at: datetime | None = moment(None)
    facts: dict[str, Any] | None = json_value(None)
    judgement: dict[str, Any] | None = json_value(None)
    processed_at: datetime | None = moment(None)


class AttachmentRow(Row, table=True):
    """A part kept with its letter, named by content."""

    __tablename__ = "attachment"

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    letter_id: int = letter_id()
    digest: str = Field(sa_type=Text)
    name: str | None = words(None)
    type: str = words()
    size: int


class EntryRow(Row, table=True):
    """A fact in the history of a case; never changed. `hash` chains it to the entry before."""

    __tablename__ = "entry"
    __table_args__ = (UniqueConstraint("school_id", "reference", "seq"), {"sqlite_autoincrement": True})

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    seq: int
    kind: str = Field(sa_type=Text)
    at: datetime = moment()
    by: str = words()
    facts: dict[str, Any] | None = Field(default=None, sa_type=ExactJson)
    facts_digest: str = Field(sa_type=Text)
    prev_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)


class MatterRow(Row, table=True):
    """Derived: the case that the entries of its reference add up to."""

    __tablename__ = "matter"
    __table_args__ = (Index("ix_matter_status", "school_id", "status"),)

    school_id: str = Field(primary_key=True, sa_type=Text)
    reference: str = Field(primary_key=True, sa_type=Text)
    policy: str = Field(sa_type=Text)
    opened_at: datetime = moment()
    stage: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    topics: list[str] = json_value()
    target: str = Field(sa_type=Text)
    request: str = Field(sa_type=Text)
    flags: list[str] = json_value()
    handler: str = Field(sa_type=Text)
    told: list[str] = json_value()
    withheld: list[str] = json_value()
    disclosed_to: list[str] = json_value()
    recused: list[str] = json_value()
    safeguarding: bool
    held: bool
    campaign: str | None = words(None)
    incident_date: date | None = None
    closed_at: datetime | None = moment(None)
    outcome: str | None = words(None)
    #: The end of the chain that the row was derived from: entries cut off there would show.
    last_seq: int
    last_hash: str = Field(sa_type=Text)


class DeadlineRow(Row, table=True):
    """Derived: a limit of a case and when its owner is to be nudged next (null: no more)."""

    __tablename__ = "deadline"
    __table_args__ = (partial("ix_deadline_nudge", NUDGED_LATER, "school_id", "next_nudge_at"),)

    school_id: str = Field(primary_key=True, sa_type=Text)
    reference: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    clause: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    start: date
    start_event: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    length: int
    due: date
    counted: list[str] = json_value()
    skipped: list[list[str]] = json_value()
    state: str = Field(sa_type=Text)
    met_on: date | None = None
    moved_from: list[list[str]] = json_value()
    next_nudge_at: datetime | None = moment(None)


class OutboxRow(Row, table=True):
    """A letter of ours. One duty, one key, one row.

    States: queued, held, claimed, sent, failed, cancelled, bounced.
    `next_at` is when it may next be claimed: not before, a retry, or the end of a lease.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("school_id", "key"),
        partial("ix_outbox_due", POSTABLE, "school_id", "next_at"),
        Index("ix_outbox_message_id", "school_id", "message_id"),
        Index("ix_outbox_reference", "school_id", "reference"),
        partial("ix_outbox_to_key", OUTWARD, "school_id", "to_key", "created_at"),
        partial("ix_outbox_outward", OUTWARD, "school_id", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    to_addr: str = words()
    to_key: str = words()  # the address in lower case, by which caps are counted
    subject: str = words()
    text: str = words()
    html: str = words()
    to_role: str | None = Field(default=None, sa_type=Text)
    reference: str | None = Field(default=None, sa_type=Text)
    in_reply_to: str | None = words(None)
    references: list[str] = json_value()
    not_before: datetime | None = moment(None)
    urgent: bool = False
    message_id: str = Field(sa_type=Text)
    state: str = Field(default="queued", sa_type=Text)
    attempts: int = 0
    next_at: datetime = moment()
    claimed_by: str | None = Field(default=None, sa_type=Text)
    claimed_until: datetime | None = moment(None)
    last_error: str | None = words(None)
    created_at: datetime = moment()
    sent_at: datetime | None = moment(None)


class PartyRow(Row, table=True):
    """Somebody who belongs to a case; addr in lower case."""

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("school_id", "reference", "role", "addr"),)

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    name: str = words("")
    addr: str = words()


class SerialRow(Row, table=True):
    """The last number given to a reference of that year."""

    __tablename__ = "serial"

    school_id: str = Field(primary_key=True, sa_type=Text)
    year: int = Field(primary_key=True)
    last: int


class SketchRow(Row, table=True):
    """What a letter's text looks like, for finding campaigns; `sketch` is whatever triage made of it."""

    __tablename__ = "sketch"
    __table_args__ = (Index("ix_sketch_sent_at", "school_id", "sent_at"),)

    id: int | None = row_id()
    school_id: str = Field(sa_type=Text)
    letter_id: int = letter_id()
    reference: str | None = Field(default=None, sa_type=Text)
    sender: str = words("")
    sent_at: datetime = moment()
    sketch: Any = json_value()
    campaign: str | None = words(None)


class SketchBandRow(Row, table=True):
    """An index over sketches: letters that share a band may be alike, so that a new one meets few others."""

    __tablename__ = "sketch_band"

    school_id: str = Field(sa_type=Text, primary_key=True)
    band: int = Field(sa_type=BigInteger, primary_key=True)
    letter_id: int = Field(foreign_key="letter.id", sa_type=BigId, primary_key=True, index=True)


TABLES = Row.metadata
letter: Table = TABLES.tables["letter"]
attachment: Table = TABLES.tables["attachment"]
entry: Table = TABLES.tables["entry"]
matter: Table = TABLES.tables["matter"]
deadline: Table = TABLES.tables["deadline"]
outbox: Table = TABLES.tables["outbox"]
sketch_band: Table = TABLES.tables["sketch_band"]
party: Table = TABLES.tables["party"]
serial: Table = TABLES.tables["serial"]
sketch: Table = TABLES.tables["sketch"]
