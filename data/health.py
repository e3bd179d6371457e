"""Counts for the doctor: how much there is and what waits. No case content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, select, text

from data.engine import connect, reading
from data.tables import letter, matter, outbox


@dataclass(frozen=True)
class Counts:
    """Letters and outgoing letters by state, cases, and since when (UTC) the oldest new letter waits."""

    letters: dict[str, int]
    outbox: dict[str, int]
    matters: int
    oldest_new: datetime | None


def counts(engine: Engine, school_id: str) -> Counts:
    """What the memory of that school holds now."""
    waiting = select(func.min(letter.c.received_at)).where(
        letter.c.school_id == school_id, letter.c.state.in_(("new", "claimed"))
    )
    cases = select(func.count()).select_from(matter).where(matter.c.school_id == school_id)
    with reading(engine) as connection:
        return Counts(
            letters=_by_state(connection, letter, school_id),
            outbox=_by_state(connection, outbox, school_id),
            matters=connection.execute(cases).scalar_one(),
            oldest_new=connection.execute(waiting).scalar_one(),
        )


def size_of(url: str) -> int:
    """Bytes that the database takes on its disk, the write-ahead log of SQLite included."""
    engine = connect(url)
    if engine.dialect.name == "sqlite":
        path = str(engine.url.database)
        files = (Path(path + ending) for ending in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())
    try:
        with reading(engine) as connection:
            return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())
    finally:
        engine.dispose()


def _by_state(connection: Connection, table: Table, school_id: str) -> dict[str, int]:
    query = select(table.c.state, func.count()).where(table.c.school_id == school_id).group_by(table.c.state)
    return {state: number for state, number in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy
