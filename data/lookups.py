"""What placing a letter asks of the memory, answered inside the desk's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    union,
)

from data.rows import case_of
from data.tables import OUTWARD, letter, matter, outbox, party, sketch
from procedure.words import Case, Message

#: More Message-IDs than this in one header are no thread; the first ones are looked up.
MOST_IDS = 500
#: Counts for caps stop here: no cap lies beyond, and a flood must not make each letter dearer.
MOST_COUNTED = 10_000


# Statements are built once: building one costs more than SQLite takes to answer it.
SCHOOL: BindParameter[str] = bindparam("school")
#: Letter states in which a letter is the first of its content: a duplicate points to one of these.
_FIRST: ColumnElement[bool] = literal_column("letter.state in ('done', 'automatic', 'bounce', 'unplaced')")
#: Letters of ours that went, or will go, out by themselves; held ones wait for a person.
_GOING: ColumnElement[bool] = literal_column("outbox.state in ('queued', 'claimed', 'sent', 'bounced', 'failed')")

_BY_CONTENT = (
    select(letter.c.id, letter.c.reference)
    .where(
        letter.c.school_id == SCHOOL,
        or_(letter.c.digest == bindparam("digest"), letter.c.content_digest == bindparam("content")),
        _FIRST,
    )
    .order_by(letter.c.id)
    .limit(literal_column("1"))
)
_SENT = select(outbox.c.message_id, outbox.c.reference, outbox.c.key).where(
    outbox.c.school_id == SCHOOL, outbox.c.message_id.in_(bindparam("ids", expanding=True))
)
_RECEIVED = select(letter.c.id, letter.c.message_id, letter.c.reference).where(
    letter.c.school_id == SCHOOL,
    letter.c.message_id.in_(bindparam("ids", expanding=True)),
    letter.c.reference.is_not(None),
    literal_column("letter.state = 'done'"),
)
_MATTER = select(matter).where(matter.c.school_id == SCHOOL, matter.c.reference == bindparam("ref"))
_CORRESPONDENTS = union(
    select(party.c.addr).where(party.c.school_id == SCHOOL, party.c.reference == bindparam("ref")),
    select(func.lower(letter.c.from_addr)).where(
        letter.c.school_id == SCHOOL,
        letter.c.reference == bindparam("ref"),
        literal_column("letter.state = 'done'"),
    ),
    select(outbox.c.to_key).where(
        outbox.c.school_id == SCHOOL, outbox.c.reference == bindparam("ref"), literal_column(OUTWARD)
    ),
)
_SKETCHES = (
    select(sketch)
    .where(sketch.c.school_id == SCHOOL, sketch.c.sent_at >= bindparam("since"))
    .order_by(sketch.c.sent_at, sketch.c.id)
)
_WITH_BAND = {
    "sqlite": "band in (select value from json_each(:bands))",
    # A true array: a value that must be made from text would be made anew for every row looked at.
    "postgresql": "band = any(cast(:bands as bigint[]))",
}
_NEAR = {
    dialect: text(f"select distinct letter_id from sketch_band where school_id = :school and {given}")  # noqa: S608 - ours
    for dialect, given in _WITH_BAND.items()
}
_LIKE = (
    select(sketch)
    .where(
        sketch.c.school_id == SCHOOL,
        sketch.c.sent_at >= bindparam("since"),
        sketch.c.letter_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(sketch.c.sent_at, sketch.c.id)
)


def _automatic(*more: ColumnElement[bool]) -> Select[int]:
    going = (
        select(literal_column("1"))
        .select_from(outbox)
        .where(
            outbox.c.school_id == SCHOOL,
            literal_column(OUTWARD),
            outbox.c.created_at >= bindparam("since"),
            _GOING,
            *more,
        )
        .limit(literal_column(str(MOST_COUNTED)))
        .subquery()
    )
    return select(func.count()).select_from(going)


_AUTOMATIC_TOTAL = _automatic()
_AUTOMATIC_TO = _automatic(outbox.c.to_key == bindparam("addr"))


@dataclass(frozen=True)
class Found:
    """A letter that came in (letter_id) or one of ours (key) that the memory knows, and its case."""

    letter_id: int | None
    reference: str | None
    key: str | None = None


@dataclass(frozen=True)
class SeenSketch:
    """A letter's sketch as triage made it (a JSON value), for finding campaigns."""

    letter_id: int
    reference: str | None
    sender: str
    sent_at: datetime
    sketch: Any
    campaign: str | None


class Lookups:
    """Questions to the memory; none changes anything."""

    connection: Connection
    school_id: str

    def find_content(self, message: Message) -> Found | None:
        """The first letter of the same bytes, or of the same content by another road."""
        row = self._ask(_BY_CONTENT, digest=message.digest, content=message.content_digest).first()
        return Found(row.id, row.reference) if row else None

    def find_sent(self, message_ids: Collection[str]) -> Found | None:
        """The letter of ours with one of these Message-IDs; the first id that is ours wins."""
        wanted = _first_ids(message_ids)
        if not wanted:
            return None
        rows = sorted(self._ask(_SENT, ids=wanted), key=lambda row: wanted.index(row.message_id))
        return Found(None, rows[0].reference, rows[0].key) if rows else None

    def find_received(self, message_ids: Collection[str]) -> list[Found]:
        """Letters with one of these Message-IDs that stand in a case, in the order of the ids."""
        wanted = _first_ids(message_ids)
        if not wanted:
            return []
        rows = sorted(self._ask(_RECEIVED, ids=wanted), key=lambda row: (wanted.index(row.message_id), row.id))
        return [Found(row.id, row.reference) for row in rows]

    def cases_of(self, letter_ids: Collection[int]) -> list[str]:
        """The references of the cases in which these letters stand, each once."""
        query = select(letter.c.reference).where(
            letter.c.school_id == self.school_id, letter.c.id.in_(letter_ids), letter.c.reference.is_not(None)
        )
        return sorted(set(self.connection.execute(query).scalars()))

    def matter(self, reference: str) -> Case | None:
        """The case of that reference, without asking who wants to know: for the machine's own placing."""
        row = self._ask(_MATTER, ref=reference).mappings().first()
        return case_of(dict(row)) if row else None

    def correspondents(self, reference: str) -> frozenset[str]:
        """Addresses, in lower case, that wrote in this case or that it answers."""
        found = self._ask(_CORRESPONDENTS, ref=reference).scalars()
        return frozenset(addr.lower() for addr in found if addr)

    def automatic_letters_to(self, addr: str, since: datetime) -> int:
        """Letters to this address outside the house that went or will go out by themselves since then."""
        return int(self._ask(_AUTOMATIC_TO, since=since, addr=addr.lower()).scalar_one())

    def automatic_letters_total(self, since: datetime) -> int:
        """The same for every address; counted up to 10,000."""
        return int(self._ask(_AUTOMATIC_TOTAL, since=since).scalar_one())

    def sketches_since(self, when: datetime) -> list[SeenSketch]:
        """Sketches of letters sent at or after that moment, oldest first."""
        return [
            SeenSketch(row.letter_id, row.reference, row.sender, row.sent_at, row.sketch, row.campaign)
            for row in self._ask(_SKETCHES, since=when)
        ]

    def sketches_like(self, bands: Collection[int], when: datetime) -> list[SeenSketch]:
        """Sketches since that moment that share one of these bands, oldest first."""
        # Two questions: most letters are like no other, and a planner that knows nothing of the bands cannot err.
        dialect = self.connection.dialect.name
        given = list(bands) if dialect == "postgresql" else json.dumps(list(bands))
        near = self._ask(_NEAR[dialect], bands=given).scalars().all()
        if not near:
            return []
        return [
            SeenSketch(row.letter_id, row.reference, row.sender, row.sent_at, row.sketch, row.campaign)
            for row in self._ask(_LIKE, since=when, ids=near)
        ]

    def _ask(self, query: Executable, **values: Any) -> CursorResult[Any]:
        return self.connection.execute(query, {"school": self.school_id, **values})


def _first_ids(message_ids: Collection[str]) -> Sequence[str]:
    return list(dict.fromkeys(message_ids))[:MOST_IDS]
