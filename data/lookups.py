"""What placing a letter asks of the memory, answered inside the desk's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal_column, or_, select

from data.rows import case_of
from data.tables import OUTWARD, letter, matter, outbox, party, sketch
from procedure.words import Case, Message

#: Letter states in which a letter is the first of its content: a duplicate points to one of these.
FIRST = ("done", "automatic", "bounce", "unplaced")
#: Letters of ours that went, or will go, out by themselves; held ones wait for a person.
GOING = ("queued", "claimed", "sent", "bounced", "failed")
#: More Message-IDs than this in one header are no thread; the first ones are looked up.
MOST_IDS = 500
#: Counts for caps stop here: no cap lies beyond, and a flood must not make each letter dearer.
MOST_COUNTED = 10_000


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
        same = or_(letter.c.digest == message.digest, letter.c.content_digest == message.content_digest)
        query = (
            select(letter.c.id, letter.c.reference)
            .where(letter.c.school_id == self.school_id, same, letter.c.state.in_(FIRST))
            .order_by(letter.c.id)
            .limit(1)
        )
        row = self.connection.execute(query).first()
        return Found(row.id, row.reference) if row else None

    def find_sent(self, message_ids: Collection[str]) -> Found | None:
        """The letter of ours with one of these Message-IDs; the first id that is ours wins."""
        wanted = _first_ids(message_ids)
        if not wanted:
            return None
        query = select(outbox.c.message_id, outbox.c.reference, outbox.c.key).where(
            outbox.c.school_id == self.school_id, outbox.c.message_id.in_(wanted)
        )
        rows = sorted(self.connection.execute(query), key=lambda row: wanted.index(row.message_id))
        return Found(None, rows[0].reference, rows[0].key) if rows else None

    def find_received(self, message_ids: Collection[str]) -> list[Found]:
        """Letters with one of these Message-IDs that stand in a case, in the order of the ids."""
        wanted = _first_ids(message_ids)
        if not wanted:
            return []
        query = select(letter.c.id, letter.c.message_id, letter.c.reference).where(
            letter.c.school_id == self.school_id,
            letter.c.message_id.in_(wanted),
            letter.c.reference.is_not(None),
            letter.c.state == "done",
        )
        rows = sorted(self.connection.execute(query), key=lambda row: (wanted.index(row.message_id), row.id))
        return [Found(row.id, row.reference) for row in rows]

    def matter(self, reference: str) -> Case | None:
        """The case of that reference, without asking who wants to know: for the machine's own placing."""
        query = select(matter).where(matter.c.school_id == self.school_id, matter.c.reference == reference)
        row = self.connection.execute(query).mappings().first()
        return case_of(dict(row)) if row else None

    def correspondents(self, reference: str) -> frozenset[str]:
        """Addresses, in lower case, that wrote in this case or that it answers."""
        here = {"school_id": self.school_id, "reference": reference}
        parties = select(party.c.addr).filter_by(**here)
        writers = select(func.lower(letter.c.from_addr)).filter_by(**here, state="done")
        answered = select(outbox.c.to_key).filter_by(**here, audience="complainant")
        found = self.connection.execute(parties.union(writers, answered)).scalars()
        return frozenset(addr.lower() for addr in found if addr)

    def automatic_letters_to(self, addr: str, since: datetime) -> int:
        """Letters to this address outside the house that went or will go out by themselves since then."""
        return self._automatic(since, outbox.c.to_key == addr.lower())

    def automatic_letters_total(self, since: datetime) -> int:
        """The same for every address; counted up to 10,000."""
        return self._automatic(since)

    def _automatic(self, since: datetime, *more: Any) -> int:
        going = (
            select(literal_column("1"))
            .select_from(outbox)
            .where(
                outbox.c.school_id == self.school_id,
                literal_column(OUTWARD),
                outbox.c.created_at >= since,
                outbox.c.state.in_(GOING),
                *more,
            )
            .limit(MOST_COUNTED)
            .subquery()
        )
        return int(self.connection.execute(select(func.count()).select_from(going)).scalar_one())

    def sketches_since(self, when: datetime) -> list[SeenSketch]:
        """Sketches of letters sent at or after that moment, oldest first."""
        query = (
            select(sketch)
            .where(sketch.c.school_id == self.school_id, sketch.c.sent_at >= when)
            .order_by(sketch.c.sent_at, sketch.c.id)
        )
        return [
            SeenSketch(row.letter_id, row.reference, row.sender, row.sent_at, row.sketch, row.campaign)
            for row in self.connection.execute(query)
        ]


def _first_ids(message_ids: Collection[str]) -> Sequence[str]:
    return list(dict.fromkeys(message_ids))[:MOST_IDS]
