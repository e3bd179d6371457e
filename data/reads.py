"""What people read. Every reader takes the viewer and asks `procedure.access` about every case it shows.

A letter that stands in no case yet is shown to the clerk and to the DSL and deputies, who look at it first (L228,
L238); not to one of them who also holds a role that must not see a complaint against its target (L70, L72).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, select

from data.rows import case_of, deadline_of, entry_of
from data.store import Store
from data.tables import deadline, entry, letter, matter, outbox
from procedure.access import may_see, why_not_see
from procedure.routing import route
from procedure.school import Person
from procedure.words import Case, Deadline, DeadlineState, Entry, Role, Status, Target, Topic

#: Who looks at letters that stand in no case.
FIRST_LOOKERS = frozenset({Role.CLERK, Role.DSL, Role.DEPUTY_DSL})


@dataclass(frozen=True)
class LetterIn:
    """A line of the journal: a letter that came in. `text` is filled in a case's file only."""

    id: int
    received_at: datetime
    door: str
    state: str
    reason: str | None
    reference: str | None
    from_name: str | None
    from_addr: str | None
    subject: str | None
    size: int
    attempts: int
    judgement: Mapping[str, Any] | None = None
    text: str | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class LetterOut:
    """A letter of ours and where it stands: queued, held, claimed, sent, failed, cancelled, bounced."""

    key: str
    name: str
    audience: str
    to_role: str | None
    to_addr: str
    subject: str
    text: str
    reference: str | None
    state: str
    attempts: int
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
    last_error: str | None
    message_id: str
    urgent: bool = False


@dataclass(frozen=True)
class CaseFile:
    """All there is about a case, for one who may see it."""

    case: Case
    entries: tuple[Entry, ...]
    deadlines: tuple[Deadline, ...]
    letters_out: tuple[LetterOut, ...]
    letters_in: tuple[LetterIn, ...]


@dataclass(frozen=True)
class DueLine:
    """An open deadline of a case, and whether its day has passed (school's local time)."""

    case: Case
    deadline: Deadline
    overdue: bool


@dataclass(frozen=True)
class Figures:
    """How many of the cases that the viewer may see are where."""

    by_status: Mapping[str, int] = field(default_factory=dict)
    by_stage: Mapping[str, int] = field(default_factory=dict)  # open and suspended ones
    safeguarding: int = 0  # open and suspended ones with a sign
    overdue: int = 0  # open deadlines past their day


def cases(store: Store, viewer: Person, *, open_only: bool = False) -> list[Case]:
    """The cases that the viewer may see, oldest first; `open_only` leaves out closed ones."""
    with store.read() as connection:
        return _visible(store, connection, viewer, open_only=open_only)


def case(store: Store, viewer: Person, reference: str) -> CaseFile:
    """The whole file of a case.

    Raises LookupError when there is no such case, NotAllowed when the viewer must not see it.
    """
    with store.read() as connection:
        rows = _of_case(store, connection, matter, reference)
        found = case_of(rows[0]) if rows else None
        barred = why_not_see(viewer, found) if found else None
        if found and not barred:
            return _file(store, connection, found)
    if barred is not None:
        raise barred
    raise LookupError(f"there is no case {reference}; list them with: duly cases")


def _file(store: Store, connection: Connection, found: Case) -> CaseFile:
    reference = found.reference
    return CaseFile(
        case=found,
        entries=tuple(entry_of(row) for row in _of_case(store, connection, entry, reference, "seq")),
        deadlines=tuple(deadline_of(row) for row in _of_case(store, connection, deadline, reference, "due", "key")),
        letters_out=tuple(_out(row) for row in _of_case(store, connection, outbox, reference, "id")),
        letters_in=tuple(_in(row, whole=True) for row in _of_case(store, connection, letter, reference, "id")),
    )


def due_list(store: Store, viewer: Person, now: datetime) -> list[DueLine]:
    """Open deadlines of the cases that the viewer may see, the nearest first."""
    today = now.astimezone(ZoneInfo(store.rulebook.school.timezone)).date()
    query = (
        select(deadline)
        .where(deadline.c.school_id == store.school_id, deadline.c.state == DeadlineState.OPEN.value)
        .order_by(deadline.c.due, deadline.c.reference, deadline.c.key)
    )
    with store.read() as connection:
        seen = {one.reference: one for one in _visible(store, connection, viewer)}
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [_due_line(seen[row["reference"]], deadline_of(row), today) for row in rows if row["reference"] in seen]


def outbox_of(store: Store, viewer: Person, states: Collection[str] = ()) -> list[LetterOut]:
    """Letters of ours, oldest first: those of cases that the viewer may see, and those to the viewer's own roles."""
    query = select(outbox).where(outbox.c.school_id == store.school_id).order_by(outbox.c.id)
    if states:
        query = query.where(outbox.c.state.in_(states))
    with store.read() as connection:
        seen = {one.reference for one in _visible(store, connection, viewer)}
        found = [dict(row) for row in connection.execute(query).mappings()]
    return [_out(row) for row in found if _may_see_letter_out(viewer, row, seen)]


def journal(store: Store, viewer: Person, states: Collection[str] = ()) -> list[LetterIn]:
    """Letters that came in, oldest first, without their text; of these states, or of all."""
    query = select(letter).where(letter.c.school_id == store.school_id).order_by(letter.c.id)
    if states:
        query = query.where(letter.c.state.in_(states))
    columns = [column for column in letter.c if column.name not in {"raw", "facts"}]
    with store.read() as connection:
        seen = {one.reference for one in _visible(store, connection, viewer)}
        rows = [dict(row) for row in connection.execute(query.with_only_columns(*columns)).mappings()]
    return [_in(row) for row in rows if _may_see_letter_in(store, viewer, row, seen)]


def counts(store: Store, viewer: Person, now: datetime) -> Figures:
    """Numbers over the cases that the viewer may see, and no others."""
    with store.read() as connection:
        seen = _visible(store, connection, viewer)
    running = [one for one in seen if one.status is not Status.CLOSED]
    return Figures(
        by_status=dict(Counter(one.status.value for one in seen)),
        by_stage=dict(Counter(one.stage.value for one in running)),
        safeguarding=sum(one.safeguarding for one in running),
        overdue=sum(line.overdue for line in due_list(store, viewer, now)),
    )


def _visible(store: Store, connection: Connection, viewer: Person, *, open_only: bool = False) -> list[Case]:
    query = (
        select(matter).where(matter.c.school_id == store.school_id).order_by(matter.c.opened_at, matter.c.reference)
    )
    if open_only:
        query = query.where(matter.c.status != Status.CLOSED.value)
    every = (case_of(dict(row)) for row in connection.execute(query).mappings())
    return [one for one in every if may_see(viewer, one)]


def _of_case(store: Store, connection: Connection, table: Table, reference: str, *order: str) -> list[dict[str, Any]]:
    mine = (table.c.school_id == store.school_id) & (table.c.reference == reference)
    columns = [column for column in table.c if column.name != "raw"]
    query = select(*columns).where(mine).order_by(*(table.c[name] for name in order))
    return [dict(row) for row in connection.execute(query).mappings()]


def _may_see_letter_in(store: Store, viewer: Person, row: Mapping[str, Any], seen: Collection[str]) -> bool:
    if row["reference"] is not None:
        return row["reference"] in seen
    if not viewer.roles & FIRST_LOOKERS:
        return False
    judged = row["judgement"]
    if judged is None:
        # Nobody knows whom an unread letter is against: not for those a complaint may have to be kept from.
        return not viewer.roles & {Role.HEADTEACHER, Role.CHAIR, Role.VICE_CHAIR}
    policy = store.rulebook.policy(store.rulebook.school.policy)
    topics = [Topic(topic) for topic in judged["topics"]]
    withheld = set(route(policy, Target(judged["target"]), topics).withheld)
    if "target" in judged["unsure"]:
        withheld.add(Role.HEADTEACHER)
    return not viewer.roles & withheld


def _may_see_letter_out(viewer: Person, row: Mapping[str, Any], seen: Collection[str]) -> bool:
    if row["reference"] is not None:
        return row["reference"] in seen
    return row["to_addr"].lower() == viewer.email.lower() or row["to_role"] in viewer.roles


def _due_line(of: Case, one: Deadline, today: date) -> DueLine:
    return DueLine(of, one, overdue=one.due < today)


def _out(row: Mapping[str, Any]) -> LetterOut:
    return LetterOut(**{name: row[name] for name in LetterOut.__dataclass_fields__})


def _in(row: Mapping[str, Any], *, whole: bool = False) -> LetterIn:
    plain = [name for name in LetterIn.__dataclass_fields__ if name not in {"text", "attachments"}]
    facts = (row["facts"] or {}) if whole else {}
    return LetterIn(
        **{name: row[name] for name in plain},
        text=facts.get("text"),
        attachments=tuple(facts.get("attachments", ())),
    )
