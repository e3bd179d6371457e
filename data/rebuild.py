"""Derive every case again from its history, verify every chain, and say what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from data.chain import breaks
from data.derive import Derived, derive
from data.desk import Desk
from data.rows import Values, entry_of
from data.store import Store
from data.tables import deadline, entry, matter


def rebuild(store: Store, check: bool = False, each: Callable[[str], None] | None = None) -> list[str]:
    """Differences between what is stored and what the histories say, a sentence each; none when all agrees.

    Without `check` the derived rows are written anew (entries never are). A case is looked at in a transaction of
    its own, so that letters are kept meanwhile; `each` is called with every reference, for a progress bar.
    """
    found: list[str] = []
    for reference in _references(store):
        with store.begin() as desk:
            found.extend(_look(desk, reference, check=check))
        if each is not None:
            each(reference)
    return found


def _references(store: Store) -> list[str]:
    """Every reference that has an entry or a derived row."""
    mine = [
        select(table.c.reference).where(table.c.school_id == store.school_id) for table in (entry, matter, deadline)
    ]
    with store.read() as connection:
        return sorted(connection.execute(mine[0].union(*mine[1:])).scalars())


def _look(desk: Desk, reference: str, *, check: bool) -> Iterator[str]:
    links = desk.links(reference)
    yield from breaks(desk.school_id, reference, links)
    if not links:
        yield f"{reference}: there is a case, but no history that it follows from"
        if not check:
            desk.forget_derived(reference)
        return
    entries = tuple(entry_of(vars(link)) for link in links)
    try:
        derived = derive(reference, entries, desk.rulebook)
    except (ValueError, KeyError) as problem:
        yield f"{reference}: its history makes no case: {problem.args[0]}"
        return
    end = {"last_seq": links[-1].seq, "last_hash": links[-1].hash}
    yield from _compare(desk, reference, derived, end)
    if not check:
        desk.write_derived(reference, entries, links[-1].hash, new=False)


def _compare(desk: Desk, reference: str, derived: Derived, end: Values) -> Iterator[str]:
    stored = _stored(desk, matter, reference)
    if not stored:
        yield f"{reference}: the history makes a case, but none is stored"
    else:
        yield from _differences(f"{reference}:", stored[0], {**derived.matter, **end})
    there = {row["key"]: row for row in _stored(desk, deadline, reference)}
    wanted = {row["key"]: row for row in derived.deadlines}
    for key in sorted(there.keys() | wanted.keys()):
        if key not in wanted:
            yield f"{reference}: the deadline {key} is stored, but does not follow from the history"
        elif key not in there:
            yield f"{reference}: the deadline {key} follows from the history, but is not stored"
        else:
            yield from _differences(f"{reference}: the deadline {key}:", there[key], wanted[key])


def _differences(whose: str, stored: Values, wanted: Values) -> Iterator[str]:
    for name, value in wanted.items():
        if stored[name] != value:
            yield f"{whose} {name} is {_said(stored[name])}, the history says {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="minutes")
    return value.isoformat() if isinstance(value, date) else repr(value)


def _stored(desk: Desk, table: Any, reference: str) -> list[Values]:
    query = select(table).where(table.c.school_id == desk.school_id, table.c.reference == reference)
    return [dict(row) for row in desk.connection.execute(query).mappings()]
