from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from data.due import due
from data.engine import writing
from data.store import Store
from procedure.words import Decision, Entry, EntryKind
from tests.support import memory
from tests.support.memory import MONDAY

REF = "SL-2026-0001-2"
WEDNESDAY = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)  # one school day before the acknowledgement is due
THURSDAY = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)  # the day itself
FRIDAY = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)  # an INSET day
AFTER = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)  # Monday, the next school day


@pytest.fixture
def store(engine: Engine) -> Store:
    store = memory.store(engine)
    with store.begin() as desk:
        desk.keep(Decision(REF, memory.opening()), MONDAY)
    return store


def nudged(at: datetime, kind: str = "before", when: date = date(2026, 11, 26)) -> Entry:
    facts = {"deadline": "ack_3", "kind": kind, "role": "clerk", "due": when.isoformat(), "at": at.isoformat()}
    return Entry(EntryKind.NUDGED, at, "duly", facts)


def keep(store: Store, *entries: Entry) -> None:
    with store.begin() as desk:
        desk.keep(Decision(REF, entries), MONDAY)


def due_at(store: Store, now: datetime) -> list[tuple[str, datetime]]:
    found = due(store.engine, store.school_id, now, 10)
    return [(one.key, one.next_nudge_at) for one in found if one.key == "ack_3"]


def test_a_nudge_is_due_from_its_minute_on(store: Store) -> None:
    assert due_at(store, WEDNESDAY - timedelta(seconds=1)) == []
    assert due_at(store, WEDNESDAY) == [("ack_3", WEDNESDAY)]


def test_a_given_nudge_moves_the_deadline_on_to_the_next(store: Store) -> None:
    keep(store, nudged(WEDNESDAY))
    assert due_at(store, WEDNESDAY) == []
    assert due_at(store, THURSDAY) == [("ack_3", THURSDAY)]


def test_nudges_missed_while_the_service_was_down_are_superseded_by_the_latest(store: Store) -> None:
    assert due_at(store, AFTER) == [("ack_3", WEDNESDAY)]  # one row waits, whatever was missed
    keep(store, nudged(AFTER, "after"))
    assert due_at(store, AFTER + timedelta(days=30)) == []


def test_a_due_date_that_moved_is_nudged_anew(store: Store) -> None:
    keep(store, nudged(AFTER, "after", when=date(2026, 11, 20)))  # given for another due day
    assert due_at(store, FRIDAY) == [("ack_3", WEDNESDAY)]


def test_a_met_limit_is_nudged_no_more(store: Store) -> None:
    keep(store, Entry(EntryKind.ACKNOWLEDGED, MONDAY, "clerk", {"how": "post"}))
    assert due_at(store, FRIDAY + timedelta(days=30)) == []


def test_a_closed_case_is_nudged_no_more(store: Store) -> None:
    keep(store, Entry(EntryKind.WITHDRAWN, MONDAY, "clerk", {}))
    assert due(store.engine, store.school_id, FRIDAY + timedelta(days=300), 10) == []


def test_the_longest_waiting_come_first_and_no_more_than_asked_for(store: Store) -> None:
    found = due(store.engine, store.school_id, FRIDAY + timedelta(days=60), 1)
    assert [one.next_nudge_at for one in found] == [WEDNESDAY]


def test_another_schools_deadlines_are_not_due_here(store: Store) -> None:
    assert due(store.engine, "northlands", FRIDAY + timedelta(days=60), 10) == []


MANY = {
    "sqlite": """
        with recursive n(i) as (select 0 union all select i + 1 from n where i < 99999)
        insert into deadline select 'southlands', 'SL-' || i, 'ack_3', 'ack_3', 't', 'L138', 'clerk', '2026-11-23',
        'x', 'school_days', 3, '2026-11-26', '[]', '[]', 'open', null, '[]',
        datetime('2026-11-27 08:30:00', i || ' minutes') || '.000000' from n""",
    "postgresql": """
        insert into deadline select 'southlands', 'SL-' || i, 'ack_3', 'ack_3', 't', 'L138', 'clerk', '2026-11-23',
        'x', 'school_days', 3, '2026-11-26', '[]', '[]', 'open', null, '[]',
        timestamptz '2026-11-27 08:30:00+00' + i * interval '1 minute' from generate_series(0, 99999) i""",
}


def test_among_a_hundred_thousand_deadlines_the_index_finds_those_that_are_due(store: Store) -> None:
    """The plan is asked, not the clock: no scan of the table on either database."""
    query = (
        "select reference, key, next_nudge_at from deadline where school_id = 'southlands'"
        " and next_nudge_at <= '2026-11-27 08:30:00' order by next_nudge_at, reference, key limit 100"
    )
    dialect = store.engine.dialect.name
    with writing(store.engine) as connection:
        connection.execute(text(MANY[dialect]))
        connection.execute(text("analyze"))
        explain = "explain query plan " if dialect == "sqlite" else "explain "
        plan = "\n".join(str(line) for line in connection.execute(text(explain + query)))
    assert "ix_deadline_nudge" in plan
    assert "SCAN deadline" not in plan
    assert "Seq Scan" not in plan
    found = due(store.engine, "southlands", FRIDAY + timedelta(minutes=49), 1_000)
    assert len([one for one in found if one.reference != REF]) == 50
