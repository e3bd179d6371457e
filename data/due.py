"""What is due: the one question that the sweep asks, whose cost follows what is due, not what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from data.engine import reading
from data.tables import deadline


@dataclass(frozen=True)
class DueNudge:
    """A deadline whose owner is to be nudged: planned for `next_nudge_at` (UTC), which has come."""

    reference: str
    key: str
    next_nudge_at: datetime


def due(engine: Engine, school_id: str, now: datetime, limit: int) -> list[DueNudge]:
    """Deadlines with a nudge planned at or before `now`, the longest waiting first.

    Nothing is claimed: `Desk.keep` of a NUDGED entry moves the row on in the transaction that writes the letter.
    """
    query = (
        select(deadline.c.reference, deadline.c.key, deadline.c.next_nudge_at)
        .where(deadline.c.school_id == school_id, deadline.c.next_nudge_at <= now)
        .order_by(deadline.c.next_nudge_at, deadline.c.reference, deadline.c.key)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [DueNudge(*row) for row in connection.execute(query)]
