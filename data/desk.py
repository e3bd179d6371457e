"""The desk: one write transaction, in which a decision is kept whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from data.chain import Link, forge, genesis
from data.derive import derive
from data.lookups import SCHOOL, Lookups
from data.rows import Values, entry_of, judgement_facts, letter_values, message_facts, plain
from data.tables import attachment, deadline, entry, letter, matter, outbox, party, serial, sketch
from procedure import reference as references
from procedure.rulebook import Rulebook
from procedure.words import Case, Decision, Entry, EntryKind, Judgement, Letter, Message

# Statements are built once, see `data.lookups`.
_LINKS = select(entry).where(entry.c.school_id == SCHOOL, entry.c.reference == bindparam("ref")).order_by(entry.c.seq)
_SECOND = select(letter.c.id, letter.c.reference).where(
    letter.c.school_id == SCHOOL, letter.c.content_digest == bindparam("content"), letter.c.id != bindparam("own")
)
_SETTLE = update(letter).where(letter.c.school_id == SCHOOL, letter.c.id == bindparam("own"))
_FORGET = tuple(
    delete(table).where(table.c.school_id == SCHOOL, table.c.reference == bindparam("ref"))
    for table in (deadline, matter)
)
_ENTER, _MATTER, _DEADLINES = insert(entry), insert(matter), insert(deadline)


def _for(dialect: Callable[[Table], Any]) -> dict[str, Any]:
    """Statements that say what happens on conflict; both databases say it alike, each in a dialect of its own."""
    serials, letters = dialect(serial), dialect(outbox)
    return {
        "serial": serials.on_conflict_do_update(
            index_elements=["school_id", "year"], set_={"last": serial.c.last + 1}
        ).returning(serial.c.last),
        "post": letters.on_conflict_do_nothing(index_elements=["school_id", "key"]),
        "party": dialect(party).on_conflict_do_nothing(),
    }


_UPSERTS = {"sqlite": _for(sqlite.insert), "postgresql": _for(postgresql.insert)}


#: A letter's bands in one statement; a row a band by executemany takes ten times as long.
_ADD_BANDS = {
    "sqlite": text(
        "insert into sketch_band (school_id, band, letter_id) select :school, value, :letter from json_each(:bands)"
    ),
    "postgresql": text(
        "insert into sketch_band (school_id, band, letter_id)"
        " select :school, band::bigint, :letter from jsonb_array_elements_text(cast(:bands as jsonb)) as band"
    ),
}


@dataclass(eq=False)  # not frozen: Python writes the traceback into an exception
class AlreadyHere(Exception):  # noqa: N818 - an answer to the caller, who marks a duplicate
    """The same content was remembered before, as that letter, in that case."""

    letter_id: int
    reference: str | None

    def __str__(self) -> str:
        return f"letter {self.letter_id} has the same content"


@dataclass(frozen=True)
class _Past:
    """The history of a case as this transaction knows it, and the hash at its end."""

    entries: tuple[Entry, ...]
    last_hash: str


class Desk(Lookups):
    """Everything that may be written, in one transaction that `Store.begin` opens.

    One desk at a time works in a school (SQLite: the write lock; PostgreSQL: an advisory lock), so what a desk has
    read stays true until it is done, references have no gaps, and nobody waits for anybody crosswise.
    """

    def __init__(self, connection: Connection, rulebook: Rulebook) -> None:
        self.connection = connection
        self.rulebook = rulebook
        self.school_id = rulebook.school.id
        self._known: dict[str, _Past] = {}
        self._upserts = _UPSERTS[connection.dialect.name]
        self._mail_domain = rulebook.school.sender.rpartition("@")[2]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is done inside is undone when it raises; what was done before stays."""
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self._known.clear()
            raise

    def history(self, reference: str) -> tuple[Entry, ...]:
        """The entries of that case in the order they were written; empty when there is no such case."""
        return self._past(reference).entries

    def keep(self, decision: Decision, now: datetime) -> None:
        """Write the decision: entries, what follows from them, letters, releases and cancellations.

        Raises ValueError when entries have no case to stand in, or a case has no opening.
        """
        if decision.entries:
            if decision.reference is None:
                raise ValueError("a decision with entries needs the reference of its case")
            self._append(decision.reference, decision.entries)
        self._post(decision.letters, now)
        if decision.release:
            self._release(decision.release, now)
        if decision.cancel:
            self._cancel(decision.cancel)

    def next_serial(self, year: int) -> int:
        """The next number of that year: without gaps, since it is given back when the transaction fails."""
        first = {"school_id": self.school_id, "year": year, "last": 1}
        return int(self.connection.execute(self._upserts["serial"], first).scalar_one())

    def remember(
        self,
        letter_id: int,
        message: Message,
        judgement: Judgement | None,
        *,
        state: str,
        reference: str | None = None,
        reason: str = "",
        duplicate_of: int | None = None,
        now: datetime,
    ) -> None:
        """Write what a letter was read and judged to be, and what became of it; its claim ends.

        Raises AlreadyHere when another letter of the same content was remembered before, unless this one is marked
        as a duplicate; LookupError when there is no such letter.
        """
        content = None if state == "duplicate" else message.content_digest
        if content is not None:
            self._refuse_second(letter_id, content)
        values = {
            **_read(message),
            "content_digest": content,
            "judgement": judgement_facts(judgement) if judgement else None,
            "reference": reference,
            "duplicate_of": duplicate_of,
        }
        self._settle(letter_id, state, reason, now, values)
        if message.attachments:
            self._keep_attachments(letter_id, message)

    def quarantine(self, letter_id: int, reason: str, now: datetime) -> None:
        """Set a letter aside for a person, its bytes untouched."""
        self._settle(letter_id, "quarantined", reason, now, {})

    def add_party(self, reference: str, role: str, name: str, addr: str) -> None:
        """Note that somebody belongs to a case; nothing happens when it is known."""
        values = {"reference": reference, "role": role, "name": name, "addr": addr.lower()}
        self.connection.execute(self._upserts["party"], {**values, "school_id": self.school_id})

    def add_sketch(
        self,
        letter_id: int,
        sender: str,
        sent_at: datetime,
        value: Any,
        *,
        reference: str | None = None,
        campaign: str | None = None,
        bands: Collection[int] = (),
    ) -> None:
        """Keep a letter's sketch (a JSON value that triage made) for finding campaigns.

        `bands` are its keys (signed 64-bit numbers): `sketches_like` finds it by any of them.
        """
        row = {
            "school_id": self.school_id,
            "letter_id": letter_id,
            "reference": reference,
            "sender": sender,
            "sent_at": sent_at,
            "sketch": value,
            "campaign": campaign,
        }
        self.connection.execute(insert(sketch), [row])
        if bands:
            given = {"school": self.school_id, "letter": letter_id, "bands": json.dumps(sorted(set(bands)))}
            self.connection.execute(_ADD_BANDS[self.connection.dialect.name], given)

    def name_campaign(self, letter_ids: Sequence[int], campaign: str) -> None:
        """The sketches of these letters turn out to belong to that campaign."""
        mine = (sketch.c.school_id == self.school_id) & sketch.c.letter_id.in_(letter_ids)
        self.connection.execute(update(sketch).where(mine).values(campaign=campaign))

    def links(self, reference: str) -> list[Link]:
        """The entries of that case as they are stored, with their hashes."""
        return [
            Link(r.seq, r.kind, r.at, r.by, r.facts, r.facts_digest, r.prev_hash, r.hash)
            for r in self._ask(_LINKS, ref=reference)
        ]

    def write_derived(self, reference: str, past: Sequence[Entry], last_hash: str, *, new: bool) -> Case:
        """Replace the derived rows of a case by what follows from these entries."""
        derived = derive(reference, past, self.rulebook)
        end = {"school_id": self.school_id, "last_seq": len(past), "last_hash": last_hash}
        if not new:
            self.forget_derived(reference)
        self.connection.execute(_MATTER, {**derived.matter, **end})
        if derived.deadlines:
            rows = [{**row, "school_id": self.school_id} for row in derived.deadlines]
            self.connection.execute(_DEADLINES, rows)
        return derived.case

    def forget_derived(self, reference: str) -> None:
        for query in _FORGET:
            self._ask(query, ref=reference)

    def _past(self, reference: str) -> _Past:
        known = self._known.get(reference)
        if known is None:
            links = self.links(reference)
            entries = tuple(entry_of(vars(link)) for link in links)
            last = links[-1].hash if links else genesis(self.school_id, reference)
            known = self._known[reference] = _Past(entries, last)
        return known

    def _append(self, reference: str, new: Sequence[Entry]) -> None:
        opens = new[0].kind is EntryKind.CASE_OPENED
        past = _Past((), genesis(self.school_id, reference)) if opens else self._past(reference)
        rows: list[Values] = []
        last = past.last_hash
        more = tuple(plain(one) for one in new)
        for seq, one in enumerate(more, start=len(past.entries) + 1):
            link = forge(last, seq, one.kind.value, one.at, one.by, one.facts)
            last = link.hash
            rows.append({**vars(link), "school_id": self.school_id, "reference": reference})
        try:
            self.connection.execute(_ENTER, rows)
        except IntegrityError as error:
            raise ValueError(f"the case {reference} was opened before; nothing was kept") from error
        entries = past.entries + more
        self.write_derived(reference, entries, last, new=opens)
        self._known[reference] = _Past(entries, last)

    def _post(self, letters: Sequence[Letter], now: datetime) -> None:
        """One duty, one letter: a key that is there already stays as it is."""
        if not letters:
            return
        rows = [{**letter_values(one, now), **self._own(one)} for one in letters]
        self.connection.execute(self._upserts["post"], rows)

    def _own(self, one: Letter) -> Values:
        message_id = references.message_id(one.key, self._mail_domain, self.rulebook.secret)
        return {"school_id": self.school_id, "message_id": message_id}

    def _release(self, keys: Sequence[str], now: datetime) -> None:
        mine = (outbox.c.school_id == self.school_id) & outbox.c.key.in_(keys) & (outbox.c.state == "held")
        later = outbox.c.not_before.is_not(None) & (outbox.c.not_before > now)
        self.connection.execute(update(outbox).where(mine, ~later).values(state="queued", next_at=now))
        self.connection.execute(update(outbox).where(mine, later).values(state="queued", next_at=outbox.c.not_before))

    def _cancel(self, keys: Sequence[str]) -> None:
        waiting = outbox.c.state.in_(("queued", "held"))
        mine = (outbox.c.school_id == self.school_id) & outbox.c.key.in_(keys)
        self.connection.execute(update(outbox).where(mine, waiting).values(state="cancelled"))

    def _settle(self, letter_id: int, state: str, reason: str, now: datetime, more: Values) -> None:
        ended = {"claimed_by": None, "claimed_until": None, "processed_at": now}
        values = {"state": state, "reason": reason or None, **ended, **more}
        if self._ask(_SETTLE, own=letter_id, **values).rowcount != 1:
            raise LookupError(f"the journal holds no letter {letter_id}")

    def _refuse_second(self, letter_id: int, content: str) -> None:
        row = self._ask(_SECOND, content=content, own=letter_id).first()
        if row is not None:
            raise AlreadyHere(row.id, row.reference)

    def _keep_attachments(self, letter_id: int, message: Message) -> None:
        mine = (attachment.c.letter_id == letter_id) & (attachment.c.school_id == self.school_id)
        self.connection.execute(delete(attachment).where(mine))
        rows = [
            {
                "school_id": self.school_id,
                "letter_id": letter_id,
                "digest": part.digest,
                "name": part.name,
                "type": part.type,
                "size": part.size,
            }
            for part in message.attachments
        ]
        self.connection.execute(insert(attachment), rows)


def _read(message: Message) -> Values:
    """The columns of table letter that a reading fills."""
    return {
        "message_id": message.message_id,
        "from_addr": message.sender.addr if message.sender else None,
        "from_name": message.sender.name if message.sender else None,
        "subject": message.subject,
        "sent_at": message.date if message.date and message.date.tzinfo else None,
        "facts": message_facts(message),
    }
