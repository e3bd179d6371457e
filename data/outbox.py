"""Letters of ours on their way out: claimed by one worker at a time, sent at least once, one Message-ID each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, RowMapping, literal_column, select, update

from data.engine import writing
from data.tables import POSTABLE, outbox
from procedure.words import Audience, Decision, Entry, EntryKind, Role

if TYPE_CHECKING:
    from data.desk import Desk
    from data.store import Store


@dataclass(frozen=True)
class Outgoing:
    """A letter that this worker has claimed and shall send. `attempts` counts this one."""

    id: int
    key: str
    name: str
    audience: Audience
    to_addr: str
    subject: str
    text: str
    html: str
    message_id: str
    reference: str | None = None
    to_role: Role | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    urgent: bool = False
    attempts: int = 1
    worker: str = ""


def claim(engine: Engine, school_id: str, worker: str, now: datetime, lease: timedelta, limit: int) -> list[Outgoing]:
    """Take up to `limit` letters that are due, urgent ones first; nobody else gets them until the lease ends.

    A letter whose lease ended without a word (its worker died) is taken again.
    """
    due = (
        select(outbox.c.id)
        .where(outbox.c.school_id == school_id, literal_column(POSTABLE), outbox.c.next_at <= now)
        .order_by(outbox.c.urgent.desc(), outbox.c.next_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # asked once; inside IN, PostgreSQL may ask again and take more than the limit
    )
    taken = {
        "state": "claimed",
        "claimed_by": worker,
        "claimed_until": now + lease,
        "next_at": now + lease,
        "attempts": outbox.c.attempts + 1,
    }
    query = update(outbox).where(outbox.c.id.in_(select(due.c.id))).values(**taken).returning(outbox)
    with writing(engine) as connection:
        rows = connection.execute(query).mappings().all()
    return [_outgoing(row) for row in sorted(rows, key=lambda row: (not row["urgent"], row["id"]))]


def reclaim(engine: Engine, school_id: str, worker: str, now: datetime) -> int:
    """Take back what this worker held when it died, so that no alert waits for a lease to end; how many.

    A letter that was sent but not marked goes out once more, under the same Message-ID.
    """
    held = (outbox.c.school_id == school_id) & (outbox.c.state == "claimed") & (outbox.c.claimed_by == worker)
    fresh = {"state": "queued", "claimed_by": None, "claimed_until": None, "next_at": now}
    with writing(engine) as connection:
        return connection.execute(update(outbox).where(held).values(**fresh)).rowcount


def sent(store: Store, outgoing: Outgoing, now: datetime) -> bool:
    """The relay took the letter: the row and the history of its case say so, in one transaction.

    False when that was written before (the letter had been claimed by two, one after the other).
    """
    with store.begin() as desk:
        new = _mark(desk, outgoing, outbox.c.state.not_in(("sent", "bounced")), state="sent", sent_at=now)
        if new:
            _enter(desk, EntryKind.LETTER_SENT, outgoing, now, message_id=outgoing.message_id)
        return new


def failed(store: Store, outgoing: Outgoing, error: str, next_at: datetime, now: datetime) -> bool:  # noqa: ARG001 - one shape for all four
    """The letter could not be sent now and waits until `next_at`. False when it is no longer this worker's."""
    with store.begin() as desk:
        return _mark(desk, outgoing, _mine(outgoing), state="queued", next_at=next_at, last_error=error)


def give_up(store: Store, outgoing: Outgoing, error: str, now: datetime) -> bool:
    """The letter is not tried again; its case says so. False when it is no longer this worker's."""
    with store.begin() as desk:
        new = _mark(desk, outgoing, _mine(outgoing), state="failed", last_error=error)
        if new:
            _enter(desk, EntryKind.LETTER_FAILED, outgoing, now)
        return new


def bounced(desk: Desk, message_id: str, detail: str, now: datetime) -> str | None:
    """A letter of ours came back: marked, and entered in its case, whose reference is returned.

    None when no letter of ours has that Message-ID, when it was marked before, or when it stands in no case.
    """
    mine = (outbox.c.school_id == desk.school_id) & (outbox.c.message_id == message_id)
    query = (
        update(outbox)
        .where(mine, outbox.c.state.in_(("claimed", "queued", "sent")))
        .values(state="bounced", last_error=detail)
        .returning(outbox)
    )
    row = desk.connection.execute(query).mappings().first()
    if row is None:
        return None
    return _enter(desk, EntryKind.LETTER_BOUNCED, _outgoing(row), now)


def _outgoing(row: RowMapping) -> Outgoing:
    return Outgoing(
        id=row["id"],
        key=row["key"],
        name=row["name"],
        audience=Audience(row["audience"]),
        to_addr=row["to_addr"],
        subject=row["subject"],
        text=row["text"],
        html=row["html"],
        message_id=row["message_id"],
        reference=row["reference"],
        to_role=Role(row["to_role"]) if row["to_role"] else None,
        in_reply_to=row["in_reply_to"],
        references=tuple(row["references"]),
        urgent=row["urgent"],
        attempts=row["attempts"],
        worker=row["claimed_by"] or "",
    )


def _mine(outgoing: Outgoing) -> Any:
    return (outbox.c.state == "claimed") & (outbox.c.claimed_by == outgoing.worker)


def _mark(desk: Desk, outgoing: Outgoing, condition: Any, **values: Any) -> bool:
    row = (outbox.c.id == outgoing.id) & (outbox.c.school_id == desk.school_id)
    ended = {"claimed_by": None, "claimed_until": None}
    query = update(outbox).where(row, condition).values(**values, **ended)
    return bool(desk.connection.execute(query).rowcount)


def _enter(desk: Desk, kind: EntryKind, outgoing: Outgoing, now: datetime, **more: str) -> str | None:
    if outgoing.reference is None or not desk.history(outgoing.reference):
        return None
    facts = {"letter": outgoing.name, "key": outgoing.key, **more}
    desk.keep(Decision(outgoing.reference, (Entry(kind, now, "duly", facts),)), now)
    return outgoing.reference
